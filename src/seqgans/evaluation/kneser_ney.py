"""An interpolated Kneser-Ney language model over ids: what a text of any size says about which token follows which.

The n-grams of a text are numbers here: a 64-bit hash, made of the hash of all tokens but the last and of the last. So
counting is sorting, counts of parts are merged, and a text is read part by part in memory that grows with its
different n-grams only. Of 10⁷ n-grams two get the same number with a probability of 3 · 10⁻⁶.

References: Kneser and Ney (1995); Chen and Goodman (1999), "An empirical study of smoothing techniques for language
modeling": modified Kneser-Ney, with three discounts for each order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seqgans.errors import BadInput
from seqgans.evaluation.likelihood import Scores
from seqgans.rewards.ngrams import Flat, find

ORDER = 5
ROWS = 20_000  # sequences read at once
FALLBACK = (0.5, 1.0, 1.5)  # discounts where n-grams are too few to estimate them, those of KenLM
BEGIN, UNKNOWN = 1, 2  # numbers of the symbol before every sequence and of all tokens outside the vocabulary

Discounts = tuple[float, float, float]


class Occurrences(NamedTuple):
    """The n-grams of one order, one after another as they end in a text.

    Attributes:
        places: where each ends.
        keys: its hash.
        contexts: hash of all its tokens but the last.
        suffixes: hash of all its tokens but the first.
        begins: whether its first token is the symbol of the beginning.
    """

    places: np.ndarray
    keys: np.ndarray
    contexts: np.ndarray
    suffixes: np.ndarray
    begins: np.ndarray


class Counted(NamedTuple):
    """The different n-grams of one order, sorted by hash: how often each occurs, and its parts."""

    keys: np.ndarray
    counts: np.ndarray
    contexts: np.ndarray
    suffixes: np.ndarray
    begins: np.ndarray


@dataclass(frozen=True)
class Level:
    """One order of the model.

    Attributes:
        keys: hashes of its n-grams, sorted.
        left: a(h w) − D(a(h w)) of each.
        contexts: hashes of the contexts h, sorted.
        totals: Σ_w a(h w) of each.
        freed: Σ_w D(a(h w)) of each: what the lower orders share out.
    """

    keys: np.ndarray
    left: np.ndarray
    contexts: np.ndarray
    totals: np.ndarray
    freed: np.ndarray


@dataclass(frozen=True)
class KneserNey:
    """P_n(w | h) = (a(h w) − D(a(h w)) + Σ_v D(a(h v)) · P_{n−1}(w | h')) / Σ_v a(h v),   P_0 = 1 / |V|.

    h' is h without its first token; where nothing was seen after h, P_n = P_{n−1}. a counts occurrences of the longest
    n-grams and of those at the beginning of a sequence, and of the others how many different tokens stand before them.
    A sequence begins with a symbol of its own; its end is not scored.

    Attributes:
        vocabulary: the ids it knows, sorted; all others are one unknown word, which |V| counts.
        levels: orders 1, 2, …, as far as there is an n-gram.
    """

    vocabulary: np.ndarray
    levels: tuple[Level, ...]

    @classmethod
    def learn(
        cls,
        rows: Sequence[Sequence[int]],
        vocabulary: np.ndarray,
        *,
        order: int = ORDER,
        discounts: Sequence[Discounts] | None = None,
    ) -> KneserNey:
        """The model of a text, read `ROWS` sequences at a time.

        Args:
            rows: lists of ids.
            vocabulary: the ids that are words of their own.
            order: n of the longest n-grams, at least 1.
            discounts: of counts 1, 2 and ≥ 3, for each order; None estimates them.

        Raises:
            BadInput: there is no token.
        """
        if order < 1:
            raise ValueError(f"KneserNey.learn: order must be at least 1, got {order}")
        known = np.unique(np.asarray(vocabulary, np.int64))
        whole: list[list[Counted]] = [[] for _ in range(order)]
        for first in range(0, len(rows), ROWS):
            flat = Flat.of(rows[first : first + ROWS])
            for parts, found in zip(whole, occurrences(flat, coded(flat, known), order), strict=True):
                parts.append(counted(found))
                if len(parts) > 1 and sum(len(part.keys) for part in parts[1:]) > len(parts[0].keys):
                    parts[:] = [merged(parts)]
        tables = [
            table for parts in whole if parts and len((table := merged(parts)).keys)
        ]  # no sequence may be so long
        if not tables:
            raise BadInput("a language model needs sequences with at least one token, got none")
        levels = []
        for index, table in enumerate(tables):
            seen = table.counts
            if index + 1 < len(tables):
                longer = find(table.keys, tables[index + 1].suffixes)
                seen = np.where(table.begins, seen, np.bincount(longer, minlength=len(seen)))
            levels.append(level(table, seen, estimated(seen) if discounts is None else discounts[index]))
        return cls(known, tuple(levels))

    def log_probs(self, flat: Flat) -> np.ndarray:
        """Log-probability of every token of some sequences, nats, one after another."""
        chances = np.full(len(flat.tokens), 1 / (len(self.vocabulary) + 1))
        for own, found in zip(
            self.levels, occurrences(flat, coded(flat, self.vocabulary), len(self.levels)), strict=True
        ):
            after, gram = find(own.contexts, found.contexts), find(own.keys, found.keys)
            left = np.where(gram >= 0, own.left[gram], 0.0)
            before = chances[found.places]
            mixture = (left + own.freed[after] * before) / own.totals[after]
            chances[found.places] = np.where(after >= 0, mixture, before)
        return np.log(chances)

    def score(self, rows: Sequence[Sequence[int]]) -> Scores:
        """How likely each of many sequences is, read `ROWS` at a time."""
        totals: list[np.ndarray] = [np.zeros(0)]
        sizes: list[np.ndarray] = [np.zeros(0)]
        for first in range(0, len(rows), ROWS):
            flat = Flat.of(rows[first : first + ROWS])
            totals.append(np.bincount(flat.owners, self.log_probs(flat), minlength=len(flat)))
            sizes.append(flat.lengths.astype(np.float64))
        return Scores(np.concatenate(totals), np.concatenate(sizes))


def coded(flat: Flat, vocabulary: np.ndarray) -> np.ndarray:
    """Every token as a number of a closed vocabulary: 2 is unknown, words go on from 3."""
    places = find(vocabulary, flat.tokens)
    return np.where(places >= 0, places + UNKNOWN + 1, UNKNOWN).astype(np.uint64)


def mixed(numbers: np.ndarray) -> np.ndarray:
    """A bijection of 64-bit numbers in which every bit depends on all (the finalizer of SplitMix64)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def occurrences(flat: Flat, tokens: np.ndarray, order: int) -> Iterator[Occurrences]:
    """The n-grams of order 1, 2, … that end at a token; the symbol of the beginning is one token before the first.

        H(w_1 … w_n) = mixed(c · H(w_1 … w_{n−1}) + w_n),   H() = 0

    Args:
        flat: the sequences.
        tokens: the numbers of their tokens.
        order: the largest n.
    """
    factor = np.uint64(0x9E3779B97F4A7C15)
    before = np.arange(len(tokens)) - (np.cumsum(flat.lengths) - flat.lengths)[flat.owners]  # tokens before each
    keys, suffixes = mixed(tokens), np.zeros(len(tokens), np.uint64)
    yield Occurrences(np.arange(len(tokens)), keys, suffixes, suffixes, np.zeros(len(tokens), bool))
    for n in range(2, order + 1):
        contexts, suffixes = np.roll(keys, 1), keys  # what ends one place earlier
        if n == 2:
            contexts[before == 0] = mixed(np.array([BEGIN], np.uint64))
        keys = mixed(contexts * factor + tokens)
        places = np.flatnonzero(before >= n - 2)
        yield Occurrences(places, keys[places], contexts[places], suffixes[places], before[places] == n - 2)


def counted(found: Occurrences) -> Counted:
    """The different ones and how often each occurs."""
    keys, first, counts = np.unique(found.keys, return_index=True, return_counts=True)
    return Counted(keys, counts, found.contexts[first], found.suffixes[first], found.begins[first])


def merged(parts: Sequence[Counted]) -> Counted:
    """Counts of parts as those of the whole."""
    every = Counted(*map(np.concatenate, zip(*parts, strict=True)))
    keys, first, own = np.unique(every.keys, return_index=True, return_inverse=True)
    counts = np.bincount(own, every.counts, minlength=len(keys)).astype(np.int64)
    return Counted(keys, counts, every.contexts[first], every.suffixes[first], every.begins[first])


def estimated(seen: np.ndarray) -> Discounts:
    """The three discounts of an order, from how many of its n-grams have count 1, 2, 3 and 4.

    Y = t_1 / (t_1 + 2 t_2),   D_i = i − (i + 1) · Y · t_{i+1} / t_i

    Args:
        seen: the count of each n-gram.

    Returns:
        (0.5, 1, 1.5) where a t_i is 0 or a discount is not from 0 to i.

    >>> estimated(np.array([1] * 8 + [2] * 4 + [3] * 2 + [4]))
    (0.5, 1.25, 2.0)
    """
    t = np.bincount(np.minimum(seen, 5), minlength=6).astype(np.float64)
    if not t[1:5].all():
        return FALLBACK
    y = t[1] / (t[1] + 2 * t[2])
    found = tuple(float(i - (i + 1) * y * t[i + 1] / t[i]) for i in (1, 2, 3))
    fine = all(0 <= discount <= i for i, discount in enumerate(found, start=1))
    return (found[0], found[1], found[2]) if fine else FALLBACK


def level(table: Counted, seen: np.ndarray, discounts: Discounts) -> Level:
    """An order of the model from its n-grams, their counts a and its discounts."""
    freed = np.array((0.0, *discounts))[np.minimum(seen, 3)]
    contexts, own = np.unique(table.contexts, return_inverse=True)
    return Level(table.keys, seen - freed, contexts, np.bincount(own, seen), np.bincount(own, freed))
