"""LeakGAN: what the manager minimises and what the worker is paid for.

Features f_0 … f_T are those of each prefix, the empty one and the whole sequence included; goal g_t is set
after t tokens, so token t + 1 of the paper stands at index t here.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import cosine_similarity

SMALLEST = 1e-8  # a goal of no length has cosine 0 with any move
ROUNDING = 2e-6  # of features, beside their length: ten times what products of float32 leave between equal rows


def manager_loss(
    features: Float[Tensor, "batch prefixes width"],
    goals: Float[Tensor, "batch time width"],
    values: Float[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    horizon: int,
) -> Float[Tensor, ""]:
    """Surrogate of the transition policy gradient: turn goals towards where features went, if that paid.

        L(θ_m) = −(1/B) Σ_b Σ_t mask_bt · Q_bt · d_cos(f_{t+c} − f_t, g_t),   d_cos(a, b) = aᵀb / (‖a‖ ‖b‖)

    Near the end, where t + c > T, the last features f_T stand for f_{t+c}. With Q = 1 on real sequences this is
    the manager's pre-training.

    Args:
        features: f_0 … f_T, one more than there are goals; constants.
        goals: g_0 … g_{T−1}, with gradient.
        values: Q_bt, what pursuing goal t earned; no gradient flows into it.
        mask: True where the token written after goal t is real.
        horizon: c, the tokens a goal is set for.

    Returns:
        The loss to minimise: a sum over time, a mean over sequences.

    Raises:
        ValueError: `features` or `values` carry gradient, so something other than the manager would move.

    References:
        Guo et al. (2018), arXiv:1709.08624, Eq. 7 and 8.

    >>> features = torch.tensor([[[0.0, 0.0], [2.0, 0.0]]])
    >>> manager_loss(features, torch.tensor([[[1.0, 0.0]]]), torch.ones(1, 1), torch.ones(1, 1).bool(), horizon=4)
    tensor(-1.)
    """
    if features.requires_grad or values.requires_grad:
        raise ValueError("features and values must carry no gradient, got one that requires it; detach it first")
    time = goals.shape[1]
    ahead = (torch.arange(time, device=goals.device) + horizon).clamp(max=time)
    cosines = followed(features[:, :-1], features[:, ahead], goals)  # (batch, time)
    return -(cosines * values).masked_fill(~mask, 0.0).sum() / len(goals)


def intrinsic_rewards(
    features: Float[Tensor, "batch prefixes width"], goals: Float[Tensor, "batch time width"], horizon: int
) -> Float[Tensor, "batch time"]:
    """What the worker is paid for each token: how well the features have followed the goals set before it.

        r_t = (1/c) Σ_{i=1…c} d_cos(f_t − f_{t−i}, g_{t−i}),   for t = 1 … T, at index t − 1

    For the first c − 1 tokens the mean is over the t goals there are.

    Args:
        features: f_0 … f_T.
        goals: g_0 … g_{T−1}.
        horizon: c, over how many goals the mean is taken.

    Returns:
        Rewards in [−1, 1], no gradient: 1 where features moved exactly along all goals.

    References:
        Guo et al. (2018), arXiv:1709.08624, Eq. 9.

    >>> features = torch.tensor([[[0.0, 0.0], [2.0, 0.0], [2.0, 3.0]]])
    >>> goals = torch.tensor([[[1.0, 0.0], [0.0, -1.0]]])
    >>> intrinsic_rewards(features, goals, horizon=1)
    tensor([[ 1., -1.]])
    """
    features, goals = features.detach(), goals.detach()
    time = goals.shape[1]
    total = goals.new_zeros(goals.shape[:2])
    for back in range(1, min(horizon, time) + 1):
        earlier, later = features[:, :-back], features[:, back:]  # of each prefix and the one `back` tokens longer
        total[:, back - 1 :] += followed(earlier, later, goals[:, : time - back + 1])
    return total / torch.arange(1, time + 1, device=goals.device).clamp(max=horizon)


def followed(
    earlier: Float[Tensor, "batch time width"],
    later: Float[Tensor, "batch time width"],
    goals: Float[Tensor, "batch time width"],
) -> Float[Tensor, "batch time"]:
    """d_cos(f' − f, g); 0 where features have not moved, which equal ones in other rows do by their rounding."""
    moved = later - earlier
    still = moved.norm(dim=2) <= ROUNDING * earlier.norm(dim=2)
    return cosine_similarity(moved, goals, dim=2, eps=SMALLEST).masked_fill(still, 0.0)
