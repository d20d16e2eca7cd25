"""The discriminator of the RelGAN paper: many narrow embeddings of a sequence, one CNN that scores each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.discriminators.base import Discriminator, embed
from seqgans.discriminators.convolutional import Highway
from seqgans.discriminators.pooling import PooledFilters
from seqgans.randomness import Stream, dropout


@dataclass(frozen=True, kw_only=True)
class MultiView:
    """Settings of the multi-view discriminator; the defaults are those of the RelGAN paper.

    Attributes:
        embedding: width of a token's embedding, all views together.
        views: into how many equally wide views the embedding is cut.
        widths: tokens seen by each kind of filter; those longer than the sequences are left out.
        maps: number of filters of each width.
        dense: units of the linear layer before the logit.
        dropout: probability of dropping a feature while the networks learn.
    """

    paper: ClassVar[str] = "Nie, Narodytska and Patel 2019"

    embedding: int = 64
    views: int = 64
    widths: tuple[int, ...] = (2, 3, 4, 5)
    maps: int = 300
    dense: int = 100
    dropout: float = 0.25

    def __post_init__(self) -> None:
        for name in ("embedding", "views", "maps", "dense"):
            if getattr(self, name) < 1:
                raise ValueError(f"MultiView.{name} must be at least 1, got {getattr(self, name)}")
        if self.embedding % self.views:
            raise ValueError(
                f"MultiView.embedding must be a multiple of MultiView.views, got {self.embedding} and {self.views}"
            )
        if not self.widths or min(self.widths) < 1:
            raise ValueError(f"MultiView.widths must be numbers of at least 1 and not empty, got {self.widths}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"MultiView.dropout must be at least 0 and below 1, got {self.dropout}")

    def build(self, vocabulary_size: int, length: int, random: torch.Generator) -> Discriminator:
        """A discriminator with freshly drawn parameters for sequences of `length` tokens."""
        return MultiViewCNN(vocabulary_size, length, self, random)


class MultiViewCNN(Discriminator):
    """One embedding matrix a view, one shared CNN.

        X^(s) = W_e^(s) r_1:T,   c̃^(s) = max over time of ReLU(w ⊗ X^(s) + b),   D^(s) = v · W (highway c̃^(s)) + …

    All weights start from a normal distribution cut at two deviations, with deviation 1/√(inputs), and all
    biases at 0; for the embedding the inputs are the vocabulary, so scores start close to 0.

    Args:
        vocabulary_size: number of ids.
        length: tokens of a sequence.
        settings: views, widths, maps, dropout.
        random: where the parameters come from.
    """

    def __init__(self, vocabulary_size: int, length: int, settings: MultiView, random: torch.Generator) -> None:
        super().__init__(vocabulary_size)
        widths = [width for width in settings.widths if width <= length]
        if not widths:
            raise ValueError(
                f"MultiView.widths must hold a width of at most the length {length}, got {settings.widths}"
            )
        self.settings = settings
        self.length = length
        size = settings.embedding // settings.views
        features = len(widths) * settings.maps
        self.embedding = nn.Parameter(torch.empty(vocabulary_size + 1, settings.embedding))
        self.filters = nn.ModuleList(PooledFilters(size, width, settings.maps) for width in widths)
        self.highway = Highway(features, random)
        self.dense = nn.Linear(features, settings.dense)
        self.output = nn.Linear(settings.dense, 1)
        with torch.no_grad():
            weights: list[tuple[Tensor, int]] = [(self.embedding, vocabulary_size)]
            for layer in self.modules():
                if isinstance(layer, nn.Linear):
                    layer.bias.zero_()
                    weights.append((layer.weight, layer.in_features))
            for weight, inputs in weights:
                deviation = inputs**-0.5
                nn.init.trunc_normal_(weight, std=deviation, a=-2 * deviation, b=2 * deviation, generator=random)

    def features(self, tokens: Tensor, mask: Bool[Tensor, "batch time"]) -> Float[Tensor, "batch views features"]:
        """The highway features of each sequence in each view."""
        embedded = embed(self.embedding, tokens, mask).unflatten(2, (self.settings.views, -1))
        rows = embedded.transpose(1, 2).flatten(0, 1)  # (batch · views, time, size)
        pooled = [filters(rows) for filters in self.filters]
        return self.highway(torch.cat(pooled, 1).relu()).unflatten(0, (-1, self.settings.views))

    def view_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch views"]:
        """One logit for each view."""
        features = dropout(self.features(tokens, mask), self.settings.dropout, random)
        weight = self.output.weight @ self.dense.weight  # two linear layers in a row are one
        bias = self.output(self.dense.bias)
        return nn.functional.linear(features, weight, bias)[:, :, 0]

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """The mean logit over the views."""
        return self.view_scores(tokens, mask, random=random).mean(1)
