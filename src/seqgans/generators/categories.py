"""Generators of several categories: a law over categories, and a law over sequences within each.

Within given categories such a generator is on the whole contract of `Generator`: states, exact likelihoods, roll-outs.
Alone it draws a category for each sequence, and its likelihood is the exact sum over all categories.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NoReturn

import torch
from jaxtyping import Float, Int
from torch import Tensor

from seqgans.errors import BadInput
from seqgans.generators.base import Generator, State
from seqgans.randomness import Stream, as_stream
from seqgans.sequences import Relaxed, Samples

Categories = Int[Tensor, " batch"] | int
"""A category for each row, or one for all."""


class CategoryGenerator(Generator, ABC):
    """G(Y) = Σ_c p_c Π_t G(y_t | y_<t, c).

    Attributes:
        shares: p_c, how often each category is drawn; equal until `set_shares`.
    """

    shares: Tensor

    def __init__(self, vocabulary_size: int, start: int, end: int | None, categories: int) -> None:
        super().__init__(vocabulary_size, start, end)
        self.register_buffer("shares", torch.full((categories,), 1 / categories))

    @abstractmethod
    def within(self, categories: Categories) -> Generator:
        """The law of sequences of these categories; it shares all parameters."""

    def set_shares(self, categories: Int[Tensor, " rows"]) -> None:
        """Draw categories as often as they occur among these."""
        counts = torch.bincount(categories, minlength=len(self.shares))
        self.shares = counts / counts.sum()

    def drawn(self, count: int, random: Stream) -> Int[Tensor, " batch"]:
        """A category for each of `count` rows."""
        uniforms = random.uniform(count).to(self.shares.device).contiguous()
        return torch.searchsorted(self.shares.cumsum(0), uniforms, right=True).clamp_(max=len(self.shares) - 1)

    def sample(self, count: int, length: int, *, random: torch.Generator | Stream, **options: Any) -> Samples:
        """Draw categories, then sequences within them.

        Categories do not look at a prefix. The log-probabilities are those within the category.

        Args:
            count: rows of the result.
            length: tokens of each.
            random: where categories and tokens come from; where there is one category, only tokens.
            options: as for every generator.
        """
        stream = as_stream(random)
        return self.freely(count, stream).sample(count, length, random=stream, **options)

    def relax(self, count: int, length: int, *, random: torch.Generator | Stream, **options: Any) -> Relaxed:
        """Draw categories, then relaxed sequences within them (Gumbel-softmax)."""
        stream = as_stream(random)
        return self.freely(count, stream).relax(count, length, random=stream, **options)

    def freely(self, count: int, random: Stream) -> Generator:
        """The law within a category for each of `count` rows, drawn by its share."""
        return self.within(0 if len(self.shares) == 1 else self.drawn(count, random))

    def log_probs(self, tokens: Int[Tensor, "batch time"], temperature: float = 1.0) -> Float[Tensor, "batch time"]:
        """Log G(y_t | y_<t) in nats, whatever the category, with gradient: what was read says which are likely.

        log G(Y_1:t) = log Σ_c p_c Π_{s≤t} G(y_s | y_<s, c),   log G(y_t | y_<t) = log G(Y_1:t) − log G(Y_1:t−1)
        """
        if len(self.shares) == 1:
            return self.within(0).log_probs(tokens, temperature)
        each = [self.within(category).log_probs(tokens, temperature) for category in range(len(self.shares))]
        reached = (torch.stack(each).cumsum(2) + self.shares.log()[:, None, None]).logsumexp(0)  # (batch, time)
        return torch.diff(reached, dim=1, prepend=reached.new_zeros(len(tokens), 1))

    def start_state(self, count: int) -> NoReturn:
        """There is none before the category is known."""
        raise BadInput(
            "a generator of several categories has states only within one, so this algorithm can neither roll it out "
            "nor read it in; choose another generator or an algorithm of categories"
        )

    def advance(self, tokens: Tensor, state: State) -> NoReturn:
        """There is no state before the category is known."""
        self.start_state(tokens.shape[0])

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> NoReturn:
        """There is no state before the category is known."""
        self.start_state(tokens.shape[0])


def within(generator: Generator, categories: Categories | None) -> Generator:
    """The law of sequences of these categories; a generator that knows none is its own, whatever the category."""
    if categories is None or not isinstance(generator, CategoryGenerator):
        return generator
    return generator.within(categories)


def categories_of(generator: Generator) -> int:
    """How many categories a generator can be told; one that knows none has one."""
    return len(generator.shares) if isinstance(generator, CategoryGenerator) else 1
