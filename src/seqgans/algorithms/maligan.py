"""MaliGAN: maximum likelihood on the generator's own samples, weighted by how real the discriminator finds them.

Paper                     Code                                  Shape, equation
p_θ, D                    players.generator, .discriminator
r_D(x) = D/(1 − D)        odds                                  (batch, time)
w_i = r_D(x_i) / Σ_j r_D  normalised                            (batch, time), sum to 1 over a group
b                         baseline(progress)                    from 0 to 1
x_i ~ p'                  play.fake.tokens                      (batch, time); p' is p_θ of the moment
m, n, N                   batch / completions, completions, given   mixed training: n completions of N real tokens
Σ_i (w_i − b/m) ∇log p_θ  reinforce_loss on play.rewards        rewards m·w_i − b, 1 on tokens that were given

With the best discriminator r_D = p_d/p', so the update is that of maximum likelihood on p_d. Mixed training keeps the
first N tokens of real sequences, which earn the weight of maximum likelihood; N falls from T to 0.

Departures: b is subtracted as b/m, m the rows that share a normalisation, because weights that sum to 1 have the mean
1/m; the mixed gradient is a mean over prefixes (the printed one sums its first term and averages its second); N and b
move evenly with the rounds (the paper: every K, no numbers). Scores are clipped, and samples whose weights rest on
fewer than 2 of them are left out. Counts and rates, which the paper lacks, are TextGAN-PyTorch's, n is ours.

References: Che, Li, Zhang, Hjelm, Li, Song and Bengio (2017), arXiv:1702.07983.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from seqgans.algorithms.adversaries import discriminator_phase
from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.likelihood import pretraining
from seqgans.objectives.policy_gradient import reinforce_loss
from seqgans.rewards.control import shuffled_over_batch
from seqgans.rewards.odds import effective_samples, normalised, odds
from seqgans.rewards.rollouts import rollout_values
from seqgans.sequences import Loss, Samples


@dataclass(frozen=True, kw_only=True)
class MaliGAN:
    """Settings and losses of MaliGAN.

    Attributes:
        pretrain_epochs: passes of maximum likelihood before the game.
        pretrain_rate: learning rate of maximum likelihood.
        pretrain_patience: stop pre-training after this many epochs without a better validation NLL; 0 never stops.
        pretrain_best: start the game from the epoch with the best validation NLL instead of the last.
        discriminator_pretrain_steps: d-steps before the game.
        rounds: rounds of the game.
        generator_steps: generator steps a round (g).
        discriminator_steps: d-steps a round, each with fresh negatives (k).
        discriminator_epochs: passes over the examples of a d-step.
        discriminator_examples: negatives of a d-step; none given means as many as training sequences.
        mixed_share: share of the rounds over which the real prefix shrinks from the whole sequence to nothing
            (mixed MLE-MaliGAN); 0 is basic MaliGAN, without prefixes.
        completions: samples that share a real prefix (n), a divisor of the batch; only in mixed training.
        normalise: weights sum to 1 over the samples of a prefix or over the batch; only in mixed training.
        weights: one weight a sequence, or at each token the mean odds of roll-outs from there (the tree variant).
        rollouts: roll-outs of each prefix in the tree variant.
        baseline_start: b in the first round, in [0, 1]; 1 subtracts the mean weight.
        baseline_end: b in the last round, in [0, 1].
        temper: exponent of the odds, above 0 and at most 1; the smaller, the more alike the weights.
        score_limit: largest absolute logit of the discriminator that counts, in nats, at most 50.
        least_effective: leave a step's samples out if their weights rest on fewer, by (Σ w)² / Σ w²; real tokens stay.
        batch: sequences of a generator step (m · n in mixed training).
        discriminator_batch: sequences of a discriminator minibatch, half of them real.
        generator_rate: learning rate of the generator in the game.
        discriminator_rate: learning rate of the discriminator.
        clip: largest gradient norm of the generator.
        shuffled: the control arm: weights are handed to other sequences of the batch.
    """

    generator: ClassVar[str] = "lstm"
    discriminator: ClassVar[str | None] = "cnn"
    paper: ClassVar[str] = "Che, Li, Zhang, Hjelm, Li, Song and Bengio 2017"

    pretrain_epochs: int = 80
    pretrain_rate: float = 0.01
    pretrain_patience: int = 0
    pretrain_best: bool = False
    discriminator_pretrain_steps: int = 4
    rounds: int = 200
    generator_steps: int = 50
    discriminator_steps: int = 1
    discriminator_epochs: int = 3
    discriminator_examples: int | None = None
    mixed_share: float = 1.0
    completions: int = 4
    normalise: Literal["prefix", "batch"] = "prefix"
    weights: Literal["sequence", "tree"] = "sequence"
    rollouts: int = 16
    baseline_start: float = 0.0
    baseline_end: float = 1.0
    temper: float = 1.0
    score_limit: float = 5.0
    least_effective: float = 2.0
    batch: int = 64
    discriminator_batch: int = 64
    generator_rate: float = 1e-4
    discriminator_rate: float = 1e-4
    clip: float = 5.0
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "pretrain_patience", "discriminator_pretrain_steps", "rounds")
        check_counts(self, 0, "discriminator_steps", "least_effective")
        check_counts(self, 1, "generator_steps", "discriminator_epochs", "rollouts")
        check_counts(self, 2, "batch", "completions", "discriminator_batch")
        check_rates(self, "pretrain_rate", "generator_rate", "discriminator_rate", "clip", "temper", "score_limit")
        for name in ("mixed_share", "baseline_start", "baseline_end", "temper", "score_limit"):
            if not 0 <= getattr(self, name) <= (most := 50 if name == "score_limit" else 1):
                raise ValueError(f"MaliGAN.{name} must be at least 0 and at most {most}, got {getattr(self, name)}")
        if self.mixed_share and self.batch % self.completions:
            raise ValueError(f"MaliGAN.completions must divide the batch {self.batch}, got {self.completions}")

    def schedule(self) -> Schedule:
        """Pre-train both, then alternate generator steps and d-steps."""
        judging = functools.partial(
            discriminator_phase,
            epochs=self.discriminator_epochs,
            rate=self.discriminator_rate,
            batch=self.discriminator_batch,
            examples=self.discriminator_examples,
        )
        optimizer = Optimizer(name="weighted likelihood", rate=self.generator_rate, clip=self.clip)
        update = Update("generator", self.generator_loss, optimizer)
        start = pretraining(
            self.pretrain_epochs, self.pretrain_rate, 64, 5.0, self.pretrain_patience, self.pretrain_best
        )
        return Schedule(
            before=(start, judging(name="discriminator pre-training", steps=self.discriminator_pretrain_steps)),
            round=(
                Phase(name="generator", gather=self.play, updates=(update,), gathers=self.generator_steps),
                judging(name="discriminator", steps=self.discriminator_steps),
            ),
            rounds=self.rounds,
        )

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """No further players."""
        return {}

    def given(self, length: int, progress: float) -> int:
        """N: how many tokens of each sample are those of a real sequence."""
        return round(length * max(0.0, 1 - progress / self.mixed_share)) if self.mixed_share else 0

    def baseline(self, progress: float) -> float:
        """b: how much of the mean weight is subtracted."""
        return self.baseline_start + (self.baseline_end - self.baseline_start) * progress

    def play(self, players: Players, scene: Scene) -> Play:
        """Sample, and weigh each token by the odds of its sequence."""
        given, baseline = self.given(scene.corpus.length, scene.progress), self.baseline(scene.progress)
        fake = self.sampled(players, scene, given)
        groups = self.batch // self.completions if given and self.normalise == "prefix" else 1
        weights = normalised(scene.gather(self.odds(players, scene, fake)), groups)  # those of all processes
        effective = effective_samples(weights).mean().item()
        rewards = self.batch // groups * weights - baseline
        if self.shuffled:
            rewards = shuffled_over_batch(rewards, scene.random)
        skipped = effective < self.least_effective
        rewards = rewards[scene.rank :: scene.processes] * (fake.mask & (not skipped))
        rewards[:, :given] = fake.mask[:, :given].to(rewards.dtype)  # real tokens: maximum likelihood
        figures = {
            "effective_samples": effective,
            "skipped": float(skipped),
            "given_tokens": float(given),
            "baseline": baseline,
            "entropy": -(fake.log_probs[:, given:].sum() / fake.mask[:, given:].sum().clamp(min=1)).item(),
        }
        rows = slice(0, 0) if skipped and not given else slice(None)  # the loop passes over a play without rows
        return Play(fake=fake.sequences[rows], rewards=rewards[rows], figures=figures)

    def sampled(self, players: Players, scene: Scene, given: int) -> Samples:
        """Samples from the start, or n completions of each of m real prefixes: row i completes prefix i mod m."""
        prefix, length = None, scene.corpus.length
        if self.mixed_share:
            prefix = scene.real(self.batch // self.completions).tokens[:, :given].repeat(self.completions, 1)
        return players.generator.sample(scene.share(self.batch), length, random=scene.random, prefix=prefix)

    def odds(self, players: Players, scene: Scene, fake: Samples) -> Float[Tensor, "batch time"]:
        """r_D of each sequence at each of its tokens, or the mean of r_D over roll-outs from there."""
        worth = functools.partial(odds, temper=self.temper, limit=self.score_limit)
        if self.weights == "tree":
            return rollout_values(
                players.generator, players.discriminator, fake.tokens, fake.mask, self.rollouts, scene.random, worth
            )
        scores = players.discriminator.scores(fake.tokens, fake.mask)  # (batch,)
        return worth(scores)[:, None].repeat(1, fake.tokens.shape[1])

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """Likelihood of the samples, each token by its weight less the baseline."""
        if play.fake is None or play.rewards is None:
            raise ValueError("weighted likelihood needs samples and weights, got a play without one of them")
        log_probs = players.generator.log_probs(play.fake.tokens)  # (batch, time)
        return Loss(reinforce_loss(log_probs, play.rewards, play.fake.mask))
