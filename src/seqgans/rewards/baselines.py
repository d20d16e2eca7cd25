"""Baselines: what a reward is compared with, so that a policy gradient varies less.

All are pure functions from rewards to centred rewards, except the moving average, which remembers and is
therefore a player: an algorithm that uses it adds `MovingAverage()` to its extras under the name "baseline".
Means run over the batch they are given; with several processes that has to be the whole batch.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


def none(rewards: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
    """The rewards themselves, 0 where the mask is False."""
    return rewards.masked_fill(~mask, 0.0)


def batch_mean(rewards: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
    """Rewards less the mean of their position over the sequences that are real there.

        A_bt = Q_bt − Σ_i m_it Q_it / Σ_i m_it

    A sequence counts in its own mean, which scales the expected gradient by 1 − 1/B where all sequences are equally
    long. Where they end, a position that n_t of them reach is scaled by 1 − 1/n_t, so that late tokens learn less than
    early ones; `leave_one_out` leaves the gradient as it is.

    Args:
        rewards: Q, one a token.
        mask: True where a token is real.

    Returns:
        A, 0 where the mask is False and where only one sequence is real.

    >>> import torch
    >>> batch_mean(torch.tensor([[1.0, 4.0], [3.0, 9.0]]), torch.tensor([[True, True], [True, False]]))
    tensor([[-1.,  0.],
            [ 1.,  0.]])
    """
    kept = rewards.masked_fill(~mask, 0.0)
    means = kept.sum(0) / mask.sum(0).clamp(min=1)  # (time,)
    return (kept - means).masked_fill(~mask, 0.0)


def leave_one_out(
    rewards: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, "batch time"]:
    """Rewards less the mean of their position over the *other* sequences that are real there.

        A_bt = Q_bt − Σ_{i≠b} m_it Q_it / Σ_{i≠b} m_it

    The expected gradient is unchanged.

    Args:
        rewards: Q, one a token.
        mask: True where a token is real.

    Returns:
        A, 0 where the mask is False; where no other sequence is real there is nothing to subtract and A = Q.

    References:
        Kool, van Hoof and Welling (2019).

    >>> import torch
    >>> leave_one_out(torch.tensor([[1.0], [3.0], [8.0]]), torch.ones(3, 1, dtype=torch.bool))
    tensor([[-4.5000],
            [-1.5000],
            [ 6.0000]])
    """
    kept = rewards.masked_fill(~mask, 0.0)
    others = (mask.sum(0) - mask.int()).clamp(min=1)  # (batch, time)
    return (kept - (kept.sum(0) - kept) / others).masked_fill(~mask, 0.0)


class MovingAverage(nn.Module):
    """Rewards less an average of earlier batches, one number for all positions.

        b ← λ b + (1 − λ) mean(Q),  A = Q − b / (1 − λᵏ) after k batches

    What is subtracted depends on earlier batches only, so the expected gradient is unchanged; in the first batch
    it is 0.

    Args:
        decay: λ, in [0, 1); 0 remembers the last batch alone.
    """

    average: Tensor
    weight: Tensor

    def __init__(self, decay: float = 0.9) -> None:
        super().__init__()
        if not 0 <= decay < 1:
            raise ValueError(f"MovingAverage.decay must be at least 0 and below 1, got {decay}")
        self.decay = decay
        self.register_buffer("average", torch.zeros(()))
        self.register_buffer("weight", torch.zeros(()))

    @torch.no_grad()
    def forward(
        self, rewards: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """Centred rewards, 0 where the mask is False; then the average takes this batch in."""
        before = self.average / self.weight.clamp(min=1 - self.decay)  # 0 / (1 − λ) before the first batch
        if bool(mask.any()):
            self.average.lerp_(rewards[mask].mean().to(self.average.dtype), 1 - self.decay)
            self.weight.lerp_(torch.ones_like(self.weight), 1 - self.decay)
        return (rewards - before).masked_fill(~mask, 0.0)


BASELINES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "none": none,
    "batch_mean": batch_mean,
    "leave_one_out": leave_one_out,
}
"""The baselines without a memory."""
