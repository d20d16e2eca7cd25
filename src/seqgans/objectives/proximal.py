"""Proximal policy optimisation: several steps on one batch without leaving the law that drew it, and values."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor


def clipped_surrogate(
    log_probs: Float[Tensor, "batch time"],
    drawn: Float[Tensor, "batch time"],
    advantages: Float[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    clip: float,
) -> Float[Tensor, ""]:
    """Surrogate that gives nothing for leaving [1 − ε, 1 + ε].

        L(θ) = −(1/B) Σ_bt m_bt min(ρ_bt A_bt, clip(ρ_bt, 1 − ε, 1 + ε) A_bt),   ρ = π_θ / π_drawn

    At π_θ = π_drawn its gradient is that of `reinforce_loss` with A as the reward.

    Args:
        log_probs: log π_θ of each sampled token, in nats, with gradient.
        drawn: log-probability under the law it was drawn from; no gradient.
        advantages: A; no gradient.
        mask: True where a token is real.
        clip: ε, above 0.

    Returns:
        The loss to minimise: a sum over time, a mean over sequences.

    Raises:
        ValueError: `drawn` or `advantages` carry gradient, or ε is not above 0.

    References:
        Schulman et al. (2017), arXiv:1707.06347, Eq. 7.

    >>> import torch
    >>> one = torch.ones(1, 1)
    >>> clipped_surrogate(torch.log(1.5 * one), torch.log(one), one, one.bool(), clip=0.2)
    tensor(-1.2000)
    """
    if drawn.requires_grad or advantages.requires_grad:
        raise ValueError("what was drawn and its advantages must carry no gradient; detach them first")
    if not clip > 0:
        raise ValueError(f"clip must be above 0, got {clip}")
    ratio = (log_probs - drawn).masked_fill(~mask, 0.0).exp()
    least = (ratio * advantages).minimum(ratio.clamp(1 - clip, 1 + clip) * advantages)
    return -least.masked_fill(~mask, 0.0).sum() / log_probs.shape[0]


def clipped_share(
    log_probs: Float[Tensor, "batch time"],
    drawn: Float[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    clip: float,
) -> float:
    """Share of the real tokens whose ratio lies outside [1 − ε, 1 + ε]; 0 before the first step."""
    ratio = (log_probs - drawn)[mask].detach().exp()
    return ((ratio - 1).abs() > clip).float().mean().item() if ratio.numel() else 0.0


def value_loss(
    values: Float[Tensor, "batch time"], returns: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, ""]:
    """Mean squared error of the values, over real tokens: L = Σ m (V − R̂)² / Σ m.

    >>> import torch
    >>> value_loss(torch.tensor([[1.0, 9.0]]), torch.tensor([[3.0, 0.0]]), torch.tensor([[True, False]]))
    tensor(4.)
    """
    return (values - returns).masked_fill(~mask, 0.0).square().sum() / mask.sum().clamp(min=1)
