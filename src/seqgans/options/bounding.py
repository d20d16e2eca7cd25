"""Spectral norm: no layer of a discriminator stretches anything by more than a bound.

Whenever the discriminator is about to be used, each weight matrix whose largest singular value is above the bound is
scaled down to it. Tables of symbols are left alone: they are where sequences come in, and stretch nothing.

Departure from spectral normalisation, which divides inside the network and is undefined for recurrent layers' packed
weights: the weights themselves are projected, after Gouk et al., and the singular value is exact, not a power
iteration's estimate, so nothing has to be remembered and a matrix below the bound stays as it is.

References: Miyato et al. (2018), arXiv:1802.05957; Gouk et al. (2021), arXiv:1804.04368, Algorithm 2.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seqgans.algorithms.base import Gathering, LossFunction, Phase, Play, Players, Scene, Schedule, Update
from seqgans.discriminators.base import Discriminator
from seqgans.options.phases import every_judging, every_phase
from seqgans.sequences import Loss

ROUNDING = 1e-6  # share above the bound that a projection itself may leave


def bounded(schedule: Schedule, bound: float) -> Schedule:
    """The same game, the discriminator's layers bounded before each of its updates and before anything is gathered."""

    def gathering(phase: Phase) -> Phase:
        return dataclasses.replace(phase, gather=functools.partial(gathered, gather=phase.gather, bound=bound))

    def learning(update: Update) -> Update:
        return dataclasses.replace(update, loss=functools.partial(learnt, loss=update.loss, bound=bound))

    return every_phase(every_judging(schedule, learning), gathering)


def gathered(players: Players, scene: Scene, gather: Gathering, bound: float) -> Play:
    """What `gather` finds with a bounded discriminator."""
    project(players.discriminator, bound)
    return gather(players, scene)


def learnt(players: Players, play: Play, loss: LossFunction, bound: float) -> Loss:
    """The loss of a bounded discriminator."""
    project(players.discriminator, bound)
    return loss(players, play)


@torch.no_grad()
def project(discriminator: Discriminator, bound: float) -> None:
    """Scale down what is above the bound: W ← W · bound / σ(W) where σ(W) > bound. Twice is as good as once."""
    for weight in layers(discriminator):
        stretch = float(largest_singular_value(weight.flatten(1)))
        if stretch > bound * (1 + ROUNDING):
            weight.mul_(bound / stretch)


def layers(discriminator: Discriminator) -> Iterator[nn.Parameter]:
    """The weight matrices of a discriminator that learn, without its tables of symbols."""
    tables = set(discriminator.tables())
    for name, weight in discriminator.named_parameters():
        if weight.ndim > 1 and weight.requires_grad and name not in tables:
            yield weight


def largest_singular_value(matrix: Float[Tensor, "rows columns"]) -> Float[Tensor, ""]:
    """By how much a matrix stretches a vector at most, from its smaller Gram matrix.

        σ(W) = max_x ‖W x‖₂ / ‖x‖₂ = √λ_max(W Wᵀ) = √λ_max(Wᵀ W)

    >>> largest_singular_value(torch.tensor([[3.0, 0.0, 0.0], [0.0, -4.0, 0.0]]))
    tensor(4., dtype=torch.float64)
    """
    wide = matrix.double()
    gram = wide @ wide.t() if wide.shape[0] <= wide.shape[1] else wide.t() @ wide
    return torch.linalg.eigvalsh(gram)[-1].clamp(min=0).sqrt()
