"""A world of 3 tokens and 3 steps in which every expectation can be summed."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor

from seqgans.generators.decoding import PLAIN, Decoding
from seqgans.randomness import Stream, as_stream
from seqgans.sequences import Samples, mask_until

TOKENS, STEPS = 3, 3


class Table:
    """A law given by one row of probabilities for each prefix; sequences end with `end`, if it is not None."""

    def __init__(self, seed: int, end: int | None = None, sharpness: float = 1.0) -> None:
        random = torch.Generator().manual_seed(seed)
        self.end = end
        self.rows = [  # one row for each prefix, which is read as a number in base TOKENS
            (sharpness * torch.randn(TOKENS**steps, TOKENS, generator=random, dtype=torch.float64)).log_softmax(1)
            for steps in range(STEPS)
        ]

    def log_probs(self, tokens: Tensor) -> Tensor:
        prefixes, steps = torch.zeros(len(tokens), dtype=torch.long), []
        for rows, chosen in zip(self.rows, tokens.unbind(1), strict=False):
            steps.append(rows[prefixes, chosen])
            prefixes = prefixes * TOKENS + chosen
        return torch.stack(steps, 1)

    def sample(
        self, count: int, length: int, *, random: torch.Generator | Stream, decoding: Decoding = PLAIN
    ) -> Samples:
        uniforms = as_stream(random).uniform(count, length).double()
        prefixes, steps = torch.zeros(count, dtype=torch.long), []
        for rows, numbers in zip(self.rows, uniforms.unbind(1), strict=False):
            reached = decoding.shape(rows[prefixes]).softmax(1).cumsum(1)  # (count, TOKENS)
            steps.append((reached <= numbers[:, None]).sum(1).clamp(max=TOKENS - 1))
            prefixes = prefixes * TOKENS + steps[-1]
        tokens = torch.stack(steps, 1)
        mask = mask_until(tokens, self.end)
        tokens = tokens if self.end is None else tokens.masked_fill(~mask, self.end)
        return Samples(tokens, mask, self.log_probs(tokens).float() * mask)

    def every_sequence(self) -> tuple[Tensor, Tensor]:
        """All sequences, padded with the end token, and where they are real."""
        tokens = torch.tensor(list(product(range(TOKENS), repeat=STEPS)))
        mask = mask_until(tokens, self.end)
        tokens = tokens if self.end is None else torch.unique(tokens.masked_fill(~mask, self.end), dim=0)
        return tokens, mask_until(tokens, self.end)

    def law(self) -> Tensor:
        """Log-probability of every sequence, in the order of `every_sequence`."""
        tokens, mask = self.every_sequence()
        return (self.log_probs(tokens) * mask).sum(1)


@pytest.fixture
def table() -> type[Table]:
    """The class, since test files cannot import one another."""
    return Table
