"""Kneser-Ney against counting by dictionaries and against NLTK, and as a law that sums to 1."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import chain

import numpy as np
import pytest

from seqgans.errors import BadInput
from seqgans.evaluation import kneser_ney
from seqgans.evaluation.kneser_ney import FALLBACK, KneserNey, estimated
from seqgans.rewards.ngrams import Flat

BEGIN, UNKNOWN = -1, -2


def text(seed: int, rows: int, words: int = 12) -> list[list[int]]:
    """Sequences in which the next token depends on the last: few enough words for counts above 4."""
    random = np.random.default_rng(seed)
    law = random.dirichlet(np.full(words, 0.3), words)
    found = []
    for size in random.integers(0, 9, rows):
        row = [int(random.integers(words))]
        while len(row) < size:
            row.append(int(random.choice(words, p=law[row[-1]])))
        found.append(row[:size])
    return found


class Dictionaries:
    """The same model from its definition, one n-gram at a time."""

    def __init__(self, rows: list[list[int]], known: set[int], order: int) -> None:
        self.known, self.order = known, order
        raw: dict[int, Counter] = defaultdict(Counter)
        for row in rows:
            whole = [BEGIN, *(word if word in known else UNKNOWN for word in row)]
            for end in range(1, len(whole)):
                for n in range(1, order + 1):
                    if end - n + 1 >= 0:
                        raw[n][tuple(whole[end - n + 1 : end + 1])] += 1
        self.counts: dict[int, dict[tuple[int, ...], int]] = {}
        for n in range(1, order + 1):
            before = defaultdict(set)
            for gram in raw[n + 1]:
                before[gram[1:]].add(gram[0])
            self.counts[n] = {
                gram: count if n == order or gram[0] == BEGIN else len(before[gram]) for gram, count in raw[n].items()
            }
        self.discounts = {n: self.discount(counts) for n, counts in self.counts.items()}

    @staticmethod
    def discount(counts: dict[tuple[int, ...], int]) -> tuple[float, float, float]:
        t = [sum(count == i for count in counts.values()) for i in range(5)]
        if min(t[1:]) == 0:
            return FALLBACK
        y = t[1] / (t[1] + 2 * t[2])
        found = tuple(i - (i + 1) * y * t[i + 1] / t[i] for i in (1, 2, 3))
        return found if all(0 <= d <= i for i, d in enumerate(found, 1)) else FALLBACK  # pyright: ignore[reportReturnType]

    def chance(self, word: int, context: tuple[int, ...]) -> float:
        if len(context) > self.order - 1:
            context = context[len(context) - self.order + 1 :]
        lower = self.chance(word, context[1:]) if context else 1 / (len(self.known) + 1)
        n = len(context) + 1
        followed = {gram: count for gram, count in self.counts[n].items() if gram[:-1] == context}
        if not followed:
            return lower
        taken = {gram: self.discounts[n][min(count, 3) - 1] for gram, count in followed.items()}
        gram = (*context, word)
        left = followed.get(gram, 0) - taken.get(gram, 0.0)
        return (left + sum(taken.values()) * lower) / sum(followed.values())


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_every_probability_is_that_of_the_definition(order: int) -> None:
    """Kills: raw counts for continuations, begin n-grams by continuation, discounts of another order, no unknown word,
    n-grams across sequences."""
    train, rows = text(0, 60), [*text(1, 30, 14), [], [99], [3, 99, 3]]
    known = set(range(11))
    plain = Dictionaries(train, known, order)
    model = KneserNey.learn(train, np.array(sorted(known)), order=order)
    for row in rows:
        found = model.log_probs(Flat.of([row]))
        whole = [BEGIN, *(word if word in known else UNKNOWN for word in row)]
        wanted = [math.log(plain.chance(whole[end], tuple(whole[:end]))) for end in range(1, len(whole))]
        assert found == pytest.approx(wanted, abs=1e-12)


def test_it_is_a_law_after_a_hundred_contexts() -> None:
    """Section 14: over the vocabulary and the unknown word the probabilities add up to 1."""
    train = text(2, 400)
    model = KneserNey.learn(train, np.arange(12))
    random = np.random.default_rng(3)
    for size in random.integers(0, 6, 100):
        context = random.integers(0, 14, size).tolist()
        rows = [[*context, word] for word in [*range(12), 77]]
        lasts = model.log_probs(Flat.of(rows)).reshape(13, -1)[:, -1]
        assert np.exp(lasts).sum() == pytest.approx(1, abs=1e-12)


def test_nltk_says_the_same() -> None:
    """NLTK has one discount, no uniform law below its unigrams and another rule at the beginning of a sequence."""
    from nltk.lm.models import KneserNeyInterpolated
    from nltk.util import everygrams

    train = [row for row in text(4, 80) if row]
    for order in (2, 3):
        theirs = KneserNeyInterpolated(order, discount=0.3)
        words = [["<s>", *map(str, row)] for row in train]
        theirs.fit(
            [list(everygrams(row, max_len=order)) for row in words], vocabulary_text=[*chain.from_iterable(words)]
        )
        model = KneserNey.learn(train, np.arange(12), order=order, discounts=[(0.0,) * 3, *[(0.3,) * 3] * (order - 1)])
        compared = 0
        for row in train:
            ours = np.exp(model.log_probs(Flat.of([row])))
            for place in range(order - 1, len(row)):  # contexts without the beginning
                context = [str(word) for word in row[place - order + 1 : place]]
                assert ours[place] == pytest.approx(theirs.score(str(row[place]), context), rel=1e-9)
                compared += 1
        assert compared > 100


def test_read_in_parts_it_is_the_same_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills: counts of a part lost, added twice, or kept unsorted."""
    train, rows = text(5, 300), text(6, 50)
    whole = KneserNey.learn(train, np.arange(12)).score(rows)
    monkeypatch.setattr(kneser_ney, "ROWS", 7)
    parts = KneserNey.learn(train, np.arange(12)).score(rows)
    assert parts.totals == pytest.approx(whole.totals, abs=1e-12)
    assert parts.sizes.tolist() == whole.sizes.tolist() == [len(row) for row in rows]


def test_discounts_fall_back_where_there_are_few_ngrams() -> None:
    assert estimated(np.array([1, 1, 1])) == FALLBACK == (0.5, 1.0, 1.5)  # as in KenLM
    assert estimated(np.array([1] * 9 + [2] * 9 + [3] + [4] * 9)) == FALLBACK  # D_3 would be negative
    assert estimated(np.array([1] * 8 + [2] * 4 + [3] * 2 + [4])) == pytest.approx((0.5, 1.25, 2.0))


def test_orders_longer_than_every_sequence_change_nothing() -> None:
    train = [[1], [2, 1], [1, 2]]
    both = [KneserNey.learn(train, np.arange(3), order=order).score([[1, 2, 2, 1, 0]]).totals for order in (3, 9)]
    assert both[0] == both[1]


def test_no_token_is_no_model() -> None:
    for rows in ([], [[], []]):
        with pytest.raises(BadInput, match="a language model needs sequences with at least one token, got none"):
            KneserNey.learn(rows, np.arange(3))
    assert KneserNey.learn([[1]], np.arange(3)).score([]).totals.tolist() == []
