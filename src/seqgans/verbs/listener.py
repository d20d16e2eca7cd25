"""Whoever is told all that a run writes, and may ask for more: an evaluation, a checkpoint, the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from seqgans.algorithms.base import Schedule
from seqgans.training.folder import RunFolder
from seqgans.training.loop import Training
from seqgans.training.place import Event
from seqgans.training.recipe import Recipe

Wish = Literal["evaluation", "checkpoint", "end"]


@runtime_checkable
class Listener(Protocol):
    """Hears a run from its leading process."""

    def begin(self, folder: RunFolder, recipe: Recipe, training: Training, chooser: str) -> None:
        """The run is about to start or to go on; its best checkpoint is that of the lowest `chooser`."""
        ...

    def updated(self, event: Event) -> None:
        """A player was moved."""
        ...

    def line(self, line: dict[str, Any]) -> None:
        """A line of events.jsonl was written: a gathering, an evaluation, a finding, the end of a phase or a round."""
        ...

    def saved(self, checkpoint: Path) -> None:
        """A checkpoint was written."""
        ...

    def wants(self, wish: Wish) -> bool:
        """Whether something is asked for, at the end of a gathering, a phase or a round; asking takes the wish back."""
        ...

    def facts(self) -> list[Any]:
        """What it has counted itself, ready for JSON; a checkpoint keeps it, and `restore` takes it back."""
        ...

    def restore(self, facts: list[Any]) -> None:
        """Go on counting where a checkpoint was written; called before `begin`."""
        ...

    def ended(self) -> None:
        """The run has come to its end, its report and last checkpoint are written."""
        ...


def may_be_best(stage: str | None, schedule: Schedule) -> bool:
    """Whether an evaluation may mark the best checkpoint: not those on the way to the game, where there is one."""
    return stage not in ("untrained", "pretraining") or not schedule.rounds


class Deaf:
    """Hears nothing, wants nothing."""

    def begin(self, folder: RunFolder, recipe: Recipe, training: Training, chooser: str) -> None:
        """Nothing."""

    def updated(self, event: Event) -> None:
        """Nothing."""

    def line(self, line: dict[str, Any]) -> None:
        """Nothing."""

    def saved(self, checkpoint: Path) -> None:
        """Nothing."""

    def wants(self, wish: Wish) -> bool:
        """Nothing."""
        return False

    def facts(self) -> list[Any]:
        """Nothing."""
        return []

    def restore(self, facts: list[Any]) -> None:
        """Nothing."""

    def ended(self) -> None:
        """Nothing."""
