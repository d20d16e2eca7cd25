"""The CNN of TextGAN: bounded features that a generator can match, a head that judges them, a reader of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.discriminators.base import Discriminator, embed
from seqgans.discriminators.pooling import PooledFilters
from seqgans.randomness import Stream, dropout


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Settings of TextGAN's CNN; the defaults are those of the authors' code.

    Attributes:
        embedding: width of a token's embedding.
        widths: tokens seen by each kind of filter; those longer than the sequences are left out.
        maps: number of filters of each width.
        compressed: width to which a dense layer brings the features before they are matched (MMD-L has 32); 0: none.
        dense: units of the hidden layer of the head.
        dropout: probability of dropping a feature while the head learns.
    """

    paper: ClassVar[str] = "Kim 2014, as in Zhang et al. 2017"

    embedding: int = 300
    widths: tuple[int, ...] = (3, 4, 5)
    maps: int = 300
    compressed: int = 0
    dense: int = 200
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name, least in (("embedding", 1), ("maps", 1), ("dense", 1), ("compressed", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"Matching.{name} must be at least {least}, got {getattr(self, name)}")
        if not self.widths or min(self.widths) < 1:
            raise ValueError(f"Matching.widths must be numbers of at least 1 and not empty, got {self.widths}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"Matching.dropout must be at least 0 and below 1, got {self.dropout}")

    def build(self, vocabulary_size: int, length: int, random: torch.Generator) -> Discriminator:
        """A discriminator with freshly drawn parameters for sequences of `length` tokens."""
        return MatchingCNN(vocabulary_size, length, self, random)


class MatchingCNN(Discriminator):
    """Features f = tanh(max over time of w ⊗ X + b) of several widths, and D = σ(v · tanh(W f + c) + …).

    Weights start normal with deviation 1/√(inputs) (of the embedding: 1), biases at 0.

    Args:
        vocabulary_size: number of ids.
        length: tokens of a sequence.
        settings: sizes and dropout.
        random: where the parameters come from.
    """

    def __init__(self, vocabulary_size: int, length: int, settings: Matching, random: torch.Generator) -> None:
        super().__init__(vocabulary_size)
        widths = [width for width in settings.widths if width <= length]
        if not widths:
            raise ValueError(f"Matching.widths must hold a width of at most the length {length}, got {settings.widths}")
        self.settings = settings
        self.embedding = nn.Parameter(torch.empty(vocabulary_size + 1, settings.embedding))
        self.filters = nn.ModuleList(PooledFilters(settings.embedding, width, settings.maps) for width in widths)
        pooled = len(widths) * settings.maps
        self.width = settings.compressed or pooled
        self.compress = nn.Linear(pooled, settings.compressed) if settings.compressed else nn.Identity()
        self.dense = nn.Linear(self.width, settings.dense)
        self.output = nn.Linear(settings.dense, 1)
        with torch.no_grad():
            self.embedding.normal_(generator=random)
        start_linear(self, random)

    def features(self, tokens: Tensor, mask: Bool[Tensor, "batch time"]) -> Float[Tensor, "batch width"]:
        """What of each sequence is matched, each feature in (−1, 1)."""
        embedded = embed(self.embedding, tokens, mask)  # (batch, time, embedding)
        pooled = torch.cat([filters(embedded) for filters in self.filters], 1).tanh()  # of the largest: tanh rises
        return self.compress(pooled).tanh() if self.settings.compressed else pooled

    def judged(
        self, features: Float[Tensor, "batch width"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of being real, from features."""
        kept = dropout(features, self.settings.dropout, random)
        return self.output(self.dense(kept).tanh())[:, 0]

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of each sequence being real."""
        return self.judged(self.features(tokens, mask), random=random)


class CodeReader(nn.Module):
    """From the features of a sequence to the latent code it may have come from: ẑ = A tanh(B f + b) + a.

    Args:
        width: of the features.
        dense: units of the hidden layer.
        latent: numbers of a code.
        bounded: whether codes lie in (−1, 1); then ẑ goes through a tanh.
        random: where the parameters come from.
    """

    def __init__(self, width: int, dense: int, latent: int, bounded: bool, random: torch.Generator) -> None:
        super().__init__()
        self.dense = nn.Linear(width, dense)
        self.output = nn.Linear(dense, latent)
        self.bounded = bounded
        start_linear(self, random)

    def forward(self, features: Float[Tensor, "batch width"]) -> Float[Tensor, "batch latent"]:
        """One code for each row."""
        codes = self.output(self.dense(features).tanh())
        return codes.tanh() if self.bounded else codes


@torch.no_grad()
def start_linear(network: nn.Module, random: torch.Generator) -> None:
    """Draw the weights of every linear layer from N(0, 1/inputs) and set its bias to 0."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            layer.weight.normal_(0.0, layer.in_features**-0.5, generator=random)
            layer.bias.zero_()
