"""Diversity figures against counting by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqgans.evaluation.diversity import (
    copies,
    distinct,
    duplicates,
    jaccard_diversity,
    nearest_jaccard,
    ngram_entropy,
    novelty,
    unique_gram,
)

ROWS = [[1, 2, 1, 2], [1, 2], [3], []]


def test_distinct_and_unique_gram_by_hand() -> None:
    """Kills: the two denominators swapped, n-grams across sequences, n off by one."""
    shares = {name: figure.value for name, figure in distinct(ROWS).items()}
    assert shares == {"distinct_1": 3 / 7, "distinct_2": 2 / 4, "distinct_3": 1.0, "distinct_4": 1.0}
    per_sample = {name: figure.value for name, figure in unique_gram(ROWS).items()}
    assert per_sample == {"unique_gram_1": 3 / 4, "unique_gram_2": 2 / 4, "unique_gram_3": 2 / 4, "unique_gram_4": 0.25}


def test_only_a_fixed_number_of_samples_counts() -> None:
    rows = [[1, 2, 3]] * 5 + [[4, 5, 6]] * 5
    assert distinct(rows, count=5) == distinct(rows[:5])
    assert distinct(rows, count=5)["distinct_1"].value == 3 / 15
    assert distinct(rows)["distinct_1"].count == 10


def test_no_sample_long_enough() -> None:
    assert distinct([[1], [2]])["distinct_3"].value == 0
    assert ngram_entropy([[1], [2]])["ngram_entropy_3"].value == 0


def test_entropy_by_hand() -> None:
    found = ngram_entropy([[1, 1, 2], [1, 1, 2]], orders=(1, 2))
    assert found["ngram_entropy_1"].value == pytest.approx(-(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3)))
    assert found["ngram_entropy_2"].value == pytest.approx(math.log(2))
    assert ngram_entropy([[7, 7]], orders=(2,))["ngram_entropy_2"].value == 0


def test_duplicates_and_copies() -> None:
    """Kills: all members of a group of equals counted, prefixes taken for copies."""
    rows = [[1, 2], [1, 2], [1, 2], [1], [2, 1]]
    assert duplicates(rows)["duplicates"].value == pytest.approx(2 / 5)
    assert copies(rows, [[1, 2], [1, 2, 3]])["copies"].value == pytest.approx(3 / 5)


def test_nearest_jaccard_is_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in blocks. Kills: bags for sets, the nearest for the farthest, a sequence compared with itself."""
    random = np.random.default_rng(0)
    rows = [random.integers(0, 7, size).tolist() for size in random.integers(1, 6, 25)] + [[], []]
    others = [random.integers(0, 9, size).tolist() for size in random.integers(0, 6, 30)]

    def similarity(one: list[int], other: list[int]) -> float:
        union = set(one) | set(other)
        return len(set(one) & set(other)) / len(union) if union else 1.0

    far = [max(similarity(row, other) for other in others) for row in rows]
    near = [max(similarity(row, other) for j, other in enumerate(rows) if j != i) for i, row in enumerate(rows)]
    for at_once in (1 << 24, 100):
        monkeypatch.setattr("seqgans.evaluation.diversity.PAIRS_AT_ONCE", at_once)
        assert nearest_jaccard(rows, others) == pytest.approx(far)
        assert nearest_jaccard(rows, None) == pytest.approx(near)
    assert novelty(rows, others)["novelty"].value == pytest.approx(1 - np.mean(far))
    assert jaccard_diversity(rows)["jaccard_diversity"].value == pytest.approx(1 - np.mean(near))
