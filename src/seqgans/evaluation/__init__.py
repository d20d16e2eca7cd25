"""Judging generators: metrics, tests of significance, curves over the temperature."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seqgans.evaluation import (
    answers,
    categories,
    diversity,
    embedding_similarity,
    frechet,
    infilling,
    language,
    laws,
    mauve,
    melody,
    music,
    overlap,
    two_sample,
)
from seqgans.evaluation.base import Evidence, Measures, Metric, compute
from seqgans.evaluation.figure import Figure

__all__ = ["METRICS", "Evidence", "Figure", "Measures", "Metric", "measure"]


def measure(
    evidence: Evidence,
    names: Sequence[str] | None = None,
    strict: bool = True,
    watch: Callable[[str, int], None] | None = None,
) -> Measures:
    """Figures of the metrics called `names`, or of all that the evidence allows.

    Args:
        evidence: what there is to measure on.
        names: keys of `METRICS`; None for all, with the reason for each that was left out.
        strict: refuse, instead of leaving out, what was asked for by name and lacks evidence.
        watch: called before each metric with its name and how many there are.

    Raises:
        BadInput: a metric asked for by name does not exist, or lacks evidence and `strict`.

    >>> found = measure(Evidence(samples=[[1, 2], [1, 2], [3]]), ["duplicates", "length"])
    >>> {name: round(figure.value, 3) for name, figure in found.flat().items()}
    {'duplicates': 0.333, 'length': 1.667}
    """
    return compute(METRICS, evidence, names, strict, watch)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        *laws.METRICS,
        infilling.METRIC,
        *answers.METRICS,
        *overlap.METRICS,
        *language.METRICS,
        embedding_similarity.METRIC,
        *frechet.METRICS,
        *mauve.METRICS,
        two_sample.METRIC,
        *categories.METRICS,
        *diversity.METRICS,
        *music.METRICS,
        *melody.METRICS,
    )
}
