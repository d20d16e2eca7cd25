"""RelGAN: a relational memory trained through relaxed samples against a discriminator with many views.

Paper                     Code                                  Shape, equation
G_θ, D_φ                  players.generator, .discriminator     relational memory; multi-view CNN
r_1:T                     play.real.tokens                      (batch, time)
ŷ_1:T, Gumbel-softmax     generator.relax(…).weights            (batch, time, vocab), Eq. 5 and 6
D(X^(s)), s = 1..S        discriminator.view_scores(…)          (batch, views), Eq. 8
l_D, l_G                  objectives.adversarial.relativistic   Eq. 7, pairs aligned by row and view
β_n = β_max^(n/N)         inverse_temperature(progress)         Eq. 6
g, d                      generator_steps, discriminator_steps  per round

The next input is the hard token, without gradient; gradient reaches θ through ŷ alone.

Departures: l_G is the twin −log σ(f − r) of the authors' code, not −l_D of the paper's text; layer norms are taken
row by row, not over rows and features together; n/N reaches 1 in the last round, where the authors' code divides by
5,000 whatever the number of rounds (`annealing_share` = rounds / 5,000 gives that); what follows an end token is
padding for the discriminator. Not in the paper: `straight_through`, and `cut_gradient`, the control arm of every
measurement.

References: Nie, Narodytska and Patel (2019), openreview rJedV3R5tm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.likelihood import pretraining
from seqgans.algorithms.relaxed import real_and_relaxed, relaxed_generator_loss, relaxed_judging
from seqgans.choices import choice
from seqgans.objectives.adversarial import ADVERSARIAL
from seqgans.randomness import Stream
from seqgans.sequences import Loss, Relaxed

ANNEALINGS: dict[str, Callable[[float, float], float]] = {
    "exponential": lambda limit, share: limit**share,
    "linear": lambda limit, share: 1 + (limit - 1) * share,
    "logarithmic": lambda limit, share: 1 + (limit - 1) * math.log1p(4_999 * share) / math.log(5_000),
    "sigmoid": lambda limit, share: 1 + (limit - 1) / (1 + math.exp(20 * (0.5 - share))),
    "quadratic": lambda limit, share: 1 + (limit - 1) * share**2,
    "square_root": lambda limit, share: 1 + (limit - 1) * share**0.5,
    "constant": lambda limit, share: limit,
}
"""β from its limit and the share n/N of the way; all but the last go from 1 to the limit."""


@dataclass(frozen=True, kw_only=True)
class RelGAN:
    """Settings and losses of RelGAN; the defaults are those of the paper on the oracle of length 20.

    Attributes:
        pretrain_epochs: passes of maximum likelihood before the game; the discriminator is not pre-trained.
        pretrain_rate: learning rate of maximum likelihood.
        pretrain_patience: stop pre-training after this many epochs without a better validation NLL; 0 never stops.
        pretrain_best: start the game from the epoch with the best validation NLL instead of the last.
        rounds: rounds of the game.
        generator_steps: generator steps a round (g).
        discriminator_steps: discriminator steps a round, each with fresh samples (d).
        batch: sequences of each kind in a step.
        generator_rate: learning rate of the generator in the game.
        discriminator_rate: learning rate of the discriminator.
        clip: largest gradient norm of either player.
        inverse_temperature_limit: β_max; the larger, the closer to one-hot the samples become (more diverse, lower
            quality); the paper takes 1 and 2 on oracles of length 20 and 40, 100 and 1,000 on text.
        annealing: how β goes from 1 to its limit over the rounds: exponential, linear, logarithmic, sigmoid, quadratic
            or square_root; constant: β is the limit all the time.
        annealing_share: how far along that way the last round is, above 0 and at most 1; the authors' runs on text
            end at 2,000 of 5,000, that is 0.4.
        objective: what the players minimise: relativistic, relativistic_average, standard, minimax, kullback_leibler,
            least_squares, hinge, total_variation or wasserstein.
        straight_through: show the discriminator one-hot samples that carry the gradient of the soft ones.
        cut_gradient: the control arm: the relaxed samples carry no gradient, so the generator stays where it is.
    """

    generator: ClassVar[str] = "memory"
    discriminator: ClassVar[str | None] = "multi_view"
    paper: ClassVar[str] = "Nie, Narodytska and Patel 2019"

    pretrain_epochs: int = 150
    pretrain_rate: float = 0.01
    pretrain_patience: int = 0
    pretrain_best: bool = False
    rounds: int = 3_000
    generator_steps: int = 1
    discriminator_steps: int = 5
    batch: int = 64
    generator_rate: float = 1e-4
    discriminator_rate: float = 1e-4
    clip: float = 5.0
    inverse_temperature_limit: float = 1.0
    annealing: str = "exponential"
    annealing_share: float = 1.0
    objective: str = "relativistic"
    straight_through: bool = False
    cut_gradient: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "pretrain_patience", "rounds", "discriminator_steps")
        check_counts(self, 1, "generator_steps", "batch")
        check_rates(self, "pretrain_rate", "generator_rate", "discriminator_rate", "clip", "inverse_temperature_limit")
        if not 0 < self.annealing_share <= 1:
            raise ValueError(f"RelGAN.annealing_share must be above 0 and at most 1, got {self.annealing_share}")
        choice(ADVERSARIAL, self.objective, "objective")
        choice(ANNEALINGS, self.annealing, "annealing")

    def schedule(self) -> Schedule:
        """Maximum likelihood, then rounds of g generator steps and d discriminator steps."""
        pretrain = pretraining(
            self.pretrain_epochs,
            self.pretrain_rate,
            self.batch,
            self.clip,
            patience=self.pretrain_patience,
            keep_best=self.pretrain_best,
        )
        generator = Optimizer(name="adversarial", rate=self.generator_rate, clip=self.clip)
        discriminator = Optimizer(name="adversarial", rate=self.discriminator_rate, clip=self.clip)
        return Schedule(
            before=(pretrain,),
            round=(
                Phase(
                    name="generator",
                    gather=self.real,
                    updates=(Update("generator", self.generator_loss, generator),),
                    gathers=self.generator_steps,
                ),
                Phase(
                    name="discriminator",
                    gather=self.real_and_relaxed,
                    updates=(Update("discriminator", relaxed_judging(self.objective), discriminator),),
                    gathers=self.discriminator_steps,
                    holds="weights",
                ),
            ),
            rounds=self.rounds,
        )

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """No further players."""
        return {}

    def inverse_temperature(self, progress: float) -> float:
        """β_n: how sharp the relaxed samples are, from 1 in the first round to β_max."""
        return ANNEALINGS[self.annealing](self.inverse_temperature_limit, self.annealing_share * progress)

    def relaxed(self, players: Players, count: int, length: int, random: Stream, progress: float) -> Relaxed:
        """Samples at the temperature of this round."""
        return players.generator.relax(
            count,
            length,
            random=random,
            inverse_temperature=self.inverse_temperature(progress),
            straight_through=self.straight_through,
        )

    def real(self, players: Players, scene: Scene) -> Play:
        """Training sequences; the samples of a generator step need gradient and are drawn by its loss."""
        return Play(real=scene.real(self.batch))

    def real_and_relaxed(self, players: Players, scene: Scene) -> Play:
        """Training sequences and as many relaxed samples of the generator."""
        return real_and_relaxed(players, scene, self.batch, self.relaxed)

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """l_G on fresh relaxed samples, through which its gradient flows."""
        loss = relaxed_generator_loss(players, play, self.relaxed, self.objective, self.cut_gradient)
        return Loss(loss.value, {"inverse_temperature": self.inverse_temperature(play.progress), **loss.figures})
