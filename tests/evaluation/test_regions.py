"""Regions of confidence: their shadows are Student's intervals, and these hold the mean as often as they say.

Mutants killed: n in the place of n − 1 degrees of freedom; the deviation not over √n; the covariance in the place of
its root; a one-sided quantile.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from seqgans.errors import BadInput
from seqgans.evaluation.regions import half_width, region


@pytest.mark.parametrize("count", [2, 3, 10])
def test_shadows_are_students_intervals(count: int) -> None:
    values = np.random.default_rng(count).normal(size=(2, count)) * [[1.0], [0.1]] + [[5.0], [-2.0]]
    values[1] += 0.05 * values[0]
    corners = region(list(values[0]), list(values[1]))
    for side, row in enumerate(values):
        low, high = stats.t.interval(0.95, count - 1, row.mean(), stats.sem(row))
        assert half_width(row.std(ddof=1), count) == pytest.approx((high - low) / 2)
        room = 0.003 * (high - low)  # the outline has corners
        assert corners[:, side].min() == pytest.approx(low, abs=room)
        assert corners[:, side].max() == pytest.approx(high, abs=room)


def test_what_varies_together_has_a_region_that_leans() -> None:
    """Two seeds, and seeds on a line, give a line."""
    corners = region([1.0, 2.0, 4.0], [10.0, 20.0, 40.0])
    assert np.allclose(corners[:, 1], 10 * corners[:, 0])
    assert np.ptp(corners[:, 0]) > 1
    assert np.allclose(region([1.0, 1.0], [3.0, 3.0]), [1.0, 3.0])


def test_intervals_hold_the_mean_as_often_as_they_say() -> None:
    random = np.random.default_rng(0)
    draws = random.normal(size=(4000, 3))
    held = np.abs(draws.mean(1)) <= [half_width(one.std(ddof=1), 3, 0.8) for one in draws]
    assert held.mean() == pytest.approx(0.8, abs=3 * (0.8 * 0.2 / 4000) ** 0.5)


@pytest.mark.parametrize(("across", "up"), [([1.0], [1.0]), ([1.0, 2.0], [1.0])])
def test_one_seed_has_no_region(across: list[float], up: list[float]) -> None:
    with pytest.raises(BadInput, match=r"both figures of at least two seeds, got (1 and 1|2 and 1)"):
        region(across, up)
