"""Music errors against loops, and the invariances their names promise."""

from __future__ import annotations

import numpy as np
import pytest

from seqgans.errors import BadInput
from seqgans.evaluation.music import mse_interval, mse_mean, mse_nearest


@pytest.fixture(scope="module")
def tunes() -> tuple[list[list[int]], list[list[int]]]:
    random = np.random.default_rng(0)
    return random.integers(0, 88, (9, 6)).tolist(), random.integers(0, 88, (14, 6)).tolist()


def test_against_loops(tunes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in blocks. Kills: a sum over time, the farthest, a mean over the wrong side, no square."""
    samples, references = tunes
    errors = np.array([[np.mean((np.array(y) - np.array(x)) ** 2) for x in references] for y in samples])
    steps = np.array([[np.mean((np.diff(y) - np.diff(x)) ** 2) for x in references] for y in samples])
    for at_once in (1 << 22, 30):
        monkeypatch.setattr("seqgans.evaluation.music.PAIRS_AT_ONCE", at_once)
        assert mse_nearest(samples, references).value == pytest.approx(errors.min(1).mean(), abs=1e-9)
        assert mse_mean(samples, references).value == pytest.approx(errors.mean(), abs=1e-9)
        assert mse_interval(samples, references).value == pytest.approx(steps.min(1).mean(), abs=1e-9)


def test_copies_are_at_distance_zero_and_transposed_ones_too(tunes) -> None:
    _, references = tunes
    higher = [[pitch + 5 for pitch in row] for row in references]
    assert mse_nearest(references, references).value == 0
    assert mse_interval(higher, references).value == 0
    assert 0 < mse_nearest(higher, references).value <= 25


def test_mean_error_is_variances_plus_squared_difference_of_means() -> None:
    a, b = [[0, 10], [2, 10]], [[5, 5], [5, 7]]
    variances = np.var(a, axis=0) + np.var(b, axis=0)
    assert mse_mean(a, b).value == pytest.approx(np.mean(variances + (np.mean(a, 0) - np.mean(b, 0)) ** 2))


def test_only_equal_lengths_are_compared() -> None:
    assert mse_nearest([[1, 1], [5, 5, 5]], [[5, 5, 8], [1, 3]]).value == pytest.approx((2 + 3) / 2)
    with pytest.raises(BadInput, match="found none of 3 steps"):
        mse_nearest([[1, 2, 3]], [[1, 2]])
