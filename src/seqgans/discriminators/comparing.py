"""The comparative discriminator of SAL: of two sequences, is the first better, worse, or can they not be told apart?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.convolutional import CNN, PAPER_MAPS, PAPER_WIDTHS, Convolutional, check_filters
from seqgans.randomness import Stream

BETTER, WORSE, TIE = 0, 1, 2
"""The places of the three logits: what the first of two sequences is."""
HUMAN = 16  # real sequences that a sequence scored on its own is compared with


@dataclass(frozen=True, kw_only=True)
class Comparer:
    """Settings of a discriminator of pairs: one encoder for both, and a small network on what it says of them.

    Attributes:
        embedding: width of a token's embedding.
        widths: tokens seen by each kind of filter; those longer than the sequences are left out.
        maps: number of filters of each width.
        encoding: numbers that stand for a sequence when it is compared.
        hidden: units of the network that compares.
        dropout: probability of dropping a feature of the encoder while the discriminator learns.
        antisymmetric: make "a is better than b" and "b is worse than a" the same by construction.
    """

    paper: ClassVar[str] = "Zhou, Ge, Xu, Wei and Zhou 2020"

    embedding: int = 64
    widths: tuple[int, ...] = PAPER_WIDTHS
    maps: tuple[int, ...] = PAPER_MAPS
    encoding: int = 64
    hidden: int = 64
    dropout: float = 0.25
    antisymmetric: bool = True

    def __post_init__(self) -> None:
        for name in ("encoding", "hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"Comparer.{name} must be at least 1, got {getattr(self, name)}")
        check_filters(self)

    def encoder(self) -> CNN:
        """Settings of the encoder."""
        return CNN(embedding=self.embedding, widths=self.widths, maps=self.maps, dropout=self.dropout, decay=0.0)

    def build(self, vocabulary_size: int, length: int, random: torch.Generator) -> Discriminator:
        """A discriminator with freshly drawn parameters for sequences of `length` tokens."""
        return Comparing(vocabulary_size, length, self, random)


class Comparing(Discriminator):
    """softmax (better, worse, tie) = ½ (f(a, b) + swapped f(b, a)),   f on [a; b; a − b; a ⊙ b], encodings of both.

    Without antisymmetry it is softmax f(a, b). A sequence scored on its own is compared with real ones remembered last:
    its score is the log-odds of not being worse, a mean over them.

    Args:
        vocabulary_size: number of ids.
        length: tokens of a sequence.
        settings: of the encoder and of what compares.
        random: where the parameters come from.
    """

    human_tokens: Tensor
    human_mask: Tensor

    def __init__(self, vocabulary_size: int, length: int, settings: Comparer, random: torch.Generator) -> None:
        super().__init__(vocabulary_size)
        self.settings = settings
        self.length = length
        self.encoder = Convolutional(vocabulary_size, length, settings.encoder(), random, settings.encoding)
        self.dense = nn.Linear(4 * settings.encoding, settings.hidden)
        self.output = nn.Linear(settings.hidden, 3)
        for layer in (self.dense, self.output):
            bound = layer.in_features**-0.5
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=random)
        self.register_buffer("human_tokens", torch.randint(vocabulary_size, (HUMAN, length), generator=random))
        self.register_buffer("human_mask", torch.ones(HUMAN, length, dtype=torch.bool))

    def encode(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch encoding"]:
        """What stands for each sequence; computed once, however often it is compared."""
        return self.encoder.logits(tokens, mask, random=random)

    def encode_completions(
        self,
        tokens: Int[Tensor, "prefixes rollouts batch time"],
        mask: Bool[Tensor, "prefixes rollouts batch time"],
        lengths: Sequence[int],
    ) -> Float[Tensor, "prefixes rollouts batch encoding"]:
        """What stands for each roll-out, re-using what they share; without dropout and gradient."""
        return self.encoder.completion_logits(tokens, mask, lengths)

    def compare(
        self, first: Float[Tensor, "*axes encoding"], second: Float[Tensor, "*axes encoding"]
    ) -> Float[Tensor, "*axes 3"]:
        """Logits of the first being better, worse, or not to be told apart from the second."""
        found = self.one_way(first, second)
        if self.settings.antisymmetric:
            back = self.one_way(second, first)
            found = 0.5 * (found + torch.stack([back[..., WORSE], back[..., BETTER], back[..., TIE]], -1))
        return found

    def one_way(self, first: Tensor, second: Tensor) -> Tensor:
        """f: three numbers for each pair, read in one direction."""
        both = torch.cat([first, second, first - second, first * second], -1)
        return self.output(self.dense(both).relu())

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Log-odds of each sequence not being worse than the real ones remembered last."""
        human = self.encode(self.human_tokens, self.human_mask)
        first, second = torch.broadcast_tensors(self.encode(tokens, mask, random=random)[:, None], human)
        logits = self.compare(first, second)  # (batch, human, 3)
        return (logits[..., [BETTER, TIE]].logsumexp(-1) - logits[..., WORSE]).mean(1)

    @torch.no_grad()
    def remember(self, tokens: Int[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]) -> None:
        """Take these real sequences, again and again where they are few, for those that `scores` compares with."""
        rows = torch.arange(HUMAN, device=tokens.device) % len(tokens)
        self.human_tokens.copy_(tokens[rows])
        self.human_mask.copy_(mask[rows])


def as_comparer(discriminator: Discriminator) -> Comparing:
    """The same discriminator, known to compare pairs.

    Raises:
        BadInput: it is another one.
    """
    if not isinstance(discriminator, Comparing):
        raise discriminator.lacking("comparisons need a discriminator of pairs", "--discriminator.name comparer")
    return discriminator
