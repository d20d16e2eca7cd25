"""The classifier two-sample test: chance on equal laws, certainty on others, and an interval that is Wilson's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from seqgans.errors import BadInput
from seqgans.evaluation import Evidence, measure
from seqgans.evaluation.classifier import PADDED, Classifier
from seqgans.evaluation.closed import batches
from seqgans.evaluation.two_sample import accuracy_interval, c2st


def walks(seed: int, rows: int, low: int = 0, high: int = 12) -> list[list[int]]:
    random = np.random.default_rng(seed)
    return [(5 * random.integers(low, high, size)).tolist() for size in random.integers(1, 9, rows)]


@pytest.mark.parametrize(("right", "count"), [(0, 10), (50, 100), (73, 75), (999, 1000)])
def test_the_interval_is_scipys(right: int, count: int) -> None:
    wanted = binomtest(right, count).proportion_ci(method="wilson")
    assert accuracy_interval(right, count) == pytest.approx((wanted.low, wanted.high), abs=1e-7)


def test_equal_laws_are_told_apart_by_chance_alone() -> None:
    """Kills: an accuracy that is chance where it should not be, sizes and p-value of the wrong half."""
    figure = c2st(walks(0, 400), walks(1, 500))
    assert figure.count == 400  # halves of 400 of each
    assert figure.details["learnt_from"] == 400
    assert abs(figure.value - 0.5) < 4 * 0.5 / 400**0.5
    assert figure.details["low"] < figure.value < figure.details["high"]
    assert figure.details["p"] == pytest.approx(norm.sf((figure.value - 0.5) / (0.25 / 400) ** 0.5))


def test_what_was_learnt_by_heart_does_not_help(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills: a half that is learnt from and tested on, halves that overlap, sides of different sizes."""
    seen = {}

    class ByHeart:
        epochs = 1

        @classmethod
        def learn(cls, rows, labels, classes, *, seed):
            seen.update(zip(map(tuple, rows), labels, strict=True))
            return cls()

        def named(self, rows):
            assert not any(tuple(row) in seen for row in rows)
            return np.array([0 for _ in rows])

    monkeypatch.setattr("seqgans.evaluation.two_sample.Classifier", ByHeart)
    figure = c2st([[number] for number in range(31)], [[100 + number] for number in range(40)])
    assert figure.value == 0.5
    assert sorted(seen.values()) == [0] * 15 + [1] * 15
    assert figure.count == 32
    assert all(label == (row[0] >= 100) for row, label in seen.items())


def test_other_laws_are_told_apart() -> None:
    """Order alone gives a sample away too. Kills: a bag of words, labels swapped between the sides."""
    assert c2st(walks(0, 200), walks(1, 200, 6, 18)).value > 0.8
    ups = [sorted(row) for row in walks(2, 400) if len(row) > 3]
    downs = [sorted(row, reverse=True) for row in walks(3, 400) if len(row) > 3]
    found = c2st(ups, downs)
    assert found.value > 0.85
    assert found.details["p"] < 1e-6


def test_real_sequences_stand_beside() -> None:
    found = measure(Evidence(samples=walks(0, 60, 6, 18), references=walks(1, 60), train=walks(2, 60)), ["c2st"]).flat()
    assert found["real_c2st"].value < found["c2st"].value


def test_too_few_are_refused() -> None:
    with pytest.raises(BadInput, match="a classifier needs at least 10 sequences of both kinds, got 9: draw more"):
        c2st(walks(0, 9), walks(1, 20))


def test_a_row_is_named_alike_in_every_batch() -> None:
    """Kills: windows that depend on how long the other rows are, logits in the order of lengths."""
    rows, labels = walks(5, 90), [number % 3 for number in range(90)]
    judge = Classifier.learn(rows, labels, 3, seed=1)
    together = judge.logits([*rows[:20], [], [0] * 60])
    for place, row in enumerate(rows[:20]):
        assert judge.logits([row])[0].tolist() == pytest.approx(together[place].tolist(), abs=1e-5)
    assert Classifier.learn(rows, labels, 3, seed=1).named(rows).tolist() == judge.named(rows).tolist()
    for _, tokens, mask in batches([[2], [3, 4]], 2, extra=PADDED):
        assert tokens.shape == (2, 2 + PADDED)
        assert mask.sum(1).tolist() == [1, 2]
