"""SeqGAN: a generator trained by policy gradient, rewarded by a discriminator that completes its prefixes.

Paper                     Code                                  Shape, equation
G_θ, D_φ                  players.generator, .discriminator
Y_1:T ~ G_θ               play.fake.tokens                      (batch, time)
Q(s = Y_1:t−1, a = y_t)   play.rewards                          (batch, time), Eq. 4
N                         rollouts                              completions of each prefix
g-steps, d-steps, k       generator_steps, discriminator_steps, discriminator_epochs   Algorithm 1

Departures: roll-outs use the current generator, not a delayed copy (so does the published code in effect);
one logit instead of two classes; the published loss is a sum over the batch with the gradient clipped to 5,
which for Adam is our mean over the batch clipped to 5/64. `baseline`, `reward` and `shuffled` are not in the
paper: the first lowers the variance, the second replaces roll-outs by cheaper scores of prefixes, the third is
the control arm of every measurement.

References: Yu, Zhang, Wang and Yu (2017), arXiv:1609.05473.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch

from seqgans.algorithms.adversaries import discriminator_phase
from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.language_discriminator import language_model, language_phases
from seqgans.algorithms.likelihood import pretraining
from seqgans.algorithms.policy import policy_loss, policy_play
from seqgans.rewards.baselines import MovingAverage
from seqgans.rewards.prefixes import step_scorer
from seqgans.rewards.steps import EACH_STEP, Way
from seqgans.sequences import Loss


@dataclass(frozen=True, kw_only=True)
class SeqGAN:
    """Settings and losses of SeqGAN; the defaults are the published ones.

    Attributes:
        pretrain_epochs: passes of maximum likelihood before the game.
        pretrain_rate: learning rate of maximum likelihood.
        pretrain_patience: stop pre-training after this many epochs without a better validation NLL; 0 never stops.
        pretrain_best: start the game from the epoch with the best validation NLL instead of the last.
        discriminator_likelihood: passes of maximum likelihood of the discriminator before that, for one that is a
            language model.
        discriminator_pretrain_steps: d-steps before the game.
        rounds: rounds of the game.
        generator_steps: policy-gradient steps a round (g).
        discriminator_steps: d-steps a round, each with fresh negatives (d).
        discriminator_epochs: passes over the examples of a d-step (k).
        discriminator_examples: negatives of a d-step; none given means as many as training sequences.
        rollouts: completions of each prefix (N).
        reward: roll-outs; the discriminator on padded prefixes; its probability per step, summed from there on; by how
            much each token alone raised its score; or by how much all tokens from there on did. The last three need a
            discriminator with a score per step.
        baseline: what is subtracted from the rewards.
        batch: sequences of a generator step.
        discriminator_batch: sequences of a discriminator minibatch, half of them real.
        generator_rate: learning rate of the policy gradient.
        discriminator_rate: learning rate of the discriminator.
        clip: largest gradient norm of the generator.
        smoothing: by how much the discriminator's target for real sequences stays below 1.
        shuffled: the control arm: rewards are handed to other sequences of the batch.
    """

    generator: ClassVar[str] = "lstm"
    discriminator: ClassVar[str | None] = "cnn"
    paper: ClassVar[str] = "Yu, Zhang, Wang and Yu 2017"
    reads_sources: ClassVar[bool] = True

    pretrain_epochs: int = 120
    pretrain_rate: float = 0.01
    pretrain_patience: int = 0
    pretrain_best: bool = False
    discriminator_likelihood: int = 0
    discriminator_pretrain_steps: int = 50
    rounds: int = 200
    generator_steps: int = 1
    discriminator_steps: int = 5
    discriminator_epochs: int = 3
    discriminator_examples: int | None = None
    rollouts: int = 16
    reward: Way = "rollouts"
    baseline: Literal["none", "batch_mean", "leave_one_out", "moving_average"] = "none"
    batch: int = 64
    discriminator_batch: int = 64
    generator_rate: float = 0.01
    discriminator_rate: float = 1e-4
    clip: float = 5.0 / 64
    smoothing: float = 0.0
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "pretrain_patience", "discriminator_pretrain_steps", "rounds")
        check_counts(self, 0, "discriminator_steps", "discriminator_likelihood")
        check_counts(self, 1, "generator_steps", "discriminator_epochs", "rollouts", "batch")
        check_counts(self, 2, "discriminator_batch")
        check_rates(self, "pretrain_rate", "generator_rate", "discriminator_rate", "clip")
        if not 0 <= self.smoothing < 0.5:
            raise ValueError(f"SeqGAN.smoothing must be at least 0 and below 0.5, got {self.smoothing}")

    def schedule(self) -> Schedule:
        """Algorithm 1: pre-train both, then alternate g-steps and d-steps."""
        return Schedule(
            before=(
                pretraining(
                    self.pretrain_epochs,
                    self.pretrain_rate,
                    64,
                    5.0,
                    patience=self.pretrain_patience,
                    keep_best=self.pretrain_best,
                ),
                *language_phases(self.discriminator_likelihood, self.pretrain_rate, 64),
                self.discriminator_phase("discriminator pre-training", self.discriminator_pretrain_steps),
            ),
            round=(
                Phase(
                    name="generator",
                    gather=self.play,
                    updates=(
                        Update(
                            "generator",
                            self.generator_loss,
                            Optimizer(name="policy gradient", rate=self.generator_rate, clip=self.clip),
                        ),
                    ),
                    gathers=self.generator_steps,
                ),
                self.discriminator_phase("discriminator", self.discriminator_steps),
            ),
            rounds=self.rounds,
        )

    def discriminator_phase(self, name: str, steps: int) -> Phase:
        """d-steps with this algorithm's settings."""
        return discriminator_phase(
            name=name,
            steps=steps,
            epochs=self.discriminator_epochs,
            rate=self.discriminator_rate,
            batch=self.discriminator_batch,
            examples=self.discriminator_examples,
            smoothing=self.smoothing,
            each_step=self.reward in EACH_STEP,
        )

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """A moving baseline is a player: its averages outlive a checkpoint. Here it shows whether the judge will do."""
        if self.discriminator_likelihood:
            language_model(players)
        if self.reward in EACH_STEP:
            step_scorer(players.discriminator)
        return {"baseline": MovingAverage()} if self.baseline == "moving_average" else {}

    def play(self, players: Players, scene: Scene) -> Play:
        """Sample, and ask the discriminator what each token earned (Eq. 4)."""
        return policy_play(
            players,
            scene,
            reward=self.reward,
            batch=self.batch,
            rollouts=self.rollouts,
            baseline=self.baseline,
            shuffled=self.shuffled,
        )

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """Eq. 7: policy gradient on the sampled tokens."""
        return policy_loss(players, play)
