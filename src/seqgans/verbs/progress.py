"""What a run says while it runs: one moving line on stderr, and a line for each thing worth keeping."""

from __future__ import annotations

import sys
from typing import Protocol, runtime_checkable

from seqgans.algorithms.base import Schedule
from seqgans.training.place import Event

SHOWN = {
    "nll": "NLL",
    "validation": "valid NLL",
    "reward": "reward",
    "accuracy": "D accuracy",
    "entropy": "entropy",
}
LOGGED = 30.0  # seconds between two states of the bar where it is a file's lines, not a terminal's


@runtime_checkable
class Watcher(Protocol):
    """Whoever wants to see a run."""

    def begin(self, schedule: Schedule, done: int) -> None:
        """The run is about to start; `done` gatherings lie behind it."""
        ...

    def event(self, event: Event, figures: dict[str, float]) -> None:
        """An event of the loop, with the latest figures of all players."""
        ...

    def say(self, line: str) -> None:
        """A line worth keeping."""
        ...

    def close(self) -> None:
        """The run has ended."""
        ...


class Silent:
    """Sees nothing, says nothing."""

    def begin(self, schedule: Schedule, done: int) -> None:
        """Nothing."""

    def event(self, event: Event, figures: dict[str, float]) -> None:
        """Nothing."""

    def say(self, line: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Progress:
    """A progress bar with the figures that matter, on stderr."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._make = tqdm
        self._bar: tqdm | None = None

    def begin(self, schedule: Schedule, done: int) -> None:
        """One bar for all gatherings of the schedule."""
        total = sum(phase.gathers for phase in schedule.before)
        total += schedule.rounds * sum(phase.gathers for phase in schedule.round)
        often = 0.5 if sys.stderr.isatty() else LOGGED
        self._bar = self._make(
            total=total, initial=done, file=sys.stderr, dynamic_ncols=True, mininterval=often, maxinterval=2 * often
        )

    def event(self, event: Event, figures: dict[str, float]) -> None:
        """Move on at each gathering; show the figures."""
        if self._bar is None:
            return
        if event.kind == "gathering":
            self._bar.update(1)
        if event.kind in ("gathering", "update"):
            where = f"round {event.round}: {event.phase}" if event.round else event.phase
            self._bar.set_description(where, refresh=False)
            short = {}
            for name, value in figures.items():
                label = SHOWN.get(name.rpartition(".")[2])
                if label is not None:
                    short[label] = f"{value:.3f}"
            self._bar.set_postfix(short, refresh=False)

    def say(self, line: str) -> None:
        """Above the bar."""
        if self._bar is None:
            sys.stderr.write(f"{line}\n")
        else:
            self._bar.write(line, file=sys.stderr)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
