"""The discriminator of MaskGAN: it reads the context first, then says after each token how real that token is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.discriminators.base import Discriminator, embed
from seqgans.discriminators.recurrent import last_real
from seqgans.generators.attention import EncoderDecoder, one_mask
from seqgans.generators.base import Generator, State, look_up
from seqgans.generators.seq2seq import Seq2SeqGenerator
from seqgans.randomness import Stream
from seqgans.sequences import Sequences


@dataclass(frozen=True, kw_only=True)
class Seq2SeqScorer:
    """Settings of an LSTM encoder-decoder discriminator; the defaults are MaskGAN's.

    Attributes:
        hidden: units of each layer, and width of a token's embedding.
        layers: of the encoder, and of the decoder.
        dropout: probability of dropping a number of the embeddings and of the last states, the same for a whole
            sequence, while it learns.
    """

    paper: ClassVar[str] = "Fedus, Goodfellow and Dai 2018"

    hidden: int = 650
    layers: int = 2
    dropout: float = 0.2806  # keeps 0.7194, MaskGAN's code for PTB

    def __post_init__(self) -> None:
        for name in ("hidden", "layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"Seq2SeqScorer.{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"Seq2SeqScorer.dropout must be at least 0 and below 1, got {self.dropout}")

    def build(self, vocabulary_size: int, length: int, random: torch.Generator) -> ContextScorer:
        """A discriminator with freshly drawn parameters; any length will do."""
        return ContextScorer(vocabulary_size, self, random)


class ContextScorer(Discriminator):
    """score_t = w · h̃_t + b, where h̃_t has read the context and Y_1:t (see `EncoderDecoder`).

    The context is what a conditional generator was given; without one it is blanks alone. A sequence as a whole has the
    score of its last token.

    Args:
        vocabulary_size: number of ids; the next one is the blank of a context.
        settings: sizes and dropout.
        random: where the parameters come from.
    """

    def __init__(self, vocabulary_size: int, settings: Seq2SeqScorer, random: torch.Generator) -> None:
        super().__init__(vocabulary_size)
        self.settings = settings
        self.network = EncoderDecoder(settings.hidden, settings.layers, random)
        self.embedding = nn.Parameter(torch.empty(vocabulary_size + 1, settings.hidden))
        self.unknown = nn.Parameter(torch.empty(1, settings.hidden))
        self.output = nn.Linear(settings.hidden, 1)
        bound = settings.hidden**-0.5
        for parameter in (self.embedding, self.unknown, *self.output.parameters()):
            nn.init.uniform_(parameter, -bound, bound, generator=random)

    @property
    def width(self) -> int:
        """Numbers of a state, which a critic looks at."""
        return self.settings.hidden

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit at the last real token; a row without any is scored as one padding symbol."""
        return self.step_scores(tokens, mask, random=random).gather(1, last_real(mask)[:, None])[:, 0]

    def pair_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], source: Sequences, *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit at the last real token of a response, its source being the context."""
        return self.pair_step_scores(tokens, mask, source, random=random).gather(1, last_real(mask)[:, None])[:, 0]

    def pair_step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], source: Sequences, *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """One logit for each token of a response, its source being the context."""
        return self.step_scores(tokens, mask, context=source, random=random)

    def step_scores(
        self,
        tokens: Tensor,
        mask: Bool[Tensor, "batch time"],
        *,
        context: Sequences | None = None,
        random: Stream | None = None,
    ) -> Float[Tensor, "batch time"]:
        """One logit for each token; entry t has seen the context and the tokens up to t.

        Args:
            tokens: ids (batch, time), or weights over the vocabulary (batch, time, vocab).
            mask: True where a token is real; the rest is read as padding.
            context: ids up to the blank, one row a sequence; None for blanks alone.
            random: where dropout comes from; None for none.
        """
        states, state = self.read(tokens, mask, context, random)
        return self.output(one_mask(self.network.attend(states, state), self.settings.dropout, random))[:, :, 0]

    def states_before(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, context: Sequences | None = None
    ) -> Float[Tensor, "batch time width"]:
        """What is known before each token, and only from those before it: what a critic may look at."""
        states, state = self.read(tokens, mask, context, None)
        first = state[0][:, None, -self.width :]  # the last layer after the context
        return self.network.attend(torch.cat([first, states[:, :-1]], 1), state)

    def read(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], context: Sequences | None, random: Stream | None
    ) -> tuple[Float[Tensor, "batch time width"], State]:
        """The decoder's states after each token, and what it began with."""
        if context is None:
            blanks = torch.full(mask.shape, self.vocabulary_size, dtype=torch.long, device=mask.device)
            context = Sequences(blanks, torch.ones_like(mask))
        table = torch.cat([self.embedding[: self.vocabulary_size], self.unknown])
        source = one_mask(look_up(table, context.tokens), self.settings.dropout, random)
        state = self.network.encode(source, context.mask)
        embedded = one_mask(embed(self.embedding, tokens, mask), self.settings.dropout, random)
        return self.network.decode(embedded, state), state

    def start_from(self, generator: Generator) -> None:
        """Take over embeddings and LSTMs of a language model, where it is of the same kind and size."""
        if not isinstance(generator, Seq2SeqGenerator):
            return
        theirs, ours = generator.settings, self.settings
        if (theirs.hidden, theirs.layers) != (ours.hidden, ours.layers):
            return
        for cell in (self.network.encoder, self.network.decoder):
            cell.load_state_dict(generator.network.decoder.state_dict())
        with torch.no_grad():
            self.embedding[: self.vocabulary_size] = generator.output.weight
