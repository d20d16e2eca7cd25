"""A relational memory that is told a category: what CatGAN trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.generators.base import Generator, State
from seqgans.generators.categories import Categories, CategoryGenerator
from seqgans.generators.memory import Memory, RelationalMemory


@dataclass(frozen=True, kw_only=True)
class CategoryMemory:
    """Settings of a relational memory that is told a category; the defaults are those of CatGAN's code.

    Attributes:
        categories: how many; none: as many as the corpus has, which is 1 where it has no labels.
        embedding: width of a token's embedding; the category stands beside it, one number for each.
        slots: rows of the memory.
        heads: attention heads.
        head_size: width of a head's query, key and value; a row of the memory has heads · head_size numbers.
        mlp_layers: layers of the MLP after the attention, each as wide as the memory.
        forget_bias: added to the forget gate; the larger, the longer the memory holds at first.
        input_bias: added to the input gate.
    """

    paper: ClassVar[str] = "Liu, Wang and Liang 2020"

    categories: int | None = None
    embedding: int = 32
    slots: int = 1
    heads: int = 2
    head_size: int = 512
    mlp_layers: int = 2
    forget_bias: float = 1.0
    input_bias: float = 0.0

    def __post_init__(self) -> None:
        if self.categories is not None and self.categories < 1:
            raise ValueError(f"CategoryMemory.categories must be at least 1, got {self.categories}")
        self.plain()

    def plain(self) -> RelationalMemory:
        """Settings of the memory."""
        return RelationalMemory(
            embedding=self.embedding,
            slots=self.slots,
            heads=self.heads,
            head_size=self.head_size,
            mlp_layers=self.mlp_layers,
            forget_bias=self.forget_bias,
            input_bias=self.input_bias,
        )

    def build(self, vocabulary_size: int, start: int, end: int | None, random: torch.Generator) -> Generator:
        """A generator with freshly drawn parameters."""
        count = self.categories or 1
        return CategoryMemoryGenerator(Memory(vocabulary_size, start, end, self.plain(), random, count), count)


class CategoryMemoryGenerator(CategoryGenerator):
    """One memory for all categories; the category is read beside every token.

    Args:
        memory: reads `categories` numbers beside each token.
        categories: how many.
    """

    def __init__(self, memory: Memory, categories: int) -> None:
        super().__init__(memory.vocabulary_size, memory.start, memory.end, categories)
        self.memory = memory

    def within(self, categories: Categories) -> Generator:
        """The memory that is told these categories."""
        return Told(self.memory, categories, len(self.shares))


class Told(Generator):
    """A memory that reads the category of its row beside every token, one-hot; it shares all parameters.

    Args:
        memory: reads `count` numbers beside each token.
        categories: one a row, or one for all.
        count: how many there are.
    """

    def __init__(self, memory: Memory, categories: Categories, count: int) -> None:
        super().__init__(memory.vocabulary_size, memory.start, memory.end)
        self.memory = memory
        self.output = memory.output
        self.categories = categories
        self.count = count

    def beside(self, rows: int) -> Float[Tensor, "batch beside"]:
        """The category of each row, one-hot."""
        weight = self.output.weight
        categories = torch.as_tensor(self.categories, device=weight.device)
        if categories.dim() and len(categories) != rows:
            raise ValueError(f"{len(categories)} categories need as many rows, got {rows}")
        return nn.functional.one_hot(categories.expand(rows), self.count).to(weight.dtype)

    def start_state(self, count: int) -> State:
        """The memory, and what is read beside every token."""
        return *self.memory.start_state(count), self.beside(count)

    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """One step of the memory."""
        return self.memory.advance(tokens, state)

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """The memory after each input."""
        return self.memory.hidden(tokens, self.beside(len(tokens)))
