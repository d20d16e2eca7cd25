"""SAL: a generator rewarded for being better than its own past, by a discriminator that compares two sequences.

Paper                     Code                                  Shape, equation
G_θ, D_φ(x₁, x₂)          players.generator, .discriminator     better, worse or not to be told apart
M                         players.past                          the last samples of G, a player
L(x₁, x₂)                 balanced_pairs                        (real, generated) is better; two of a kind tie
L_D(φ)                    comparison_loss                       a third of the pairs of each label
x_r ~ M                   references                            drawn once a generator step
R(x_g)                    Against, comparative_reward           mean over x_r of Σ_q w_q D^q(x_g, x_r)
Q(Y_1:t−1, y_t)           play.rewards                          (batch, time), a mean over roll-outs
w_>, w_<, w_≈             1, −1 and the tie weight              the last changes linearly over the rounds

The paper has no published code and leaves open counts, rates and the end values of w_≈: the defaults here are SeqGAN's
where it has them. Departures: roll-outs use the current generator; the generated half of a pair comes from M alone.
Not in the paper: `baseline`, `reward` prefix, and `shuffled`, the control arm. A binary discriminator makes it SeqGAN.

References: Zhou, Ge, Xu, Wei and Zhou (2020), arXiv:2001.11691.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.likelihood import pretraining
from seqgans.algorithms.policy import centred, policy_loss
from seqgans.discriminators.comparing import as_comparer
from seqgans.objectives.comparison import balanced_pairs, comparison_loss, decided_accuracy
from seqgans.rewards.self_play import Against, PastSamples, as_past_samples
from seqgans.rewards.steps import reward_figures, token_rewards
from seqgans.sequences import Loss


@dataclass(frozen=True, kw_only=True)
class SALGAN:
    """Settings and losses of self-adversarial learning.

    Attributes:
        pretrain_epochs: passes of maximum likelihood before the game.
        pretrain_rate: learning rate of maximum likelihood.
        pretrain_patience: stop pre-training after this many epochs without a better validation NLL; 0 never stops.
        pretrain_best: start the game from the epoch with the best validation NLL instead of the last.
        discriminator_pretrain_steps: d-steps before the game.
        rounds: rounds of the game.
        generator_steps: policy-gradient steps a round (g).
        discriminator_steps: d-steps a round, each with fresh pairs (k).
        discriminator_epochs: passes over the pairs of a d-step.
        discriminator_examples: pairs of a d-step; none given means as many as training sequences.
        memory_examples: earlier samples that are kept; filled with samples of the pre-trained generator first.
        reference: what samples are compared with: any of the earlier ones, the newest of them, or real sequences.
        references: how many, the same for a whole generator step.
        worth: of a comparison: weighted probabilities, in [−1, 1], or weighted logarithms, nats.
        tie_weight: w_≈ in the first round: what it is worth not to be told apart from the reference.
        tie_weight_end: w_≈ in the last round.
        reward: roll-outs, or the discriminator on padded prefixes.
        rollouts: completions of each prefix (N).
        baseline: what is subtracted from the rewards.
        batch: sequences of a generator step, which also go to the memory.
        discriminator_batch: sequences of a discriminator minibatch, two a pair.
        generator_rate: learning rate of the policy gradient.
        discriminator_rate: learning rate of the discriminator.
        clip: largest gradient norm of the generator.
        shuffled: the control arm: rewards are handed to other sequences of the batch.
    """

    generator: ClassVar[str] = "lstm"
    discriminator: ClassVar[str | None] = "comparer"
    paper: ClassVar[str] = "Zhou, Ge, Xu, Wei and Zhou 2020"

    pretrain_epochs: int = 120
    pretrain_rate: float = 0.01
    pretrain_patience: int = 0
    pretrain_best: bool = False
    discriminator_pretrain_steps: int = 50
    rounds: int = 200
    generator_steps: int = 1
    discriminator_steps: int = 5
    discriminator_epochs: int = 3
    discriminator_examples: int | None = None
    memory_examples: int = 10_000
    reference: Literal["replay", "latest", "real"] = "replay"
    references: int = 8
    worth: Literal["prob", "log"] = "prob"
    tie_weight: float = 0.0
    tie_weight_end: float = 0.0
    reward: Literal["rollouts", "prefix"] = "rollouts"
    rollouts: int = 16
    baseline: Literal["none", "batch_mean", "leave_one_out"] = "none"
    batch: int = 64
    discriminator_batch: int = 64
    generator_rate: float = 0.01
    discriminator_rate: float = 1e-4
    clip: float = 5.0 / 64
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "pretrain_patience", "discriminator_pretrain_steps", "rounds")
        check_counts(self, 0, "discriminator_steps")
        check_counts(self, 1, "generator_steps", "discriminator_epochs", "references", "rollouts", "batch")
        check_counts(self, 2, "discriminator_batch", "memory_examples")
        check_rates(self, "pretrain_rate", "generator_rate", "discriminator_rate", "clip")
        for name in ("tie_weight", "tie_weight_end"):
            if not -1 <= getattr(self, name) <= 1:
                raise ValueError(f"SALGAN.{name} must be at least -1 and at most 1, got {getattr(self, name)}")

    def schedule(self) -> Schedule:
        """Algorithm 1: pre-train both, then alternate g-steps, whose samples are remembered, and d-steps."""
        moved = Optimizer(name="policy gradient", rate=self.generator_rate, clip=self.clip)
        judging = Optimizer(name="discriminator", rate=self.discriminator_rate)
        update = Update("generator", self.generator_loss, moved)
        generator = Phase(name="generator", gather=self.play, updates=(update,), gathers=self.generator_steps)
        discriminator = Phase(
            name="discriminator",
            gather=self.pairs,
            updates=(Update("discriminator", self.discriminator_loss, judging),),
            gathers=self.discriminator_steps,
            passes=self.discriminator_epochs,
            batch=self.discriminator_batch // 2,
            holds="own",
        )
        first = replace(discriminator, name="discriminator pre-training", gathers=self.discriminator_pretrain_steps)
        start = pretraining(
            self.pretrain_epochs, self.pretrain_rate, 64, 5.0, self.pretrain_patience, self.pretrain_best
        )
        return Schedule(before=(start, first), round=(generator, discriminator), rounds=self.rounds)

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """The memory of earlier samples."""
        return {"past": PastSamples(self.memory_examples, as_comparer(players.discriminator).length)}

    def past(self, players: Players, scene: Scene) -> PastSamples:
        """The memory, filled with samples of the generator as it is where it was empty."""
        past = as_past_samples(players.get_submodule("past"))
        if not len(past):
            share = max(1, past.size // scene.processes)
            fresh = players.generator.sample(share, scene.corpus.length, random=scene.random)
            past.remember(scene.whole(fresh.sequences), scene.round)
        return past

    def play(self, players: Players, scene: Scene) -> Play:
        """Sample, ask how samples compare with the references, remember them."""
        past, comparer = self.past(players, scene), as_comparer(players.discriminator)
        fake = players.generator.sample(scene.share(self.batch), scene.corpus.length, random=scene.random)
        human = replace(scene, rank=0, processes=1).real(self.references)  # the same on all
        latest = self.reference == "latest"
        places = past.latest(self.references) if latest else past.drawn(self.references, scene.random)
        chosen = human if self.reference == "real" else past.at(places)
        tie = (1 - scene.progress) * self.tie_weight + scene.progress * self.tie_weight_end
        judge, real = (
            Against(comparer, comparer.encode(some.tokens, some.mask), (1.0, -1.0, tie), self.worth)
            for some in (chosen, human)
        )
        policy, identity = players.generator, torch.nn.Identity()  # the score of a sequence is its reward
        rewards = token_rewards(self.reward, policy, judge, fake, self.rollouts, scene.random, identity)
        encoded = comparer.encode(fake.tokens, fake.mask)
        figures = {
            **reward_figures(rewards, fake),
            **dict(zip(("better", "worse", "tie"), judge.verdicts(encoded), strict=True)),
            "worse_than_real": real.verdicts(encoded)[1],
            "past_worse_than_real": real.verdicts(judge.references)[1],
            "age": scene.round - past.rounds[places].float().mean().item(),
        }
        past.remember(scene.whole(fake.sequences), scene.round)
        rewards = centred(players, scene, rewards, fake.mask, self.baseline, self.shuffled)
        return Play(fake=fake.sequences, rewards=rewards, figures=figures)

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """Policy gradient on the sampled tokens."""
        return policy_loss(players, play)

    def pairs(self, players: Players, scene: Scene) -> Play:
        """Pairs of real sequences and samples of the memory; a row is one pair."""
        past = self.past(players, scene)
        count = self.discriminator_examples or len(scene.corpus.train)
        count = max(scene.processes, count - count % scene.processes)
        real = scene.whole(scene.real(count))
        as_comparer(players.discriminator).remember(real.tokens, real.mask)
        tensors = balanced_pairs(real, past.at(past.drawn(count, scene.random)), scene.random)
        own = slice(scene.rank, None, scene.processes)
        return Play(extras={name: tensor[own] for name, tensor in tensors.items()})

    def discriminator_loss(self, players: Players, play: Play) -> Loss:
        """L_D, a mean over pairs."""
        comparer, extras = as_comparer(players.discriminator), play.extras
        tokens, mask = (extras[name].transpose(0, 1).flatten(0, 1) for name in ("tokens", "mask"))
        encoded = comparer.encode(tokens, mask, random=play.random).unflatten(0, (2, -1))
        logits = comparer.compare(encoded[0], encoded[1])  # (pairs, 3)
        value = comparison_loss(logits, extras["label"])
        return Loss(value, {"loss": value.item(), "accuracy": decided_accuracy(logits, extras["label"])})
