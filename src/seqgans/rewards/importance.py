"""Importance weights: samples of another law than the generator's stand for the generator's own."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def log_weights(log_probs: Float[Tensor, " batch"], density: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """By how much likelier each sequence is under the generator than under the law it was drawn from.

        log w = log π(y) − log π̂(y),   E_π̂[w f(y)] = E_π[f(y)]  wherever π̂ > 0

    Args:
        log_probs: log π of whole sequences, nats: a sum over tokens, not a mean.
        density: log π̂ of the same, nats.

    >>> log_weights(torch.tensor([0.5]).log(), torch.tensor([0.25]).log()).exp()
    tensor([2.])
    """
    return log_probs - density


def full(weights: Float[Tensor, " batch"], limit: float) -> Float[Tensor, " batch"]:
    """Weights however large: unbiased; their variance explodes with the length."""
    return weights


def truncated(weights: Float[Tensor, " batch"], limit: float) -> Float[Tensor, " batch"]:
    """At most c, min(w, c): biased towards what was drawn, of bounded variance.

    >>> truncated(torch.tensor([0.5, 7.0]), limit=2.0)
    tensor([0.5000, 2.0000])
    """
    return weights.clamp(max=limit)


def self_normalised(weights: Float[Tensor, " batch"], limit: float) -> Float[Tensor, " batch"]:
    """Each over the mean of the batch: consistent, not unbiased; no loss of scale where all weights are small.

    >>> self_normalised(torch.tensor([1.0, 3.0]), limit=2.0)
    tensor([0.5000, 1.5000])
    """
    return weights / weights.mean().clamp(min=torch.finfo(weights.dtype).tiny)


def unweighted(weights: Float[Tensor, " batch"], limit: float) -> Float[Tensor, " batch"]:
    """1: samples are taken as the generator's own; biased, the simplest way."""
    return torch.ones_like(weights)


WEIGHTS = {"full": full, "truncated": truncated, "normalised": self_normalised, "none": unweighted}
"""From w and c to what a sample counts, over the whole batch."""


def effective_share(weights: Float[Tensor, " batch"]) -> float:
    """As what share of the batch the weighted samples count: (Σ w)² / (B Σ w²), from 1/B to 1.

    >>> effective_share(torch.tensor([1.0, 1.0, 0.0, 0.0]))
    0.5
    """
    return (weights.sum().square() / (len(weights) * weights.square().sum()).clamp(min=1e-30)).item()
