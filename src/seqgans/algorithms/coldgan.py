"""ColdGAN: a policy gradient from cautious samples, where the word of a discriminator is worth something.

Paper                     Code                                  Shape, equation
π_θ(y | x)                given(players.generator, source)
D_φ(x, y)                 beside(players.discriminator, source) (batch,)
π̂: cold, nucleus, both    Behaviour                             density (batch,)
w = π_θ / π̂              rewards/importance.py                 (batch,)
R − b, times w            play.rewards                          (batch, time)
ρ = π_θ / π_θ_old         clipped_surrogate                     PPO, Eq. 7
memory                    players.memory                        half of the negatives

    ∇J = E_{y ~ π̂}[w (R(y) − b) Σ_t ∇ log π_θ(y_t | y_<t, x)]

At temperature 1 the samples of a language model lie in its unreliable tail, where any discriminator wins and rewards
say nothing. A cold or nucleus law stays near the modes; importance weights make its gradient that of the model; the
mixture has the support that a nucleus alone lacks.

Departures: the paper's formulas are reconstructed (no code was published). The mixture is one of sequences, with
`level` of tokens. ρ is taken token by token, w over whole sequences. One step a batch by default, where ρ = 1; `steps`
makes it several. Rates and `pretrain_epochs` are those of a pre-trained model; recipes say what small ones take.
`shuffled` is the control arm.

References: Scialom, Dray, Lamprier, Piwowarski and Staiano (2020), arXiv:2006.04643.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch

from seqgans.algorithms.answering import answered, chosen
from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.judging import judge_loss, to_tell_apart
from seqgans.algorithms.likelihood import pretraining
from seqgans.algorithms.off_policy import Baseline, Weighing, off_policy_loss, off_policy_play
from seqgans.algorithms.watching import watched, watching_players
from seqgans.generators.behaviour import Behaviour, Kind
from seqgans.rewards.answers import PastAnswers
from seqgans.rewards.baselines import MovingAverage


@dataclass(frozen=True, kw_only=True)
class ColdGAN:
    """Settings and losses of ColdGAN.

    Attributes:
        pretrain_epochs: passes of maximum likelihood first, without which cautious samples are all alike.
        pretrain_rate: learning rate there.
        pretrain_batch: sequences of a minibatch there.
        pretrain_patience: stop pre-training after this many epochs without a better validation NLL; 0 never stops.
        pretrain_best: start the game from the epoch with the best validation NLL instead of the last.
        discriminator_pretrain_steps: steps of the discriminator before the game, each on fresh samples.
        rounds: rounds of the game: a batch of samples, then a step of the discriminator.
        batch: samples of a round.
        answers: samples to the same source; divides the batch.
        behaviour: what draws: cold, nucleus, or a mixture of both.
        temperature: τ of what is cold, above 0; 1 is the generator itself, and with `behaviour: cold` plain REINFORCE.
        nucleus: p, probability mass of the nucleus.
        cold_share: ε, share of the mixture that is cold.
        level: what is mixed, sequences or tokens.
        weights: what becomes of importance weights: truncated at `weight_limit`, full, normalised over the batch, or
            none (every sample counts 1, biased).
        weight_limit: c.
        baseline: b: a moving average of rewards, the reward of the most likely sequence (greedy), the mean of the
            other samples, or none.
        steps: clipped steps on each batch.
        clip_ratio: ε of the clipped ratio.
        replay: share of earlier samples among the discriminator's negatives.
        memory: how many are remembered.
        smoothing: share of wrong labels of real sequences.
        generator_rate: learning rate of the generator in the game.
        discriminator_rate: learning rate of the discriminator.
        clip: largest gradient norm of either.
        reference: keep a pre-trained generator as the game begins, and log how far it has gone from there (`kl`).
        shuffled: the control arm: rewards are handed to other samples of the batch.
    """

    generator: ClassVar[str] = "lstm"
    discriminator: ClassVar[str | None] = "cnn"
    paper: ClassVar[str] = "Scialom, Dray, Lamprier, Piwowarski and Staiano 2020"
    reads_sources: ClassVar[bool] = True

    pretrain_epochs: int = 3
    pretrain_rate: float = 5e-5
    pretrain_batch: int = 64
    pretrain_patience: int = 0
    pretrain_best: bool = False
    discriminator_pretrain_steps: int = 50
    rounds: int = 1000
    batch: int = 32
    answers: int = 1
    behaviour: Kind = "mixture"
    temperature: float = 0.2
    nucleus: float = 0.9
    cold_share: float = 0.1
    level: Literal["sequence", "token"] = "sequence"
    weights: Weighing = "truncated"
    weight_limit: float = 2.0
    baseline: Baseline = "moving_average"
    steps: int = 1
    clip_ratio: float = 0.2
    replay: float = 0.5
    memory: int = 4096
    smoothing: float = 0.0
    generator_rate: float = 1e-5
    discriminator_rate: float = 1e-5
    clip: float = 1.0
    reference: bool = True
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "pretrain_patience", "discriminator_pretrain_steps", "rounds")
        check_counts(self, 1, "pretrain_batch", "batch", "answers", "steps")
        check_rates(self, "pretrain_rate", "generator_rate", "discriminator_rate", "clip", "clip_ratio")
        check_rates(self, "temperature", "weight_limit")
        if not 0 < self.nucleus <= 1:
            raise ValueError(f"ColdGAN.nucleus must be above 0 and at most 1, got {self.nucleus}")
        if not 0 < self.cold_share < 1:
            raise ValueError(f"ColdGAN.cold_share must be above 0 and below 1, got {self.cold_share}")
        if not 0 <= self.replay <= 1:
            raise ValueError(f"ColdGAN.replay must be from 0 to 1, got {self.replay}")
        if not 0 <= self.smoothing < 0.5:
            raise ValueError(f"ColdGAN.smoothing must be at least 0 and below 0.5, got {self.smoothing}")
        if self.batch % self.answers:
            raise ValueError(f"ColdGAN.answers must divide the batch of {self.batch}, got {self.answers}")
        if self.memory < self.batch:
            raise ValueError(f"ColdGAN.memory must hold at least a batch of {self.batch}, got {self.memory}")

    @property
    def draws(self) -> Behaviour:
        """Where samples come from."""
        return Behaviour(
            kind=self.behaviour,
            temperature=self.temperature,
            nucleus=self.nucleus,
            cold_share=self.cold_share,
            level=self.level,
        )

    def schedule(self) -> Schedule:
        """Maximum likelihood, a first look for the discriminator; then a step of each in turn."""
        told = functools.partial(
            judge_loss, objective="standard", smoothing=self.smoothing, score_penalty=0.0, each_token=False
        )
        judge = Update(
            "discriminator", told, Optimizer(name="discriminator", rate=self.discriminator_rate, clip=self.clip)
        )
        policy = Update(
            "generator",
            functools.partial(off_policy_loss, clip_ratio=self.clip_ratio),
            Optimizer(name="game", rate=self.generator_rate, clip=self.clip),
        )
        start = pretraining(
            self.pretrain_epochs,
            self.pretrain_rate,
            self.pretrain_batch,
            5.0,
            self.pretrain_patience,
            self.pretrain_best,
        )
        first, steps = functools.partial(self.pairs, fresh=True), self.discriminator_pretrain_steps
        return Schedule(
            before=(start, Phase(name="discriminator pre-training", gather=first, updates=(judge,), gathers=steps)),
            round=(
                Phase(name="generator", gather=self.play, updates=(policy,), passes=self.steps),
                Phase(name="discriminator", gather=self.pairs, updates=(judge,)),
            ),
            rounds=self.rounds,
        )

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """What outlives a checkpoint: earlier samples, a moving baseline's averages, where the game began."""
        found: dict[str, Any] = {"memory": PastAnswers(self.memory, players.length)}
        found |= watching_players(players, self.reference)
        return found | ({"baseline": MovingAverage()} if self.baseline == "moving_average" else {})

    def play(self, players: Players, scene: Scene) -> Play:
        """Cautious samples, and what each is worth."""
        play = off_policy_play(
            players,
            scene,
            behaviour=self.draws,
            batch=self.batch,
            answers=self.answers,
            weighing=self.weights,
            weight_limit=self.weight_limit,
            baseline=self.baseline,
            shuffled=self.shuffled,
        )
        return watched(players, scene, play)

    def pairs(self, players: Players, scene: Scene, fresh: bool = False) -> Play:
        """What the discriminator is to tell apart: the newest samples and earlier ones; before the game, plain ones."""
        if fresh:
            answered(players, scene, chosen(scene, self.batch, self.answers))
        replay = 0.0 if fresh else self.replay
        return to_tell_apart(players, scene, batch=self.batch, objective="standard", replay=replay)
