"""GSGAN: a generator trained from scratch through Gumbel-softmax samples that it reads itself.

Paper                     Code                                  Shape, equation
G_θ, D_φ                  players.generator, .discriminator     an LSTM whose first state is noise; an LSTM
h, logits                 generator.output(hidden)              (batch, vocab)
y = softmax((h + g)/τ)    generator.relax(…).weights            (batch, time, vocab); also the next input
x, one-hot                play.real.tokens                      (batch, time)
L_D, L_G                  objectives.adversarial.standard       −log D(x) − log(1 − D(y)), −log D(y)
τ_n, large → nearly 0     temperature(progress)                 exponential from start to end

Each round moves the discriminator, then the generator, through all steps of what it wrote and read.

Departures: the first hidden state is a learned function of the noise and the cell state 0 (`generators/latent.py`), or
there is no such noise with any other generator: Gumbel noise alone can make any law over sequences, and then their
likelihood is exact. The paper calls its τ an inverse temperature; here it divides. Batch and rounds are the reported
ones, not checked against its text; rates and temperatures are ours, as it gives none that we could read. What follows
an end token is padding for the discriminator. Not in the paper: maximum likelihood beforehand, `straight_through`,
other objectives (minimax is the saturating loss), and `cut_gradient`, the control arm.

References: Kusner and Hernández-Lobato (2016), arXiv:1611.04051; Jang, Gu and Poole (2017), arXiv:1611.01144;
Maddison, Mnih and Teh (2017), arXiv:1611.00712.
"""

from __future__ import annotations

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


@dataclass(frozen=True, kw_only=True)
class GSGAN:
    """Settings and losses of GSGAN.

    Attributes:
        pretrain_epochs: passes of maximum likelihood before the game; none in the paper, needed on real text.
        pretrain_rate: learning rate of maximum likelihood.
        pretrain_patience: stop pre-training after this many epochs without a better validation NLL; 0 never stops.
        pretrain_best: start the game from the epoch with the best validation NLL instead of the last.
        rounds: rounds of the game.
        discriminator_steps: discriminator steps a round, each with fresh samples.
        generator_steps: generator steps a round.
        batch: sequences of each kind in a step.
        generator_rate: learning rate of the generator in the game.
        discriminator_rate: learning rate of the discriminator.
        clip: largest gradient norm of either player.
        temperature_start: τ in the first round; the larger, the closer to uniform the samples.
        temperature_end: τ from `annealing_share` on; the smaller, the closer to one-hot, and the wilder the gradient.
        annealing_share: share of the rounds in which τ falls, above 0 and at most 1.
        objective: what the players minimise: standard, minimax, relativistic, kullback_leibler, least_squares, hinge,
            total_variation or wasserstein.
        straight_through: show and read one-hot samples that carry the gradient of the soft ones.
        cut_gradient: the control arm: the relaxed samples carry no gradient, so the generator stays where it is.
    """

    generator: ClassVar[str] = "latent"
    discriminator: ClassVar[str | None] = "lstm"
    paper: ClassVar[str] = "Kusner and Hernández-Lobato 2016"
    sizes: ClassVar[dict[str, dict[str, Any]]] = {
        "generator": {"embedding": 32, "hidden": 32, "latent": 32, "every_step": False},
        "discriminator": {"embedding": 32, "hidden": 32, "dropout": 0.0},
    }

    pretrain_epochs: int = 0
    pretrain_rate: float = 0.01
    pretrain_patience: int = 0
    pretrain_best: bool = False
    rounds: int = 20_000
    discriminator_steps: int = 1
    generator_steps: int = 1
    batch: int = 200
    generator_rate: float = 1e-3
    discriminator_rate: float = 1e-3
    clip: float = 5.0
    temperature_start: float = 5.0
    temperature_end: float = 0.5
    annealing_share: float = 0.8
    objective: str = "standard"
    straight_through: bool = False
    cut_gradient: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "pretrain_patience", "rounds", "discriminator_steps")
        check_counts(self, 1, "generator_steps", "batch")
        check_rates(self, "pretrain_rate", "generator_rate", "discriminator_rate", "clip")
        check_rates(self, "temperature_start", "temperature_end")
        if not 0 < self.annealing_share <= 1:
            raise ValueError(f"GSGAN.annealing_share must be above 0 and at most 1, got {self.annealing_share}")
        choice(ADVERSARIAL, self.objective, "objective")

    def schedule(self) -> Schedule:
        """Maximum likelihood if asked for, then rounds of discriminator and generator steps."""
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
                    name="discriminator",
                    gather=self.real_and_relaxed,
                    updates=(Update("discriminator", relaxed_judging(self.objective), discriminator),),
                    gathers=self.discriminator_steps,
                    holds="weights",
                ),
                Phase(
                    name="generator",
                    gather=self.real,
                    updates=(Update("generator", self.generator_loss, generator),),
                    gathers=self.generator_steps,
                ),
            ),
            rounds=self.rounds,
        )

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """No further players."""
        return {}

    def temperature(self, progress: float) -> float:
        """τ_n: what noisy logits are divided by, falling exponentially to its end, where it stays."""
        share = min(1.0, progress / self.annealing_share)
        return self.temperature_start * (self.temperature_end / self.temperature_start) ** share

    def relaxed(self, players: Players, count: int, length: int, random: Stream, progress: float) -> Relaxed:
        """Samples at the temperature of this round, each row of which is the next input."""
        return players.generator.relax(
            count,
            length,
            random=random,
            inverse_temperature=1 / self.temperature(progress),
            straight_through=self.straight_through,
            soft_inputs=True,
        )

    def real(self, players: Players, scene: Scene) -> Play:
        """Training sequences; the samples of a generator step need gradient and are drawn by its loss."""
        return Play(real=scene.real(self.batch))

    def real_and_relaxed(self, players: Players, scene: Scene) -> Play:
        """Training sequences and as many relaxed samples of the generator."""
        return real_and_relaxed(players, scene, self.batch, self.relaxed)

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """L_G on fresh relaxed samples, through which its gradient flows."""
        loss = relaxed_generator_loss(players, play, self.relaxed, self.objective, self.cut_gradient)
        return Loss(loss.value, {"temperature": self.temperature(play.progress), **loss.figures})
