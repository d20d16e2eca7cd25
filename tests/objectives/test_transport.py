"""The feature-mover's distance against exact optimal transport: POT, and linear assignment.

Mutants killed: Q for Qᵀ in the second scaling, weights 1/n on both sides, a plan forgotten between iterations, a
gradient through the plan, features that are not normalised, a cost of cos for 1 − cos, a distance that lost its sign.
"""

from __future__ import annotations

import ot
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from seqgans.objectives.matching import kernel_discrepancy, pulls
from seqgans.objectives.transport import cosine_costs, debiased_distance, feature_movers_distance, proximal_plan
from seqgans.randomness import generator_for


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=generator_for(seed), dtype=torch.float64)


def exact(costs: Tensor) -> float:
    """The optimum by POT's network simplex."""
    return float(ot.emd2([], [], costs.numpy()))


@pytest.mark.parametrize(("rows", "columns"), [(16, 16), (64, 64), (24, 36)])
def test_the_plan_nears_the_optimum_of_an_independent_solver(rows: int, columns: int) -> None:
    costs = cosine_costs(normal(rows, 8), normal(columns, 8, seed=1))
    best = exact(costs)
    if rows == columns:
        pairs = linear_sum_assignment(costs.numpy())
        assert best == pytest.approx(costs[pairs].mean().item())
    half, long = (0.006, 0.001) if rows == columns else (0.01, 0.0015)
    for step, iterations, error in ((1.0, 50, 0.02), (0.5, 50, half), (1.0, 500, long)):
        plan = proximal_plan(costs, step=step, iterations=iterations)
        assert (plan * costs).sum().item() == pytest.approx(best, rel=error), (step, iterations)
        assert bool((plan >= 0).all())
        torch.testing.assert_close(plan.sum(0), torch.full((columns,), 1 / columns, dtype=torch.float64))
        torch.testing.assert_close(plan.sum(1), torch.full((rows,), 1 / rows, dtype=torch.float64), rtol=0, atol=1e-3)


def test_a_small_step_does_not_underflow() -> None:
    costs = cosine_costs(normal(32, 8), normal(32, 8, seed=1)).float()
    plan = proximal_plan(costs, step=0.01, iterations=50)
    assert bool(plan.isfinite().all())
    assert (plan * costs).sum().item() == pytest.approx(exact(costs.double()), rel=0.02)


def test_more_scalings_bring_the_marginals_closer() -> None:
    costs = cosine_costs(normal(32, 8), normal(32, 8, seed=1))
    errors = [
        (proximal_plan(costs, step=0.1, iterations=5, scalings=scalings).sum(1) - 1 / 32).abs().max().item()
        for scalings in (1, 20)
    ]
    assert errors[1] < 0.5 * errors[0]


def test_it_is_a_distance_of_directions() -> None:
    one, other = normal(20, 6), normal(20, 6, seed=1)
    value = feature_movers_distance(one, other, iterations=500)
    assert 0.1 < value < 2
    assert feature_movers_distance(one, one).item() < 1e-3
    torch.testing.assert_close(value, feature_movers_distance(other, one, iterations=500), rtol=1e-3, atol=0)
    order = torch.randperm(20, generator=generator_for(2))
    torch.testing.assert_close(value, feature_movers_distance(one, other[order], iterations=500), rtol=1e-9, atol=0)
    lengths = 0.1 + torch.rand(20, 1, generator=generator_for(3), dtype=torch.float64)
    torch.testing.assert_close(value, feature_movers_distance(lengths * one, other, iterations=500))
    single = feature_movers_distance(one[:1], other[:1])
    torch.testing.assert_close(single, 1 - torch.cosine_similarity(one[:1], other[:1])[0])
    opposite = torch.tensor([[1.0, 0.0]])
    assert feature_movers_distance(opposite, -opposite).item() == pytest.approx(2)


def test_the_gradient_is_that_of_the_exact_cost() -> None:
    real, fake = normal(8, 4), normal(8, 4, seed=1)
    _, _, pull = pulls(lambda *both: feature_movers_distance(*both, iterations=500), real, fake)
    step, found = 1e-5, torch.zeros_like(fake)
    for row in range(8):
        for column in range(4):
            sides = []
            for sign in (1, -1):
                moved = fake.clone()
                moved[row, column] += sign * step
                sides.append(exact(cosine_costs(real, moved)))
            found[row, column] = (sides[0] - sides[1]) / (2 * step)
    assert ((pull / 8 - found).norm() / found.norm()).item() < 0.02


def test_two_clouds_are_merged_by_following_it() -> None:
    angles = 0.2 * normal(30, 1)
    real = torch.cat([angles.cos(), angles.sin()], 1)
    turn = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    distances = []
    for _ in range(60):
        moved = 0.2 * normal(30, 1, seed=1) + turn
        distance = feature_movers_distance(real, torch.cat([moved.cos(), moved.sin()], 1))
        distances.append(distance.item())
        (slope,) = torch.autograd.grad(distance, turn)
        turn = (turn - 0.2 * slope).detach().requires_grad_()
    assert distances[0] > 1
    assert distances[-1] < 0.02
    assert abs(turn.item()) < 0.2


def test_a_missing_cluster_is_noticed() -> None:
    """Four directions, one of them missing; a kernel of a bad size does not see it."""
    centres = torch.eye(4, dtype=torch.float64)
    real = centres.repeat(16, 1) + 0.05 * normal(64, 4)
    missing = centres[:3].repeat(22, 1)[:64] + 0.05 * normal(64, 4, seed=1)
    whole = centres.repeat(16, 1) + 0.05 * normal(64, 4, seed=2)
    before, after = (feature_movers_distance(real, fake).item() for fake in (missing, whole))
    assert after < 0.7 * before
    wide = [kernel_discrepancy(real, fake, (1e6,)).item() for fake in (missing, whole)]
    assert abs(wide[0] - wide[1]) < 1e-6


def test_equal_laws_have_no_debiased_distance() -> None:
    values, plain = [], []
    for seed in range(60):
        real, fake = normal(32, 8, seed=seed), normal(32, 8, seed=1000 + seed)
        values.append(debiased_distance(real, fake).item())
        plain.append(feature_movers_distance(real, fake).item())
    found = torch.tensor(values)
    assert abs(found.mean()) < 4 * found.std() / 60**0.5
    assert min(plain) > 0.2
    other = normal(32, 8, seed=7) + torch.tensor([10.0] + [0.0] * 7)
    assert debiased_distance(normal(32, 8), other) > 0.2
    with pytest.raises(ValueError, match="two real features and a generated one are needed, got 1 and 3"):
        debiased_distance(normal(1, 2), normal(3, 2))


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="a step above 0 and counts of at least 1, got step 0"):
        proximal_plan(torch.zeros(2, 2), step=0.0)
