"""The ranker of RankGAN: features whose cosines say how near two sentences are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.discriminators.base import Discriminator, embed
from seqgans.discriminators.convolutional import PAPER_MAPS, PAPER_WIDTHS, Highway, check_filters
from seqgans.discriminators.pooling import PooledFilters
from seqgans.randomness import Stream, dropout


@dataclass(frozen=True, kw_only=True)
class Ranker:
    """Settings of the ranker; the defaults are those of the authors' code.

    Attributes:
        embedding: width of a token's embedding.
        widths: tokens seen by each kind of filter; those longer than the sequences are left out.
        maps: number of filters of each width.
        dropout: probability of dropping a feature while the ranker learns.
    """

    paper: ClassVar[str] = "Lin, Li, He, Zhang and Sun 2017"

    embedding: int = 64
    widths: tuple[int, ...] = PAPER_WIDTHS
    maps: tuple[int, ...] = PAPER_MAPS
    dropout: float = 0.25

    def __post_init__(self) -> None:
        check_filters(self)

    def build(self, vocabulary_size: int, length: int, random: torch.Generator) -> Discriminator:
        """A ranker with freshly drawn parameters for sequences of `length` tokens."""
        return Ranking(vocabulary_size, length, self, random)


class Ranking(Discriminator):
    """Filters of several widths, the largest answer over time, a highway layer, and no last layer.

    Ranks need other sentences beside the one that is ranked. Where a sentence is scored on its own, the score is its
    cosine to the mean of the human sentences remembered last: comparable, but no calibrated logit.

    Args:
        vocabulary_size: number of ids.
        length: tokens of a sequence.
        settings: widths, maps, dropout.
        random: where the parameters come from.
    """

    human: Tensor

    def __init__(self, vocabulary_size: int, length: int, settings: Ranker, random: torch.Generator) -> None:
        super().__init__(vocabulary_size)
        pairs = [(width, maps) for width, maps in zip(settings.widths, settings.maps, strict=True) if width <= length]
        if not pairs:
            raise ValueError(f"Ranker.widths must hold a width of at most the length {length}, got {settings.widths}")
        self.settings = settings
        self.embedding = nn.Parameter(torch.empty(vocabulary_size + 1, settings.embedding))
        self.filters = nn.ModuleList(PooledFilters(settings.embedding, width, maps) for width, maps in pairs)
        total = sum(maps for _, maps in pairs)
        self.highway = Highway(total, random)
        self.register_buffer("human", torch.randn(total, generator=random))
        with torch.no_grad():
            self.embedding.uniform_(-0.1, 0.1, generator=random)
            for layer in self.filters.children():
                nn.init.trunc_normal_(layer.get_parameter("weight"), std=0.1, a=-0.2, b=0.2, generator=random)
                layer.get_parameter("bias").fill_(0.1)

    def features(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch width"]:
        """Vectors y / ‖y‖, so that a product of two is their cosine."""
        embedded = embed(self.embedding, tokens, mask)  # (batch, time, embedding)
        pooled = torch.cat([filters(embedded) for filters in self.filters], 1).relu()
        return nn.functional.normalize(dropout(self.highway(pooled), self.settings.dropout, random), dim=1)

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Cosine of each sequence to the mean of the human ones, in [−1, 1]."""
        return self.features(tokens, mask, random=random) @ nn.functional.normalize(self.human, dim=0)

    @torch.no_grad()
    def remember(self, tokens: Tensor, mask: Bool[Tensor, "batch time"]) -> None:
        """Take the mean features of these sequences for those of human ones."""
        self.human.copy_(self.features(tokens, mask).mean(0))


def as_ranker(discriminator: Discriminator) -> Ranking:
    """The same discriminator, known to be a ranker.

    Raises:
        BadInput: it is another one.
    """
    if not isinstance(discriminator, Ranking):
        raise discriminator.lacking("ranks need a discriminator with features of unit length", "ranker")
    return discriminator
