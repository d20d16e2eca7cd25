"""FM-GAN's feature extractor: three convolutions that shorten a sequence to one vector, and a head that reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.discriminators.base import Discriminator, embed
from seqgans.discriminators.matching import start_linear
from seqgans.randomness import Stream, dropout

STRIDE = 2


@dataclass(frozen=True, kw_only=True)
class Strided:
    """Settings of FM-GAN's feature extractor; the defaults are those of the authors' code.

    Attributes:
        embedding: width of a token's embedding.
        maps: filters of each of the first two layers.
        width: steps they see; at most what is left of a sequence.
        features: numbers that come out of the third.
        dropout: probability of dropping a feature while the head learns.
    """

    paper: ClassVar[str] = "Chen et al. 2018"

    embedding: int = 300
    maps: int = 300
    width: int = 5
    features: int = 128
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("embedding", "maps", "width", "features"):
            if getattr(self, name) < 1:
                raise ValueError(f"Strided.{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"Strided.dropout must be at least 0 and below 1, got {self.dropout}")

    def build(self, vocabulary_size: int, length: int, random: torch.Generator) -> Discriminator:
        """An extractor with freshly drawn parameters for sequences of `length` tokens."""
        return StridedCNN(vocabulary_size, length, self, random)


class StridedCNN(Discriminator):
    """f = tanh(conv over all that is left (ReLU conv (ReLU conv (X)))), the first two with stride 2; logit v · f + b.

    Sequences are padded at both ends by all but one of the steps that a filter sees. Weights start normal with
    deviation 1/√(inputs) (of the embedding: 1), biases at 0.

    Args:
        vocabulary_size: number of ids.
        length: tokens of a sequence.
        settings: sizes and dropout.
        random: where the parameters come from.
    """

    def __init__(self, vocabulary_size: int, length: int, settings: Strided, random: torch.Generator) -> None:
        super().__init__(vocabulary_size)
        self.settings = settings
        self.width = settings.features
        self.embedding = nn.Parameter(torch.empty(vocabulary_size + 1, settings.embedding))
        self.layers = nn.ModuleList()
        left, size = length + 2 * (settings.width - 1), settings.embedding
        for _ in range(2):
            seen = min(settings.width, left)
            self.layers.append(nn.Linear(seen * size, settings.maps))
            left, size = (left - seen) // STRIDE + 1, settings.maps
        self.last = nn.Linear(left * size, settings.features)
        self.output = nn.Linear(settings.features, 1)
        with torch.no_grad():
            self.embedding.normal_(generator=random)
        start_linear(self, random)

    def features(self, tokens: Tensor, mask: Bool[Tensor, "batch time"]) -> Float[Tensor, "batch width"]:
        """What of each sequence is moved, each feature in (−1, 1)."""
        ends = (self.settings.width - 1,) * 2
        wide = (0, 0, *ends) if tokens.is_floating_point() else ends
        rows = embed(self.embedding, nn.functional.pad(tokens, wide), nn.functional.pad(mask, ends))
        for layer in self.layers:  # (batch, time, size)
            seen = layer.get_parameter("weight").shape[1] // rows.shape[2]
            windows = rows.unfold(1, seen, STRIDE).transpose(2, 3)  # (batch, windows, seen, size)
            rows = layer(windows.flatten(2)).relu()
        return self.last(rows.flatten(1)).tanh()

    def judged(
        self, features: Float[Tensor, "batch width"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of being real, from features."""
        return self.output(dropout(features, self.settings.dropout, random))[:, 0]

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of each sequence being real."""
        return self.judged(self.features(tokens, mask), random=random)
