"""What was found out about a generator at one moment of a run: measured now, or by the run that this one starts from.

Many games begin with one generator (the arms and systems of a suite). Where the run it comes from has already measured
it, on the same sequences, with the same seed and as many samples, measuring again would give the same figures.
"""

from __future__ import annotations

import filecmp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seqgans.data.sources import source_texts
from seqgans.errors import BadInput
from seqgans.evaluation import Figure
from seqgans.generators.base import Generator
from seqgans.options import OF_ONE_GAME
from seqgans.sequences import Sequences
from seqgans.training.borrowed import fingerprints, kept, of_players
from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe
from seqgans.verbs.judging import FED, Judge

KEPT_SAMPLES = 100  # lines of a samples file
ALIKE = ("corpus.safetensors", "corpus.json", "vocabulary.json", "oracle.safetensors", "versions.json")
"""Files that two runs share where figures of one generator are the same in both."""
STAGES = {"final": "latest", "pretrained": "pretrained"}
"""The evaluations of a run that came before, and the checkpoint that holds what each of them judged."""
SETTINGS = ("corpus", "corpus_settings", "generator", "generator_settings")
OF_RUNS = ("seed", "final_samples", "show", "device", "precision")


@dataclass(frozen=True)
class Judgement:
    """A generator at one moment.

    Attributes:
        figures: by name.
        samples: texts of it that are shown.
        lines: its file of samples.
        sweep: the rows of its temperatures, where a run that came before has them.
        whose: that run; empty where it was measured now.
    """

    figures: Mapping[str, Figure]
    samples: Sequence[str]
    lines: str
    sweep: Sequence[Mapping[str, float]] = ()
    whose: str = ""


def judged(judge: Judge, generator: Generator, count: int, show: int) -> Judgement:
    """A generator measured now.

    Args:
        judge: who measures.
        generator: who is judged.
        count: samples drawn.
        show: how many texts of them are shown.
    """
    figures, samples = judge.figures(generator, count)
    texts = texts_of(judge, samples)
    lines: Sequence[str] = texts
    if samples.source is not None:
        asked = source_texts(samples.source[slice(0, KEPT_SAMPLES)], judge.corpus.vocabulary)
        lines = [f"{source}\t{text}" for source, text in zip(asked, texts, strict=True)]
    return Judgement(figures, texts[:show], "".join(f"{line}\n" for line in lines))


def texts_of(judge: Judge, samples: Sequences) -> list[str]:
    """The first samples as text."""
    return [judge.corpus.vocabulary.decode(ids) for ids in samples[slice(0, KEPT_SAMPLES)].lists(judge.end)]


def judged_before(folder: RunFolder, recipe: Recipe, players: torch.nn.Module) -> Judgement | None:
    """What the run that this one starts from says of the generator as it is now; None where it says nothing of it.

    Args:
        folder: of this run, with its corpus and versions.
        recipe: its settings.
        players: of this run, at the moment that is asked for.
    """
    if recipe.run.start is None:
        return None
    try:
        start = RunFolder.existing(recipe.run.start)
        if not (same_conditions(start.read_recipe(), recipe) and same_files(start, folder)):
            return None
        report = start.read_report()
        for stage, checkpoint in STAGES.items():
            if stage == "final" or checkpoint in start.names():
                tensors, facts = start.load(checkpoint)
                if same_players(players, of_players(tensors), facts.get("bases", {})):
                    return read(start, stage, report, recipe.run.final_samples)
    except BadInput:  # it was moved, or broken off, or damaged: this run can measure for itself
        return None
    return None


def read(start: RunFolder, stage: str, report: Mapping[str, Any], count: int) -> Judgement | None:
    """What a run wrote down of a stage; None where that is of another number of samples, or by an older library."""
    lines = [line for line in start.events() if line["kind"] == "evaluation" and line.get("stage") == stage]
    if not lines or lines[-1].get("samples_count") != count:
        return None
    line = lines[-1]
    if not all("count" in one for one in line["figures"].values()):
        return None
    figures = {name: unshown(one) for name, one in line["figures"].items()}
    kept_lines = start.read_text(f"samples/step-{line['step']:09d}.txt")
    return Judgement(figures, line["samples"], kept_lines, report.get("sweeps", {}).get(stage, ()), start.path.name)


def same_conditions(one: Recipe, other: Recipe) -> bool:
    """Whether two runs judge in the same way."""
    return (
        all(getattr(one, name) == getattr(other, name) for name in SETTINGS)
        and all(getattr(one.run, name) == getattr(other.run, name) for name in OF_RUNS)
        and (one.run.best == FED) == (other.run.best == FED)
    )


def same_files(one: RunFolder, other: RunFolder) -> bool:
    """Whether two runs read the same sequences, know the same law and were made by the same software."""
    for name in ALIKE:
        ours, theirs = one.path / name, other.path / name
        if ours.is_file() != theirs.is_file() or (ours.is_file() and not filecmp.cmp(ours, theirs, shallow=False)):
            return False
    return True


def same_players(players: torch.nn.Module, tensors: Mapping[str, Tensor], bases: Mapping[str, Any]) -> bool:
    """Whether the generator, and whatever else both games have, is what a checkpoint holds.

    Others count as well, for a generator may read its discriminator.
    """
    shared = {name for name, _ in players.named_children() if name not in OF_ONE_GAME}
    shared = {name for name in shared if name == "generator" or any(key.split(".")[0] == name for key in tensors)}
    mine, theirs = (of_those(each, shared) for each in (kept(players), tensors))
    if mine.keys() != theirs.keys() or of_those(fingerprints(players), shared) != of_those(bases, shared):
        return False
    return all(torch.equal(part.cpu(), theirs[name].cpu()) for name, part in mine.items())


def of_those(named: Mapping[str, Any], players: set[str]) -> dict[str, Any]:
    """What belongs to some players, by names that begin with theirs."""
    return {name: part for name, part in named.items() if name.split(".")[0] in players}


def shown(figure: Figure) -> dict[str, float | None]:
    """A figure as it stands in events and reports."""
    return {"mean": figure.value, "error": figure.standard_error, "count": figure.count}


def unshown(figure: Mapping[str, Any]) -> Figure:
    """A figure that stands in an event."""
    return Figure(value=figure["mean"], standard_error=figure["error"], count=figure["count"])
