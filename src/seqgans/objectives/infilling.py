"""What discriminator and critic minimise when blanks are filled in: one number for each token, not for a sequence."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import softplus


def fill_loss(
    real_scores: Float[Tensor, "batch time"],
    fake_scores: Float[Tensor, "batch time"],
    real_mask: Bool[Tensor, "batch time"],
    fake_mask: Bool[Tensor, "batch time"],
    kept: Bool[Tensor, "batch time"],
    smoothing: float = 0.0,
) -> Float[Tensor, ""]:
    """Cross-entropy of telling, token by token, what is real from what was filled in.

        L(φ) = (1/2BT) Σ_bt [ −log σ(r_bt) − k_bt log σ(f_bt) − (1 − k_bt) log σ(−f_bt) ]

    A token that was kept is real in a filled-in sequence too. Padding counts as 0. Smoothing puts the target of every
    real token at 1 − s: s times its score is added.

    Args:
        real_scores: r, logits of the tokens of real sequences.
        fake_scores: f, logits of the tokens of the same sequences, filled in.
        real_mask: True where a real sequence has a token.
        fake_mask: True where a filled-in one has.
        kept: k, True where the token was kept.
        smoothing: s, in [0, 1).

    Returns:
        The loss in nats: ln 2 where all scores are 0 and nothing is padding.

    References:
        Fedus, Goodfellow and Dai (2018), arXiv:1801.07736, Algorithm 1, and its code (labels, halves).

    >>> whole = torch.ones(1, 2, dtype=torch.bool)
    >>> fill_loss(torch.zeros(1, 2), torch.zeros(1, 2), whole, whole, torch.tensor([[True, False]]))
    tensor(0.6931)
    """
    real = (softplus(-real_scores) + smoothing * real_scores).masked_fill(~real_mask, 0.0)
    fake = softplus(torch.where(kept, -fake_scores, fake_scores)) + smoothing * fake_scores * kept
    fake = fake.masked_fill(~fake_mask, 0.0)
    return 0.5 * (real.mean() + fake.mean())


@torch.no_grad()
def fill_accuracy(
    real_scores: Float[Tensor, "batch time"],
    fake_scores: Float[Tensor, "batch time"],
    real_missing: Bool[Tensor, "batch time"],
    fake_missing: Bool[Tensor, "batch time"],
) -> float:
    """Share of the blanks told apart by the sign of the score, half of its weight on real and on filled-in tokens.

    A score of 0 counts as real; ½ where there are no blanks.
    """
    if not (bool(real_missing.any()) and bool(fake_missing.any())):
        return 0.5
    right = (real_scores[real_missing] >= 0).float().mean() + (fake_scores[fake_missing] < 0).float().mean()
    return 0.5 * right.item()


def value_loss(
    values: Float[Tensor, "batch time"], returns: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, ""]:
    """Squared error of a critic.

        L(ψ) = (1/B) Σ_b Σ_t mask_bt · (R_bt − b_bt)²

    Args:
        values: b, with gradient.
        returns: R, what it should have said; no gradient flows into it.
        mask: True where a token was chosen.

    Returns:
        A sum over time, a mean over sequences.

    Raises:
        ValueError: `returns` carries gradient.

    >>> value_loss(torch.tensor([[1.0, 9.0]]), torch.tensor([[3.0, 0.0]]), torch.tensor([[True, False]]))
    tensor(4.)
    """
    if returns.requires_grad:
        raise ValueError("returns must carry no gradient, got a tensor that requires it; detach it first")
    return (returns - values).square().masked_fill(~mask, 0.0).sum() / values.shape[0]
