"""A mixture of LSTM generators, one a category, nothing shared: what SentiGAN trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.generators.base import Generator, State, join, select
from seqgans.generators.categories import Categories, CategoryGenerator
from seqgans.generators.recurrent import LSTM


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Settings of a mixture of LSTMs, one a category; the defaults are the sizes of SentiGAN's synthetic experiment.

    Attributes:
        categories: how many; none: as many as the corpus has, which is 1 where it has no labels.
        embedding: width of a token's embedding (300 in SentiGAN's paper, 200 in its code on text).
        hidden: units of each layer (300 in SentiGAN's paper, 200 in its code on text).
        layers: number of layers.
        deviation: every parameter starts from N(0, deviation²).
    """

    paper: ClassVar[str] = "Wang and Wan 2018"

    categories: int | None = None
    embedding: int = 32
    hidden: int = 32
    layers: int = 1
    deviation: float = 0.1

    def __post_init__(self) -> None:
        if self.categories is not None and self.categories < 1:
            raise ValueError(f"Mixture.categories must be at least 1, got {self.categories}")
        self.part()

    def part(self) -> LSTM:
        """Settings of each part."""
        return LSTM(embedding=self.embedding, hidden=self.hidden, layers=self.layers, deviation=self.deviation)

    def build(self, vocabulary_size: int, start: int, end: int | None, random: torch.Generator) -> Generator:
        """A generator with freshly drawn parameters."""
        parts = [self.part().build(vocabulary_size, start, end, random) for _ in range(self.categories or 1)]
        return MixtureGenerator(parts)


class MixtureGenerator(CategoryGenerator):
    """One generator a category.

    Args:
        parts: the generators, over the same ids, all of one shape.
    """

    def __init__(self, parts: list[Generator]) -> None:
        super().__init__(parts[0].vocabulary_size, parts[0].start, parts[0].end, len(parts))
        self.parts = nn.ModuleList(parts)

    def within(self, categories: Categories) -> Generator:
        """One part itself, or all side by side where rows have categories of their own."""
        parts = [part for part in self.parts if isinstance(part, Generator)]
        return parts[categories] if isinstance(categories, int) else SideBySide(parts, categories)


class SideBySide(Generator):
    """Rows that are each written by a part of their own, as one generator.

    The hidden state of a row has a block for every part: (h_c, 1) in that of its own, 0 elsewhere. The output layers
    stand beside each other, so that its logits are those of its part: Σ_i 1[i = c] (W_i h_i + b_i).

    Args:
        parts: all of them.
        categories: whose part writes each row.
    """

    def __init__(self, parts: list[Generator], categories: Int[Tensor, " batch"]) -> None:
        super().__init__(parts[0].vocabulary_size, parts[0].start, parts[0].end)
        self.parts = parts
        self.categories = categories
        columns = [column for part in parts for column in (part.output.weight, part.output.bias[:, None])]
        self.output = linear_of(torch.cat(columns, 1))

    def start_state(self, count: int) -> State:
        """The category of each row, then the state of its part."""
        self.check(count)
        states = [part.start_state(count) for part in self.parts]
        return self.categories, *(
            torch.stack(each)[self.categories, torch.arange(count, device=self.categories.device)]
            for each in zip(*states, strict=True)
        )

    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """One step of every row by its part."""
        categories, *rest = state
        written = [
            (number, *self.parts[number].advance(tokens[rows], select(tuple(rest), rows)))
            for number, rows in occurring(categories)
        ]
        back = order_back(categories)
        hidden = torch.cat([self.block(number, part) for number, part, _ in written])
        return hidden[back], (categories, *select(join([part for *_, part in written]), back))

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """All hidden states, each row read by its part."""
        self.check(len(tokens))
        read = [
            self.block(number, self.parts[number].hidden(tokens[rows])) for number, rows in occurring(self.categories)
        ]
        return torch.cat(read)[order_back(self.categories)]

    def log_probs(self, tokens: Int[Tensor, "batch time"], temperature: float = 1.0) -> Float[Tensor, "batch time"]:
        """Log G(y_t | y_<t, c), without the blocks of 0."""
        self.check(len(tokens))
        read = [self.parts[number].log_probs(tokens[rows], temperature) for number, rows in occurring(self.categories)]
        return torch.cat(read)[order_back(self.categories)]

    def block(self, number: int, hidden: Float[Tensor, "*axes width"]) -> Float[Tensor, "*axes wide"]:
        """(h, 1) in the block of a part."""
        size = hidden.shape[-1] + 1
        one = nn.functional.pad(hidden, (0, 1), value=1.0)
        return nn.functional.pad(one, (number * size, (len(self.parts) - 1 - number) * size))

    def check(self, count: int) -> None:
        """Refuse another number of rows than there are categories."""
        if count != len(self.categories):
            raise ValueError(f"{len(self.categories)} categories need as many rows, got {count}")


def occurring(categories: Int[Tensor, " batch"]) -> list[tuple[int, Int[Tensor, " rows"]]]:
    """The categories that occur, and the rows of each."""
    return [(number, (categories == number).nonzero()[:, 0]) for number in categories.unique().tolist()]


def order_back(categories: Int[Tensor, " batch"]) -> Int[Tensor, " batch"]:
    """The order that undoes a sorting by category."""
    return categories.argsort(stable=True).argsort()


def linear_of(weight: Float[Tensor, "outputs inputs"]) -> nn.Linear:
    """A linear layer without bias whose weight is given, gradient and all, and is no parameter of its own."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    del layer.weight, layer.bias
    layer.weight, layer.bias = weight, weight.new_zeros(len(weight))  # pyright: ignore[reportAttributeAccessIssue]
    return layer
