"""The control arm of every policy-gradient measurement: rewards that keep their law but lose their meaning."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from seqgans.randomness import Stream


def shuffled_over_batch(rewards: Float[Tensor, "batch time"], random: Stream) -> Float[Tensor, "batch time"]:
    """The same rewards handed to other sequences, each sequence's rewards kept together.

    Means, spreads and their course over positions stay as they were; what the discriminator said about which
    sequence is lost. A gain that survives this does not come from the discriminator.

    Args:
        rewards: one row a sequence, those of all processes.
        random: where the order comes from.
    """
    return rewards[random.permutation(rewards.shape[0]).to(rewards.device)]


def shuffled_over_blanks(
    rewards: Float[Tensor, "batch time"], missing: Bool[Tensor, "batch time"], random: Stream
) -> Float[Tensor, "batch time"]:
    """The same for sequences whose blanks stand at different places: the i-th blank of one gets that of another.

    Args:
        rewards: one row a sequence, those of all processes; 0 where nothing is missing.
        missing: True where a token was filled in.
        random: where the order comes from.

    Returns:
        0 where nothing is missing, and where the other sequence has fewer blanks.
    """
    order = (~missing).int().argsort(dim=1, stable=True)  # blanks first, in their order
    others = shuffled_over_batch(rewards.gather(1, order), random)
    return torch.zeros_like(rewards).scatter(1, order, others) * missing
