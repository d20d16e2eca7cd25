"""Changing the phases of a schedule in which the discriminator learns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from seqgans.algorithms.base import Phase, Schedule, Update


def judges(update: Update) -> bool:
    """Whether an update moves the discriminator or a part of it."""
    return update.player.split(".")[0] == "discriminator"


def every_phase(schedule: Schedule, change: Callable[[Phase], Phase]) -> Schedule:
    """The schedule with every phase changed."""
    before, again = (tuple(map(change, phases)) for phases in (schedule.before, schedule.round))
    return dataclasses.replace(schedule, before=before, round=again)


def every_judging(schedule: Schedule, change: Callable[[Update], Update]) -> Schedule:
    """The schedule with every update of the discriminator changed."""

    def changed(phase: Phase) -> Phase:
        updates = tuple(change(update) if judges(update) else update for update in phase.updates)
        return dataclasses.replace(phase, updates=updates)

    return every_phase(schedule, changed)
