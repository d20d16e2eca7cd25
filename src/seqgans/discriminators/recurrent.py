"""LSTM and GRU discriminators: a score after each token, the last of which judges the sequence."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.discriminators.base import Discriminator, embed
from seqgans.errors import BadInput
from seqgans.randomness import Stream, dropout


@dataclass(frozen=True, kw_only=True)
class ScorerSettings(ABC):
    """Settings that recurrent discriminators share.

    Attributes:
        embedding: width of a token's embedding.
        hidden: units of each layer and direction.
        layers: number of layers.
        dropout: probability of dropping a number of the embeddings and of the last layer while it learns.
        bidirectional: also read from the last token to the first; there is then no score per step.
    """

    cell: ClassVar[str]
    paper: ClassVar[str]

    embedding: int = 64
    hidden: int = 64
    layers: int = 1
    dropout: float = 0.25
    bidirectional: bool = False

    def __post_init__(self) -> None:
        name = type(self).__name__
        for field in ("embedding", "hidden", "layers"):
            if getattr(self, field) < 1:
                raise ValueError(f"{name}.{field} must be at least 1, got {getattr(self, field)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"{name}.dropout must be at least 0 and below 1, got {self.dropout}")

    def build(self, vocabulary_size: int, length: int, random: torch.Generator) -> RecurrentScorer:
        """A discriminator with freshly drawn parameters; any length will do."""
        return RecurrentScorer(self.cell, vocabulary_size, self, random)


@final
class LSTMScorer(ScorerSettings):
    """Settings of an LSTM discriminator."""

    cell: ClassVar[str] = "lstm"
    paper: ClassVar[str] = "Hochreiter and Schmidhuber 1997"


@final
class GRUScorer(ScorerSettings):
    """Settings of a GRU discriminator."""

    cell: ClassVar[str] = "gru"
    paper: ClassVar[str] = "Cho et al. 2014"


class RecurrentScorer(Discriminator):
    """h_t = cell(h_{t−1}, e(y_t)),  score_t = w · h_t + b,  D(Y) = σ(score at the last real token).

    With a second direction the state after reading back to the first token joins the one at the last token.

    Args:
        cell: "lstm" or "gru".
        vocabulary_size: number of ids.
        settings: sizes and dropout.
        random: where the parameters come from.
    """

    def __init__(self, cell: str, vocabulary_size: int, settings: ScorerSettings, random: torch.Generator) -> None:
        super().__init__(vocabulary_size)
        self.settings = settings
        kind = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.embedding = nn.Parameter(torch.empty(vocabulary_size + 1, settings.embedding))
        self.onward = kind(settings.embedding, settings.hidden, settings.layers, batch_first=True)
        self.inward = (
            kind(settings.embedding, settings.hidden, settings.layers, batch_first=True)
            if settings.bidirectional
            else None
        )
        directions = 2 if settings.bidirectional else 1
        self.output = nn.Linear(directions * settings.hidden, 1)
        bound = settings.hidden**-0.5
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-bound, bound, generator=random)
            self.embedding.uniform_(-1.0, 1.0, generator=random)

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit at the last real token; a row without any is scored as one padding symbol."""
        if self.inward is None:
            return self.step_scores(tokens, mask, random=random).gather(1, last_real(mask)[:, None])[:, 0]
        embedded = dropout(embed(self.embedding, tokens, mask), self.settings.dropout, random)
        last = last_real(mask)[:, None]  # (batch, 1)
        places = (last - torch.arange(mask.shape[1], device=mask.device)).clamp(min=0)  # real tokens, last one first
        back = embedded.gather(1, places[:, :, None].expand_as(embedded))
        states = [cell(rows)[0] for cell, rows in ((self.onward, embedded), (self.inward, back))]
        ends = torch.cat([state[torch.arange(len(state), device=mask.device), last[:, 0]] for state in states], 1)
        return self.output(dropout(ends, self.settings.dropout, random))[:, 0]

    def step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """One logit after each token; entry t has seen the tokens up to t and no later ones.

        Args:
            tokens: ids (batch, time), or weights over the vocabulary (batch, time, vocab).
            mask: True where a token is real; the rest is read as padding.
            random: where dropout comes from; None for none.

        Raises:
            BadInput: the discriminator also reads backwards.
        """
        if self.inward is not None:
            raise BadInput("a score per step needs a discriminator with bidirectional false, got true; set it to false")
        embedded = dropout(embed(self.embedding, tokens, mask), self.settings.dropout, random)
        states = dropout(self.onward(embedded)[0], self.settings.dropout, random)  # (batch, time, hidden)
        return self.output(states)[:, :, 0]


def last_real(mask: Bool[Tensor, "batch time"]) -> Tensor:
    """Place of the last real token of each row, (batch,); 0 where there is none.

    >>> last_real(torch.tensor([[True, True, False], [False, False, False]]))
    tensor([1, 0])
    """
    return (mask.sum(1) - 1).clamp(min=0)
