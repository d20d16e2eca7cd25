"""k discriminators: each learns by its own loss from the same minibatches, samples are rewarded by their mean score.

References: Durugkar, Gemp and Mahadevan (2017), arXiv:1611.01673, with the mean for what the generator faces.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable

import torch

from seqgans.algorithms.base import LossFunction, Play, Players, Schedule, Update
from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.ensemble import Ensemble
from seqgans.options.phases import every_judging
from seqgans.sequences import Loss


def together(discriminators: Iterable[Discriminator], shared: bool) -> Discriminator:
    """One discriminator made of several; the only one itself."""
    members = list(discriminators)
    return Ensemble(members, shared) if len(members) > 1 else members[0]


def each_learning(schedule: Schedule) -> Schedule:
    """The same game, every member of the discriminator minimising what one alone would."""

    def changed(update: Update) -> Update:
        return dataclasses.replace(update, loss=functools.partial(of_each, loss=update.loss))

    return every_judging(schedule, changed)


def of_each(players: Players, play: Play, loss: LossFunction) -> Loss:
    """The sum of the members' losses, so that none learns more slowly than it would alone; figures are means."""
    if not isinstance(players.discriminator, Ensemble):
        raise TypeError(f"several discriminators are an Ensemble, got {type(players.discriminator).__name__}")
    others = dict(players.named_children())
    found = [loss(Players({**others, "discriminator": member}), play) for member in players.discriminator.members]
    figures = {name: sum(one.figures[name] for one in found) / len(found) for name in found[0].figures}
    return dataclasses.replace(found[0], value=torch.stack([one.value for one in found]).sum(), figures=figures)
