"""Maximum likelihood: teacher forcing, stopped where held-out sequences are most likely.

Paper                     Code                                  Shape, equation
G_θ                       players.generator
Y_1:T ~ p_d               play.real.tokens                      (batch, time)
m_t                       play.real.mask                        (batch, time), True up to and including the end token
L_MLE(θ)                  teacher_forcing                       nats per token

    L(θ) = −Σ m_t · log G_θ(y_t | Y_1:t−1) / Σ m_t, which minimises KL(p_d ‖ G_θ)

Every other algorithm uses `pretraining` before its own rounds.

Departures: where held-out sequences get no more likely for ten epochs (`patience`), learning goes on from the best
epoch at a tenth of the rate (`anneal`), then stops and keeps the best: a baseline is worth what was done to make it
good. The published runs keep the last of 120 epochs, which `patience=0, keep_best=False` does.

References: Yu et al. (2017), arXiv:1609.05473, as pre-training and baseline; Caccia et al. (2020), arXiv:1811.02549.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.errors import BadInput
from seqgans.generators.categories import within
from seqgans.generators.conditional import given
from seqgans.objectives.likelihood import negative_log_likelihood
from seqgans.sequences import Loss

VALIDATION_ROWS = 500  # sequences scored at once where no gradient is kept


@dataclass(frozen=True, kw_only=True)
class Likelihood:
    """Settings of maximum likelihood training.

    Attributes:
        pretrain_epochs: passes over the training sequences, at most.
        rate: learning rate of Adam.
        batch: sequences of a minibatch.
        clip: largest gradient norm.
        patience: stop after this many epochs without a lower validation NLL; 0 never stops.
        anneal: so many times do not stop then, but go on from the best epoch at a tenth of the rate.
        keep_best: keep the epoch with the lowest validation NLL instead of the last.
    """

    generator: ClassVar[str] = "lstm"
    discriminator: ClassVar[str | None] = None
    paper: ClassVar[str] = "teacher forcing; as in Yu et al. 2017"
    reads_sources: ClassVar[bool] = True

    pretrain_epochs: int = 120
    rate: float = 0.01
    batch: int = 64
    clip: float = 5.0
    patience: int = 10
    anneal: int = 1
    keep_best: bool = True

    def __post_init__(self) -> None:
        check_counts(self, 1, "pretrain_epochs", "batch")
        check_counts(self, 0, "patience", "anneal")
        check_rates(self, "rate", "clip")

    def schedule(self) -> Schedule:
        """One phase, each gathering of which is an epoch."""
        how = (self.rate, self.batch, self.clip, self.patience, self.keep_best, self.anneal)
        return Schedule(before=(pretraining(self.pretrain_epochs, *how),))

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """No further players."""
        return {}


def pretraining(
    epochs: int, rate: float, batch: int, clip: float, patience: int = 0, keep_best: bool = False, anneal: int = 0
) -> Phase:
    """The phase that maximises the likelihood of the training sequences; 0 epochs leave the generator as it is.

    Args:
        epochs: passes over the training sequences, at most.
        rate: learning rate of Adam.
        batch: sequences of a minibatch.
        clip: largest gradient norm.
        patience: stop after this many epochs without a lower validation NLL; 0 never stops.
        keep_best: leave the phase with the epoch of the lowest validation NLL.
        anneal: so many times go on from that epoch at a tenth of the rate where patience runs out.
    """
    return Phase(
        name="likelihood",
        gather=epoch,
        updates=(Update("generator", teacher_forcing, Optimizer(name="likelihood", rate=rate, clip=clip)),),
        gathers=epochs,
        batch=batch,
        validate=validation_nll if patience or keep_best else None,
        patience=patience,
        keep_best=keep_best,
        lowerings=anneal,
    )


def epoch(players: Players, scene: Scene) -> Play:
    """All training sequences."""
    return Play(real=scene.corpus.train)


def teacher_forcing(players: Players, play: Play) -> Loss:
    """Mean negative log-likelihood per real token, in nats; given its source, or its category, where there is one."""
    real = play.real
    if real is None:
        raise ValueError("teacher forcing needs real sequences, got a play without any")
    law = given(within(players.generator, real.categories), real.source, play.random)
    log_probs = law.log_probs(real.tokens)  # (batch, time)
    loss = negative_log_likelihood(log_probs, real.mask)
    return Loss(loss, {"nll": loss.item()}, weight=float(real.mask.sum()))


@torch.no_grad()
def validation_nll(players: Players, scene: Scene) -> float:
    """Mean negative log-likelihood per real token of the validation sequences, in nats.

    Raises:
        BadInput: the corpus has no validation sequences.
    """
    valid = scene.corpus.valid
    if not len(valid):
        raise BadInput(
            "early stopping needs validation sequences, the corpus has none; "
            "set --corpus.valid above 0, or patience to 0 and keep_best to false"
        )
    total = 0.0
    for first in range(0, len(valid), VALIDATION_ROWS):
        part = valid[slice(first, first + VALIDATION_ROWS)]
        law = given(within(players.generator, part.categories), part.source)
        log_probs = law.log_probs(part.tokens)
        total -= float(log_probs.masked_fill(~part.mask, 0.0).double().sum())
    return total / int(valid.mask.sum())
