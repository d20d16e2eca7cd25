"""Many sequences in little memory: four bytes a token, and one number for each whole sequence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar, overload

import numpy as np

from seqgans.evaluation.kneser_ney import mixed
from seqgans.rewards.ngrams import Flat

AT_ONCE = 20_000  # sequences that are plain lists at a time
Item = TypeVar("Item")


class Rows(Sequence[list[int]]):
    """Lists of ids, one after another in one array; each is a list again when it is asked for.

    Args:
        tokens: ids, those of other rows among them where this is a part.
        bounds: where each list begins, and where the last one stops.

    >>> rows = Rows.of([[1, 2], [], [3]])
    >>> rows[0], list(rows[1:]), len(rows)
    ([1, 2], [[], [3]], 3)
    """

    def __init__(self, tokens: np.ndarray, bounds: np.ndarray) -> None:
        self.tokens = tokens
        self.bounds = bounds

    @classmethod
    def of(cls, lists: Iterable[Sequence[int]]) -> Rows:
        """Lists that may come from a stream, and are never all there at once."""
        tokens, lengths = [np.zeros(0, np.int32)], [np.zeros(1, np.int64)]
        for part in parts(lists):
            flat = Flat.of(part)
            tokens.append(flat.tokens.astype(np.int32))
            lengths.append(flat.lengths)
        return cls(np.concatenate(tokens), np.cumsum(np.concatenate(lengths)))

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @overload
    def __getitem__(self, index: int) -> list[int]: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> list[int] | Rows:
        """One list, or rows that share the memory of these unless some are passed over."""
        if isinstance(index, slice):
            first, stop, step = index.indices(len(self))
            if step == 1:
                return Rows(self.tokens, self.bounds[first : max(first, stop) + 1])
            return Rows.of(self[place] for place in range(first, stop, step))
        place = range(len(self))[index]
        return self.tokens[self.bounds[place] : self.bounds[place + 1]].tolist()

    def __iter__(self) -> Iterator[list[int]]:
        for place in range(len(self)):
            yield self[place]


def parts(items: Iterable[Item], size: int | None = None) -> Iterator[list[Item]]:
    """A stream, so many at a time; `AT_ONCE` where that is not said.

    >>> list(parts("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    stream = iter(items)
    while part := list(islice(stream, AT_ONCE if size is None else size)):
        yield part


def row_hashes(rows: Iterable[Sequence[int]]) -> np.ndarray:
    """One 64-bit number for each sequence: equal ones for equal sequences.

    Of 10⁶ different sequences two get the same number with a probability of 3 · 10⁻⁸.
    """
    found = [np.zeros(0, np.uint64)]
    for part in parts(rows):
        flat = Flat.of(part)
        places = flat.lengths[flat.owners] - flat.left
        each = mixed(mixed(flat.tokens.astype(np.uint64)) + mixed(places.astype(np.uint64) + np.uint64(1)))
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(each)])  # modulo 2⁶⁴, as are their differences
        stops = np.cumsum(flat.lengths)
        found.append(sums[stops] - sums[stops - flat.lengths])
    return np.concatenate(found)
