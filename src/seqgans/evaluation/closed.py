"""Lists of ids as batches over a closed vocabulary, for the small networks that metrics train."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from seqgans.evaluation.likelihood import as_sequences
from seqgans.rewards.ngrams import Flat, find

PADDING, UNKNOWN = 0, 1  # words go on from 2, in the order of the vocabulary


def encoded(rows: Sequence[Sequence[int]], vocabulary: np.ndarray, longest: int) -> list[list[int]]:
    """Rows in the ids of a vocabulary.

    Args:
        rows: lists of any ids.
        vocabulary: the ids that are words of their own, sorted.
        longest: tokens that are kept of each row.

    >>> encoded([[7, 9, 8, 7], []], np.array([7, 9]), 3)
    [[2, 3, 1], []]
    """
    flat = Flat.of([row[:longest] for row in rows])
    places = find(vocabulary, flat.tokens)
    parts = np.split(np.where(places >= 0, places + UNKNOWN + 1, UNKNOWN), np.cumsum(flat.lengths))
    return [part.tolist() for part in parts[:-1]]


def batches(
    rows: Sequence[Sequence[int]], size: int, random: torch.Generator | None = None, extra: int = 0
) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """A few rows at a time, those of like length together: which they are, their ids and where these are real.

    Args:
        rows: lists of ids, none of which is `PADDING`; without `extra`, empty ones are left out.
        size: rows of a batch.
        random: shuffles the batches, and rows of equal length.
        extra: columns of padding behind the longest row.
    """
    order = list(range(len(rows))) if random is None else torch.randperm(len(rows), generator=random).tolist()
    order = sorted((place for place in order if rows[place] or extra), key=lambda place: len(rows[place]))
    parts = [order[first : first + size] for first in range(0, len(order), size)]
    for part in range(len(parts)) if random is None else torch.randperm(len(parts), generator=random).tolist():
        columns = len(rows[parts[part][-1]]) + extra
        tokens = as_sequences([rows[place] for place in parts[part]], columns + 1, PADDING).tokens[:, :columns]
        yield parts[part], tokens, tokens != PADDING
