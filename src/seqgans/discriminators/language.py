"""A language model as discriminator: what it has learnt beyond likelihood is how real a token looks.

It first learns the corpus by maximum likelihood, as a generator does. Then it remembers where that left its output
layer (`settle`), and from there on the *change* of a token's logit is what the token adds to the score. So its features
are those of a model that already knows which words go together, and at first it tells nothing apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seqgans.discriminators.base import Discriminator, embed
from seqgans.generators.base import look_up
from seqgans.generators.likelihood import token_log_probs
from seqgans.randomness import Stream, dropout


@dataclass(frozen=True, kw_only=True)
class Language:
    """Settings of a language model as discriminator.

    Attributes:
        embedding: width of a token's embedding.
        hidden: units of the LSTM.
        deviation: every parameter starts from N(0, deviation²).
        dropout: probability of dropping a number of the hidden states while it learns to tell apart.
    """

    paper: ClassVar[str] = "after Deng et al. 2020"

    embedding: int = 32
    hidden: int = 32
    deviation: float = 0.1
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for field in ("embedding", "hidden"):
            if getattr(self, field) < 1:
                raise ValueError(f"Language.{field} must be at least 1, got {getattr(self, field)}")
        if not self.deviation > 0:
            raise ValueError(f"Language.deviation must be above 0, got {self.deviation}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"Language.dropout must be at least 0 and below 1, got {self.dropout}")

    def build(self, vocabulary_size: int, length: int, random: torch.Generator) -> LanguageScorer:
        """A discriminator with freshly drawn parameters; any length will do."""
        return LanguageScorer(vocabulary_size, self, random)


class LanguageScorer(Discriminator):
    """h_t = LSTM(h_{t−1}, e(y_{t−1})),  score_t = score_{t−1} + h_t · (w − w⁰)(y_t) + (b − b⁰)(y_t).

    w and b are the output layer of a language model log p(y_t | y_<t) = log softmax(W h_t + b), w⁰ and b⁰ what they
    were when `settle` was called, 0 before. If the generator is the law that W⁰, b⁰ describe, a score is, but for the
    normalisers, log p(Y_1:t) − log G(Y_1:t) of the model that has moved on.

    Args:
        vocabulary_size: number of ids.
        settings: sizes, initial deviation and dropout.
        random: where the parameters come from.

    References:
        Deng, Bakhtin, Ott, Szlam and Ranzato (2020), arXiv:2004.11714, for scores that correct a language model.
    """

    anchor_weight: Tensor
    anchor_bias: Tensor

    def __init__(self, vocabulary_size: int, settings: Language, random: torch.Generator) -> None:
        super().__init__(vocabulary_size)
        self.settings = settings
        self.embedding = nn.Parameter(torch.empty(vocabulary_size + 1, settings.embedding))  # the last begins
        self.cell = nn.LSTM(settings.embedding, settings.hidden, batch_first=True)
        self.weight = nn.Parameter(torch.empty(vocabulary_size, settings.hidden))
        self.bias = nn.Parameter(torch.empty(vocabulary_size))
        self.register_buffer("anchor_weight", torch.zeros(vocabulary_size, settings.hidden))
        self.register_buffer("anchor_bias", torch.zeros(vocabulary_size))
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.normal_(0.0, settings.deviation, generator=random)

    def tables(self) -> list[str]:
        """Embeddings, and the output layer, which has a row for each symbol as well."""
        return [*super().tables(), "weight"]

    def hidden(self, tokens: Tensor, mask: Bool[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """The state before each token, from which it is predicted; it has read the tokens before and no others."""
        begins = self.embedding[-1].expand(len(tokens), 1, -1)
        return self.cell(torch.cat([begins, embed(self.embedding, tokens, mask)[:, :-1]], 1))[0]

    def log_probs(
        self, tokens: Int[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """Log-probability of each token as a language model, in nats, with gradient. Padding is not masked here."""
        return token_log_probs(self.hidden(tokens, mask), self.weight, self.bias, tokens)

    @torch.no_grad()
    def settle(self) -> None:
        """Count from here on what the output layer learns: all scores are 0 now."""
        self.anchor_weight.copy_(self.weight)
        self.anchor_bias.copy_(self.bias)

    def step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """One logit after each token, the sum of what the tokens so far have added.

        Args:
            tokens: ids (batch, time), or weights over the vocabulary (batch, time, vocab).
            mask: True where a token is real; the rest adds nothing.
            random: where dropout comes from; None for none.
        """
        ids = tokens if tokens.is_floating_point() else tokens.masked_fill(~mask, 0)
        states = dropout(self.hidden(tokens, mask), self.settings.dropout, random)  # (batch, time, hidden)
        learnt = look_up(self.weight - self.anchor_weight, ids)  # (batch, time, hidden)
        gains = (states * learnt).sum(2) + look_up((self.bias - self.anchor_bias)[:, None], ids)[:, :, 0]
        return (gains * mask).cumsum(1)

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """What all real tokens have added; 0 for a row without any."""
        return self.step_scores(tokens, mask, random=random)[:, -1]
