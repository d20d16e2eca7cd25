"""Nearest training lines.

Mutants killed: order of tokens ignored; similarity over the shorter length; a copy missed because another line
shares as many tokens; the last of equals; the longest common substring for the subsequence.
"""

from __future__ import annotations

import itertools

import pytest

from seqgans.report.neighbours import SHORTLIST, neighbours, similarity


def brute(one: str, other: str) -> float:
    for length in range(min(len(one), len(other)), 0, -1):
        if set(itertools.combinations(one, length)) & set(itertools.combinations(other, length)):
            return length / max(len(one), len(other))
    return 0.0


@pytest.mark.parametrize(("one", "other"), [*itertools.product(("abc", "aabbc", "cbacab", "d", "bcabca"), repeat=2)])
def test_similarity_is_that_of_the_longest_common_subsequence(one: str, other: str) -> None:
    assert similarity(one, other) == pytest.approx(brute(one, other))


def test_nothing_is_like_nothing() -> None:
    assert similarity("", "") == 1.0
    assert similarity("", "a") == 0.0


def test_the_nearest_line_keeps_the_order_of_tokens() -> None:
    train = [["d", "c", "b", "a"], ["a", "b", "x", "d"], ["q", "r"]]
    (found,) = neighbours([["a", "b", "c", "d"]], train)
    assert (found.text, found.nearest, found.similarity, found.copy) == ("a b c d", "a b x d", 0.75, False)


def test_a_copy_is_found_among_many_permutations() -> None:
    train = [list(order) for order in itertools.permutations(range(6))]
    assert len(train) > 4 * SHORTLIST
    found = neighbours([train[700], [9, 9]], train)
    assert (found[0].copy, found[0].similarity, found[0].nearest) == (True, 1.0, " ".join(map(str, train[700])))
    assert not found[1].copy


def test_an_end_that_was_cut_is_no_copy() -> None:
    (found,) = neighbours([[1, 2]], [[1, 2, 3]])
    assert not found.copy
    assert found.similarity == pytest.approx(2 / 3)


def test_ids_are_decoded_and_an_empty_corpus_has_no_lines() -> None:
    (found,) = neighbours([[1, 2]], [[2, 1]], decode=lambda ids: "".join("xyz"[one] for one in ids))
    assert found.to_dict() == {"text": "yz", "nearest": "zy", "similarity": 0.5, "copy": False}
    assert neighbours([[1]], [])[0].nearest == ""
