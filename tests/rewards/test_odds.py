"""Odds and the weights made of them (maligan.md, check 3 and 5).

Mutants killed: D for the odds, weights over all rows where there are groups, neighbouring rows taken for a group, a
limit that is not applied, a temper that multiplies the odds.
"""

from __future__ import annotations

import pytest
import torch

from seqgans.randomness import generator_for
from seqgans.rewards.odds import effective_samples, normalised, odds

SCORES = 2 * torch.randn(6, 4, generator=generator_for(0))
KEPT = 1e9  # a limit that no score reaches


def test_odds_are_those_of_the_probability() -> None:
    real = SCORES.sigmoid()
    torch.testing.assert_close(odds(SCORES, limit=KEPT), real / (1 - real), rtol=1e-5, atol=0)
    torch.testing.assert_close(odds(SCORES, temper=0.5, limit=KEPT).square(), odds(SCORES, limit=KEPT))
    assert odds(torch.tensor([-9.0, 9.0]), limit=2.0).log().tolist() == pytest.approx([-2.0, 2.0])


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_weights_sum_to_one_over_each_group(groups: int) -> None:
    weights = normalised(odds(SCORES), groups)
    for group in range(groups):
        torch.testing.assert_close(weights[group::groups].sum(0), torch.ones(4))
        alone = normalised(odds(SCORES)[group::groups])
        torch.testing.assert_close(weights[group::groups], alone)


def test_a_number_added_to_all_scores_changes_no_weight() -> None:
    torch.testing.assert_close(normalised(odds(SCORES + 3, limit=KEPT)), normalised(odds(SCORES, limit=KEPT)))
    torch.testing.assert_close(normalised(odds(SCORES, limit=KEPT)), SCORES.softmax(0))


def test_far_scores_give_finite_weights() -> None:
    far = torch.tensor([[50.0, -50.0, 50.0], [-50.0, -50.0, 50.0]])
    for limit in (5.0, 50.0):
        weights = normalised(odds(far, limit=limit))
        assert bool(weights.isfinite().all())
        torch.testing.assert_close(weights.sum(0), torch.ones(3))
    assert float(normalised(odds(far, limit=5.0))[1, 0]) == pytest.approx(4.54e-5, rel=1e-3)  # e⁻¹⁰ of the other's


def test_effective_samples_count_equal_weights() -> None:
    assert effective_samples(torch.full((6, 1), 1 / 6)).item() == pytest.approx(6)
    assert effective_samples(torch.full((6, 1), 1 / 3)).item() == pytest.approx(6)  # two groups of three
    assert effective_samples(torch.tensor([[1.0, 0.5], [1.0, 0.5], [0.0, 0.5], [0.0, 0.5]])).tolist() == [2, 4]
    assert effective_samples(torch.tensor([[1.0], [0.0]])).item() == pytest.approx(1)


def test_the_bias_of_self_normalised_weights_falls_like_one_over_m() -> None:
    """Two outcomes, so that E over m draws is a sum over how many are the first: m · bias → E_q[r² (μ − g)]."""
    q, p, values = torch.tensor([[0.7, 0.3], [0.4, 0.6], [1.0, -2.0]], dtype=torch.float64)
    ratio, mean = p / q, (p * values).sum()
    limit = float((q * ratio**2 * (mean - values)).sum())
    scaled = []
    for samples in (16, 64, 256):
        first = torch.arange(samples)[:, None] < torch.arange(samples + 1)  # column k: k draws are the first outcome
        drawn = torch.where(first, 0, 1)
        estimates = (normalised(ratio[drawn]) * values[drawn]).sum(0)
        chances = torch.distributions.Binomial(samples, q[0]).log_prob(torch.arange(samples + 1.0).double()).exp()
        scaled.append(samples * float((chances * estimates).sum() - mean))
    assert abs(limit) > 0.5
    assert scaled[-1] == pytest.approx(limit, rel=0.02)
    assert abs(scaled[1] - limit) < 0.4 * abs(scaled[0] - limit)  # what is left falls four times a step
    assert abs(scaled[2] - limit) < 0.4 * abs(scaled[1] - limit)
