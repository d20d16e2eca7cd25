"""Scheduled sampling: teacher forcing whose teacher steps back.

Paper                     Code                                  Shape, equation
G_θ                       players.generator
Y_1:T ~ p_d               play.real.tokens                      (batch, time)
ε_i (ω here), the i-th    play.figures["omega"]                 probability that the true token is read
ŷ_t ~ G_θ(· | Ỹ_1:t−1)    drawn in `mixed`                      no gradient
Ỹ_1:T                     mixed(...)                            y_t with probability ω, else ŷ_t
L_SS(θ)                   sampled_forcing                       −Σ m_t log G_θ(y_t | Ỹ_1:t−1) / Σ m_t

    linear ω_e = max(ω_min, 1 − k e),  exponential ω_e = kᵉ,  inverse sigmoid ω_e = k / (k + exp(e / k))

An epoch is a round; e counts them from 0. Ỹ is drawn token by token without gradient, then read in one pass with
gradient: that is the sequential forward pass, and at ω = 1 it is teacher forcing bit for bit.

Departures: e counts epochs, as in the SeqGAN paper (linear, k = 0.002), not minibatches. The last epoch is kept.

References: Bengio, Vinyals, Jaitly and Shazeer (2015), arXiv:1506.03099; Huszár (2015), arXiv:1511.05101, on why the
objective is improper: at ω = 0 the best generator ignores what it reads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Int
from torch import Tensor

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.likelihood import pretraining
from seqgans.choices import choice
from seqgans.generators.base import Generator
from seqgans.generators.conditional import given
from seqgans.generators.decoding import PLAIN, Head, draw
from seqgans.objectives.likelihood import negative_log_likelihood
from seqgans.randomness import Stream
from seqgans.sequences import Loss


@dataclass(frozen=True, kw_only=True)
class ScheduledSampling:
    """Settings of scheduled sampling; the defaults are those of the SeqGAN paper's baseline.

    Attributes:
        pretrain_epochs: passes of plain maximum likelihood before the first round.
        rounds: passes over the training sequences with scheduled sampling.
        decay: how the probability of reading the true token falls from round to round.
        constant: k of that schedule: linear, the fall per round, in [0, 1]; exponential, the factor per round, in
            (0, 1]; inverse_sigmoid, at least 1, the larger the later the fall.
        least: ω_min, below which the linear schedule does not fall.
        choose: whether each token is chosen anew or all of a sequence together.
        rate: learning rate of Adam.
        batch: sequences of a minibatch.
        clip: largest gradient norm.
    """

    generator: ClassVar[str] = "lstm"
    discriminator: ClassVar[str | None] = None
    paper: ClassVar[str] = "Bengio, Vinyals, Jaitly and Shazeer 2015"
    reads_sources: ClassVar[bool] = True

    pretrain_epochs: int = 0
    rounds: int = 120
    decay: Literal["linear", "exponential", "inverse_sigmoid"] = "linear"
    constant: float = 0.002
    least: float = 0.0
    choose: Literal["token", "sequence"] = "token"
    rate: float = 0.01
    batch: int = 64
    clip: float = 5.0

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "rounds")
        check_counts(self, 1, "batch")
        check_rates(self, "rate", "clip")
        if not 0 <= self.least <= 1:
            raise ValueError(f"ScheduledSampling.least must be at least 0 and at most 1, got {self.least}")
        allowed, words = choice(
            {
                "linear": (0 <= self.constant <= 1, "at least 0 and at most 1"),
                "exponential": (0 < self.constant <= 1, "above 0 and at most 1"),
                "inverse_sigmoid": (1 <= self.constant < math.inf, "at least 1 and finite"),
            },
            self.decay,
            "decay",
        )
        if not allowed:
            raise ValueError(f"ScheduledSampling.constant must be {words} for decay {self.decay}, got {self.constant}")

    def schedule(self) -> Schedule:
        """Maximum likelihood, if asked for, then a round for each epoch."""
        optimizer = Optimizer(name="likelihood", rate=self.rate, clip=self.clip)
        epoch = Phase(
            name="scheduled sampling",
            gather=self.epoch,
            updates=(Update("generator", self.sampled_forcing, optimizer),),
            batch=self.batch,
        )
        likelihood = pretraining(self.pretrain_epochs, self.rate, self.batch, self.clip)
        return Schedule(before=(likelihood,) if self.pretrain_epochs else (), round=(epoch,), rounds=self.rounds)

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """No further players."""
        return {}

    def omega(self, epoch: int) -> float:
        """Probability of reading the true token in an epoch, the first being 0.

        >>> ScheduledSampling().omega(100)
        0.8
        """
        k = self.constant
        if self.decay == "linear":
            return max(self.least, 1 - k * epoch)
        if self.decay == "exponential":
            return k**epoch
        shrunk = math.exp(-epoch / k)
        return k * shrunk / (k * shrunk + 1)

    def epoch(self, players: Players, scene: Scene) -> Play:
        """All training sequences, and how far the teacher is trusted in this round."""
        return Play(real=scene.corpus.train, figures={"omega": self.omega(scene.round - 1)})

    def sampled_forcing(self, players: Players, play: Play) -> Loss:
        """Negative log-likelihood of the true tokens after what was partly sampled, nats per real token."""
        if play.real is None or play.random is None:
            raise ValueError("scheduled sampling needs real sequences and randomness, got a play without one of them")
        tokens, mask = play.real.tokens, play.real.mask
        omega = play.figures["omega"]
        law = given(players.generator, play.real.source)
        read = mixed(law, tokens, omega, play.random, whole=self.choose == "sequence")
        log_probs = law.log_probs_after(law.hidden(read), tokens)
        loss = negative_log_likelihood(log_probs, mask)
        return Loss(loss, {"nll": loss.item()}, weight=float(mask.sum()))


@torch.no_grad()
def mixed(
    generator: Generator, tokens: Int[Tensor, "batch time"], omega: float, random: Stream, whole: bool = False
) -> Int[Tensor, "batch time"]:
    """What is read in place of the true tokens: each kept with probability ω, else drawn by the generator.

        ỹ_t = y_t with probability ω, else ŷ_t ~ G_θ(· | Ỹ_1:t−1)

    Args:
        generator: draws ŷ from what it has read so far.
        tokens: y; the last token is never read and stays as it is.
        omega: ω, in [0, 1].
        random: where choices and draws come from.
        whole: choose once for a sequence, not for each token.
    """
    batch, time = tokens.shape
    choices = random.uniform(batch, 1 if whole else time).to(tokens.device).expand(batch, time)
    uniforms = random.uniform(batch, time).to(tokens.device)  # drawn in any case: processes must stay in step
    keep = choices < omega
    if bool(keep.all()):
        return tokens
    read = tokens.clone()
    state = generator.start_state(batch)
    previous = torch.full_like(tokens[:, 0], generator.start)
    weight, bias = generator.output.weight, generator.output.bias
    head = Head.of(weight, bias)
    for step in range(time - 1):
        hidden, state = generator.advance(previous, state)  # (batch, width)
        how = generator.decoding_at(step, PLAIN)
        drawn, _ = draw(hidden, weight, bias, uniforms[:, step : step + 1], how, False, head)
        previous = torch.where(keep[:, step], tokens[:, step], drawn[:, 0])
        read[:, step] = previous
    return read
