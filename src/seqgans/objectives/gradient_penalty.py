"""Gradient penalty: a discriminator of soft rows whose score changes by about 1 over a distance of 1.

Functions that combine: rows `between` real and generated ones, the `slopes` of any score there, both for sequences of
any lengths (`slopes_between`), and how far the slopes are from 1. The slopes carry gradient: a loss made of them goes
twice through the discriminator.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

SMALLEST = 1e-12  # under the square root of a squared norm, which has no gradient at 0


def between(
    real: Float[Tensor, "batch time vocab"],
    fake: Float[Tensor, "batch time vocab"],
    share: Float[Tensor, " batch"],
) -> Float[Tensor, "batch time vocab"]:
    """A point on the way from each generated sequence to the real one beside it, without gradient.

        x̂ = u x + (1 − u) x̃

    Args:
        real: x, one-hot rows.
        fake: x̃, soft rows.
        share: u in [0, 1], one number a sequence.

    References:
        Gulrajani et al. (2017), arXiv:1704.00028, Algorithm 1.

    >>> between(torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.0, 1.0]]]), torch.tensor([0.25]))
    tensor([[[0.2500, 0.7500]]])
    """
    weight = share.to(real.dtype)[:, None, None]
    return (weight * real + (1 - weight) * fake).detach()


def slopes(score: Callable[[Tensor], Tensor], rows: Float[Tensor, "batch time vocab"]) -> Float[Tensor, " batch"]:
    """How fast the score of each sequence grows in its steepest direction, with gradient to the score's parameters.

        s_b = ‖∇_x̂ D(x̂_b)‖₂, over all steps and weights of the sequence together

    On a GPU, cuDNN's recurrent layers, which can be differentiated only once, are replaced by plain ones meanwhile.

    Args:
        score: rows to one score a sequence, each from its own rows alone.
        rows: x̂, where the slopes are taken.

    References:
        Gulrajani et al. (2017), arXiv:1704.00028, Eq. 3.

    >>> slopes(lambda rows: (rows @ torch.tensor([3.0, 4.0])).sum(1), torch.zeros(2, 1, 2))
    tensor([5., 5.])
    """
    rows = rows.detach().requires_grad_()
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
        (gradient,) = torch.autograd.grad(score(rows).sum(), rows, create_graph=True)
    return (gradient.flatten(1).square().sum(1) + SMALLEST).sqrt()


def slopes_between(
    score: Callable[[Tensor, Tensor], Tensor],
    real: tuple[Int[Tensor, "batch time"], Bool[Tensor, "batch time"]],
    fake: tuple[Float[Tensor, "batch time vocab"], Bool[Tensor, "batch time"]],
    share: Float[Tensor, " batch"],
) -> Float[Tensor, " batch"]:
    """Slopes of a discriminator between real and generated sequences of any lengths.

    A token that is on one side alone fades to 0 towards the other; where both are padding, so is the point between.

    Args:
        score: rows of weights and their mask to one score a sequence.
        real: tokens and mask.
        fake: rows of weights and mask.
        share: u in [0, 1), one number a pair.
    """
    tokens, mask = real
    weights, fake_mask = fake
    one_hot = nn.functional.one_hot(tokens, weights.shape[2]).to(weights.dtype) * mask[:, :, None]
    points = between(one_hot, weights * fake_mask[:, :, None], share)
    return slopes(lambda rows: score(rows, mask | fake_mask), points)


def gradient_penalty(slopes: Float[Tensor, " batch"], one_sided: bool = False) -> Float[Tensor, ""]:
    """How far slopes are from 1.

        P = mean (s − 1)²,   one-sided: mean max(0, s − 1)²

    Args:
        slopes: s, at points between real and generated sequences.
        one_sided: only slopes above 1 cost; a discriminator may then be flatter.

    Returns:
        The penalty, at least 0; its usual weight in a loss is 10.

    References:
        Gulrajani et al. (2017), arXiv:1704.00028, Eq. 3; one-sided: Petzka, Fischer and Lukovnicov (2018),
        arXiv:1709.08894.

    >>> gradient_penalty(torch.tensor([0.0, 3.0])), gradient_penalty(torch.tensor([0.0, 3.0]), one_sided=True)
    (tensor(2.5000), tensor(2.))
    """
    return ((slopes - 1).relu() if one_sided else slopes - 1).square().mean()
