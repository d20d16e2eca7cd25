"""What was found out about a generator at one moment of a run: measured now, or by the run that this one starts from.

Many games begin with one generator (the arms and systems of a suite). Where the run it comes from has already measured
it, on the same sequences, with the same seed and as many samples, measuring again would give the same figures.
"""

from __future__ import annotations

import filecmp
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
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
DAMAGED = (BadInput, OSError, AttributeError, KeyError, TypeError, ValueError)  # what reading such a run may raise

Marks = dict[str, str]
"""A fingerprint of each player, by name."""


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


class Before:
    """What the run that this one starts from says of generators; read once, at the first question.

    Args:
        folder: of this run, with its corpus and versions.
        recipe: its settings.
    """

    def __init__(self, folder: RunFolder, recipe: Recipe) -> None:
        self.folder = folder
        self.recipe = recipe

    def judgement(self, players: torch.nn.Module) -> Judgement | None:
        """What it says of the generator as it is now; None where it says nothing of it.

        Args:
            players: of this run, at the moment that is asked for.
        """
        if not self.known:
            return None
        mine = marks(kept(players), fingerprints(players))
        return next((found for theirs, found in self.known if same_players(mine, theirs)), None)

    @cached_property
    def known(self) -> list[tuple[Marks, Judgement]]:
        """Its judgements, each behind the marks of the players that it is of."""
        if self.recipe.run.start is None:
            return []
        try:
            start = RunFolder.existing(self.recipe.run.start)
            if not (same_conditions(start.read_recipe(), self.recipe) and same_files(start, self.folder)):
                return []
            stages = [stage for stage, checkpoint in STAGES.items() if stage == "final" or checkpoint in start.names()]
            found = [read(start, stage, self.recipe.run.final_samples) for stage in stages]
            return [one for one in found if one is not None]
        except DAMAGED:  # it was moved, or broken off, or changed: this run can measure for itself
            return []


def read(start: RunFolder, stage: str, count: int) -> tuple[Marks, Judgement] | None:
    """What a run wrote down of a stage, behind the marks of its players.

    Returns:
        None where that is of another number of samples, or of players whose checkpoint is gone.
    """
    lines = [line for line in start.events() if line["kind"] == "evaluation" and line.get("stage") == stage]
    if not lines or lines[-1].get("samples_count") != count:
        return None
    tensors, facts = start.load(STAGES[stage])
    if stage == "final" and not facts["place"]["done"]:  # the latest of those that are left is from before the end
        return None
    line = lines[-1]
    figures = {name: unshown(one) for name, one in line["figures"].items()}
    kept_lines = start.read_text(f"samples/step-{line['step']:09d}.txt")
    rows = start.read_report()["sweeps"].get(stage, ())
    sweep = [{name: float(value) for name, value in row.items()} for row in rows]
    found = Judgement(figures, line["samples"], kept_lines, sweep, start.path.resolve().name)
    return marks(of_players(tensors), facts.get("bases", {})), found


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


def marks(tensors: Mapping[str, Tensor], bases: Mapping[str, Any]) -> Marks:
    """A fingerprint of each player.

    Args:
        tensors: by the names of the state dict, without what is borrowed.
        bases: the fingerprints of what is.
    """
    found: dict[str, Any] = {}
    for name, part in sorted(tensors.items()):
        total = found.setdefault(name.partition(".")[0], hashlib.sha256())
        total.update(f"{name} {part.dtype} {tuple(part.shape)}".encode())
        total.update(part.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    for path, base in sorted(bases.items()):
        found.setdefault(path.partition(".")[0], hashlib.sha256()).update(f"{path} {sorted(base.items())}".encode())
    return {player: total.hexdigest() for player, total in found.items()}


def same_players(mine: Marks, theirs: Marks) -> bool:
    """Whether the generator, and whatever else both games have, is the same.

    Others count as well, for a generator may read its discriminator.
    """
    both = ({"generator"} | mine.keys() & theirs.keys()) - set(OF_ONE_GAME)
    return all(mine.get(player) == theirs.get(player) for player in both)


def shown(figure: Figure) -> dict[str, float | None]:
    """A figure as it stands in events and reports."""
    return {"mean": figure.value, "error": figure.standard_error, "count": figure.count}


def unshown(figure: Mapping[str, Any]) -> Figure:
    """A figure that stands in an event."""
    error = figure["error"]
    return Figure(
        value=float(figure["mean"]), standard_error=None if error is None else float(error), count=int(figure["count"])
    )
