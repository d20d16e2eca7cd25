"""RankGAN: a generator rewarded by how its sentences rank among human ones, not by a verdict real or generated.

Paper                     Code                                  Shape, equation
G_θ, R_φ                  players.generator, .discriminator     the ranker has no last layer
y_s, y_u                  ranker.features                       unit vectors; cosines are products
α(s | u), γ               relevance, sharpness                  Eq. 2
U, C⁺, C⁻                 references, ranker_batch / 2          human references; human, generated comparison set
log R(s | U, C)           log_ranks                             Eq. 3, 4
V(s_1:t, U)               play.rewards                          (batch, time): a mean over roll-outs, Eq. 6
L_φ                       ranker_loss                           Eq. 8

A row of the ranker's play is one ranking: as many human as generated sentences, and references.

Departures: roll-outs use the current generator, not a delayed copy; the references of a ranking are drawn once a step,
not once a pass; log R is negative, so the batch mean is subtracted (`baseline` "none" is the paper). Counts and rates
are those of the authors' code; so are `comparison` "batch", `joined` and `worth` "prob": one softmax of summed cosines
over the batch. Its γ is 1; cosines of rectified features lie near 1, so that 5 to 20 tells more apart. Not in the
paper: `reward` prefix.

References: Lin, Li, He, Zhang and Sun (2017), arXiv:1705.11001.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.likelihood import pretraining
from seqgans.algorithms.policy import centred, policy_loss
from seqgans.discriminators.ranking import as_ranker
from seqgans.objectives.adversarial import pair_accuracy
from seqgans.objectives.ranking import log_ranks, log_ranks_within, ranker_loss
from seqgans.rewards.ranks import relevance, token_relevance
from seqgans.sequences import Loss


@dataclass(frozen=True, kw_only=True)
class RankGAN:
    """Settings and losses of RankGAN; the defaults are those of the authors' code.

    Attributes:
        pretrain_epochs: passes of maximum likelihood before the game.
        pretrain_rate: learning rate of maximum likelihood.
        pretrain_patience: stop pre-training after this many epochs without a better validation NLL; 0 never stops.
        pretrain_best: start the game from the epoch with the best validation NLL instead of the last.
        ranker_pretrain_steps: ranker steps before the game.
        ranker_pretrain_epochs: passes over the examples of a ranker step before the game.
        rounds: rounds of the game.
        generator_steps: policy-gradient steps a round (g).
        ranker_steps: ranker steps a round, each with fresh generated sentences (r).
        ranker_epochs: passes over the examples of a ranker step in the game.
        ranker_examples: generated sentences of a ranker step; none given means as many as training sequences.
        references: human sentences that others are compared with, drawn for each ranking (|U|).
        comparison: rank against human sentences (for human ones: against generated ones), or all within the batch.
        joined: rank by the sum over the references in one softmax instead of by each reference.
        sharpness: γ, by which cosines are multiplied before the softmax.
        worth: of a token: the mean of log R, in nats, or of R times the size of the set, 1 on average in the batch.
        reward: R of roll-outs, or of the padded prefix itself.
        rollouts: completions of each prefix (n).
        baseline: what is subtracted from the rewards.
        batch: sequences of a generator step.
        ranker_batch: sentences of a ranking, half of them human; the human half is also the size of C⁺.
        generator_rate: learning rate of the policy gradient.
        ranker_rate: learning rate of the ranker.
        clip: largest gradient norm of the generator.
        shuffled: the control arm: rewards are handed to other sequences of the batch.
    """

    generator: ClassVar[str] = "lstm"
    discriminator: ClassVar[str | None] = "ranker"
    paper: ClassVar[str] = "Lin, Li, He, Zhang and Sun 2017"

    pretrain_epochs: int = 120
    pretrain_rate: float = 0.01
    pretrain_patience: int = 0
    pretrain_best: bool = False
    ranker_pretrain_steps: int = 50
    ranker_pretrain_epochs: int = 3
    rounds: int = 200
    generator_steps: int = 1
    ranker_steps: int = 5
    ranker_epochs: int = 1
    ranker_examples: int | None = None
    references: int = 16
    comparison: Literal["human", "batch"] = "human"
    joined: bool = False
    sharpness: float = 1.0
    worth: Literal["log", "prob"] = "log"
    reward: Literal["rollouts", "prefix"] = "rollouts"
    rollouts: int = 16
    baseline: Literal["none", "batch_mean", "leave_one_out"] = "batch_mean"
    batch: int = 32
    ranker_batch: int = 64
    generator_rate: float = 0.01
    ranker_rate: float = 1e-4
    clip: float = 5.0 / 32
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "pretrain_patience", "ranker_pretrain_steps", "rounds", "ranker_steps")
        check_counts(self, 1, "ranker_pretrain_epochs", "generator_steps", "ranker_epochs", "references", "rollouts")
        check_counts(self, 2, "batch", "ranker_batch")
        check_rates(self, "pretrain_rate", "generator_rate", "ranker_rate", "clip", "sharpness")

    def schedule(self) -> Schedule:
        """Pre-train both, then alternate generator steps and ranker steps."""
        patience, best = self.pretrain_patience, self.pretrain_best
        start = pretraining(self.pretrain_epochs, self.pretrain_rate, 64, 5.0, patience, best)
        optimizer = Optimizer(name="policy gradient", rate=self.generator_rate, clip=self.clip)
        update = Update("generator", self.generator_loss, optimizer)
        steps = Phase(name="generator", gather=self.play, updates=(update,), gathers=self.generator_steps)
        first = self.ranking("ranker pre-training", self.ranker_pretrain_steps, self.ranker_pretrain_epochs)
        return Schedule(
            before=(start, first),
            round=(steps, self.ranking("ranker", self.ranker_steps, self.ranker_epochs)),
            rounds=self.rounds,
        )

    def ranking(self, name: str, steps: int, epochs: int) -> Phase:
        """Ranker steps; a minibatch is one ranking."""
        update = Update("discriminator", self.ranker_loss, Optimizer(name="discriminator", rate=self.ranker_rate))
        return Phase(
            name=name, gather=self.rankings, updates=(update,), gathers=steps, passes=epochs, batch=1, holds="own"
        )

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """No further players; here it shows whether the discriminator ranks."""
        as_ranker(players.discriminator)
        return {}

    def play(self, players: Players, scene: Scene) -> Play:
        """Sample, and ask the ranker what completions of each prefix are worth (Eq. 6); one U for the whole step."""
        ranker = as_ranker(players.discriminator)
        fake = players.generator.sample(scene.share(self.batch), scene.corpus.length, random=scene.random)
        human, others = (scene.whole(scene.real(size)) for size in (self.references, self.ranker_batch // 2))
        references = ranker.features(human.tokens, human.mask)
        near = token_relevance(
            self.reward, players.generator, ranker, fake, references, self.rollouts, scene.random
        )  # (batch, time, completions, references)
        compared = relevance(ranker, others.tokens, others.mask, references)
        ranks = scene.over_batch(lambda every: self.ranks(every, compared), near)  # (batch, time, completions)
        size = self.batch if self.comparison == "batch" else len(compared) + 1
        rewards = (ranks if self.worth == "log" else size * ranks.exp()).mean(2) * fake.mask
        figures = {
            "reward": rewards[fake.mask].mean().item(),
            "reward_spread": rewards[:, 0].std().item() if len(rewards) > 1 else 0.0,
            "relevance": near[:, -1].mean().item(),
            "entropy": -(fake.log_probs.sum() / fake.mask.sum()).item(),
        }
        rewards = centred(players, scene, rewards, fake.mask, self.baseline, self.shuffled)
        return Play(fake=fake.sequences, rewards=rewards, figures=figures)

    def ranks(self, inputs: Float[Tensor, "*axes"], others: Float[Tensor, "*others"]) -> Float[Tensor, "*ranks"]:
        """Log R: within the batch or against the others; the last axis of both runs over the references."""
        if self.comparison == "batch":
            return log_ranks_within(inputs, self.sharpness, self.joined)
        return log_ranks(inputs, others, self.sharpness, self.joined)

    def rankings(self, players: Players, scene: Scene) -> Play:
        """Rows of human sentences, as many generated ones, and references."""
        half = self.ranker_batch // 2
        rows = max(1, (self.ranker_examples or len(scene.corpus.train)) // (half * scene.processes)) * scene.processes
        fake = players.generator.sample(scene.share(rows * half), scene.corpus.length, random=scene.random)
        parts = (scene.real(rows * half), fake.sequences, scene.real(rows * self.references))
        whole = [scene.whole(part) for part in parts]
        as_ranker(players.discriminator).remember(whole[2].tokens[: self.references], whole[2].mask[: self.references])
        tokens = torch.cat([part.tokens.unflatten(0, (rows, -1)) for part in whole], 1)  # (rows, sentences, time)
        mask = torch.cat([part.mask.unflatten(0, (rows, -1)) for part in whole], 1)
        own = slice(scene.rank, None, scene.processes)
        return Play(extras={"tokens": tokens[own], "mask": mask[own]})

    def ranker_loss(self, players: Players, play: Play) -> Loss:
        """L_φ, a mean over rankings."""
        tokens, mask = (play.extras[name].transpose(0, 1) for name in ("tokens", "mask"))  # (sentences, rows, time)
        ranker, half = as_ranker(players.discriminator), self.ranker_batch // 2
        features = ranker.features(tokens.flatten(0, 1), mask.flatten(0, 1), random=play.random)
        features = features.unflatten(0, tokens.shape[:2])  # (sentences, rows, width)
        near = torch.einsum("srw,urw->sru", features[: 2 * half], features[2 * half :])  # (sentences, rows, references)
        if self.comparison == "batch":
            real, fake = self.ranks(near, near).split(half)
        else:
            real, fake = self.ranks(near[:half], near[half:]), self.ranks(near[half:], near[:half])
        value = ranker_loss(real, fake)
        return Loss(value, {"loss": value.item(), "accuracy": pair_accuracy(real, fake)})

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """Policy gradient on the sampled tokens."""
        return policy_loss(players, play)
