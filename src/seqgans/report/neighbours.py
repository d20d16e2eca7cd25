"""The training line nearest to each sample: does a generator write, or does it copy?

Nearest by the longest common subsequence, in tokens, over the longer of the two lengths: 1 only for a copy.
It is searched among the training lines that share most tokens with the sample (Jaccard, on sets).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

Token = TypeVar("Token", bound=Hashable)

SHORTLIST = 50  # lines whose common subsequence is computed; every copy is among them


@dataclass(frozen=True)
class Neighbour:
    """A sample beside the training line nearest to it.

    Attributes:
        text: the sample.
        nearest: the line, empty where there is nothing to compare with.
        similarity: longest common subsequence over the longer length, 0 to 1.
        copy: whether they are equal, token by token.
    """

    text: str
    nearest: str
    similarity: float
    copy: bool

    def to_dict(self) -> dict[str, str | float | bool]:
        """For JSON."""
        return asdict(self)


def joined(tokens: Sequence[Hashable]) -> str:
    """Tokens with spaces between them."""
    return " ".join(map(str, tokens))


def neighbours(
    samples: Sequence[Sequence[Token]],
    train: Sequence[Sequence[Token]],
    decode: Callable[[Sequence[Token]], str] = joined,
) -> list[Neighbour]:
    """The nearest training line of each sample.

    Args:
        samples: a few lists of tokens or ids, without padding and end token.
        train: lists of the same kind.
        decode: from such a list to its text.

    >>> neighbours([["a", "b", "d"]], [["x"], ["a", "b", "c", "d"]])[0]
    Neighbour(text='a b d', nearest='a b c d', similarity=0.75, copy=False)
    """
    sets = [frozenset(line) for line in train]
    found = []
    for sample in samples:
        tokens = frozenset(sample)
        shares = [jaccard(tokens, other) for other in sets]
        short = sorted(range(len(train)), key=lambda line: (-shares[line], abs(len(train[line]) - len(sample))))
        short = [line for line in short if list(train[line]) == list(sample)][:1] or short[:SHORTLIST]
        likeness = {line: similarity(sample, train[line]) for line in short}
        best = max(short, key=lambda line: likeness[line], default=None)
        if best is None:
            found.append(Neighbour(decode(sample), "", 0.0, False))
        else:
            copy = list(sample) == list(train[best])
            found.append(Neighbour(decode(sample), decode(train[best]), likeness[best], copy))
    return found


def jaccard(one: frozenset[Hashable], other: frozenset[Hashable]) -> float:
    """Common tokens over all tokens of two sets; 1 for two empty ones."""
    union = len(one | other)
    return len(one & other) / union if union else 1.0


def similarity(one: Sequence[Hashable], other: Sequence[Hashable]) -> float:
    """Longest common subsequence over the longer length.

    >>> similarity("abcbdab", "bdcaba")  # "bcba" of seven
    0.5714285714285714
    """
    if not one or not other:
        return float(len(one) == len(other))
    lengths = [0] * (len(other) + 1)  # of the common subsequences with each start of `other`
    for token in one:
        before = 0
        for place, against in enumerate(other, 1):
            before, lengths[place] = (
                lengths[place],
                before + 1 if token == against else max(lengths[place], lengths[place - 1]),
            )
    return lengths[-1] / max(len(one), len(other))
