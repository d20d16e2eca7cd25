"""Estimates of KL(π ‖ π_ref) from what π drew, one a token; their gradients differ from their values."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

Estimator = Callable[[Tensor, Tensor], Tensor]


def k1(log_probs: Float[Tensor, "*axes"], reference: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """The log-ratio log π − log π_ref: unbiased, of either sign; what a reward is charged with.

    Its own gradient is not that of the divergence (it vanishes in expectation): use it as a reward to go, or k2 in a
    loss.
    """
    return log_probs - reference


def k2(log_probs: Float[Tensor, "*axes"], reference: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """½ (log π − log π_ref)²: biased and never negative; on samples of π its gradient is that of the divergence.

    That of the token at hand, given what stands before: a sum over the tokens of a sequence leaves out what a token
    does to the divergence of later ones, which log-ratios to go (k1 in rewards) count.
    """
    return 0.5 * (log_probs - reference).square()


def k3(log_probs: Float[Tensor, "*axes"], reference: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """π_ref/π − 1 − log π_ref/π: unbiased, never negative, of little variance.

    >>> import torch
    >>> k3(torch.zeros(1), torch.zeros(1))
    tensor([0.])
    """
    ratio = reference - log_probs
    return ratio.exp() - 1 - ratio


DIVERGENCES: dict[str, Estimator] = {"k1": k1, "k2": k2, "k3": k3}
"""By the names of Schulman (2020), "Approximating KL divergence"."""
