"""PG-BLEU: policy gradient on BLEU, a fixed reward in the place of a discriminator.

Paper                     Code                                  Shape, equation
G_θ                       players.generator
BLEU(Y_1:T)               players.judge                         n-grams up to `order`, the training set as references
Y_1:T ~ G_θ               play.fake.tokens                      (batch, time)
Q(Y_1:t−1, y_t)           play.rewards                          (batch, time)
N                         rollouts                              completions of each prefix; 0 for none

    ∇J = E[Σ_t Q(Y_1:t−1, y_t) ∇ log G_θ(y_t | Y_1:t−1)],   Q = (1/N) Σ_n BLEU(Yⁿ_1:T) for t < T,  BLEU(Y_1:T) for t = T

Departures: the per-position batch mean is subtracted from Q (`baseline` "none" is the paper); without it all rewards
are positive, the generator collapses to frequent n-grams, and BLEU rises while self-BLEU explodes. The paper names no
order; 3 and the smoothing of n-gram counts of 0 by 0.1 are Texygen's. Without roll-outs every token earns the BLEU of
its sentence, as there.

References: Yu, Zhang, Wang and Yu (2017), arXiv:1609.05473, as baseline; Papineni et al. (2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.likelihood import pretraining
from seqgans.algorithms.policy import centred, policy_loss
from seqgans.data.corpus import Corpus
from seqgans.rewards.baselines import MovingAverage
from seqgans.rewards.bleu import References, sentence_bleu_rewards
from seqgans.rewards.returns import spread
from seqgans.rewards.rollouts import complete
from seqgans.sequences import Loss, mask_until


class Judge(nn.Module):
    """BLEU against the training sequences. Nothing to learn or to save: the references are counted at first use."""

    def __init__(self, order: int) -> None:
        super().__init__()
        self.order = order
        self._references: References | None = None

    def forward(
        self, tokens: Int[Tensor, "batch time"], mask: Bool[Tensor, "batch time"], corpus: Corpus
    ) -> Float[Tensor, " batch"]:
        """BLEU of each sequence, in [0, 1]."""
        end = corpus.vocabulary.end
        if self._references is None:
            self._references = References(corpus.train.lists(end), self.order)
        return sentence_bleu_rewards(self._references, tokens, mask, end, self.order)


@dataclass(frozen=True, kw_only=True)
class PGBLEU:
    """Settings and losses of PG-BLEU.

    Attributes:
        pretrain_epochs: passes of maximum likelihood before the policy gradient.
        pretrain_rate: learning rate of maximum likelihood.
        pretrain_patience: stop pre-training after this many epochs without a better validation NLL; 0 never stops.
        pretrain_best: start from the epoch with the best validation NLL instead of the last.
        rounds: rounds of the policy gradient.
        generator_steps: policy-gradient steps a round.
        rollouts: completions of each prefix (N); 0 gives every token the BLEU of its sentence.
        order: the n of BLEU-n.
        baseline: what is subtracted from the rewards.
        batch: sequences of a generator step.
        rate: learning rate of the policy gradient.
        clip: largest gradient norm of the policy gradient.
        shuffled: the control arm: rewards are handed to other sequences of the batch.
    """

    generator: ClassVar[str] = "lstm"
    discriminator: ClassVar[str | None] = None
    paper: ClassVar[str] = "baseline of Yu, Zhang, Wang and Yu 2017"

    pretrain_epochs: int = 120
    pretrain_rate: float = 0.01
    pretrain_patience: int = 0
    pretrain_best: bool = False
    rounds: int = 200
    generator_steps: int = 1
    rollouts: int = 16
    order: int = 3
    baseline: Literal["none", "batch_mean", "leave_one_out", "moving_average"] = "batch_mean"
    batch: int = 64
    rate: float = 0.01
    clip: float = 5.0 / 64
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "pretrain_patience", "rounds", "rollouts")
        check_counts(self, 1, "generator_steps", "order", "batch")
        check_rates(self, "pretrain_rate", "rate", "clip")

    def schedule(self) -> Schedule:
        """Maximum likelihood, then policy gradient."""
        before = pretraining(
            self.pretrain_epochs, self.pretrain_rate, 64, 5.0, self.pretrain_patience, self.pretrain_best
        )
        optimizer = Optimizer(name="policy gradient", rate=self.rate, clip=self.clip)
        steps = Phase(
            name="generator",
            gather=self.play,
            updates=(Update("generator", self.generator_loss, optimizer),),
            gathers=self.generator_steps,
        )
        return Schedule(before=(before,), round=(steps,), rounds=self.rounds)

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """The judge, and a moving baseline where one is asked for."""
        judge = {"judge": Judge(self.order)}
        return {**judge, "baseline": MovingAverage()} if self.baseline == "moving_average" else judge

    def play(self, players: Players, scene: Scene) -> Play:
        """Sample, and let BLEU say what each token earned."""
        count, length = scene.share(self.batch), scene.corpus.length
        fake = players.generator.sample(count, length, random=scene.random)
        rewards, sentences = self.rewards(players, scene, fake.tokens, fake.mask)
        figures = {
            "bleu": sentences.mean().item(),
            "reward_spread": sentences.std().item() if count > 1 else 0.0,
            "entropy": -(fake.log_probs.sum() / fake.mask.sum()).item(),
        }
        rewards = centred(players, scene, rewards, fake.mask, self.baseline, self.shuffled)
        return Play(fake=fake.sequences, rewards=rewards, figures=figures)

    def rewards(
        self, players: Players, scene: Scene, tokens: Int[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
    ) -> tuple[Float[Tensor, "batch time"], Float[Tensor, " batch"]]:
        """Q of each token, 0 where the mask is False, and BLEU of each sequence."""
        judge, generator = players.get_submodule("judge"), players.generator
        sentences = judge(tokens, mask, scene.corpus)
        rewards = spread(sentences, mask)
        if self.rollouts and tokens.shape[1] > 1:
            completed = complete(generator, tokens, self.rollouts, scene.random)  # (prefixes, rollouts, batch, time)
            flat = completed.flatten(0, 2)
            scores = judge(flat, mask_until(flat, generator.end), scene.corpus).view(completed.shape[:3])
            goes_on = mask[:, :-1] & mask[:, 1:]
            rewards[:, :-1] = torch.where(goes_on, scores.mean(1).t(), rewards[:, :-1])
        return rewards, sentences

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """Policy gradient on the sampled tokens."""
        return policy_loss(players, play)
