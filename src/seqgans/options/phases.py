"""Who moves in a phase, and changing the phases of a schedule in which the discriminator learns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from seqgans.algorithms.base import Phase, Schedule, Update


def updates_of(phase: Phase) -> tuple[Update, ...]:
    """The updates that a phase makes, at every rate that it comes to, and those that it tries."""
    made = [slowed(update, times) for times in range(phase.lowerings + 1) for update in phase.updates]
    return *made, *(variant.update for variant in phase.variants)


def slowed(update: Update, times: int) -> Update:
    """The same update at a tenth of its rate, so many times, each with moments of its own."""
    if not times:
        return update
    how = update.optimizer
    slower = dataclasses.replace(how, name=f"{how.name} slowed {times}", rate=how.rate * 0.1**times)
    return dataclasses.replace(update, optimizer=slower)


def judges(update: Update) -> bool:
    """Whether an update moves the discriminator or a part of it."""
    return update.player.split(".")[0] == "discriminator"


def judging_phases(schedule: Schedule) -> list[Phase]:
    """The phases in which the discriminator learns."""
    return [phase for phase in (*schedule.before, *schedule.round) if any(map(judges, updates_of(phase)))]


def every_phase(schedule: Schedule, change: Callable[[Phase], Phase]) -> Schedule:
    """The schedule with every phase changed."""
    before, again = (tuple(map(change, phases)) for phases in (schedule.before, schedule.round))
    return dataclasses.replace(schedule, before=before, round=again)


def every_judging(schedule: Schedule, change: Callable[[Update], Update]) -> Schedule:
    """The schedule with every update of the discriminator changed, those that are only tried too."""

    def changed(phase: Phase) -> Phase:
        updates = tuple(change(update) if judges(update) else update for update in phase.updates)
        variants = tuple(
            dataclasses.replace(variant, update=change(variant.update)) if judges(variant.update) else variant
            for variant in phase.variants
        )
        return dataclasses.replace(phase, updates=updates, variants=variants)

    return every_phase(schedule, changed)
