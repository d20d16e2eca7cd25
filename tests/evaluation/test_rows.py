"""Compact rows are lists, and hashes of sequences tell what equality tells."""

from __future__ import annotations

import numpy as np
import pytest

from seqgans.evaluation import Evidence, measure, rows
from seqgans.evaluation.diversity import copies, duplicates, lengths
from seqgans.evaluation.rows import Rows, row_hashes

LISTS = [[1, 2], [], [2, 1], [1, 2], [1, 2, 0], [0], [], [3, 3]]


def test_rows_are_the_lists_they_were_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (20_000, 3):
        monkeypatch.setattr(rows, "AT_ONCE", size)
        found = Rows.of(iter(LISTS))
        assert list(found) == LISTS
        assert [found[place] for place in range(-8, 8)] == LISTS * 2
        for part in (slice(1, 6, 2), slice(2, 5), slice(5, 2), slice(None, None, -1), slice(6, 99), slice(0)):
            assert list(found[part]) == LISTS[part]
            assert list(found[1:][part]) == LISTS[1:][part]
        assert len(found) == 8
        with pytest.raises(IndexError):
            found[8]
    assert list(Rows.of([])) == []


def test_hashes_are_equal_where_sequences_are() -> None:
    """Kills: order, zeros or the sequence before it left out of the hash."""
    random = np.random.default_rng(0)
    many = [random.integers(0, 3, size).tolist() for size in random.integers(0, 8, 3000)]
    found = row_hashes(many)
    assert len(np.unique(found)) == len(set(map(tuple, many)))
    assert row_hashes(Rows.of(many)).tolist() == found.tolist()
    assert [row_hashes([row])[0] for row in many[:50]] == found[:50].tolist()


def test_figures_of_rows_are_those_of_lists() -> None:
    for function in (duplicates, lengths, lambda part: copies(part, LISTS[:2])):
        assert function(Rows.of(LISTS)) == function(LISTS)
    assert duplicates(LISTS)["duplicates"].value == pytest.approx(2 / 8)
    assert copies(LISTS, [[1, 2], [9]])["copies"].value == pytest.approx(2 / 8)


class Counted(list):
    """A list that counts how many of its kind there are."""

    alive = most = 0

    def __init__(self, items) -> None:
        super().__init__(items)
        Counted.alive += 1
        Counted.most = max(Counted.most, Counted.alive)

    def __del__(self) -> None:
        Counted.alive -= 1


def test_a_stream_is_never_there_as_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four bytes a token and eight a sample. Kills: a list of the whole stream."""
    monkeypatch.setattr(rows, "AT_ONCE", 100)
    samples = Rows.of(Counted([number % 50, number % 7, 3]) for number in range(3000))
    assert len(samples) == 3000
    assert Counted.most <= 2 * 100 + 1
    assert samples.tokens.nbytes + samples.bounds.nbytes == 3000 * (3 * 4 + 8) + 8
    assert np.shares_memory(samples[:2000].tokens, samples.tokens)
    names = ["duplicates", "length", "distinct", "lm_kn"]
    real = [[number % 50, number % 7, 3] for number in range(500)]
    found = measure(Evidence(samples=samples, references=real, end=99), names).flat()
    assert found["duplicates"].count == found["length"].count == found["lm_kn"].count == 3000
    assert found["duplicates"].value == pytest.approx(1 - 350 / 3000)
