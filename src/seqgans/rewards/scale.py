"""What fine-tuning remembers between batches: the usual size of a reward, and what leaving the reference costs."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class RunningScale(nn.Module):
    """Rewards over the usual deviation of a batch, so that neither confident nor timid judges change the step size.

        v ← λ v + (1 − λ) var(R),   R / max(√(v / (1 − λᵏ)), floor)  after k batches

    A running scale, not that of each group: within one group a confident judge's noise would be blown up to full size.

    Args:
        decay: λ, in [0, 1).
        floor: the least deviation divided by.
    """

    variance: Tensor
    weight: Tensor

    def __init__(self, decay: float = 0.9, floor: float = 0.01) -> None:
        super().__init__()
        if not 0 <= decay < 1:
            raise ValueError(f"RunningScale.decay must be at least 0 and below 1, got {decay}")
        self.decay, self.floor = decay, floor
        self.register_buffer("variance", torch.zeros(()))
        self.register_buffer("weight", torch.zeros(()))

    @property
    def deviation(self) -> float:
        """The usual deviation."""
        return max(float((self.variance / self.weight.clamp(min=1 - self.decay)).sqrt()), self.floor)

    @torch.no_grad()
    def forward(self, rewards: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """Scaled rewards of the whole batch, which the scale takes in first."""
        if len(rewards) > 1:
            self.variance.lerp_(rewards.var().to(self.variance.dtype), 1 - self.decay)
            self.weight.lerp_(torch.ones_like(self.weight), 1 - self.decay)
        return rewards / self.deviation


class Leash(nn.Module):
    """β, what a nat away from the reference costs; adaptive where there is a target.

        β ← β (1 + 0.1 clip(KL / target − 1, −0.2, 0.2))

    Args:
        coefficient: β at the start.
        target: nats per token that β steers to; None leaves it as it is.

    References:
        Ziegler et al. (2019), arXiv:1909.08593.
    """

    coefficient: Tensor

    def __init__(self, coefficient: float, target: float | None = None) -> None:
        super().__init__()
        self.target = target
        self.register_buffer("coefficient", torch.tensor(float(coefficient)))

    def steer(self, divergence: float) -> None:
        """Take a measured divergence in, nats per token."""
        if self.target is not None:
            error = min(max(divergence / self.target - 1, -0.2), 0.2)
            self.coefficient.mul_(1 + 0.1 * error)
