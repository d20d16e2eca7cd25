"""The n-grams of many sequences as integers, so that counting them is sorting numbers.

An n-gram is numbered from the number of its first n − 1 tokens and its last token. All n-grams of a
corpus are therefore found by one sort per order, without a dictionary and without a loop over n-grams.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np


@dataclass(frozen=True)
class Flat:
    """Sequences of different lengths, one after another in a single array.

    Attributes:
        tokens: ids of all sequences, int64.
        owners: which sequence each token belongs to.
        left: tokens from each one to the end of its sequence, itself included.
        lengths: tokens of each sequence.
    """

    tokens: np.ndarray
    owners: np.ndarray
    left: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]]) -> Flat:
        """The sequences given as lists of ids."""
        lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
        tokens = np.fromiter(chain.from_iterable(sequences), np.int64, int(lengths.sum()))
        return cls.split(tokens, lengths)

    @classmethod
    def split(cls, tokens: np.ndarray, lengths: np.ndarray) -> Flat:
        """Tokens that already stand one after another, cut into sequences of the given lengths."""
        owners = np.repeat(np.arange(len(lengths)), lengths)
        left = np.cumsum(lengths)[owners] - np.arange(len(tokens))
        return cls(tokens.astype(np.int64), owners, left, lengths.astype(np.int64))

    def __len__(self) -> int:
        return len(self.lengths)

    def totals(self, order: int) -> np.ndarray:
        """How many n-grams of that order each sequence has, 0 where it is too short."""
        return np.maximum(self.lengths - order + 1, 0)


@dataclass(frozen=True)
class Grams:
    """All n-grams of one order.

    Attributes:
        order: n.
        keys: one sorted number for each distinct n-gram; its place in this array is the n-gram's id.
        ids: id of each occurrence.
        owners: which sequence each occurrence belongs to.
    """

    order: int
    keys: np.ndarray
    ids: np.ndarray
    owners: np.ndarray

    def counts(self, sequences: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How often each sequence holds each n-gram, for the pairs that occur.

        Args:
            sequences: how many sequences there are.

        Returns:
            Three arrays of equal length, sorted by n-gram and then sequence: id, sequence, count ≥ 1.
        """
        pairs, counts = np.unique(self.ids * sequences + self.owners, return_counts=True)
        return pairs // max(1, sequences), pairs % max(1, sequences), counts


def ngrams(flat: Flat, orders: int) -> Iterator[Grams]:
    """The n-grams of order 1, 2, …, `orders`.

        key of an n-gram = id of its first n − 1 tokens · number of distinct tokens + id of its last token

    Args:
        flat: the sequences.
        orders: the largest n.
    """
    keys, tokens = np.unique(flat.tokens, return_inverse=True)
    vocabulary = len(keys)
    starts, ids = np.arange(len(tokens)), tokens
    yield Grams(1, keys, ids, flat.owners)
    for order in range(2, orders + 1):
        inside = flat.left[starts] >= order
        starts = starts[inside]
        keys, ids = np.unique(ids[inside] * vocabulary + tokens[starts + order - 1], return_inverse=True)
        yield Grams(order, keys, ids, flat.owners[starts])


def find(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Place of each wanted number in the sorted `keys`, −1 where it is not there.

    >>> find(np.array([2, 5, 9]), np.array([5, 6, 10]))
    array([ 1, -1, -1])
    """
    if not len(keys):
        return np.full(len(wanted), -1)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)
