"""Distances of features against closed forms.

Mutants killed: a cross term counted once, σ for 2σ, pairs i = j kept or a division by n² in the unbiased estimate, a
mean of kernels for their sum, a covariance of one side only, an inverse on the wrong side, pulls of a mean for those
of a sum, pulls swapped between the sides.
"""

from __future__ import annotations

import functools
import math

import pytest
import torch
from torch import Tensor

from seqgans.objectives.matching import (
    covariance_matching,
    kernel_discrepancy,
    mean_matching,
    median_squared_distance,
    pulled,
    pulls,
    squared_distances,
)
from seqgans.randomness import generator_for


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=generator_for(seed), dtype=torch.float64)


def test_the_discrepancy_of_two_gaussians_is_the_closed_form() -> None:
    mean, size = 1.0, 1.3  # k = exp(−d²/2s²) with s² = 1.3
    expected = 2 * math.sqrt(size / (size + 2)) * (1 - math.exp(-(mean**2) / (2 * (size + 2))))
    one, other = normal(5000, 1), mean + normal(5000, 1, seed=1)
    assert kernel_discrepancy(one, other, (size,)).item() == pytest.approx(expected, rel=0.1)
    assert kernel_discrepancy(one, other, (size,), unbiased=True).item() == pytest.approx(expected, rel=0.1)


def test_the_biased_estimate_is_symmetric_and_at_least_zero() -> None:
    one, other = normal(7, 3), normal(5, 3, seed=1)
    there, back = kernel_discrepancy(one, other, (2.0, 5.0)), kernel_discrepancy(other, one, (2.0, 5.0))
    assert there > 0
    torch.testing.assert_close(there, back)
    assert kernel_discrepancy(one, one.flip(0), (2.0,)).item() == pytest.approx(0, abs=1e-12)
    torch.testing.assert_close(there, kernel_discrepancy(one, other, (2.0,)) + kernel_discrepancy(one, other, (5.0,)))


def test_the_unbiased_estimate_has_mean_zero_under_equal_laws() -> None:
    values = torch.stack(
        [
            kernel_discrepancy(normal(6, 2, seed=seed), normal(6, 2, seed=1000 + seed), (1.0,), unbiased=True)
            for seed in range(400)
        ]
    )
    assert abs(values.mean()) < 4 * values.std() / 20
    biased = kernel_discrepancy(normal(6, 2), normal(6, 2, seed=1000), (1.0,))
    assert biased > 0.05  # which the biased one has not


def test_relative_sizes_do_not_see_the_scale_of_features() -> None:
    one, other = normal(6, 3), normal(6, 3, seed=1)
    plain = kernel_discrepancy(one, other, (0.5,), relative=True)
    torch.testing.assert_close(plain, kernel_discrepancy(10 * one, 10 * other, (0.5,), relative=True))
    median = median_squared_distance(torch.cat([one, other]))
    torch.testing.assert_close(plain, kernel_discrepancy(one, other, (0.5 * median,)))


def test_covariance_matching_is_the_symmetric_divergence_of_gaussians() -> None:
    real, fake = (
        normal(50, 3),
        0.5
        + normal(40, 3, seed=1)
        @ torch.tensor([[1.0, 0.3, 0.0], [0.0, 0.8, 0.1], [0.0, 0.0, 1.5]], dtype=torch.float64),
    )
    laws = []
    for rows in (real, fake):
        covariance = torch.cov(rows.t(), correction=0) + 1e-3 * torch.eye(3)
        laws.append(torch.distributions.MultivariateNormal(rows.mean(0), covariance))
    kl = torch.distributions.kl_divergence
    expected = 2 * (kl(laws[0], laws[1]) + kl(laws[1], laws[0])) + 2 * 3
    torch.testing.assert_close(covariance_matching(real, fake), expected)
    torch.testing.assert_close(covariance_matching(real, real.flip(0)), torch.tensor(6.0, dtype=torch.float64))


DISTANCES = {
    "kernel": kernel_discrepancy,
    "small relative kernel": functools.partial(kernel_discrepancy, sizes=(0.25, 1.0), relative=True),
    "covariance": covariance_matching,
    "mean": mean_matching,
}


@pytest.mark.parametrize("distance", DISTANCES.values(), ids=DISTANCES)
def test_following_the_pulls_is_following_the_distance(distance) -> None:
    """Rows apart, in unequal parts: the gradient into a shared parameter is that of the whole distance."""
    weight = normal(3, 3, seed=2).requires_grad_()
    real, inputs = normal(8, 3), normal(6, 3, seed=1)
    value, real_pull, fake_pull = pulls(distance, real, (inputs @ weight).detach())
    (expected,) = torch.autograd.grad(distance(real, inputs @ weight), weight)
    found = torch.zeros_like(expected)
    for rows in (slice(0, 1), slice(1, 6)):
        part = pulled(inputs[rows] @ weight, fake_pull[rows], value)
        assert part.item() == pytest.approx(value.item())
        found += torch.autograd.grad(part, weight)[0] * len(inputs[rows]) / 6
    torch.testing.assert_close(found, expected)
    leaf = real.clone().requires_grad_()
    (slope,) = torch.autograd.grad(distance(leaf, inputs @ weight.detach()), leaf)
    torch.testing.assert_close(real_pull, 8 * slope)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="sizes of kernels must be above 0"):
        kernel_discrepancy(normal(2, 2), normal(2, 2), (0.0,))
    with pytest.raises(ValueError, match="needs at least 2 rows of each kind, got 1"):
        kernel_discrepancy(normal(1, 2), normal(2, 2), unbiased=True)
    with pytest.raises(ValueError, match="a median distance needs at least 2 rows"):
        median_squared_distance(normal(1, 2))
    with pytest.raises(ValueError, match="must carry no gradient"):
        pulled(normal(2, 2), normal(2, 2).requires_grad_())


def test_no_distance_is_negative() -> None:
    rows = 1e3 + normal(20, 4)
    assert bool((squared_distances(rows, rows) >= 0).all())
