"""The control arm of every policy-gradient measurement: rewards that keep their law but lose their meaning."""

from __future__ import annotations

from jaxtyping import Float
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
