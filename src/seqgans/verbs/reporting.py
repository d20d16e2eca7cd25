"""The report of a run: before and after, the whole curve of both, samples, findings, time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqgans.algorithms.base import Players
from seqgans.data.kinds import without_folders
from seqgans.evaluation.sweep import Point
from seqgans.report.page import run_page
from seqgans.report.players import curves_png
from seqgans.training.borrowed import kept, load_players, of_players
from seqgans.training.checkpoint import write_atomically
from seqgans.training.folder import RunFolder
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.verbs.judgement import Before
from seqgans.verbs.judging import Judge

SWEEP_SAMPLES = 1000  # sequences drawn at each temperature
COMPLETIONS = 48  # answers of the last rounds that the report shows


def write_report(
    folder: RunFolder,
    recipe: Recipe,
    training: Training,
    judge: Judge,
    before: Before,
    seconds: Mapping[str, float],
    completions: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write report.json, report.html and, of a fine-tuning, curves.png.

    A pre-trained model is not judged over temperatures: nine thousand of its texts are for `evaluate` to draw, which is
    asked for them.

    Args:
        folder: of the run.
        recipe: its settings.
        training: whose generator is judged over temperatures, as it is and as its game began.
        judge: who measures.
        before: what is known already.
        seconds: CPU seconds of each phase.
        completions: answers of a fine-tuning, the last ones of which are shown.
    """
    lines, sweeps = folder.events(), {}
    if recipe.sweeps:
        players = training.players
        sweeps["final"] = curve(players, judge, before)
        if (folder.path / "checkpoints" / "pretrained").is_dir():
            tensors, facts = folder.load("pretrained")
            now, bases = {name: part.clone() for name, part in kept(players).items()}, facts.get("bases", {})
            load_players(players, of_players(tensors), bases)
            sweeps["pretrained"] = curve(players, judge, before)
            load_players(players, now, bases)
    evaluations = [line for line in lines if line["kind"] == "evaluation"]
    report = {
        "algorithm": recipe.algorithm,
        "corpus": recipe.corpus,
        "seed": recipe.run.seed,
        "rounds": {"played": training.place.round, "of": training.schedule.rounds},
        "evaluations": {line["stage"]: line["figures"] for line in evaluations if line["stage"] != "game"},
        "sweeps": sweeps,
        "samples": evaluations[-1]["samples"],
        "findings": [line for line in lines if line["kind"] == "finding"],
        "cpu_seconds": dict(seconds),
    }
    report |= {"completions": list(completions[-COMPLETIONS:])} if completions else {}
    title = f"{recipe.algorithm} on {without_folders(recipe.corpus)}"
    if recipe.draws_curves and (picture := curves_png(lines, title)) is not None:
        write_atomically(folder.path / "curves.png", picture)
    folder.write_json("report.json", report)
    folder.write_text("report.html", run_page(report, lines))


def curve(players: Players, judge: Judge, before: Before) -> Sequence[Mapping[str, float]]:
    """The generator at each temperature, as a report has it; the curve of the start where it is the start's."""
    known = before.judgement(players)
    if known is not None and known.sweep:
        return known.sweep
    return [swept(point) for point in judge.sweep(players.generator, SWEEP_SAMPLES)]


def swept(point: Point) -> dict[str, float]:
    """A point of a sweep as it stands in a report."""
    return {
        "temperature": 1.0 / point.inverse_temperature,
        **{name: figure.value for name, figure in point.figures.items()},
    }
