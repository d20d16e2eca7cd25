"""BLEU of token ids against many references: exact, cached, and for all hypotheses at once.

The largest count of an n-gram over all references is all that the clipped precision needs of them, and
the set of their lengths all that the brevity penalty needs. Both are stored once, so that a sentence costs
what its own n-grams cost, however many references there are.

References: Papineni et al. (2002); smoothing: Chen and Cherry (2014), method 1; self-BLEU: Zhu et al. (2018),
arXiv:1802.01886.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seqgans.choices import choice
from seqgans.errors import BadInput
from seqgans.rewards.ngrams import Flat, find, ngrams

ORDERS = (2, 3, 4, 5)
SMOOTHINGS: Mapping[str, float] = {"method1": 0.1, "none": 0.0}
"""What stands for a count of 0 in the numerator of a precision."""


class References:
    """Real sequences, remembered as far as BLEU needs them.

    Args:
        sequences: lists of ids, without padding and end token.
        orders: the largest n of the n-grams to remember.

    Raises:
        BadInput: there is no reference.

    >>> References([[1, 2, 3, 4]]).bleu([[1, 2, 3, 4], [1, 2, 9, 9]], order=2, smoothing="none")
    array([1.        , 0.40824829])
    """

    def __init__(self, sequences: Sequence[Sequence[int]], orders: int = 5) -> None:
        if not len(sequences):
            raise BadInput("BLEU needs at least one reference, got none: give a file of real sequences")
        if orders < 1:
            raise BadInput(f"BLEU counts n-grams of at least one token, got orders={orders}")
        flat = Flat.of(sequences)
        self.count = len(flat)
        self.orders = orders
        self.lengths = np.unique(flat.lengths)
        self._keys: list[np.ndarray] = []
        self._limits: list[np.ndarray] = []  # max over references of the count of each n-gram
        for grams in ngrams(flat, orders):
            ids, _, counts = grams.counts(len(flat))
            self._keys.append(grams.keys)
            self._limits.append(np.maximum.reduceat(counts, first_of_each(ids)) if len(ids) else counts)

    def matches(self, hypotheses: Sequence[Sequence[int]] | Flat, orders: int | None = None) -> np.ndarray:
        """Numerators of the clipped precisions, (orders, hypotheses): Σ_g min(count in h, largest count).

        Args:
            hypotheses: lists of ids.
            orders: the largest n, all that are remembered by default.
        """
        flat = hypotheses if isinstance(hypotheses, Flat) else Flat.of(hypotheses)
        orders = self.orders if orders is None else orders
        matched = np.zeros((orders, len(flat)))
        tokens = find(self._keys[0], flat.tokens)
        starts, prefixes = np.arange(len(tokens)), np.zeros_like(tokens)
        for order in range(1, orders + 1):
            inside = flat.left[starts] >= order
            starts = starts[inside]
            last = tokens[starts + order - 1]
            found = find(self._keys[order - 1], prefixes[inside] * len(self._keys[0]) + last) if order > 1 else last
            known = (found >= 0) & (last >= 0)  # an n-gram can only be known if its first n − 1 tokens are
            starts, prefixes = starts[known], found[known]
            pairs, counts = np.unique(prefixes * len(flat) + flat.owners[starts], return_counts=True)
            if len(pairs):
                ids, owners = np.divmod(pairs, len(flat))
                clipped = np.minimum(counts, self._limits[order - 1][ids])
                matched[order - 1] = np.bincount(owners, clipped, len(flat))
        return matched

    def bleus(
        self,
        hypotheses: Sequence[Sequence[int]] | Flat,
        orders: Iterable[int] = ORDERS,
        smoothing: str = "method1",
    ) -> dict[int, np.ndarray]:
        """BLEU-n of each hypothesis for several n, in [0, 1].

            p_k = Σ_g min(c_h(g), max_r c_r(g)) / max(1, |h| − k + 1)
            BLEU-n = BP · exp((1/n) Σ_{k≤n} log p_k),  BP = 1 if |h| > r* else exp(1 − r*/|h|)

        r* is the reference length closest to |h|, the shorter one of two. A hypothesis that shares no token with
        any reference scores 0, the empty one included.

        Args:
            hypotheses: lists of ids.
            orders: which n.
            smoothing: "method1" puts 0.1 for a numerator of 0, "none" leaves it, so that the score is 0.

        Raises:
            BadInput: an order is not remembered, or no smoothing has that name.
        """
        orders = check_orders(orders, self.orders)
        flat = hypotheses if isinstance(hypotheses, Flat) else Flat.of(hypotheses)
        closest = closest_lengths(self.lengths, flat.lengths)
        return scores(self.matches(flat, max(orders)), flat, closest, orders, smoothing)

    def bleu(self, hypotheses: Sequence[Sequence[int]] | Flat, order: int, smoothing: str = "method1") -> np.ndarray:
        """BLEU of one order of each hypothesis, see `bleus`."""
        return self.bleus(hypotheses, (order,), smoothing)[order]


def self_bleus(
    sequences: Sequence[Sequence[int]], orders: Iterable[int] = ORDERS, smoothing: str = "method1"
) -> dict[int, np.ndarray]:
    """BLEU-n of each sequence with all others as references, for several n; low means diverse.

    Leaving one out is exact: the sequence with the largest count of an n-gram is clipped to the second largest,
    every other one is below the largest anyway.

    Args:
        sequences: lists of ids, at least two. The value grows with their number.
        orders: which n.
        smoothing: as for `References.bleus`.

    Raises:
        BadInput: there are fewer than two sequences.
    """
    if len(sequences) < 2:
        raise BadInput(f"self-BLEU needs at least two sequences, got {len(sequences)}: draw more samples")
    orders = check_orders(orders)
    flat = Flat.of(sequences)
    matched = np.zeros((max(orders), len(flat)))
    for grams in ngrams(flat, max(orders)):
        ids, owners, counts = grams.counts(len(flat))
        if not len(ids):
            break
        order = np.argsort(ids * (counts.max() + 1) + counts, kind="stable")
        ids, owners, clipped = ids[order], owners[order], counts[order]
        first = first_of_each(ids)
        last = np.append(first[1:], len(ids)) - 1  # where the largest count of each n-gram stands
        clipped[last] = np.where(last > first, clipped[last - 1], 0)
        matched[grams.order - 1] = np.bincount(owners, clipped, len(flat))
    lengths, held = np.unique(flat.lengths, return_counts=True)
    closest = flat.lengths.copy()
    for length in lengths[held == 1].tolist():  # its owner cannot use it
        closest[flat.lengths == length] = closest_lengths(lengths[lengths != length], np.array([length]))
    return scores(matched, flat, closest, orders, smoothing)


def sentence_bleu_rewards(
    references: References,
    tokens: Int[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    end: int | None,
    order: int,
) -> Float[Tensor, " batch"]:
    """BLEU (method 1) of each row of a batch, on its device: the reward of PG-BLEU.

    Args:
        references: real sequences, without end tokens.
        tokens: ids.
        mask: True where a token is real.
        end: id of the end token, which is not counted, or None.
        order: the n of BLEU-n.
    """
    kept = mask if end is None else mask & (tokens != end)
    flat = Flat.split(tokens[kept].cpu().numpy(), kept.sum(1).cpu().numpy())
    return torch.from_numpy(references.bleu(flat, order)).float().to(tokens.device)


def scores(
    matched: np.ndarray, flat: Flat, closest: np.ndarray, orders: Sequence[int], smoothing: str
) -> dict[int, np.ndarray]:
    """BLEU from the numerators of the precisions and the reference length of each hypothesis.

    Args:
        matched: numerators, (orders, hypotheses).
        flat: the hypotheses.
        closest: r* of each.
        orders: which n.
        smoothing: a name in `SMOOTHINGS`.
    """
    instead = choice(SMOOTHINGS, smoothing, "smoothing")
    lengths = np.maximum(flat.lengths, 1)
    penalty = np.where(flat.lengths > closest, 1.0, np.exp(1.0 - np.maximum(closest, flat.lengths) / lengths))
    totals = np.stack([np.maximum(flat.totals(order), 1) for order in range(1, len(matched) + 1)])
    with np.errstate(divide="ignore"):  # log 0 = −∞ is what an unsmoothed score of 0 is made of
        logs = np.log(np.where(matched > 0, matched, instead) / totals)
    return {order: np.where(matched[0] > 0, penalty * np.exp(logs[:order].mean(0)), 0.0) for order in orders}


def closest_lengths(lengths: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The entry of the sorted `lengths` closest to each wanted one, the shorter of two.

    >>> closest_lengths(np.array([4, 8]), np.array([3, 6, 7, 20]))
    array([4, 4, 8, 8])
    """
    above = np.minimum(np.searchsorted(lengths, wanted), len(lengths) - 1)
    below = np.maximum(above - 1, 0)
    nearer = np.abs(lengths[below] - wanted) <= np.abs(lengths[above] - wanted)
    return np.where(nearer, lengths[below], lengths[above])


def check_orders(orders: Iterable[int], largest: int | None = None) -> tuple[int, ...]:
    """The orders as a tuple; each is at least 1 and at most `largest`."""
    orders = tuple(orders)
    if not orders or min(orders) < 1 or (largest is not None and max(orders) > largest):
        above = "" if largest is None else f" and at most {largest}, the largest remembered"
        raise BadInput(f"orders of BLEU must be at least 1{above}, got {list(orders)}")
    return orders


def first_of_each(ids: np.ndarray) -> np.ndarray:
    """Where each run of equal numbers begins in a sorted array that is not empty.

    >>> first_of_each(np.array([3, 3, 5, 7, 7]))
    array([0, 2, 3])
    """
    return np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
