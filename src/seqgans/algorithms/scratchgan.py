"""ScratchGAN: a generator trained by policy gradient alone, from random parameters, with a reward for every token.

Paper                              Code                              Shape, equation
p_θ, D_φ(x_t ∣ x_1:t−1)            players.generator, σ(discriminator.step_scores)
x ∼ p*, x̂ ∼ p_θ                    play.real, play.fake              (batch, time)
r_t = 2 D_φ(x̂_t ∣ x̂_1:t−1) − 1     signed_step_rewards               (batch, time), in [−1, 1]
R_t = Σ_{s≥t} γ^{s−t} r_s          reward_to_go(…, discount)         (batch, time)
b ← λ b + (1 − λ) R̄               players.baseline                  used before it is updated
(R_t − b) ∇ ln p_θ(x̂_t ∣ x̂_1:t−1)  reinforce_loss                    sum over time, mean over batch

With R = p*/p_θ this would be the gradient of maximum likelihood; a learned reward is smoother and says something
off the data. What makes it start at all: large batches, a reward a token, the baseline and a regularised discriminator.

Departures: the authors' generator adds frozen GloVe embeddings, ties its output to them and reads both layers; here it
is any generator (their size: an LSTM of two layers of 512). b is corrected for having begun at 0 and does not count
padding, whose reward is 0. The model is chosen by `run.best`, where `fed` embeds by hashed n-grams. `pretrain_epochs`,
a game without `baseline`, and `shuffled`, the control arm, are not in the paper.

References: de Masson d'Autume, Rosca, Rae and Mohamed (2019), arXiv:1905.09922.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from seqgans.algorithms.adversaries import judged
from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.likelihood import pretraining
from seqgans.algorithms.policy import policy_loss
from seqgans.objectives.adversarial import accuracy, discriminator_loss
from seqgans.rewards.baselines import MovingAverage
from seqgans.rewards.control import shuffled_over_batch
from seqgans.rewards.prefixes import signed_step_rewards, step_scorer
from seqgans.rewards.returns import reward_to_go
from seqgans.sequences import Loss


@dataclass(frozen=True, kw_only=True)
class ScratchGAN:
    """Settings and losses of ScratchGAN; the defaults are the published ones.

    Attributes:
        pretrain_epochs: passes of maximum likelihood before the game; the paper has none, and that is its point.
        pretrain_rate: learning rate of maximum likelihood.
        rounds: rounds of the game.
        steps: steps a round, each of which moves both players once, by the same samples.
        batch: sequences of each kind in a step; with 64 or fewer learning may not start.
        discount: γ, in [0, 1]; small values make the reward of a token its own.
        baseline: subtract a moving average of the returns.
        baseline_decay: λ, weight of the past in that average, at least 0 and below 1.
        generator_rate: learning rate of the policy gradient.
        discriminator_rate: learning rate of the discriminator.
        first_moment: decay of Adam's first moment, of both players; at least 0 and below 1.
        shuffled: the control arm: hand each sequence's rewards to another sequence.
    """

    generator: ClassVar[str] = "lstm"
    discriminator: ClassVar[str | None] = "positional"
    paper: ClassVar[str] = "de Masson d'Autume et al. 2019"

    pretrain_epochs: int = 0
    pretrain_rate: float = 0.01
    rounds: int = 200
    steps: int = 1_000
    batch: int = 512
    discount: float = 0.23
    baseline: bool = True
    baseline_decay: float = 0.08
    generator_rate: float = 9.59e-5
    discriminator_rate: float = 9.38e-3
    first_moment: float = 0.5
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "rounds")
        check_counts(self, 1, "steps", "batch")
        check_rates(self, "pretrain_rate", "generator_rate", "discriminator_rate")
        for name in ("baseline_decay", "first_moment"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"ScratchGAN.{name} must be at least 0 and below 1, got {getattr(self, name)}")
        if not 0 <= self.discount <= 1:
            raise ValueError(f"ScratchGAN.discount must be at least 0 and at most 1, got {self.discount}")

    def schedule(self) -> Schedule:
        """Steps alone: one batch, then one update of each player."""
        betas = (self.first_moment, 0.999)
        judge = Optimizer(name="discriminator", rate=self.discriminator_rate, betas=betas)
        writer = Optimizer(name="policy gradient", rate=self.generator_rate, betas=betas)
        phase = Phase(
            name="game",
            gather=self.play,
            updates=(
                Update("discriminator", self.discriminator_loss, judge),
                Update("generator", self.generator_loss, writer),
            ),
            gathers=self.steps,
        )
        pretrain = pretraining(self.pretrain_epochs, self.pretrain_rate, self.batch, clip=5.0)
        return Schedule(before=(pretrain,), round=(phase,), rounds=self.rounds)

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """The moving baseline, whose average outlives a checkpoint."""
        return {"baseline": MovingAverage(self.baseline_decay)} if self.baseline else {}

    def play(self, players: Players, scene: Scene) -> Play:
        """Real and generated sequences, and how much more than usual each generated token leads to."""
        count, length = scene.share(self.batch), scene.corpus.length
        real = scene.real(self.batch)
        fake = players.generator.sample(count, length, random=scene.random)
        rewards = signed_step_rewards(players.discriminator, fake.tokens, fake.mask)
        returns = reward_to_go(rewards, fake.mask, self.discount)
        figures = {
            "reward": rewards[fake.mask].mean().item(),
            "reward_first": rewards[:, 0].mean().item(),
            "reward_last": rewards.gather(1, fake.mask.sum(1, keepdim=True) - 1).mean().item(),
            "entropy": -(fake.log_probs.sum() / fake.mask.sum()).item(),
            "unique": len(scene.gather(fake.tokens).unique(dim=0)) / self.batch,
        }
        if self.shuffled:
            returns = scene.over_batch(lambda whole: shuffled_over_batch(whole, scene.random), returns)
        if self.baseline:
            mask = scene.gather(fake.mask)
            returns = scene.over_batch(lambda whole: players.get_submodule("baseline")(whole, mask), returns)
        kept = returns[fake.mask]
        figures |= {"advantage": kept.mean().item(), "advantage_spread": kept.std(correction=0).item()}
        return Play(real=real, fake=fake.sequences, rewards=returns, figures=figures)

    def discriminator_loss(self, players: Players, play: Play, smoothing: float = 0.0) -> Loss:
        """Cross-entropy at every position, a mean over all of them; padding scores 0, which costs ln 2."""
        if play.real is None or play.fake is None:
            raise ValueError("a discriminator needs real and generated sequences, got a play without one of them")
        tokens, mask = (torch.cat([getattr(play.real, part), getattr(play.fake, part)]) for part in ("tokens", "mask"))
        scores = step_scorer(players.discriminator).step_scores(tokens, mask, random=play.random)  # (batch, time)
        real, fake = scores.masked_fill(~mask, 0.0).chunk(2)
        value = discriminator_loss(real.flatten(), fake.flatten(), smoothing)
        loss = judged(players, real[play.real.mask], fake[play.fake.mask], value)
        ends = (scores.gather(1, mask.sum(1, keepdim=True) - 1)[:, 0]).chunk(2)
        figures = {"accuracy_first": accuracy(real[:, 0], fake[:, 0]), "accuracy_last": accuracy(*ends)}
        return replace(loss, figures=loss.figures | figures)

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """−(1/N) Σ_n Σ_t (R_t − b) ln p_θ(x̂_t ∣ x̂_1:t−1)."""
        return policy_loss(players, play)
