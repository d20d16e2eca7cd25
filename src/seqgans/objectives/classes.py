"""SentiGAN's two losses: a penalty on the probability of a token, and telling k + 1 classes apart."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

GENERATED = 0  # the class of generated sequences; category i of real ones is class i + 1


def penalty_loss(
    log_probs: Float[Tensor, "batch time"], penalties: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, ""]:
    """Probability of each sampled token times its penalty, only the probability being differentiated.

        L(θ) = (1/B) Σ_b Σ_t mask_bt · G_θ(y_bt | y_b,<t) · V_bt

    Its expected gradient is ½ Σ_a V(a) ∇G(a)² in each state, not ∇ E[V]: a constant V pushes towards the uniform law.

    Args:
        log_probs: log-probability of each sampled token, in nats, with gradient.
        penalties: V_bt, what choosing token t cost; no gradient flows into it.
        mask: True where a position holds a real token.

    Returns:
        The loss to minimise: a sum over time, a mean over sequences.

    Raises:
        ValueError: `penalties` carries gradient.

    References:
        Wang and Wan (2018), SentiGAN, Eq. 2 and 3.

    >>> penalty_loss(torch.tensor([[0.5, 0.25]]).log(), torch.ones(1, 2), torch.ones(1, 2, dtype=torch.bool))
    tensor(0.7500)
    """
    if penalties.requires_grad:
        raise ValueError("penalties must carry no gradient, got a tensor that requires it; detach it first")
    return (log_probs.exp() * penalties).masked_fill(~mask, 0.0).sum() / log_probs.shape[0]


def class_loss(
    real_scores: Float[Tensor, "real classes"],
    categories: Int[Tensor, " real"],
    fake_scores: Float[Tensor, "fake classes"],
    smoothing: float = 0.0,
) -> Float[Tensor, ""]:
    """Cross-entropy of telling k categories of real sequences and generated ones apart, equal weight on each class.

        L(φ) = 1/(k + 1) (−k · mean_r [(1 − s) log D_{c(r)+1} + s log D_0] − mean_f log D_0)

    With as many real sequences of each category this is SentiGAN's loss over k + 1; its optimum is
    D_{i+1} = P_i / (Σ_j P_j + P_g). With k = 1 it is `discriminator_loss` of the score c_1 − c_0.

    Args:
        real_scores: logits of real sequences; class 0 is "generated", class i + 1 category i.
        categories: of each real sequence, from 0.
        fake_scores: logits of generated sequences; their number may differ.
        smoothing: s, by how much the target of real sequences stays below 1; in [0, 1).

    Returns:
        The loss in nats: log(k + 1) where all scores are 0.

    References:
        Wang and Wan (2018), SentiGAN, Eq. 5.

    >>> class_loss(torch.zeros(2, 3), torch.tensor([0, 1]), torch.zeros(4, 3))  # ln 3
    tensor(1.0986)
    """
    count = real_scores.shape[1] - 1
    real, generated = cross_entropy(real_scores, categories + 1), torch.full_like(categories, GENERATED)
    if smoothing:
        real = real + smoothing * (cross_entropy(real_scores, generated) - real)
    fake = cross_entropy(fake_scores, torch.full_like(fake_scores[:, 0], GENERATED, dtype=torch.long))
    return (count * real + fake) / (count + 1)


@torch.no_grad()
def class_accuracy(
    real_scores: Float[Tensor, "real classes"],
    categories: Int[Tensor, " real"],
    fake_scores: Float[Tensor, "fake classes"],
) -> float:
    """Share whose class has the largest score, half of its weight on real sequences and half on generated ones.

    >>> class_accuracy(torch.eye(3)[[1, 1]], torch.tensor([0, 1]), torch.eye(3)[[0]])
    0.75
    """
    real = (real_scores.argmax(1) == categories + 1).float().mean()
    return 0.5 * (real + (fake_scores.argmax(1) == GENERATED).float().mean()).item()
