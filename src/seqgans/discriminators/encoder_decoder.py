"""A pre-trained encoder-decoder that judges: its encoder reads what was asked, its decoder the answer."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.discriminators.base import Discriminator
from seqgans.generators.adapters import frozen_names
from seqgans.generators.encoder_decoder import Reader
from seqgans.randomness import Stream
from seqgans.sequences import Sequences, last_of


class AnswerJudge(Discriminator):
    """s(x, y_≤t) = w · h_t + b, h_t the decoder's state once it has read y_t, having read x; D = σ(s).

    Args:
        model: an encoder-decoder of `transformers`; its own head is not used.
        vocabulary_size: number of ids.
    """

    def __init__(self, model: Any, vocabulary_size: int) -> None:
        super().__init__(vocabulary_size)
        self.model = model.eval()
        own = model.get_output_embeddings()
        if own is not None and own.weight is not model.get_input_embeddings().weight:
            own.requires_grad_(False)  # nothing goes through it
        self.base, self.origin = frozen_names(self), ""
        self.head = nn.Linear(model.config.hidden_size, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def train(self, mode: bool = True) -> AnswerJudge:
        """Dropout stays off: equal texts score equally."""
        return super().train(False)  # pyright: ignore[reportReturnType]

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of each sequence being real."""
        return last_of(self.step_scores(tokens, mask, random=random), mask)

    def step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """One logit a token, where nothing was asked."""
        nothing = torch.zeros(1, 0, dtype=torch.long, device=mask.device)
        return self.read(tokens, Sequences(nothing, nothing.bool()))

    def pair_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], source: Sequences, *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of each response being real, its source known."""
        return last_of(self.pair_step_scores(tokens, mask, source, random=random), mask)

    def pair_step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], source: Sequences, *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """One logit a token; entry t has seen the source and the response up to t."""
        return self.read(tokens, source)

    def read(self, tokens: Tensor, source: Sequences) -> Float[Tensor, "batch time"]:
        """A logit after each token; what follows a token is never looked at, so padding needs no mask."""
        reader = Reader(self.model)
        begin = torch.full((len(tokens), 1), reader.start, dtype=torch.long, device=tokens.device)
        embedded = torch.cat([reader.embedded(begin), reader.embedded(tokens)], 1)
        states = reader.decoded(embedded, reader.encoded(source, len(tokens)))
        return self.head(states)[:, 1:, 0]
