"""Dividing units. Mutants killed: a unit in two splits or in none, order lost, the seed unread."""

from __future__ import annotations

import pytest

from seqgans.data.corpus import CorpusSettings
from seqgans.data.splits import divide, repeats

UNITS = [f"line {number}" for number in range(40)]


@pytest.mark.parametrize(
    ("valid", "test", "sizes"), [(0.1, 0.2, (28, 4, 8)), (0.0, 0.001, (39, 0, 1)), (0.0, 0.0, (40, 0, 0))]
)
def test_every_unit_lies_in_one_split_in_its_order(valid: float, test: float, sizes: tuple[int, ...]) -> None:
    splits = divide({"train": UNITS}, CorpusSettings(valid=valid, test=test), seed=3)
    assert tuple(len(splits[split]) for split in ("train", "valid", "test")) == sizes
    assert sorted(unit for units in splits.values() for unit in units) == sorted(UNITS)
    assert all(units == sorted(units, key=UNITS.index) for units in splits.values())


def test_the_seed_decides() -> None:
    settings = CorpusSettings(valid=0.2, test=0.2)
    assert divide({"train": UNITS}, settings, 1) == divide({"train": UNITS}, settings, 1)
    assert divide({"train": UNITS}, settings, 1) != divide({"train": UNITS}, settings, 2)


def test_given_splits_stay_as_they_are() -> None:
    splits = divide({"train": UNITS, "test": ["x", "x"]}, CorpusSettings(valid=0.1), 0)
    assert splits["test"] == ["x", "x"]
    assert (len(splits["train"]), len(splits["valid"])) == (36, 4)


def test_repeats_are_counted() -> None:
    assert repeats({"train": ["a", "a", "b"], "valid": ["a", "c", "a"], "test": ["d"]}) == {
        "within_train": 1,
        "within_valid": 1,
        "within_test": 0,
        "valid_in_train": 2,
        "test_in_train": 0,
    }
