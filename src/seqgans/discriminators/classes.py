"""A text CNN with a class for generated sequences and one for each category of real ones, as in SentiGAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.convolutional import CNN, Convolutional, check_filters
from seqgans.randomness import Stream


@dataclass(frozen=True, kw_only=True)
class Classes:
    """Settings of a CNN that tells generated sequences and categories of real ones apart; the defaults are SentiGAN's.

    Attributes:
        categories: how many; none: as many as the corpus has, which is 1 where it has no labels.
        embedding: width of a token's embedding (300 in the paper's text).
        widths: tokens seen by each kind of filter; those longer than the sequences are left out.
        maps: number of filters of each width.
        dropout: probability of dropping a feature while the discriminator learns.
        decay: L2 penalty on the output layer, weight and bias.
    """

    paper: ClassVar[str] = "Wang and Wan 2018"

    categories: int | None = None
    embedding: int = 64
    widths: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15)
    maps: tuple[int, ...] = (100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160)
    dropout: float = 0.25
    decay: float = 0.2

    def __post_init__(self) -> None:
        if self.categories is not None and self.categories < 1:
            raise ValueError(f"Classes.categories must be at least 1, got {self.categories}")
        check_filters(self)

    def plain(self) -> CNN:
        """Settings of the network."""
        return CNN(embedding=self.embedding, widths=self.widths, maps=self.maps, dropout=self.dropout, decay=self.decay)

    def build(self, vocabulary_size: int, length: int, random: torch.Generator) -> Discriminator:
        """A discriminator with freshly drawn parameters for sequences of `length` tokens."""
        return ClassDiscriminator(vocabulary_size, length, self, random)


class ClassDiscriminator(Discriminator):
    """D_0(Y) generated, D_1(Y) … D_k(Y) real and of a category: softmax over k + 1 logits.

    As a plain discriminator it scores real against generated, logit Σ_{i≥1} D_i = logsumexp_{i≥1} c_i − c_0.

    Args:
        vocabulary_size: number of ids.
        length: tokens of a sequence.
        settings: categories, widths, maps, dropout, decay.
        random: where the parameters come from.
    """

    def __init__(self, vocabulary_size: int, length: int, settings: Classes, random: torch.Generator) -> None:
        super().__init__(vocabulary_size)
        self.categories = settings.categories or 1
        self.network = Convolutional(vocabulary_size, length, settings.plain(), random, self.categories + 1)

    def class_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch classes"]:
        """The k + 1 logits of each sequence: generated, then each category of real ones."""
        return self.network.logits(tokens, mask, random=random)

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of each sequence being real, of whatever category."""
        scores = self.class_scores(tokens, mask, random=random)
        return scores[:, 1:].logsumexp(1) - scores[:, 0]

    def completion_scores(
        self,
        tokens: Int[Tensor, "prefixes rollouts batch time"],
        mask: Bool[Tensor, "prefixes rollouts batch time"],
        lengths: Sequence[int],
    ) -> Float[Tensor, "prefixes rollouts batch"]:
        """Scores of roll-outs, re-using what they share."""
        scores = self.network.completion_logits(tokens, mask, lengths)
        return scores[..., 1:].logsumexp(-1) - scores[..., 0]

    def of(self, category: int) -> Discriminator:
        """What this discriminator says about one category: its score is the logit of D_i; it shares all parameters."""
        if not 0 <= category < self.categories:
            raise ValueError(f"category must be from 0 to {self.categories - 1}, got {category}")
        return OfCategory(self, category)

    def penalty(self) -> Tensor:
        """That of the network's output layer."""
        return self.network.penalty()


class OfCategory(Discriminator):
    """One category of a discriminator of classes against everything else.

        logit D_i = c_i − logsumexp_{j≠i} c_j

    Args:
        whole: the discriminator.
        category: i − 1, from 0.
    """

    def __init__(self, whole: ClassDiscriminator, category: int) -> None:
        super().__init__(whole.vocabulary_size)
        self.whole = whole
        self.category = category

    def against_the_rest(self, scores: Float[Tensor, "*axes classes"]) -> Float[Tensor, "*axes"]:
        """The logit of the category from those of all classes."""
        place = self.category + 1
        rest = torch.cat([scores[..., :place], scores[..., place + 1 :]], -1)
        return scores[..., place] - rest.logsumexp(-1)

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of each sequence being real and of the category."""
        return self.against_the_rest(self.whole.class_scores(tokens, mask, random=random))

    def completion_scores(
        self,
        tokens: Int[Tensor, "prefixes rollouts batch time"],
        mask: Bool[Tensor, "prefixes rollouts batch time"],
        lengths: Sequence[int],
    ) -> Float[Tensor, "prefixes rollouts batch"]:
        """Scores of roll-outs, re-using what they share."""
        return self.against_the_rest(self.whole.network.completion_logits(tokens, mask, lengths))


def discriminator_of_classes(discriminator: Discriminator) -> ClassDiscriminator:
    """The discriminator, if it knows classes.

    Raises:
        BadInput: it only tells real from generated.
    """
    if not isinstance(discriminator, ClassDiscriminator):
        raise discriminator.lacking("this algorithm needs a discriminator of classes", "--discriminator.name classes")
    return discriminator
