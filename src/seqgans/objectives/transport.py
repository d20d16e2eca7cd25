"""How dear it is to move one set of features onto another: optimal transport between equally weighted points."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize


def cosine_costs(one: Float[Tensor, "left width"], other: Float[Tensor, "right width"]) -> Float[Tensor, "left right"]:
    """1 − cos(x_i, y_j) of all pairs, in [0, 2]; the lengths of features do not count.

    >>> cosine_costs(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 1.0], [-3.0, 0.0]]))
    tensor([[1., 2.]])
    """
    return 1 - normalize(one, dim=1) @ normalize(other, dim=1).t()


@torch.no_grad()
def proximal_plan(
    costs: Float[Tensor, "left right"], *, step: float = 1.0, iterations: int = 50, scalings: int = 1
) -> Float[Tensor, "left right"]:
    """The cheapest plan that moves equal weights 1/m onto equal weights 1/n, by inexact proximal points (IPOT).

        Q = exp(−C/β) ⊙ T;   K times: δ = (1/m) / Q σ, σ = (1/n) / Qᵀ δ;   T ← diag(δ) Q diag(σ)

    Unlike Sinkhorn's plan at the same β it tends to the exact optimum, because every iteration begins at the last plan.
    Computed with logarithms, so that no small β underflows.

    Args:
        costs: C, of moving point i to point j; no gradient flows through the plan.
        step: β; the smaller, the faster the plan nears the optimum and the less exact its marginals are on the way.
        iterations: how often the plan is renewed.
        scalings: K, how often an iteration scales rows and columns.

    Returns:
        T ≥ 0, whose columns sum to 1/n; its rows sum to 1/m nearly, exactly in the limit.

    Raises:
        ValueError: the step is not above 0, or a count is below 1.

    References:
        Xie, Wang, Wang and Zha (2019), UAI, Algorithm 1.

    >>> proximal_plan(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), iterations=20).mul(100).round()
    tensor([[50.,  0.],
            [ 0., 50.]])
    """
    if not step > 0 or iterations < 1 or scalings < 1:
        raise ValueError(
            "proximal_plan needs a step above 0 and counts of at least 1, "
            f"got step {step}, iterations {iterations}, scalings {scalings}"
        )
    rows, columns = (-math.log(count) for count in costs.shape)  # of the weight of a point
    plan = torch.zeros_like(costs)
    right = torch.full_like(costs[0], columns)
    for _ in range(iterations):
        kernel = plan - costs / step
        left = rows - (kernel + right).logsumexp(1)
        right = columns - (kernel + left[:, None]).logsumexp(0)
        for _ in range(scalings - 1):
            left = rows - (kernel + right).logsumexp(1)
            right = columns - (kernel + left[:, None]).logsumexp(0)
        plan = kernel + left[:, None] + right
    return plan.exp()


def feature_movers_distance(
    real: Float[Tensor, "real width"],
    fake: Float[Tensor, "fake width"],
    *,
    step: float = 1.0,
    iterations: int = 50,
    scalings: int = 1,
) -> Float[Tensor, ""]:
    """Least mean cosine cost of moving the generated features onto the real ones.

        D = min_T Σ_ij T_ij (1 − cos(f_i, f'_j)),   Σ_j T_ij = 1/m,   Σ_i T_ij = 1/n

    The gradient flows through the costs alone, not the plan: at the optimum that is the whole gradient (envelope
    theorem). Between two batches of one law the value is well above 0; `debiased_distance` takes that off.

    Args:
        real: features f.
        fake: features f'.
        step: β of `proximal_plan`.
        iterations: of `proximal_plan`.
        scalings: of `proximal_plan`.

    Returns:
        A number from 0, for equal directions, to 2.

    References:
        Chen et al. (2018), arXiv:1809.06297, Eq. 4 to 6.

    >>> round(feature_movers_distance(torch.eye(2), torch.tensor([[0.0, 2.0], [-1.0, 0.0]])).item(), 4)
    1.0
    """
    costs = cosine_costs(real, fake)
    return (proximal_plan(costs.detach(), step=step, iterations=iterations, scalings=scalings) * costs).sum()


def debiased_distance(
    real: Float[Tensor, "real width"], fake: Float[Tensor, "fake width"], *, step: float = 1.0, iterations: int = 50
) -> Float[Tensor, ""]:
    """What a set of generated features is further from real ones than real ones are from each other.

        D(f_1, f') − D(f_1, f_2), with f_1 and f_2 the two halves of the real features and as many generated ones f'

    Its expectation is 0 where both laws agree. (A set moved onto itself costs nothing, so taking off D(f, f) and
    D(f', f') would take off nothing.)

    >>> round(debiased_distance(torch.eye(2)[[0, 1, 0, 1]], torch.eye(2)).item(), 4)
    0.0
    """
    half = min(len(real) // 2, len(fake))
    if half < 1:
        raise ValueError(f"two real features and a generated one are needed, got {len(real)} and {len(fake)}")
    one, other = real[:half], real[half : 2 * half]
    between = feature_movers_distance(one, fake[:half], step=step, iterations=iterations)
    return between - feature_movers_distance(one, other, step=step, iterations=iterations)
