"""How much generated sequences repeat themselves, each other and the training data.

Shares of distinct things fall as more sequences are counted, so each figure counts a fixed number of them
and says which.

References: distinct-n: Li et al. (2016); UniqueGram: Zhu et al. (2018), arXiv:1802.01886;
novelty and Jaccard diversity: Wang and Wan (2018), "SentiGAN".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from seqgans.errors import BadInput
from seqgans.evaluation.base import Metric, beside_real
from seqgans.evaluation.figure import Figure
from seqgans.evaluation.rows import row_hashes
from seqgans.rewards.ngrams import Flat, ngrams

COUNT = 1000
ORDERS = (1, 2, 3, 4)
PAIRS_AT_ONCE = 1 << 24


def distinct(
    samples: Sequence[Sequence[int]], *, orders: Iterable[int] = ORDERS, count: int = COUNT
) -> dict[str, Figure]:
    """distinct-n: different n-grams over all n-grams of the first `count` samples, in (0, 1]; higher is more diverse.

    Args:
        samples: lists of ids.
        orders: which n; one that no sample is long enough for gives 0.
        count: samples counted.
    """
    chosen = Flat.of(samples[:count])
    return {
        f"distinct_{order}": Figure(value=found / max(1, int(chosen.totals(order).sum())), count=len(chosen))
        for order, found in _different(chosen, orders).items()
    }


def unique_gram(
    samples: Sequence[Sequence[int]], *, orders: Iterable[int] = ORDERS, count: int = COUNT
) -> dict[str, Figure]:
    """UniqueGram-n: different n-grams over the number of samples; higher is more diverse.

    Args:
        samples: lists of ids.
        orders: which n.
        count: samples counted.
    """
    chosen = Flat.of(samples[:count])
    return {
        f"unique_gram_{order}": Figure(value=found / max(1, len(chosen)), count=len(chosen))
        for order, found in _different(chosen, orders).items()
    }


def ngram_entropy(
    samples: Sequence[Sequence[int]], *, orders: Iterable[int] = ORDERS, count: int = COUNT
) -> dict[str, Figure]:
    """Entropy of the n-grams that occur, nats: −Σ_g f(g) log f(g) with relative frequencies f; 0 for one n-gram.

    Args:
        samples: lists of ids.
        orders: which n.
        count: samples counted.
    """
    chosen = Flat.of(samples[:count])
    orders = tuple(orders)
    figures = {}
    for grams in ngrams(chosen, max(orders)):
        if grams.order in orders:
            shares = np.bincount(grams.ids) / max(1, len(grams.ids))
            entropy = float(-(shares * np.log(shares)).sum()) + 0.0  # no minus before a zero
            figures[f"ngram_entropy_{grams.order}"] = Figure(value=entropy, count=len(chosen))
    return figures


def duplicates(samples: Sequence[Sequence[int]]) -> dict[str, Figure]:
    """Share of samples that equal an earlier one, in [0, 1).

    >>> print(duplicates([[1, 2], [1, 2], [3], [1, 2]])["duplicates"].value)
    0.5
    """
    different = len(np.unique(row_hashes(samples)))
    return {"duplicates": Figure(value=1 - different / max(1, len(samples)), count=len(samples))}


def copies(samples: Sequence[Sequence[int]], train: Sequence[Sequence[int]]) -> dict[str, Figure]:
    """Share of samples that equal a training sequence, in [0, 1].

    Args:
        samples: generated lists of ids.
        train: what the generator was trained on.
    """
    known = np.isin(row_hashes(samples), row_hashes(train))
    return {"copies": Figure.of(known.astype(np.float64), train=len(train))}


def novelty(
    samples: Sequence[Sequence[int]], train: Sequence[Sequence[int]], *, count: int = COUNT
) -> dict[str, Figure]:
    """1 − max_j J(S_i, C_j) over training sequences C_j, averaged over the samples, in [0, 1].

        J(A, B) = |A ∩ B| / |A ∪ B| on sets of tokens; 1 where both are empty

    Args:
        samples: generated lists of ids.
        train: what the generator was trained on.
        count: samples compared.
    """
    nearest = nearest_jaccard(samples[:count], train)
    return {"novelty": Figure.of(1 - nearest, train=len(train))}


def jaccard_diversity(samples: Sequence[Sequence[int]], *, count: int = COUNT) -> dict[str, Figure]:
    """1 − max_{j≠i} J(S_i, S_j), averaged over the first `count` samples, in [0, 1]; higher is more diverse.

    Args:
        samples: generated lists of ids, at least two.
        count: samples compared with each other.
    """
    chosen = samples[:count]
    if len(chosen) < 2:
        raise BadInput(f"diversity needs at least two sequences, got {len(chosen)}: draw more samples")
    return {"jaccard_diversity": Figure.of(1 - nearest_jaccard(chosen, None), others=len(chosen) - 1)}


def nearest_jaccard(sequences: Sequence[Sequence[int]], others: Sequence[Sequence[int]] | None) -> np.ndarray:
    """Largest Jaccard similarity of each sequence to one of the others, 0 if there are none.

    Args:
        sequences: lists of ids.
        others: what they are compared with; None compares each with the rest of `sequences`.
    """
    from scipy.sparse import csr_array

    against = sequences if others is None else others
    every = [sorted(set(row)) for row in (*sequences, *against)]
    sizes = np.array([len(row) for row in every])
    tokens = np.unique(Flat.of(every).tokens, return_inverse=True)[1]
    whole = csr_array(
        (np.ones(len(tokens)), tokens, np.append(0, np.cumsum(sizes))),
        shape=(len(every), int(tokens.max(initial=-1)) + 1),
    )
    left, right = whole[: len(sequences)], whole[len(sequences) :]
    left_sizes, right_sizes = sizes[: len(sequences)], sizes[len(sequences) :]
    nearest = np.zeros(len(sequences))
    step = max(1, PAIRS_AT_ONCE // max(1, len(against)))
    for first in range(0, len(sequences) if len(against) else 0, step):
        shared = (left[first : first + step] @ right.T).toarray()  # (step, others)
        union = left_sizes[first : first + step, None] + right_sizes - shared
        alike = np.where(union > 0, shared / np.maximum(union, 1), 1.0)
        if others is None:
            rows = np.arange(len(alike))
            alike[rows, first + rows] = 0.0
        nearest[first : first + step] = alike.max(1)
    return nearest


def lengths(samples: Sequence[Sequence[int]]) -> dict[str, Figure]:
    """Mean number of tokens, the end token not counted."""
    return {"length": Figure.of(np.fromiter(map(len, samples), np.float64, len(samples)))}


def _different(flat: Flat, orders: Iterable[int]) -> dict[int, int]:
    """How many different n-grams of each order there are."""
    orders = tuple(orders)
    return {grams.order: len(grams.keys) for grams in ngrams(flat, max(orders)) if grams.order in orders}


METRICS = (
    Metric(
        name="distinct",
        description="different n-grams over all n-grams, n = 1 to 4",
        paper="Li et al.",
        year=2016,
        unit="0 to 1",
        better="closer to real",
        needs=frozenset({"samples"}),
        sizes="the first `overlap_count` samples",
        by_size=True,
        floor="real_distinct, of equally many references, or training sequences where those are too few",
        compute=lambda evidence: beside_real(evidence, lambda rows: distinct(rows, count=evidence.overlap_count)),
    ),
    Metric(
        name="unique_gram",
        description="different n-grams per sample, n = 1 to 4",
        paper="Zhu et al.",
        year=2018,
        unit="n-grams per sample",
        better="closer to real",
        needs=frozenset({"samples"}),
        sizes="the first `overlap_count` samples",
        by_size=True,
        floor="real_unique_gram, of equally many references, or training sequences where those are too few",
        compute=lambda evidence: beside_real(evidence, lambda rows: unique_gram(rows, count=evidence.overlap_count)),
    ),
    Metric(
        name="ngram_entropy",
        description="entropy of the n-grams that occur, n = 1 to 4",
        paper="Zhang et al.",
        year=2018,
        unit="nats",
        better="closer to real",
        needs=frozenset({"samples"}),
        sizes="the first `overlap_count` samples",
        by_size=True,
        floor="real_ngram_entropy, of equally many references, or training sequences where those are too few",
        compute=lambda evidence: beside_real(evidence, lambda rows: ngram_entropy(rows, count=evidence.overlap_count)),
    ),
    Metric(
        name="duplicates",
        description="share of samples that equal an earlier one",
        paper="",
        year=0,
        unit="0 to 1",
        better="closer to real",
        needs=frozenset({"samples"}),
        sizes="all samples",
        by_size=True,
        floor="real_duplicates, of equally many references, or training sequences where those are too few",
        compute=lambda evidence: beside_real(evidence, duplicates, by_count=len(evidence.drawn)),
    ),
    Metric(
        name="copies",
        description="share of samples that equal a training sequence",
        paper="",
        year=0,
        unit="0 to 1",
        better="closer to real",
        needs=frozenset({"samples", "train"}),
        sizes="all samples, all of train",
        floor="real_copies: held-out sequences that stand in train as well",
        compute=lambda evidence: beside_real(evidence, lambda rows: copies(rows, evidence.part("train")), by_count=0),
    ),
    Metric(
        name="novelty",
        description="distance of samples to the nearest training sequence (Jaccard on sets of tokens)",
        paper="Wang and Wan",
        year=2018,
        unit="0 to 1",
        better="closer to real",
        needs=frozenset({"samples", "train"}),
        sizes="the first `overlap_count` samples, all of train",
        floor="real_novelty, of references beside train",
        compute=lambda evidence: beside_real(
            evidence,
            lambda rows: novelty(rows, evidence.part("train"), count=evidence.overlap_count),
            by_count=0,
        ),
    ),
    Metric(
        name="jaccard_diversity",
        description="distance of samples to the nearest other sample (Jaccard on sets of tokens)",
        paper="Wang and Wan",
        year=2018,
        unit="0 to 1",
        better="closer to real",
        needs=frozenset({"samples"}),
        sizes="the first `overlap_count` samples",
        by_size=True,
        floor="real_jaccard_diversity, of equally many references, or training sequences where those are too few",
        compute=lambda evidence: beside_real(
            evidence, lambda rows: jaccard_diversity(rows, count=evidence.overlap_count)
        ),
    ),
    Metric(
        name="length",
        description="mean number of tokens",
        paper="",
        year=0,
        unit="tokens",
        better="closer to real",
        needs=frozenset({"samples"}),
        sizes="all samples",
        floor="real_length",
        compute=lambda evidence: beside_real(evidence, lengths, by_count=0),
    ),
)
