"""An algorithm with options: the same players and losses, another schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from seqgans.algorithms.base import Algorithm, Players, Schedule
from seqgans.algorithms.equipment import OF_ONE_TUNING
from seqgans.algorithms.population import POPULATION
from seqgans.errors import BadInput
from seqgans.options.bounding import bounded
from seqgans.options.critic import CRITIC, Critic, criticised
from seqgans.options.interleaving import interleaved
from seqgans.options.judging import penalised, smoothed
from seqgans.options.replay import MEMORY, replaying
from seqgans.options.settings import Options
from seqgans.options.several import each_learning
from seqgans.options.stopping import REFEREE, Referee, stopping
from seqgans.rewards.self_play import PastSamples

OF_ONE_GAME = (MEMORY, REFEREE, POPULATION, *OF_ONE_TUNING)
"""Players that know what has happened in a game, which another game does not begin with."""

OF_DISCRIMINATORS = ("replay", "gradient_penalty", "smoothing", "spectral_norm", "discriminators")
OF_ROUNDS = ("interleave", "critic", "patience")


@dataclass(frozen=True, kw_only=True)
class Equipped:
    """An algorithm whose schedule the options have changed.

    Attributes:
        algorithm: what is played.
        options: what is added.
    """

    algorithm: Algorithm
    options: Options

    @property
    def generator(self) -> str:
        """The algorithm's usual generator."""
        return self.algorithm.generator

    @property
    def discriminator(self) -> str | None:
        """The algorithm's usual discriminator."""
        return self.algorithm.discriminator

    @property
    def paper(self) -> str:
        """The algorithm's paper."""
        return self.algorithm.paper

    def schedule(self) -> Schedule:
        """The algorithm's schedule, changed by one option after another.

        Raises:
            BadInput: an option cannot be combined with this algorithm.
        """
        options, schedule = self.options, self.algorithm.schedule()
        if options.smoothing:
            schedule = smoothed(schedule, options.smoothing)
        if options.gradient_penalty:
            schedule = penalised(schedule, options.gradient_penalty)
        if options.discriminators > 1:  # after what changes the loss of each
            schedule = each_learning(schedule)
        if options.replay:
            schedule = replaying(schedule, options.replay)
        if options.critic != "none":
            schedule = criticised(schedule, options.critic, options.critic_rate)
        if options.interleave:
            schedule = interleaved(schedule, options.interleave)
        if options.spectral_norm:
            schedule = bounded(schedule, options.spectral_norm)
        if options.patience:  # last: it watches whatever a round does
            schedule = stopping(schedule, options.patience, options.validation, options.validation_samples)
        return schedule

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """Those of the algorithm; what options need depends on the corpus (`option_players`)."""
        return self.algorithm.extras(players, random)


def equipped(algorithm: Algorithm, options: Options) -> Algorithm:
    """The algorithm with options; the algorithm itself where there are none.

    Raises:
        BadInput: they contradict each other.
    """
    if options == Options():
        return algorithm
    name, schedule = type(algorithm).__name__, algorithm.schedule()
    for option in OF_DISCRIMINATORS:
        if getattr(options, option) != getattr(Options(), option) and algorithm.discriminator is None:
            raise BadInput(f"options.{option} needs a discriminator, {name} has none; leave it out")
    for option in OF_ROUNDS:
        if getattr(options, option) != getattr(Options(), option) and not (schedule.rounds and schedule.round):
            raise BadInput(f"options.{option} needs an algorithm with rounds, {name} has none here; leave it out")
    found = Equipped(algorithm=algorithm, options=options)
    found.schedule()  # contradictions come to light now, not after hours
    return found  # pyright: ignore[reportReturnType]  # what others have as class variables it takes from its algorithm


def option_players(
    options: Options, players: Players, length: int, random: torch.Generator, source_width: int = 0
) -> dict[str, nn.Module]:
    """What options remember and learn, as players: it outlives a checkpoint.

    Args:
        options: what is added.
        players: the generator among them.
        length: positions of a sequence.
        random: where parameters come from.
        source_width: positions of what a sequence answers; 0 where they answer nothing.
    """
    found: dict[str, nn.Module] = {}
    if options.replay:
        found[MEMORY] = PastSamples(options.replay_size, length, source_width)
    if options.critic != "none":
        found[CRITIC] = Critic(players.generator.vocabulary_size, random)
    if options.patience:
        found[REFEREE] = Referee(players.generator)
    return found
