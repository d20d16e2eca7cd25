"""Is a difference more than chance? Tests within one run, between seeds, and for several systems at once.

A test within runs (Welch) compares samples of one trained generator with samples of another. With enough
samples any two runs differ; it says nothing about the methods that made them. The tests between runs compare
scores of the same seeds under two systems and do.

References: Welch (1947); Wilcoxon (1945); Efron and Tibshirani (1993), chapter 16; Holm (1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from seqgans.errors import BadInput
from seqgans.evaluation.figure import Figure

Values = np.ndarray | Sequence[float]
INDICES_AT_ONCE = 1 << 22


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Outcome of a two-sided test.

    Attributes:
        test: name of the test.
        kind: "within-run" (sampling noise of two trained generators) or "between-run" (noise of training).
        difference: mean of the first minus mean of the second.
        p_value: probability, were there no difference, of one at least as large.
        statistic: value of the test's statistic, None where it has none.
        degrees: degrees of freedom, None where it has none.
        count: pairs, or values of the smaller side.
    """

    test: str
    kind: str
    difference: float
    p_value: float
    statistic: float | None = None
    degrees: float | None = None
    count: int

    def to_dict(self) -> dict[str, object]:
        """For JSON, in which an infinite statistic is None."""
        plain = dict(self.__dict__)
        if self.statistic is not None and not math.isfinite(self.statistic):
            plain["statistic"] = None
        return plain


def welch_t(samples_a: Values, samples_b: Values) -> Comparison:
    """Two-sample t-test with unequal variances, on values of individual samples: within-run.

    Args:
        samples_a: values of one system, at least two.
        samples_b: values of the other, at least two.
    """
    return welch_from(Figure.of(samples_a), Figure.of(samples_b))


def welch_from(a: Figure, b: Figure) -> Comparison:
    """Welch's test of two means that are known with their standard errors and counts.

        t = (ā − b̄) / √(s_a² + s_b²),   ν = (s_a² + s_b²)² / (s_a⁴/(n_a − 1) + s_b⁴/(n_b − 1))

    with standard errors s; ν is that of Welch and Satterthwaite.

    Args:
        a: figure of one system.
        b: figure of the other.
    """
    if a.standard_error is None or b.standard_error is None:
        raise BadInput(f"Welch's test needs two finite values on each side, got {a.count} and {b.count}")
    squares = a.standard_error**2, b.standard_error**2
    spread = math.sqrt(sum(squares))
    difference = a.value - b.value
    degrees = math.inf
    if spread > 0:  # shares of the variance, whose squares do not vanish where those of tiny errors would
        shares = [square / spread**2 for square in squares]
        degrees = 1 / (shares[0] ** 2 / (a.count - 1) + shares[1] ** 2 / (b.count - 1))
    statistic = _quotient(difference, spread)
    return Comparison(
        test="Welch's t",
        kind="within-run",
        difference=difference,
        p_value=_t_tail(statistic, degrees),
        statistic=statistic,
        degrees=degrees if spread > 0 else None,
        count=min(a.count, b.count),
    )


def paired_t(scores_a: Values, scores_b: Values) -> Comparison:
    """t-test of the mean difference of pairs, one pair a seed: between-run.

    Args:
        scores_a: one score a seed of one system.
        scores_b: scores of the other under the same seeds, in the same order.
    """
    differences = Figure.of(_differences(scores_a, scores_b, 2))
    error = differences.standard_error
    statistic = _quotient(differences.value, math.nan if error is None else error)
    degrees = float(differences.count - 1)
    return Comparison(
        test="paired t",
        kind="between-run",
        difference=differences.value,
        p_value=_t_tail(statistic, degrees),
        statistic=statistic,
        degrees=degrees,
        count=differences.count,
    )


def wilcoxon(scores_a: Values, scores_b: Values) -> Comparison:
    """Signed-rank test of pairs, exact for few pairs without ties: between-run.

    With n pairs the p-value cannot fall below 2/2ⁿ: five seeds never reach 0.05.

    Args:
        scores_a: one score a seed of one system.
        scores_b: scores of the other under the same seeds, in the same order.
    """
    from scipy import stats

    differences = _differences(scores_a, scores_b, 1)
    if not differences.any():
        statistic, p_value = 0.0, 1.0
    else:
        statistic, p_value = (float(part) for part in tuple(stats.wilcoxon(differences)))
    return Comparison(
        test="Wilcoxon signed-rank",
        kind="between-run",
        difference=float(differences.mean()),
        p_value=p_value,
        statistic=statistic,
        count=len(differences),
    )


def paired_bootstrap(
    scores_a: Values,
    scores_b: Values,
    random: torch.Generator,
    *,
    repetitions: int = 10_000,
    kind: str = "within-run",
) -> Comparison:
    """How often a resampling of the pairs turns the sign of the mean difference.

        p = 2 (1 + #resamples whose difference is 0 or of the other sign) / (1 + #resamples), at most 1

    The added ones keep p from being 0. With few pairs p is a little too small: at 40 pairs and no difference it is
    below 0.05 in 6 of 100 cases. For BLEU the pairs are hypotheses; the references stay as they are.

    Args:
        scores_a: a score of each item under one system.
        scores_b: scores of the same items under the other.
        random: where the resamples come from.
        repetitions: how many resamples.
        kind: "within-run" for items of one run, "between-run" where the pairs are seeds.
    """
    differences = torch.from_numpy(_differences(scores_a, scores_b, 2))
    count = len(differences)
    observed = float(differences.mean())
    step, flips = max(1, INDICES_AT_ONCE // count), 0
    for first in range(0, repetitions, step):
        chosen = torch.randint(count, (min(step, repetitions - first), count), generator=random)
        flips += int((differences[chosen].mean(1) * (1.0 if observed >= 0 else -1.0) <= 0).sum())
    return Comparison(
        test="paired bootstrap",
        kind=kind,
        difference=observed,
        p_value=min(1.0, 2 * (1 + flips) / (1 + repetitions)),
        count=count,
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number: compare each with the level as if it were the only one.

        sorted p_(1) ≤ … ≤ p_(m):   p̃_(i) = max_{j ≤ i} min(1, (m − j + 1) p_(j))

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = highest
    return corrected


def _differences(scores_a: Values, scores_b: Values, least: int) -> np.ndarray:
    """Pairwise differences of two equally long lists of finite numbers."""
    a, b = np.asarray(scores_a, np.float64), np.asarray(scores_b, np.float64)
    if a.shape != b.shape or a.ndim != 1 or len(a) < least:
        raise BadInput(f"a paired test needs equally many values, at least {least}, got {a.size} and {b.size}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise BadInput("a paired test needs finite values, got one that is not: leave out the seeds that failed")
    return a - b


def _quotient(difference: float, spread: float) -> float:
    """The difference over its spread, 0 for no difference and infinite for a certain one."""
    if spread > 0:
        return difference / spread
    return math.copysign(math.inf, difference) if difference else 0.0


def _t_tail(statistic: float, degrees: float) -> float:
    """Probability beyond ±statistic under Student's law."""
    from scipy.special import ndtr, stdtr

    below = ndtr(-abs(statistic)) if math.isinf(degrees) else stdtr(degrees, -abs(statistic))
    return float(2 * below)
