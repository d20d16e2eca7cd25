"""Pages: whole, offline, escaped, with the right numbers.

Mutants killed: an `escape` left out anywhere text comes in; a script or a style fetched from elsewhere; figures in the
wrong column; p-values left out or against the wrong system; the best marked where no direction is known; a section
that needs what a comparison may lack.
"""

from __future__ import annotations

import json
import re
from types import ModuleType
from typing import Any

import pytest

from seqgans.report.page import comparison_page, run_page
from seqgans.report.table import comparison_table


def infected(value: Any, poison: str) -> Any:
    """The same value with every text that is not a key of the contract made hostile."""
    keys = {"kind", "stage", "better", "planes", "path"}
    if isinstance(value, dict):
        return {name: item if name in keys else infected(item, poison) for name, item in value.items()}
    if isinstance(value, list):
        return [infected(item, poison) for item in value]
    return f"{value}{poison}" if isinstance(value, str) else value


def test_a_page_is_whole_and_stands_alone(comparison: dict[str, Any], crafted: ModuleType, parse: Any) -> None:
    for text in (comparison_page(comparison), run_page(*crafted.run())):
        page = parse(text)
        assert text.startswith("<!DOCTYPE html>")
        assert "http" not in text
        assert "@import" not in text
        assert "url(" not in text
        assert not [has for _, has in page.elements if {"src", "onclick", "onerror"} & set(has)]
        assert all(
            str(has["href"]).startswith("data:") and has["download"] for _, has in page.elements if "href" in has
        )
        assert page.count("script") == page.count("style") == page.count("title") == page.count("main") == 1


def test_hostile_samples_stay_text(comparison: dict[str, Any], crafted: ModuleType, parse: Any) -> None:
    page = parse(comparison_page(comparison))
    clean = parse(comparison_page({**comparison, "systems": [{**s, "samples": []} for s in comparison["systems"]]}))
    assert page.count("script") == clean.count("script") == 1
    assert page.count("img") == 0
    assert page.text().count(crafted.HOSTILE) == 4
    assert parse(run_page(*crafted.run())).text().count(crafted.HOSTILE) == 1


@pytest.mark.parametrize(
    "poison", ["<b data-x>", '" onload="x', "' onload='x", "</script><script>", "</style>", "&amp;"]
)
def test_every_text_is_escaped(comparison: dict[str, Any], crafted: ModuleType, parse: Any, poison: str) -> None:
    poisoned = infected(comparison, poison)
    poisoned["systems"] = [
        {**system, "figures": {f"{name}{poison}": figure for name, figure in system["figures"].items()}}
        for system in poisoned["systems"]
    ]
    poisoned["differences"] = {f"setting{poison}": {system["name"]: poison for system in poisoned["systems"]}}
    poisoned["figures_order"] = []
    report, lines = crafted.run()
    report["cpu_seconds"] = {f"{name}{poison}": value for name, value in report["cpu_seconds"].items()}
    for text in (comparison_page(poisoned), run_page(infected(report, poison), infected(lines, poison))):
        page = parse(text)
        assert page.count("script") == page.count("style") == 1
        assert not [has for _, has in page.elements if {"onload", "data-x"} & set(has)]
        assert page.text().count(poison) > 10


def test_hover_data_can_be_read_back(comparison: dict[str, Any], parse: Any) -> None:
    comparison["systems"][0]["name"] = "likely \"<&'"
    page = parse(comparison_page(comparison))
    drawings = [json.loads(has["data-dots"]) for tag, has in page.elements if "data-dots" in has]
    assert len(drawings) == 6  # the plane and five learning curves
    names = {dot[3] for dot in drawings[0]}
    assert names == {"likely \"<&'", "seqgan", "seqgan-shuffled", "leakgan"}
    assert all(0 <= dot[0] <= 360 and 0 <= dot[1] <= 250 for dots in drawings for dot in dots)
    oracle = [dot for dot in drawings[1] if dot[3] == "seqgan, mean of 3 seeds"]
    assert oracle[-1][4] == "NLL oracle 4.603 ± 0.020 (update 1440)"


def test_figures_stand_in_their_rows_and_columns(comparison: dict[str, Any]) -> None:
    rows = re.findall(r"<tr>(.*?)</tr>", comparison_page(comparison), re.S)
    row = next(row for row in rows if "NLL oracle" in row)
    numbers = re.findall(r"<b>([^<]+)</b>", row)
    assert numbers == ["4.923", "4.603", "4.873", "4.723"]
    assert re.findall(r"± ([\d.]+)", row) == ["0.012", "0.015", "0.013", "0.014"]
    assert re.findall(r'class="stars">([^<]*)<', row) == ["***", "", "*"]
    assert "p &lt; 0.001 against likelihood" in row
    assert re.findall(r"<td class=best[^>]*><span class=\"value\"><b>([^<]+)", row) == ["4.603"]
    undirected = next(row for row in rows if "NLL div" in row)
    assert "class=best" not in undirected
    assert "better" not in undirected


def test_the_baseline_is_named(comparison: dict[str, Any]) -> None:
    text = comparison_page(comparison)
    assert re.search(r"likelihood<small>baseline</small>", text)
    assert text.count("<small>baseline</small>") == 1


def test_copies_and_neighbours(comparison: dict[str, Any], parse: Any) -> None:
    page = parse(comparison_page(comparison))
    assert page.count("article", class_="pair copy again") == 4
    assert page.text().count("3 times") == 4
    assert page.count("article", class_="pair") == 12
    assert "10/12" not in page.text()
    assert "83%" in page.text()
    assert "child" not in page.within("u")  # not in the nearest line
    assert {"school", "眠"} <= set(page.within("u"))


def test_distances_of_curves(comparison: dict[str, Any], parse: Any) -> None:
    """Mutants killed: above for below; the diversity of the baseline in the place of the system's; a dash for what
    no point of a curve reaches; a system that is left out since it shares no quality.
    """
    text = comparison_page(comparison)
    rows = re.findall(r"<tr>(.*?)</tr>", text.partition('aria-label="Distances of curves"')[2].partition("</table>")[0])
    cells = [re.sub("<[^>]*>", "|", row).strip("|") for row in rows]
    assert "area to the curve of likelihood" in cells[0]
    assert cells[0].endswith("NLL gen where NLL oracle is 4.900 (likelihood: 4.302)")
    assert re.findall(r"[^|]+", cells[1]) == ["seqgan", "−0.041, below", "4.205"]
    assert re.findall(r"[^|]+", cells[2]) == ["seqgan-shuffled", "+0.002, above", "outside the curve"]
    assert re.findall(r"[^|]+", cells[3]) == ["leakgan", "–", "outside the curve"]
    assert len(rows) == 4


def test_findings_name_their_run(comparison: dict[str, Any], parse: Any) -> None:
    text = parse(comparison_page(comparison)).text()
    assert text.count("leakgan, seed 1, update 1200") == 1
    assert "fell from 4.1 to 1.9" in text


def test_what_is_of_seeds_and_what_of_samples_looks_different(parse: Any) -> None:
    """Errors of a file in parentheses, its p-values with daggers, each explained; one value has no spread.

    Mutants killed: a star for samples of one run; a standard error as a deviation over seeds; an explanation of signs
    that nothing can have; "± 0.000000"; brackets where all are of samples.
    """
    mean = {"mean": 0.2, "spread": 0.01, "error": 0.002, "n": 2, "p": None}
    better = {"mean": 0.3, "spread": 0.01, "error": 0.002, "n": 2, "p": 1e-4, "kind": "between-run"}
    file = {"mean": 0.4, "error": 0.003, "n": 1, "p": 1e-4, "kind": "within-run"}
    same = {"mean": 0.106548, "error": 1e-12, "n": 1, "p": 0.02, "kind": "within-run"}
    systems = [
        {"name": name, "figures": {"bleu_4": figure}}
        for name, figure in (("base", mean), ("game", better), ("people", file), ("same", same))
    ]
    shown = {"systems": systems, "baseline": "base"}
    page, table = parse(comparison_page(shown)), comparison_table(shown)
    words = re.sub(r"\s+", " ", page.text())
    assert "0.300***± 0.010" in words
    assert "0.4000†††(± 0.0030)" in words
    assert "0.1065†" in words
    assert "Mean ± standard deviation over seeds, in parentheses the standard error of one run or file;" in words
    for text in (words, table):
        assert "*** p < 0.001 against base over seeds" in text
        assert "†, ††, ††† at the same levels against base, of samples of one run each" in text
        assert "0.000000" not in text
    assert "[0.4000 (± 0.0030)]†††" in table
    alone = {"systems": [systems[2], systems[3]], "baseline": "same"}
    words = re.sub(r"\s+", " ", parse(comparison_page(alone)).text())
    assert "(±" not in words
    assert "parentheses" not in words
    assert "*" not in words
    assert "†, ††, ††† p < 0.05, 0.01, 0.001 against same" in words


def test_files_were_not_watched(comparison: dict[str, Any], parse: Any) -> None:
    """Beside runs and alone. Kills: "Nothing." of a file that collapsed; a run that is called a file."""
    file = {"name": "same.txt", "runs": [{"path": "same.txt", "seed": None, "algorithm": None, "findings": []}]}
    run = {"name": "one", "runs": [{"path": "one", "seed": 1, "algorithm": "seqgan", "findings": []}]}

    def said(*systems: dict[str, Any]) -> str:
        text = (
            comparison_page({"systems": list(systems)})
            .partition('<section id="findings">')[2]
            .partition("</section>")[0]
        )
        return re.sub("<[^>]*>", "|", text)

    assert "Nothing." not in said(file)
    assert "Not looked at: same.txt (a file of samples)." in said(file)
    assert "Not looked at: same.txt, same.txt (files of samples)." in said(file, file)
    assert "Nothing." in said(run, file)
    assert "Not looked at" not in said(run)
    assert "Not looked at: same.txt" in said(*comparison["systems"], file)


def test_names_of_settings_break_between_words() -> None:
    """Kills: names that break anywhere; markup in a name that is markup."""
    page = comparison_page({"systems": [], "differences": {"algorithm.generator_steps": {}, "<i>": {}}})
    assert "<code>algorithm.<wbr>generator_<wbr>steps</code>" in page
    assert "<code>&lt;i&gt;</code>" in page


def test_that_nothing_was_found_is_said(parse: Any) -> None:
    systems = [{"name": name, "runs": [{"findings": []}]} for name in ("one", "two")]
    assert "What the detectors sawNothing." in parse(comparison_page({"systems": systems})).text()


@pytest.mark.parametrize(
    "left_out", ["title", "corpus", "seeds", "commands", "notes", "baseline", "planes", "differences", "figures_order"]
)
def test_what_a_comparison_lacks_is_left_out(comparison: dict[str, Any], parse: Any, left_out: str) -> None:
    del comparison[left_out]
    assert parse(comparison_page(comparison)).count("h1") == 1


def test_the_least_comparison(parse: Any) -> None:
    page = parse(comparison_page({"systems": [{"name": "one"}, {"name": "two", "figures": {}, "runs": [{}]}]}))
    assert page.count("section") == 0
    assert "Comparison" in page.text()


def test_the_least_run(parse: Any) -> None:
    assert parse(run_page({}, [])).count("section") == 0


def test_a_run_before_and_after(crafted: ModuleType, parse: Any) -> None:
    report, lines = crafted.run()
    text = run_page(report, lines)
    row = next(row for row in re.findall(r"<tr>(.*?)</tr>", text, re.S) if "NLL oracle" in row)
    assert re.findall(r"<b>([^<]+)</b>", row) == ["4.900", "4.590"]
    page = parse(text)
    captions = page.within("figcaption")
    assert {"reward", "entropy", "discriminator: accuracy", "JSD"} <= set(captions)
    sections = [has["id"] for tag, has in page.elements if tag == "section"]
    assert sections == ["figures", "findings", "plane", "learning", "training", "samples", "time", "settings"]


def test_a_run_of_likelihood_alone(crafted: ModuleType, parse: Any) -> None:
    report, lines = crafted.run()
    for part in ("evaluations", "sweeps"):
        report[part] = {"final": report[part]["final"]}
    page = parse(run_page(report, [line for line in lines if line.get("stage") in ("pretraining", "final")]))
    assert page.count("span", class_="swatch hue-1") == 0


def test_numbers_that_are_not_finite_do_not_break_a_page(comparison: dict[str, Any], crafted: ModuleType) -> None:
    comparison["systems"][1]["figures"]["jsd"]["mean"] = float("nan")
    comparison["systems"][1]["sweep"][0]["nll_gen"] = float("inf")
    comparison["systems"][1]["runs"][0]["events"][0]["figures"]["jsd"]["mean"] = None
    report, lines = crafted.run()
    lines[-2]["figures"]["discriminator.loss"] = float("nan")
    for text in (comparison_page(comparison), run_page(report, lines)):
        places = re.findall(r' (?:points|cx|cy|x|y|data-dots)="([^"]*)"', text)
        assert len(places) > 100
        assert not [place for place in places if re.search(r"\b(nan|inf|infinity)\b", place, re.I)]


def test_an_infinite_figure_is_shown_but_never_best(crafted: ModuleType) -> None:
    report, lines = crafted.run()
    report["evaluations"]["pretrained"]["nll_oracle"] = {"mean": float("inf"), "error": None}
    rows = re.findall(r"<tr>(.*?)</tr>", run_page(report, lines), re.S)
    row = next(row for row in rows if "NLL oracle" in row)
    assert re.findall(r"<b>([^<]+)</b>", row) == ["∞", "4.590"]


def test_the_best_of_one_run_is_marked_only_beyond_its_error(crafted: ModuleType) -> None:
    report, lines = crafted.run()
    for error, marked in ((0.01, True), (0.2, False)):
        for stage in ("pretrained", "final"):
            report["evaluations"][stage]["nll_oracle"]["error"] = error
        rows = re.findall(r"<tr>(.*?)</tr>", run_page(report, lines), re.S)
        assert ("class=best" in next(row for row in rows if "NLL oracle" in row)) == marked
