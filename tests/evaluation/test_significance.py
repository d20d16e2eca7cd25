"""Tests of significance: worked examples, and uniform p-values where there is no difference."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from seqgans.errors import BadInput
from seqgans.evaluation.figure import Figure
from seqgans.evaluation.significance import holm, paired_bootstrap, paired_t, welch_from, welch_t, wilcoxon

stats = pytest.importorskip("scipy.stats")


def test_figure_is_mean_and_standard_error() -> None:
    figure = Figure.of([1.0, 2.0, 6.0], seed=3)
    assert (figure.value, figure.count, figure.details) == (3.0, 3, {"seed": 3})
    assert figure.standard_error == pytest.approx(np.std([1, 2, 6], ddof=1) / 3**0.5)
    assert figure.deviation == pytest.approx(np.std([1, 2, 6], ddof=1))
    assert Figure.of([1.0]).standard_error is None
    assert math.isnan(Figure.of([]).value)


def test_error_of_a_ratio_is_that_of_simulation() -> None:
    """Kills: the spread of the totals alone, which is far too wide where totals grow with sizes."""
    random = np.random.default_rng(0)
    sizes = random.integers(1, 9, (4000, 50)).astype(float)
    totals = 2 * sizes + random.normal(0, 1, sizes.shape)
    ratios = totals.sum(1) / sizes.sum(1)
    errors = [Figure.ratio(one, other).standard_error or 0.0 for one, other in zip(totals, sizes, strict=True)]
    assert np.mean(errors) == pytest.approx(ratios.std(), rel=0.05)  # 4000 repetitions: 1 %


def test_welch_by_hand() -> None:
    """a = 1, 2, 3, 4: mean 2.5, s²/n = (5/3)/4 = 5/12; b = 2, 4, 6: mean 4, s²/n = 4/3.

    t = −1.5 / √(21/12), ν = (21/12)² / ((5/12)²/3 + (4/3)²/2). Kills: pooled variances, n for n − 1.
    """
    found = welch_t([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0])
    assert found.statistic == pytest.approx(-1.5 / math.sqrt(21 / 12))
    assert found.degrees == pytest.approx((21 / 12) ** 2 / ((5 / 12) ** 2 / 3 + (4 / 3) ** 2 / 2))
    assert found.p_value == pytest.approx(stats.ttest_ind([1, 2, 3, 4], [2, 4, 6], equal_var=False).pvalue)
    assert (found.kind, found.difference, found.count) == ("within-run", -1.5, 3)


def test_paired_t_and_wilcoxon_are_those_of_scipy() -> None:
    a, b = [9.1, 8.7, 9.4, 8.9, 9.9, 9.0], [8.8, 8.9, 8.7, 8.5, 9.1, 8.4]
    for found, expected in ((paired_t(a, b), stats.ttest_rel(a, b)), (wilcoxon(a, b), stats.wilcoxon(a, b))):
        assert found.p_value == pytest.approx(expected.pvalue)
        assert found.statistic == pytest.approx(expected.statistic)
        assert (found.kind, found.count) == ("between-run", 6)
        assert found.difference == pytest.approx(np.mean(a) - np.mean(b))


def test_five_seeds_never_reach_a_twentieth_by_rank() -> None:
    assert wilcoxon([2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 1.5, 1.8, 1.9, 1.0]).p_value == pytest.approx(2 / 2**5)


def split_in_two(test: Callable[[np.ndarray, np.ndarray], float]) -> list[float]:
    """p-values of 1000 comparisons of two halves of one sample."""
    random = np.random.default_rng(0)
    return [test(*random.gamma(2.0, size=(2, 40))) for _ in range(1000)]


def test_p_values_are_uniform_without_a_difference() -> None:
    """Kolmogorov-Smirnov p > 0.01. Kills: one-sided p-values, a standard error off by √2."""
    chance = torch.Generator().manual_seed(0)
    for test in (
        lambda a, b: welch_t(a, b).p_value,
        lambda a, b: paired_t(a, b).p_value,
        lambda a, b: wilcoxon(a, b).p_value,
        lambda a, b: paired_bootstrap(a, b, chance, repetitions=500).p_value,
    ):
        assert stats.kstest(split_in_two(test), "uniform").pvalue > 0.01


def test_bootstrap_agrees_with_t_on_many_pairs_and_sees_a_clear_difference() -> None:
    """Kills: the pairing lost, p not doubled, the sign of a negative difference."""
    random = np.random.default_rng(1)
    common = random.normal(0, 5, 400)  # pairing takes this away
    a, b = common + random.normal(0.08, 1, 400), common + random.normal(0, 1, 400)
    for one, other in ((a, b), (b, a)):
        found = paired_bootstrap(one, other, torch.Generator().manual_seed(0))
        assert found.p_value == pytest.approx(paired_t(one, other).p_value, abs=0.02)
        assert 0.01 < found.p_value < 0.9
    assert paired_bootstrap(common + 1, common, torch.Generator().manual_seed(0)).p_value == 2 / 10_001
    again = [paired_bootstrap(a, b, torch.Generator().manual_seed(5)).p_value for _ in range(2)]
    assert again[0] == again[1]


def test_nothing_and_certainty() -> None:
    same = [1.0, 2.0, 3.0]
    chance = torch.Generator().manual_seed(0)
    for found in (welch_t([1.0] * 3, [1.0] * 3), paired_t(same, same), wilcoxon(same, same)):
        assert (found.p_value, found.difference) == (1.0, 0.0)
    assert paired_bootstrap(same, same, chance, repetitions=10).p_value == 1
    certain = welch_t([2.0] * 3, [1.0] * 3)
    assert (certain.p_value, certain.to_dict()["statistic"]) == (0.0, None)


def test_holm_by_hand() -> None:
    """Kills: Bonferroni, falling corrected values, the order of the input lost."""
    assert holm([0.04, 0.01, 0.03, 0.005]) == pytest.approx([0.06, 0.03, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: paired_t([1.0, 2.0], [1.0]), "equally many values, at least 2, got 2 and 1"),
        (lambda: paired_t([1.0], [1.0]), "at least 2, got 1 and 1"),
        (lambda: wilcoxon([1.0, math.nan], [1.0, 2.0]), "needs finite values"),
        (lambda: welch_from(Figure(value=1.0), Figure(value=2.0)), "two finite values on each side, got 1 and 1"),
    ],
)
def test_bad_input_is_named(call, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        call()
