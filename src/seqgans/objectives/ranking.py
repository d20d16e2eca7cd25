"""Ranks in the place of real or generated: how likely a sentence is to come first in a set of sentences.

What is ranked are relevances α(s | u): how near sentence s is to each reference u, one column a reference.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def log_ranks(
    inputs: Float[Tensor, "*axes references"],
    others: Float[Tensor, "others *groups references"],
    sharpness: float = 1.0,
    joined: bool = False,
) -> Float[Tensor, "*axes"]:
    """How each input ranks when it joins a comparison set, on its own.

        P(s | u, C) = exp γα(s | u) / Σ_{s' ∈ C ∪ {s}} exp γα(s' | u),   log R(s | U, C) = mean_u log P(s | u, C)

    Args:
        inputs: α of the sentences that are ranked.
        others: α of the comparison set C, one set for all inputs or one for each of their last axes.
        sharpness: γ, at least 0; 0 makes all ranks equal, a large one gives everything to the nearest.
        joined: rank by the sum of α over the references in one softmax, instead of by each reference.

    Returns:
        Nats, at most 0; −ln(|C| + 1) where all are equally near.

    References:
        Lin et al. (2017), arXiv:1705.11001, Eq. 2 to 4; `joined` is the authors' code.

    >>> import torch
    >>> log_ranks(torch.tensor([[0.3]]), torch.tensor([[0.3]]))  # a draw of two: −ln 2
    tensor([-0.6931])
    """
    if joined:
        inputs, others = inputs.sum(-1, keepdim=True), others.sum(-1, keepdim=True)
    own, rest = sharpness * inputs, (sharpness * others).logsumexp(0)
    return (own - torch.logaddexp(own, rest)).mean(-1)


def log_ranks_within(
    members: Float[Tensor, "*axes references"], sharpness: float = 1.0, joined: bool = False
) -> Float[Tensor, "*axes"]:
    """How the members of a batch rank among themselves: log R(s | U, the rest of the batch).

    Their mean cannot rise: where one gains others lose.

    Args:
        members: α; the first axis runs over the batch.
        sharpness: γ.
        joined: as in `log_ranks`.

    >>> import torch
    >>> log_ranks_within(torch.zeros(4, 2))  # −ln 4
    tensor([-1.3863, -1.3863, -1.3863, -1.3863])
    """
    if joined:
        members = members.sum(-1, keepdim=True)
    return (sharpness * members).log_softmax(0).mean(-1)


def ranker_loss(real_ranks: Float[Tensor, "*real"], fake_ranks: Float[Tensor, "*fake"]) -> Float[Tensor, ""]:
    """What the ranker minimises: real sentences shall rank above generated ones.

        L(φ) = −mean log R(real) + mean log R(fake)

    The authors replace log(1 − R) of the game by −log R. With cosines it is bounded by ± 2γ and differs by nothing
    else than the sizes of the two sets.

    Args:
        real_ranks: log R of human sentences among generated ones.
        fake_ranks: log R of generated sentences among human ones.

    References:
        Lin et al. (2017), Eq. 8.

    >>> import torch
    >>> ranker_loss(torch.tensor([-1.0]), torch.tensor([-3.0]))
    tensor(-2.)
    """
    return fake_ranks.mean() - real_ranks.mean()
