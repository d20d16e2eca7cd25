"""Dividing a corpus into training, validation and test units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from seqgans.data.corpus import CorpusSettings
from seqgans.randomness import as_stream, generator_for

Unit = TypeVar("Unit")

SPLITS = ("train", "valid", "test")


def divide(given: Mapping[str, Sequence[Unit]], settings: CorpusSettings, seed: int) -> dict[str, list[Unit]]:
    """Train, valid and test, the last two taken out of train where they have no source of their own.

    Whole units (lines, tunes) move, drawn by the seed; those that stay keep their order. Every share above 0
    gets at least one unit, if there is one.

    Args:
        given: the units of "train" and, where they have a source, of "valid" and "test".
        settings: the shares.
        seed: which units move.
    """
    train = list(given["train"])
    order = as_stream(generator_for(seed, "corpus", "split")).permutation(len(train)).tolist()
    splits: dict[str, list[Unit]] = {"train": train}
    moved = 0
    for split, share in (("valid", settings.valid), ("test", settings.test)):
        if split in given:
            splits[split] = list(given[split])
            continue
        count = max(1, round(share * len(train))) if share else 0
        splits[split] = [train[place] for place in sorted(order[moved : moved + count])]
        moved += count
    splits["train"] = [train[place] for place in sorted(order[moved:])]
    return splits


def repeats(splits: Mapping[str, Sequence[Any]]) -> dict[str, int]:
    """How many units are exact copies: of an earlier one in their own split, or of one in train."""
    train = set(splits["train"])
    inside = {f"within_{split}": len(splits[split]) - len(set(splits[split])) for split in SPLITS}
    across = {f"{split}_in_train": sum(unit in train for unit in splits[split]) for split in SPLITS[1:]}
    return {**inside, **across}
