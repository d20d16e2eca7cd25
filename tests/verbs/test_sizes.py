"""Figures whose value depends on how many samples they are of: equally many are compared, or nothing is claimed."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqgans.evaluation import METRICS, Evidence, Figure, measure
from seqgans.report.figures import best_of
from seqgans.training.recipe import Recipe
from seqgans.verbs import tested
from seqgans.verbs.compare import compare
from seqgans.verbs.files import beside_curves
from seqgans.verbs.outcome import Moment, Outcome
from seqgans.verbs.systems import System
from seqgans.verbs.train import train
from tests.verbs.conftest import PLAYER, RUN

WORDS = ("one", "two", "three", "four", "five", "six", "seven")


def written(path: Path, count: int, shift: int) -> Path:
    """So many lines of six words, each another one."""
    lines = [" ".join(WORDS[(shift + line // 7**place) % 7] for place in range(6)) for line in range(count)]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_files_of_unequal_length_are_compared_at_the_shorter_one(tmp_path: Path) -> None:
    """Self-BLEU of the first 30 of both, BLEU of all; the note says so, the page how many.

    Mutants killed: the longer file at its own length; every figure cut to 30 samples; the first lines of each file left
    out; a note where files are equally long; a file of one line to which all others are cut.
    """
    long, short, one = written(tmp_path / "long", 60, 0), written(tmp_path / "short", 30, 3), tmp_path / "one"
    real = str(written(tmp_path / "real", 50, 1))
    one.write_text("one two three four five six\n")
    found = compare([long, short, one], real, metrics=["self_bleu", "bleu", "duplicates"])
    figures = {system["name"]: system["figures"] for system in found["systems"]}
    rows = [[WORDS.index(word) for word in line.split()] for line in long.read_text().splitlines()]
    first = measure(Evidence(samples=rows[:30]), ["self_bleu"]).flat()["self_bleu_4"]
    assert figures["long"]["self_bleu_4"]["mean"] == pytest.approx(first.value)
    assert {figures[name]["self_bleu_4"]["samples"] for name in ("long", "short")} == {30}
    references = [[WORDS.index(word) for word in line.split()] for line in Path(real).read_text().splitlines()]
    whole = measure(Evidence(samples=rows, references=references), ["bleu"]).flat()["bleu_4"]
    assert figures["long"]["bleu_4"]["mean"] == pytest.approx(whole.value)
    assert "samples" not in figures["long"]["bleu_4"]
    assert {test["figure"] for test in found["tests"]} >= {"self_bleu_4", "bleu_4"}
    assert "of 30 samples of each, as many as short has: self-BLEU, duplicates" in found["notes"]
    assert list(figures["long"]) == [name for name in figures["long"] if "self" in name or "bleu" in name] + [
        name for name in figures["long"] if "duplicates" in name
    ]
    alike = compare([short, written(tmp_path / "other", 30, 2)], real, metrics=["self_bleu"])
    assert not [note for note in alike["notes"] if "samples of each" in note]


def test_a_run_is_measured_on_as_many_as_a_file_has(runs: Path, tmp_path: Path) -> None:
    """Kills: the run at its own number; a bar that ends before all metrics were told."""
    (tmp_path / "few").write_text("0 1 2 1 0 2 1 0 1 2 0 1\n1 0 2 1 1 2 1 0 1 2 2 1\n" * 10)
    told: list[tuple[str, int]] = []
    asked = {"metrics": ["self_bleu", "length"], "watch": lambda name, total: told.append((name, total))}
    found = compare([runs / "seqgan-1", tmp_path / "few"], count=40, **asked)
    figures = {system["name"]: system["figures"] for system in found["systems"]}
    alone = compare([runs / "seqgan-1", runs / "likelihood-1"], count=20, metrics=["self_bleu"])["systems"][0][
        "figures"
    ]
    assert figures["seqgan"]["self_bleu_3"]["samples"] == figures["few"]["self_bleu_3"]["samples"] == 20
    assert figures["seqgan"]["self_bleu_3"]["mean"] == pytest.approx(alone["self_bleu_3"]["mean"])
    assert {total for _, total in told} == {4}
    assert len(told) == 4


def of(name: str, size: int) -> System:
    figures = {
        figure: Figure(value=value, standard_error=0.01, count=50)
        for figure, value in (("self_bleu_4", 0.4 + size / 1e5), ("backward_bleu_4", 0.3), ("bleu_4", 0.2))
    }
    moment = Moment(figures, [], size)
    return System(name, {}, [Outcome(Path(name), None, moment, None, [])], [moment])


def test_unequal_numbers_are_not_tested_and_named() -> None:
    """More than a thousand are a thousand for BLEU. Kills: a star for the size of a file; equal ones left untested."""
    many, few = of("many", 5000), of("few", 300)
    assert {test["figure"] for test in tested.tested(few, many)} == {"bleu_4"}
    assert {test["figure"] for test in tested.tested(of("thousand", 1000), many)} == {
        "self_bleu_4",
        "backward_bleu_4",
        "bleu_4",
    }
    [line] = tested.uneven([many, few], many)
    assert line.endswith("on which they depend: self-BLEU, backward-BLEU (many: 1000; few: 300)")
    assert tested.uneven([many, of("thousand", 1000)], many) == []
    assert best_of({"a": {"mean": 1.0, "samples": 9}, "b": {"mean": 2.0, "samples": 5}}, "lower", True) is None


def test_points_of_short_files_beside_curves_of_reports_are_named() -> None:
    """Which are of a thousand samples. Kills: a note on long files, and on files that have no point."""
    point = [{"temperature": 1.0, "bleu_5": 0.2, "self_bleu_5": 0.3}]
    files = [
        Outcome(Path(name), None, Moment({}, rows, size), None, [])
        for name, rows, size in (("short", point, 300), ("long", point, 1000), ("none", [], 300))
    ]
    [line] = beside_curves(files, 1000)
    assert line.endswith("points of curves are of 1000, of files short: 300")
    assert beside_curves(files[1:], 1000) == beside_curves(files, 0) == []


def test_where_no_run_has_a_curve_none_is_spoken_of(tmp_path: Path) -> None:
    """As of pre-trained models, whose reports have no sweeps. Kills: a note on every file that is short."""
    corpus = {"spec": str(written(tmp_path / "words.txt", 80, 0)), "valid": 0.2, "test": 0.2}
    facts = {"algorithm": {"name": "likelihood", "pretrain_epochs": 1}, "corpus": corpus, "run": RUN}
    run = train(Recipe.of({**facts, "generator": PLAYER}), tmp_path / "run")
    paths = [run.path, written(tmp_path / "short", 30, 3)]
    assert "points of curves" in compare(paths)["notes"][-1]
    run.write_json("report.json", {**run.read_report(), "sweeps": {}})
    assert "points of curves" not in " ".join(compare(paths)["notes"])


def test_which_metrics_depend_on_the_number_of_samples() -> None:
    """Those that count what is there once among the samples, or compare clouds; means over samples do not."""
    assert {name for name, metric in METRICS.items() if metric.by_size} == {
        *("self_bleu", "backward_bleu", "bleu_f1", "reverse_lm_kn", "reverse_lm_lstm", "embsim", "fed", "fed_minilm"),
        *("mauve", "mauve_minilm", "c2st", "distinct", "unique_gram", "ngram_entropy", "duplicates"),
        *("jaccard_diversity", "music_pitch", "music_interval", "music_duration"),
    }
