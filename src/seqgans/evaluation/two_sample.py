"""Classifier two-sample test: can a fresh classifier tell generated sequences from real ones it has not seen?

References: Lopez-Paz and Oquab (2017), arXiv:1610.06545.
"""

from __future__ import annotations

import math

import numpy as np

from seqgans.errors import BadInput
from seqgans.evaluation.base import Evidence, Lists, Metric, from_all_over
from seqgans.evaluation.classifier import Classifier
from seqgans.evaluation.figure import Figure

LEAST = 10  # sequences of each side, without which nothing can be learnt and tested


def accuracy_interval(right: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's interval of a share, 95 % by default.

        (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)

    Args:
        right: how many of them.
        count: n.
        z: quantile of the normal law.

    >>> [round(bound, 3) for bound in accuracy_interval(50, 100)]
    [0.404, 0.596]
    """
    share = right / count
    middle = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (middle - spread) / (1 + z * z / count), (middle + spread) / (1 + z * z / count)


def c2st(samples: Lists, real: Lists, *, seed: int = 0) -> Figure:
    """Accuracy with which a CNN, learnt on one half of both, names the other half; ½ where the laws are equal.

        under equal laws it is about N(½, 1/4n) on n test sequences, which gives the p-value (one-sided)

    Args:
        samples: generated lists of ids.
        real: held-out lists of ids; both sides get the size of the smaller.
        seed: which half is which, and all of the classifier.

    Returns:
        The accuracy, its 95 % interval `low` to `high` (Wilson), `p`, and sizes.

    Raises:
        BadInput: there are fewer than ten of a kind.
    """
    both = min(len(samples), len(real))
    if both < LEAST:
        raise BadInput(f"a classifier needs at least {LEAST} sequences of both kinds, got {both}: draw more")
    half = both // 2
    order = np.random.default_rng(seed).permutation(both)
    learn, test = order[:half], order[half:]
    rows = [side[place] for side in (samples, real) for place in learn]
    judge = Classifier.learn(rows, [0] * half + [1] * half, 2, seed=seed)
    right = np.concatenate(
        [judge.named([side[place] for place in test]) == kind for kind, side in enumerate((samples, real))]
    )
    low, high = accuracy_interval(int(right.sum()), len(right))
    p = 0.5 * math.erfc((float(right.mean()) - 0.5) * math.sqrt(2 * len(right)))
    return Figure.of(right, low=low, high=high, p=p, learnt_from=len(rows), epochs=judge.epochs)


def of_evidence(evidence: Evidence) -> dict[str, Figure]:
    """Samples beside references, and training sequences, where there are any, beside references."""
    real = evidence.part("references")[: evidence.count]
    figures = {"c2st": c2st(evidence.drawn[: evidence.count], real, seed=evidence.seed)}
    if evidence.has("train") and len(evidence.part("train")) >= LEAST:
        count = min(len(evidence.drawn), evidence.count)
        train = from_all_over(evidence.part("train"), count)
        figures["real_c2st"] = evidence.once_for_all(
            f"real_c2st of {count}", lambda: c2st(train, real, seed=evidence.seed)
        )
    return figures


METRIC = Metric(
    name="c2st",
    description="how often a fresh CNN tells samples from references (classifier two-sample test)",
    paper="Lopez-Paz and Oquab",
    year=2017,
    unit="0 to 1",
    better="lower",
    needs=frozenset({"samples", "references"}),
    sizes="the first `count` samples and as many references; a half is learnt from",
    by_size=True,
    floor="0.5; real_c2st tells train from references",
    compute=of_evidence,
    stands_in=True,
)
