"""The values that flow through the library. Everything else turns one of these into another.

One polarity: `mask` is True where a position holds a real token, the end token included. What stands
in `tokens` where the mask is False is never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def mask_until(tokens: Int[Tensor, "batch time"], end: int | None) -> Bool[Tensor, "batch time"]:
    """True up to and including the first `end` token of each row; all True where there is no end token.

    >>> mask_until(torch.tensor([[5, 0, 7], [5, 6, 7]]), end=0)
    tensor([[ True,  True, False],
            [ True,  True,  True]])
    """
    if end is None:
        return torch.ones_like(tokens, dtype=torch.bool)
    ended = (tokens == end).cumsum(1)
    return (ended == 0) | ((ended == 1) & (tokens == end))


def last_of(values: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]) -> Float[Tensor, " batch"]:
    """What stands at the last real token of each row; at the first place where none is real."""
    return values.gather(1, (mask.sum(1, keepdim=True) - 1).clamp(min=0))[:, 0]


@dataclass(frozen=True)
class Sequences:
    """Token ids, one sequence a row.

    Attributes:
        tokens: ids, int64.
        mask: True where a token is real, the end token included.
        categories: number of each sequence's category, from 0; None where there are none.
        source: what each sequence answers, row by row and of its own width; None where they answer nothing.
    """

    tokens: Int[Tensor, "batch time"]
    mask: Bool[Tensor, "batch time"]
    categories: Int[Tensor, " batch"] | None = None
    source: Sequences | None = None

    @classmethod
    def of(cls, tokens: Int[Tensor, "batch time"], end: int | None = None) -> Sequences:
        """Sequences whose mask ends with the first `end` token of each row."""
        return cls(tokens, mask_until(tokens, end))

    def __len__(self) -> int:
        return self.tokens.shape[0]

    def __getitem__(self, rows: Tensor | slice) -> Sequences:
        """The chosen rows."""
        return Sequences.holding({name: tensor[rows] for name, tensor in self.tensors().items()})

    def to(self, device: torch.device | str) -> Sequences:
        """The same on another device."""
        return Sequences.holding({name: tensor.to(device) for name, tensor in self.tensors().items()})

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, those of the source as "source.…"; each has one row a sequence."""
        found = {"tokens": self.tokens, "mask": self.mask}
        if self.categories is not None:
            found["categories"] = self.categories
        source = {} if self.source is None else self.source.tensors()
        return found | {f"source.{name}": tensor for name, tensor in source.items()}

    @classmethod
    def holding(cls, tensors: Mapping[str, Tensor]) -> Sequences:
        """What `tensors` gave, moved, joined or cut by rows, turned back."""
        source = {name[len("source.") :]: tensor for name, tensor in tensors.items() if name.startswith("source.")}
        within = cls.holding(source) if source else None
        return cls(tensors["tokens"], tensors["mask"], tensors.get("categories"), within)

    def followed_by(self, other: Sequences) -> Sequences:
        """The rows of both, one after another; categories that only one of them has are left out.

        Raises:
            ValueError: only one of them has sources.
        """
        if (self.source is None) != (other.source is None):
            raise ValueError("sequences with sources cannot be judged beside sequences without; give both or neither")
        ours, more = self.tensors(), other.tensors()
        return Sequences.holding({name: torch.cat([ours[name], more[name]]) for name in ours if name in more})

    def lists(self, end: int | None = None) -> list[list[int]]:
        """The ids of each sequence as a plain list, padding and end token left out (what metrics read)."""
        rows = []
        for ids, length in zip(self.tokens.tolist(), self.mask.sum(1).tolist(), strict=True):
            row = ids[:length]
            rows.append(row[:-1] if end is not None and row and row[-1] == end else row)
        return rows


@dataclass(frozen=True)
class Samples:
    """What a generator drew, and how likely it was where it was drawn.

    Attributes:
        tokens: ids, int64.
        mask: True where a token is real, the end token included.
        log_probs: log-probability in nats of each token under the law it was drawn from (temperature,
            top-k and top-p included), 0 where the mask is False; no gradient.
    """

    tokens: Int[Tensor, "batch time"]
    mask: Bool[Tensor, "batch time"]
    log_probs: Float[Tensor, "batch time"]

    @property
    def sequences(self) -> Sequences:
        """The tokens without their probabilities."""
        return Sequences(self.tokens, self.mask)

    def __len__(self) -> int:
        return self.tokens.shape[0]


@dataclass(frozen=True)
class Relaxed:
    """Samples a gradient can flow through: one row of weights over the vocabulary for each position.

    Attributes:
        weights: rows that sum to 1, with gradient back to the generator (soft, or hard with a straight-through
            gradient).
        tokens: the hard ids drawn with the same noise, no gradient.
        mask: True where a token is real, by the hard ids.
    """

    weights: Float[Tensor, "batch time vocab"]
    tokens: Int[Tensor, "batch time"]
    mask: Bool[Tensor, "batch time"]


@dataclass(frozen=True)
class Loss:
    """A scalar to minimise and the figures worth showing beside it.

    Attributes:
        value: the loss, with gradient.
        figures: named numbers (reward, accuracy, entropy), no gradient, unit by name in the algorithm's page.
        weight: what `value` is a mean over (tokens for a mean over tokens), where that is not simply the rows of
            the minibatch; parts of a minibatch that were computed apart are joined in this proportion.
    """

    value: Float[Tensor, ""]
    figures: dict[str, float] = field(default_factory=dict)
    weight: float | None = None
