"""How much likelier a sample is among real sequences than among generated ones, as weights of the samples.

At the best discriminator the odds D/(1 − D) are p(x)/G(x), so that samples of G weighted by them stand for real ones.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def odds(scores: Float[Tensor, "*axes"], temper: float = 1.0, limit: float = 5.0) -> Float[Tensor, "*axes"]:
    """D/(1 − D) from the logit of D, tempered.

        r = exp(κ · clip(s, −c, c)),   s = log D/(1 − D)

    Never D/(1 − D) itself, whose denominator rounds to 0.

    Args:
        scores: s, logits.
        temper: κ, above 0; below 1 draws the odds towards each other.
        limit: c, beyond which a score counts no more; in nats.

    References:
        Che et al. (2017), arXiv:1702.07983, r_D.

    >>> import torch
    >>> odds(torch.tensor([0.0, 1.0, 9.0]), limit=1.0)
    tensor([1.0000, 2.7183, 2.7183])
    """
    return (temper * scores.clamp(-limit, limit)).exp()


def normalised(values: Float[Tensor, "batch time"], groups: int = 1) -> Float[Tensor, "batch time"]:
    """Values that sum to 1 over each group of rows, position by position.

        w_it = r_it / Σ_{j in the group of i} r_jt

    Args:
        values: r, above 0; the rows of all processes.
        groups: how many groups there are; row i belongs to group i mod `groups`.

    Returns:
        Weights in (0, 1]; multiplying the values of a group by one number changes nothing.

    >>> import torch
    >>> normalised(torch.tensor([[1.0], [3.0]]))
    tensor([[0.2500],
            [0.7500]])
    """
    grouped = values.unflatten(0, (-1, groups))  # (rows of a group, groups, time)
    return (grouped / grouped.sum(0)).flatten(0, 1)


def effective_samples(weights: Float[Tensor, "batch time"]) -> Float[Tensor, " time"]:
    """As how many equally weighted samples all of a batch count, position by position.

        ESS = (Σ w)² / Σ w²

    Args:
        weights: w, not negative; they may sum to 1 over the batch, or over each of several groups.

    Returns:
        From the number of groups, where one sample of each has all its weight, to the number of rows.

    >>> import torch
    >>> effective_samples(torch.tensor([[0.5], [0.5], [0.0]]))
    tensor([2.])
    """
    return weights.sum(0).square() / weights.square().sum(0)
