"""Maximum likelihood: what teacher forcing minimises."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor


def negative_log_likelihood(
    log_probs: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, ""]:
    """Negative log-likelihood of the real tokens.

        L(θ) = −Σ_b Σ_t mask_bt · log G_θ(y_bt | y_b,<t) / Σ_b Σ_t mask_bt

    Args:
        log_probs: log-probability of each given token, in nats.
        mask: True where a position holds a real token; what stands elsewhere has no influence.

    Returns:
        Nats per token, a mean over all real tokens of the batch; 0 where there is none.

    >>> import torch
    >>> half = torch.tensor([[0.5, 0.5], [0.5, 0.1]]).log()
    >>> negative_log_likelihood(half, torch.tensor([[True, True], [True, False]]))  # −ln ½
    tensor(0.6931)
    """
    return -log_probs.masked_fill(~mask, 0.0).sum() / mask.sum().clamp(min=1)
