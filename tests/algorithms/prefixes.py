"""A discriminator on a world of 3 tokens and 3 steps that can say anything of each prefix."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.discriminators.base import Discriminator
from seqgans.randomness import Stream, generator_for


class Prefixes(Discriminator):
    """A logit for each of the 3 + 9 + 27 prefixes."""

    def __init__(self, deviation: float = 1.0) -> None:
        super().__init__(3)
        self.table = nn.Parameter(deviation * torch.randn(39, generator=generator_for(0, "table")))

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        return self.step_scores(tokens, mask)[:, -1]

    def step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        number = torch.zeros(len(tokens), dtype=torch.long)
        places = []
        for time, first in zip(range(3), (0, 3, 12), strict=True):
            number = 3 * number + tokens[:, time]
            places.append(first + number)
        return self.table[torch.stack(places, 1)]
