"""REGS: a reward for every generation step, from a discriminator that has learnt to judge unfinished sequences.

Paper                     Code                                  Shape, equation
G, D                      players.generator, .discriminator
{y⁺_1:t}, {y⁻_1:t}        discriminator_phase(one_prefix=True)  one prefix of each sequence: all would over-fit
Q⁺(Y_1:t)                 play.rewards                          (batch, time): D of the prefix itself, no roll-out
b(Y_1:t)                  baseline                              what is subtracted
teacher forcing           teacher_loss                          a real sequence earns 1 a token
D-steps, G-steps          discriminator_steps, generator_steps  Algorithm 1: 5 and 1

`reward` offers the other ways as well: the paper's own alternative, roll-outs; the word of a discriminator that reads
in order after each token, as in StepGAN; or by how much a token raised it, as in DP-GAN. With `learns_from` whole and
without teacher this is SeqGAN without roll-outs, bit for bit.

Departures: without sources in the corpus what is written answers to nothing, where the paper's answers a dialogue; the
baseline is a mean over the batch, not a network; counts and rates that the paper leaves open are SeqGAN's. `shuffled`
is the control arm.

References: Li, Monroe, Shi, Jean, Ritter and Jurafsky (2017), arXiv:1701.06547; StepGAN: Tuan and Lee (2019),
arXiv:1808.05599; DP-GAN: Xu, Ren, Lin and Sun (2018), arXiv:1802.01345.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch

from seqgans.algorithms.adversaries import discriminator_phase
from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.likelihood import pretraining
from seqgans.algorithms.policy import policy_loss, policy_play
from seqgans.generators.conditional import given
from seqgans.objectives.policy_gradient import reinforce_loss
from seqgans.rewards.baselines import MovingAverage
from seqgans.rewards.prefixes import step_scorer
from seqgans.rewards.steps import EACH_STEP, Way
from seqgans.sequences import Loss


@dataclass(frozen=True, kw_only=True)
class REGS:
    """Settings and losses of REGS.

    Attributes:
        pretrain_epochs: passes of maximum likelihood before the game.
        pretrain_rate: learning rate of maximum likelihood.
        pretrain_patience: stop pre-training after this many epochs without a better validation NLL; 0 never stops.
        pretrain_best: start the game from the epoch with the best validation NLL instead of the last.
        discriminator_pretrain_steps: d-steps before the game.
        rounds: rounds of the game.
        generator_steps: policy-gradient steps a round.
        teacher_steps: steps a round in which real sequences earn 1 a token.
        discriminator_steps: d-steps a round, each with fresh negatives.
        discriminator_epochs: passes over the examples of a d-step.
        discriminator_examples: negatives of a d-step; none given means as many as training sequences.
        learns_from: what the discriminator learns from: one prefix of each sequence, whole sequences, or every prefix,
            which needs a discriminator with a score per step.
        reward: the discriminator on padded prefixes; on roll-outs; its probability per step, summed from there on; by
            how much each token alone raised its score; or by how much all tokens from there on did. The last three need
            a discriminator with a score per step.
        rollouts: completions of each prefix, where roll-outs are asked for.
        baseline: what is subtracted from the rewards.
        batch: sequences of a generator step, and of a teacher step.
        discriminator_batch: sequences of a discriminator minibatch, half of them real.
        generator_rate: learning rate of the policy gradient and of the teacher.
        discriminator_rate: learning rate of the discriminator.
        clip: largest gradient norm of the generator.
        shuffled: the control arm: rewards are handed to other sequences of the batch.
    """

    generator: ClassVar[str] = "lstm"
    discriminator: ClassVar[str | None] = "cnn"
    paper: ClassVar[str] = "Li, Monroe, Shi, Jean, Ritter and Jurafsky 2017"
    reads_sources: ClassVar[bool] = True

    pretrain_epochs: int = 120
    pretrain_rate: float = 0.01
    pretrain_patience: int = 0
    pretrain_best: bool = False
    discriminator_pretrain_steps: int = 50
    rounds: int = 200
    generator_steps: int = 1
    teacher_steps: int = 1
    discriminator_steps: int = 5
    discriminator_epochs: int = 3
    discriminator_examples: int | None = None
    learns_from: Literal["one", "whole", "every"] = "one"
    reward: Way = "prefix"
    rollouts: int = 16
    baseline: Literal["none", "batch_mean", "leave_one_out", "moving_average"] = "batch_mean"
    batch: int = 64
    discriminator_batch: int = 64
    generator_rate: float = 0.01
    discriminator_rate: float = 1e-4
    clip: float = 5.0 / 64
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "pretrain_patience", "discriminator_pretrain_steps", "rounds")
        check_counts(self, 0, "discriminator_steps", "teacher_steps")
        check_counts(self, 1, "generator_steps", "discriminator_epochs", "rollouts", "batch")
        check_counts(self, 2, "discriminator_batch")
        check_rates(self, "pretrain_rate", "generator_rate", "discriminator_rate", "clip")

    def schedule(self) -> Schedule:
        """Algorithm 1: pre-train both; then g-steps, as many with the teacher, and d-steps."""
        start = pretraining(
            self.pretrain_epochs, self.pretrain_rate, 64, 5.0, self.pretrain_patience, self.pretrain_best
        )
        moved = Optimizer(name="policy gradient", rate=self.generator_rate, clip=self.clip)
        game, teacher = Update("generator", self.generator_loss, moved), Update("generator", self.teacher_loss, moved)
        return Schedule(
            before=(start, self.discriminator_phase("discriminator pre-training", self.discriminator_pretrain_steps)),
            round=(
                Phase(name="generator", gather=self.play, updates=(game,), gathers=self.generator_steps),
                Phase(name="teacher", gather=self.real, updates=(teacher,), gathers=self.teacher_steps, holds="real"),
                self.discriminator_phase("discriminator", self.discriminator_steps),
            ),
            rounds=self.rounds,
        )

    def discriminator_phase(self, name: str, steps: int) -> Phase:
        """d-steps on what the discriminator shall judge."""
        return discriminator_phase(
            name=name,
            steps=steps,
            epochs=self.discriminator_epochs,
            rate=self.discriminator_rate,
            batch=self.discriminator_batch,
            examples=self.discriminator_examples,
            each_step=self.learns_from == "every",
            one_prefix=self.learns_from == "one",
        )

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """A moving baseline is a player: its averages outlive a checkpoint. Here it shows whether the judge will do."""
        if self.reward in EACH_STEP:
            step_scorer(players.discriminator)
        return {"baseline": MovingAverage()} if self.baseline == "moving_average" else {}

    def play(self, players: Players, scene: Scene) -> Play:
        """Sample, and ask the discriminator what each token earned."""
        return policy_play(
            players,
            scene,
            reward=self.reward,
            batch=self.batch,
            rollouts=self.rollouts,
            baseline=self.baseline,
            shuffled=self.shuffled,
        )

    def real(self, players: Players, scene: Scene) -> Play:
        """Training sequences, which the teacher shows."""
        return Play(real=scene.real(self.batch))

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """Policy gradient on the sampled tokens."""
        return policy_loss(players, play)

    def teacher_loss(self, players: Players, play: Play) -> Loss:
        """The same for real sequences, each token of which earns 1: their negative log-likelihood."""
        if play.real is None:
            raise ValueError("a teacher needs real sequences, got a play without any")
        log_probs = given(players.generator, play.real.source).log_probs(play.real.tokens)  # (batch, time)
        return Loss(reinforce_loss(log_probs, torch.ones_like(log_probs), play.real.mask))
