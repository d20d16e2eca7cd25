"""One self-contained page of a comparison or of a run: opens offline, in any browser, on a phone.

A comparison is a plain dict, so that it can be printed as JSON as well. Every key but "systems" and, of a
system, "name" may be missing: the page leaves out what it does not have.

    title         str, the heading; "Comparison" where missing
    corpus        str, what was learnt from
    seeds         [int], seeds of the runs
    commands      [str], what to type to repeat it
    notes         [str], sentences shown under the heading (which test the p-values are from, ...)
    baseline      name of the system that p-values compare with
    figures_order [figure], rows of the table; the order of first appearance where missing
    planes        [{"x": figure, "y": figure,
                  "areas": {system: between its curve and the baseline's, negative where it lies below, which is better;
                  None where they share no quality},
                  "matched": {system: {"quality": of the baseline as it is, "diversity": there, "baseline": the
                  baseline's}; None where there is none, since the system's curve does not reach that quality},
                  "at": {"quality", "baseline"} of the same, None where the baseline was not drawn from as it is}]
    differences   {setting: {system: value}}, settings that are not the same everywhere
    systems       [system], in the order of columns and colours:
        name      str
        figures   {figure: {"mean", "spread": over seeds or None, "n": seeds, "p": against the baseline or None,
                  "error": of samples, where there is no spread, "kind": of the test, "between-run" or "within-run",
                  "samples": of how many it is, where its value depends on that,
                  "better": "lower" | "higher" | None (found from the figure's name where missing)}}
        sweep     [{"temperature": t, figure: number, ...}], mean over seeds; "top_k", "top_p" where used
        sweep_errors  [{figure: standard error or None}], of a sweep of texts, row by row
        samples   [{"text", "nearest", "similarity": 0 to 1, "copy": bool, "times": how often it was written}] as of
                  `report.neighbours`, or [str]
        runs      [run], one a seed:
            path, seed, algorithm; the last two None of a file of samples
            sweep     its own, from which come regions of confidence
            events    lines of events.jsonl; those of kind "evaluation" are drawn
            findings  [{"detector", "saw", "try", "step"}]

A run's page takes report.json and the lines of events.jsonl as they are (`verbs/recorder.py` writes them);
"settings" and "commands" are shown where the report has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from seqgans.report.downloads import downloads_section
from seqgans.report.figures import over_seeds
from seqgans.report.planes import plane_section
from seqgans.report.players import completions_section
from seqgans.report.sections import (
    differences_section,
    figures_section,
    findings_section,
    header,
    learning_section,
    samples_section,
    settings_section,
    time_section,
    training_section,
)

BEFORE, AFTER = "pretrained", "final"
STAGES = {"untrained": "untrained", BEFORE: "maximum likelihood"}  # columns of a run's page, and their names


def comparison_page(comparison: Mapping[str, Any]) -> str:
    """The page of a comparison.

    Args:
        comparison: as described above.

    Returns:
        A whole HTML document that refers to nothing outside it.
    """
    systems = comparison["systems"]
    order = comparison.get("figures_order", ())
    baseline = comparison.get("baseline")
    title = comparison.get("title") or "Comparison"
    facts = {
        "corpus": comparison.get("corpus"),
        "seeds": ", ".join(map(str, comparison.get("seeds", ()))),
        "systems": len(systems),
        "baseline": baseline,
    }
    return document(
        title,
        header(title, facts, comparison.get("notes", ()), comparison.get("commands", ())),
        figures_section(systems, baseline, order, seeds=over_seeds(systems) > 1),
        plane_section(systems, comparison.get("planes", ()), baseline),
        learning_section(systems, order),
        findings_section(systems),
        samples_section(systems),
        differences_section(comparison.get("differences", {}), [system["name"] for system in systems]),
        downloads_section(comparison),
    )


def run_page(report: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> str:
    """The page of one run: before and after the game, how it went, samples, settings.

    Args:
        report: what report.json holds.
        events: the lines of events.jsonl.

    Returns:
        A whole HTML document that refers to nothing outside it.
    """
    name = str(report.get("algorithm", "run"))
    stages, sweeps = report.get("evaluations", {}), report.get("sweeps", {})
    before = [
        {"name": shown, "figures": stages.get(stage, {}), "sweep": sweeps.get(stage, [])}
        for stage, shown in STAGES.items()
        if stage in stages or stage in sweeps
    ]
    watched = {"findings": report["findings"]} if "findings" in report else {}
    after = {
        "name": name,
        "figures": stages.get(AFTER, {}),
        "sweep": sweeps.get(AFTER, []),
        "samples": report.get("samples", ()),
        "runs": [{"seed": report.get("seed"), "events": events, **watched}],
    }
    systems = [*before, after]
    rounds = report.get("rounds", {})
    early = f"{rounds['played']} of {rounds['of']}" if rounds and rounds["played"] < rounds["of"] else ""
    facts = {"seed": report.get("seed"), "rounds (ended early)": early}
    title = f"{name} on {report['corpus']}" if "corpus" in report else name
    return document(
        title,
        header(title, facts, report.get("notes", ()), report.get("commands", ())),
        figures_section(systems, None, (), seeds=False),
        findings_section(systems, alone=True),
        plane_section(systems, ()),
        learning_section(systems, ()),
        training_section(events),
        completions_section(report.get("completions", ())),
        samples_section(systems),
        time_section(report.get("cpu_seconds", {})),
        settings_section(report.get("settings", {})),
    )


def document(title: str, *parts: str) -> str:
    """A whole HTML document around the parts, with style and script inside it."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{beside('page.css')}</style></head>\n<body><main>"
        + "\n".join(part for part in parts if part)
        + f'</main><output id="reading" hidden></output><script>{beside("page.js")}</script></body></html>\n'
    )


@cache
def beside(name: str) -> str:
    """The text of a file that lies beside this one."""
    return files("seqgans.report").joinpath(name).read_text(encoding="utf-8")
