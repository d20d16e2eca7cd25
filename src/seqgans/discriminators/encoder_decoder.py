"""A pre-trained encoder-decoder that judges: its encoder reads what was asked, its decoder the answer."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from seqgans.discriminators.readers import LanguageJudge
from seqgans.generators.encoder_decoder import Reader
from seqgans.randomness import Stream
from seqgans.sequences import Sequences


class AnswerJudge(LanguageJudge):
    """s(x, y_≤t) = w · h_t + b, h_t the decoder's state once it has read y_t, having read x; D = σ(s).

    Args:
        model: an encoder-decoder of `transformers`; its own head is not used.
        vocabulary_size: number of ids.
    """

    def __init__(self, model: Any, vocabulary_size: int) -> None:
        own = model.get_output_embeddings()
        if own is not None and own.weight is not model.get_input_embeddings().weight:
            own.requires_grad_(False)  # nothing goes through it
        super().__init__(vocabulary_size, {"model": model}, model.config.hidden_size)

    def step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """One logit a token, where nothing was asked."""
        nothing = torch.zeros(1, 0, dtype=torch.long, device=mask.device)
        return self.read(tokens, Sequences(nothing, nothing.bool()))

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
