"""BLEU as a metric: how much of what is generated is found in real text, and the other way round.

Every figure is the mean of sentence scores (not the corpus-level score) with orders 2 to 5. Standard errors
hold the references fixed; those of self-BLEU are approximate, since every sample is a reference as well.

Sample sizes are part of the definition: self-BLEU and backward BLEU grow with the number of references.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from seqgans.evaluation.base import Evidence, Metric, beside_real
from seqgans.evaluation.figure import Figure
from seqgans.rewards.bleu import ORDERS, References, self_bleus

COUNT = 1000  # hypotheses, and sequences on either side where both are counted


def bleu(
    samples: Sequence[Sequence[int]],
    references: Sequence[Sequence[int]],
    *,
    orders: Iterable[int] = ORDERS,
    smoothing: str = "method1",
    count: int = COUNT,
) -> dict[str, Figure]:
    """BLEU-n of the first `count` samples against all references, in [0, 1]; higher is better.

    Blind to diversity: one perfect sentence drawn again and again scores 1.

    Args:
        samples: generated lists of ids.
        references: held-out lists of ids.
        orders: which n.
        smoothing: "method1" or "none".
        count: hypotheses scored.
    """
    orders = tuple(orders)
    found = References(references, max(orders)).bleus(samples[:count], orders, smoothing)
    details = {"references": len(references), "smoothing": smoothing}
    return {f"bleu_{order}": Figure.of(found[order], **details) for order in orders}


def self_bleu(
    samples: Sequence[Sequence[int]],
    *,
    orders: Iterable[int] = ORDERS,
    smoothing: str = "method1",
    count: int = COUNT,
) -> dict[str, Figure]:
    """BLEU-n of each of the first `count` samples against the others, in [0, 1]; lower is more diverse.

    Args:
        samples: generated lists of ids, at least two.
        orders: which n.
        smoothing: "method1" or "none".
        count: samples compared with each other.
    """
    orders = tuple(orders)
    chosen = samples[:count]
    found = self_bleus(chosen, orders, smoothing)
    details = {"references": len(chosen) - 1, "smoothing": smoothing}
    return {f"self_bleu_{order}": Figure.of(found[order], **details) for order in orders}


def backward_bleu(
    samples: Sequence[Sequence[int]],
    references: Sequence[Sequence[int]],
    *,
    orders: Iterable[int] = ORDERS,
    smoothing: str = "method1",
    count: int = COUNT,
) -> dict[str, Figure]:
    """BLEU-n of real sequences against generated ones: a recall, in [0, 1]; higher is better.

    Args:
        samples: generated lists of ids, which are the references here.
        references: held-out lists of ids, which are scored.
        orders: which n.
        smoothing: "method1" or "none".
        count: sequences of either side; both get the size of the smaller.
    """
    both = min(count, len(samples), len(references))
    found = bleu(references[:both], samples[:both], orders=orders, smoothing=smoothing, count=both)
    return {f"backward_{name}": figure for name, figure in found.items()}


def bleu_f1(
    samples: Sequence[Sequence[int]],
    references: Sequence[Sequence[int]],
    *,
    orders: Iterable[int] = ORDERS,
    smoothing: str = "method1",
    count: int = COUNT,
) -> dict[str, Figure]:
    """Harmonic mean of forward and backward BLEU-n with equally many sequences on both sides, in [0, 1].

        F1 = 2 F B / (F + B)

    Args:
        samples: generated lists of ids.
        references: held-out lists of ids.
        orders: which n.
        smoothing: "method1" or "none".
        count: sequences of either side; both get the size of the smaller.
    """
    orders = tuple(orders)
    both = min(count, len(samples), len(references))
    forward = bleu(samples[:both], references[:both], orders=orders, smoothing=smoothing, count=both)
    backward = backward_bleu(samples, references, orders=orders, smoothing=smoothing, count=both)
    return {
        f"bleu_f1_{order}": harmonic_mean(forward[f"bleu_{order}"], backward[f"backward_bleu_{order}"])
        for order in orders
    }


def harmonic_mean(one: Figure, other: Figure) -> Figure:
    """2ab/(a + b) of two independent figures, 0 where both are 0; the error follows from the slopes 2b²/(a + b)²."""
    total = one.value + other.value
    if total == 0:
        return Figure(value=0.0, count=one.count, details=one.details)
    error = None
    if one.standard_error is not None and other.standard_error is not None:
        error = 2 / total**2 * math.hypot(other.value**2 * one.standard_error, one.value**2 * other.standard_error)
    return Figure(value=2 * one.value * other.value / total, standard_error=error, count=one.count, details=one.details)


def beside_train(function: Callable[..., dict[str, Figure]]) -> Callable[[Evidence], dict[str, Figure]]:
    """A figure of samples against references, and of equally many training sequences against the same ones."""

    def compute(evidence: Evidence) -> dict[str, Figure]:
        sizes = {"smoothing": evidence.smoothing, "count": evidence.overlap_count}
        return beside_real(evidence, lambda rows: function(rows, evidence.part("references"), **sizes), "train")

    return compute


METRICS = (
    Metric(
        name="bleu",
        description="BLEU-2 to 5 of samples against all references, mean of sentences",
        paper="Papineni et al.",
        year=2002,
        unit="0 to 1",
        better="higher",
        needs=frozenset({"samples", "references"}),
        sizes="the first `overlap_count` samples, all references",
        floor="real_bleu, of equally many training sequences; far below 1",
        compute=beside_train(bleu),
    ),
    Metric(
        name="self_bleu",
        description="BLEU-2 to 5 of each sample against the others",
        paper="Zhu et al.",
        year=2018,
        unit="0 to 1",
        better="closer to real",
        needs=frozenset({"samples"}),
        sizes="the first `overlap_count` samples",
        by_size=True,
        floor="real_self_bleu, of equally many references, or training sequences where those are too few",
        compute=lambda evidence: beside_real(
            evidence,
            lambda rows: self_bleu(rows, smoothing=evidence.smoothing, count=evidence.overlap_count),
        ),
    ),
    Metric(
        name="backward_bleu",
        description="BLEU-2 to 5 of references against samples: how much of what is real was found",
        paper="Shi et al.",
        year=2018,
        unit="0 to 1",
        better="higher",
        needs=frozenset({"samples", "references"}),
        sizes="the first `overlap_count` of both sides",
        by_size=True,
        floor="real_backward_bleu, of equally many training sequences",
        compute=beside_train(backward_bleu),
    ),
    Metric(
        name="bleu_f1",
        description="harmonic mean of BLEU and backward BLEU on equally many sequences",
        paper="Shi et al.",
        year=2018,
        unit="0 to 1",
        better="higher",
        needs=frozenset({"samples", "references"}),
        sizes="the first `overlap_count` of both sides",
        by_size=True,
        floor="real_bleu_f1, of equally many training sequences",
        compute=beside_train(bleu_f1),
    ),
)
