"""How far two sets of features are apart: by kernel means, by Gaussian moments, by means.

Each set has one row a sequence. Every distance is 0 or least where the sets agree, and has gradient to both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

Distance = Callable[[Tensor, Tensor], Tensor]
"""From features of real and of generated sequences to a scalar."""


def squared_distances(
    one: Float[Tensor, "left width"], other: Float[Tensor, "right width"]
) -> Float[Tensor, "left right"]:
    """‖x_i − y_j‖² of all pairs, at least 0.

    >>> squared_distances(torch.tensor([[0.0], [3.0]]), torch.tensor([[1.0]]))
    tensor([[1.],
            [4.]])
    """
    squares = one.square().sum(1)[:, None] + other.square().sum(1)[None] - 2 * one @ other.t()
    return squares.clamp(min=0)


@torch.no_grad()
def median_squared_distance(features: Float[Tensor, "batch width"]) -> float:
    """The median of ‖x_i − x_j‖² over i ≠ j, at least 1e-12: the usual size of a kernel.

    >>> median_squared_distance(torch.tensor([[0.0], [1.0], [3.0]]))  # 1, 4, 9
    4.0
    """
    count = len(features)
    if count < 2:
        raise ValueError(f"a median distance needs at least 2 rows, got {count}")
    row, column = torch.triu_indices(count, count, 1, device=features.device)
    return max(1e-12, squared_distances(features, features)[row, column].median().item())


def kernel_discrepancy(
    real: Float[Tensor, "real width"],
    fake: Float[Tensor, "fake width"],
    sizes: Sequence[float] = (20.0,),
    *,
    relative: bool = False,
    unbiased: bool = False,
) -> Float[Tensor, ""]:
    """Squared maximum mean discrepancy (MMD²) with a sum of Gaussian kernels.

        k(x, y) = Σ_q exp(−‖x − y‖² / 2σ_q),   MMD² = E k(x, x') + E k(y, y') − 2 E k(x, y)

    Args:
        real: features x.
        fake: features y.
        sizes: σ_q in squared units of a feature, as the paper writes it; code that divides by 2σ² means σ² by it.
        relative: the sizes are multiples of the median squared distance among all features (no gradient into it).
        unbiased: leave out the pairs i = j and divide by n(n − 1); the expectation is then 0 for equal laws and a
            value may be negative. Otherwise all pairs count and the value is at least 0.

    Raises:
        ValueError: there is no size, one is not above 0, or unbiased pairs are asked of a single row.

    References:
        Gretton et al. (2012), JMLR 13; Zhang et al. (2017), arXiv:1706.03850, Eq. 5.

    >>> kernel_discrepancy(torch.tensor([[0.0]]), torch.tensor([[2.0]]), (2.0,))  # 2 − 2 e^−1
    tensor(1.2642)
    """
    if not sizes or not all(size > 0 for size in sizes):
        raise ValueError(f"sizes of kernels must be above 0 and at least one, got {tuple(sizes)}")
    scale = median_squared_distance(torch.cat([real, fake])) if relative else 1.0

    def mean(one: Tensor, other: Tensor, without_self: bool) -> Tensor:
        squares = squared_distances(one, other)
        kernel = torch.stack([(-squares / (2 * size * scale)).exp() for size in sizes]).sum(0)
        if not without_self:
            return kernel.mean()
        if len(one) < 2:
            raise ValueError(f"an unbiased estimate needs at least 2 rows of each kind, got {len(one)}")
        return (kernel.sum() - kernel.diagonal().sum()) / (len(one) * (len(one) - 1))

    return mean(real, real, unbiased) + mean(fake, fake, unbiased) - 2 * mean(real, fake, False)


def covariance_matching(
    real: Float[Tensor, "real width"], fake: Float[Tensor, "fake width"], ridge: float = 1e-3
) -> Float[Tensor, ""]:
    """Symmetric divergence of two Gaussians with the moments of the features.

        tr(Σ̃⁻¹Σ + Σ⁻¹Σ̃) + (μ̃ − μ)ᵀ(Σ⁻¹ + Σ̃⁻¹)(μ̃ − μ) = 2 (KL(p ‖ q) + KL(q ‖ p)) + 2d

    Args:
        real: features with mean μ and covariance Σ (divided by n).
        fake: features with mean μ̃ and covariance Σ̃.
        ridge: added to the diagonal of both covariances; needed where there are fewer rows than features.

    Returns:
        At least 2d, with d the width of the features; 2d where the moments agree.

    References:
        Zhang et al. (2017), arXiv:1706.03850, Eq. 7 (textGAN-CM).

    >>> covariance_matching(torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [3.0]]), 0.0)  # 2 + 1 · (1 + 1)
    tensor(4.)
    """
    identity = ridge * torch.eye(real.shape[1], dtype=real.dtype, device=real.device)
    moments = []
    for rows in (real, fake):
        centred = rows - rows.mean(0)
        moments.append((rows.mean(0), centred.t() @ centred / len(rows) + identity))
    (mean, covariance), (other_mean, other_covariance) = moments
    gap = (other_mean - mean)[:, None]
    inverses = torch.linalg.solve(covariance, torch.cat([other_covariance, gap], 1))  # Σ⁻¹Σ̃ and Σ⁻¹(μ̃ − μ)
    other_inverses = torch.linalg.solve(other_covariance, torch.cat([covariance, gap], 1))
    traces = inverses[:, :-1].diagonal().sum() + other_inverses[:, :-1].diagonal().sum()
    return traces + (gap[:, 0] * (inverses[:, -1] + other_inverses[:, -1])).sum()


def mean_matching(real: Float[Tensor, "real width"], fake: Float[Tensor, "fake width"]) -> Float[Tensor, ""]:
    """‖μ − μ̃‖², the squared distance of the mean features (textGAN-MM).

    >>> mean_matching(torch.tensor([[0.0], [2.0]]), torch.tensor([[4.0]]))
    tensor(9.)
    """
    return (real.mean(0) - fake.mean(0)).square().sum()


def pulls(
    distance: Distance, real: Float[Tensor, "real width"], fake: Float[Tensor, "fake width"]
) -> tuple[Float[Tensor, ""], Float[Tensor, "real width"], Float[Tensor, "fake width"]]:
    """A distance of two sets and how it changes with each feature, per share of its set.

        p_i = n ∂d/∂x_i,   q_j = m ∂d/∂y_j

    What a distance says to a whole batch is thereby said to each of its rows, as rewards are: with p and q held fixed,
    the mean over rows of ⟨q_j, y_j(θ)⟩ has the gradient of d(x, y(θ)).

    Args:
        distance: what is differentiated.
        real: features of all real sequences; no gradient flows into them.
        fake: features of all generated sequences; none flows into them either.

    >>> pulls(mean_matching, torch.tensor([[0.0], [2.0]]), torch.tensor([[4.0]]))
    (tensor(9.), tensor([[-6.],
            [-6.]]), tensor([[6.]]))
    """
    with torch.enable_grad():
        leaves = [part.detach().requires_grad_() for part in (real, fake)]
        value = distance(*leaves)
        slopes = torch.autograd.grad(value, leaves)
    return value.detach(), slopes[0] * len(real), slopes[1] * len(fake)


def pulled(
    features: Float[Tensor, "batch width"], pull: Float[Tensor, "batch width"], value: Float[Tensor, ""] | float = 0.0
) -> Float[Tensor, ""]:
    """A scalar that is `value` and whose gradient follows `pulls` into the features.

        v + (1/B) Σ_j ⟨q_j, y_j − sg(y_j)⟩

    Args:
        features: y, with gradient.
        pull: q, from `pulls`; no gradient flows into it.
        value: v, the distance the pulls are of.

    Raises:
        ValueError: `pull` carries gradient.
    """
    if pull.requires_grad:
        raise ValueError("pulls must carry no gradient; take them from pulls()")
    return value + (pull * (features - features.detach())).sum(1).mean()
