"""The generator that knows nothing: every token equally likely at every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.generators.base import Generator, State


@dataclass(frozen=True, kw_only=True)
class Uniform:
    """Settings of the uniform generator: it has none."""

    paper: ClassVar[str] = "baseline of Yu, Zhang, Wang and Yu 2017"

    def build(self, vocabulary_size: int, start: int, end: int | None, random: torch.Generator) -> Generator:
        """The uniform law over so many ids; nothing is drawn from `random`."""
        return Unlearned(vocabulary_size, start, end)


class Unlearned(Generator):
    """log G(y_t | y_<t) = −log V, whatever came before: logits of 0 that nothing moves.

    Args:
        vocabulary_size: number of ids.
        start: id of the start token.
        end: id of the end token, or None.
    """

    def __init__(self, vocabulary_size: int, start: int, end: int | None) -> None:
        super().__init__(vocabulary_size, start, end)
        self.output = nn.Linear(1, vocabulary_size).requires_grad_(False)
        with torch.no_grad():
            self.output.weight.zero_()
            self.output.bias.zero_()

    def start_state(self, count: int) -> State:
        """One zero a row: there is nothing to remember."""
        return (self.output.weight.new_zeros(count, 1),)

    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """The same zero again."""
        return state[0], state

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """One zero a token."""
        return self.output.weight.new_zeros(*tokens.shape, 1)
