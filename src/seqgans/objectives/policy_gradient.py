"""Policy gradient: surrogates whose gradient is that of an expected reward."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor


def reinforce_loss(
    log_probs: Float[Tensor, "batch time"], rewards: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, ""]:
    """Surrogate whose gradient is the policy gradient of the expected reward.

        L(θ) = −(1/B) Σ_b Σ_t mask_bt · log G_θ(y_bt | y_b,<t) · Q_bt

    Args:
        log_probs: log-probability of each sampled token, in nats, with gradient.
        rewards: Q_bt, what choosing token t earned; no gradient flows into it.
        mask: True where a position holds a real token.

    Returns:
        The loss to minimise: a sum over time, a mean over sequences.

    Raises:
        ValueError: `rewards` carries gradient, so the estimate would be biased.

    References:
        Williams (1992); Yu et al. (2017), arXiv:1609.05473, Eq. 7.

    >>> import torch
    >>> reinforce_loss(torch.tensor([[0.5]]).log(), torch.ones(1, 1), torch.ones(1, 1, dtype=torch.bool))  # −ln ½
    tensor(0.6931)
    """
    if rewards.requires_grad:
        raise ValueError("rewards must carry no gradient, got a tensor that requires it; detach it first")
    return -(log_probs * rewards).masked_fill(~mask, 0.0).sum() / log_probs.shape[0]


def entropy_bonus(log_probs: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]) -> Float[Tensor, ""]:
    """Surrogate whose gradient is that of the entropy of the sampled sequences, with the sign of a loss.

        L(θ) = (1/B) Σ_b Σ_t mask_bt · log G_θ(y_bt | y_b,<t) · sg[Σ_{s≥t} mask_bs · log G_θ(y_bs | y_b,<s)]

    Minimising it raises the entropy H(G) = −E[log G(Y)]: it is REINFORCE with the reward −log G.

    Args:
        log_probs: log-probability of each sampled token, in nats, with gradient.
        mask: True where a position holds a real token.

    Returns:
        The loss to minimise: a sum over time, a mean over sequences.

    References:
        Williams and Peng (1991).

    >>> import torch
    >>> entropy_bonus(torch.tensor([[0.5]]).log(), torch.ones(1, 1, dtype=torch.bool))  # (ln ½)²
    tensor(0.4805)
    """
    real = log_probs.detach().masked_fill(~mask, 0.0)
    return reinforce_loss(log_probs, -real.flip(1).cumsum(1).flip(1), mask)
