"""The sequence-to-sequence generator of MaskGAN: it reads a source and writes with an eye on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.generators.attention import EncoderDecoder, one_mask
from seqgans.generators.base import Generator, State, look_up
from seqgans.generators.conditional import Conditional
from seqgans.randomness import Stream
from seqgans.sequences import Sequences


@dataclass(frozen=True, kw_only=True)
class Seq2Seq:
    """Settings of an LSTM encoder-decoder with attention; the defaults are MaskGAN's.

    Attributes:
        hidden: units of each layer, and width of a token's embedding.
        layers: of the encoder, and of the decoder.
        dropout: probability of dropping a number of the embeddings and of the last states, the same for a whole
            sequence, while likelihoods are learnt.
    """

    paper: ClassVar[str] = "Luong, Pham and Manning 2015"

    hidden: int = 650
    layers: int = 2
    dropout: float = 0.66029  # keeps 0.33971, MaskGAN's code for PTB

    def __post_init__(self) -> None:
        for name in ("hidden", "layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"Seq2Seq.{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"Seq2Seq.dropout must be at least 0 and below 1, got {self.dropout}")

    def build(self, vocabulary_size: int, start: int, end: int | None, random: torch.Generator) -> Generator:
        """A generator with freshly drawn parameters."""
        return Seq2SeqGenerator(vocabulary_size, start, end, self, random)


class Seq2SeqGenerator(Conditional):
    """G(Y | x) = Π_t softmax(E h̃_t + b), where h̃_t has read the source x and Y_1:t−1 (see `EncoderDecoder`).

    A row of E is also the embedding of its token, and blanks have a vector of their own.

    Args:
        vocabulary_size: number of ids.
        start: id of the start token.
        end: id of the end token, or None.
        settings: sizes and dropout.
        random: where the parameters come from.
    """

    def __init__(
        self, vocabulary_size: int, start: int, end: int | None, settings: Seq2Seq, random: torch.Generator
    ) -> None:
        super().__init__(vocabulary_size, start, end)
        self.settings = settings
        self.network = EncoderDecoder(settings.hidden, settings.layers, random)
        self.output = nn.Linear(settings.hidden, vocabulary_size)
        self.unknown = nn.Parameter(torch.empty(1, settings.hidden))
        bound = settings.hidden**-0.5
        for parameter in (*self.output.parameters(), self.unknown):
            nn.init.uniform_(parameter, -bound, bound, generator=random)

    def given(self, source: Sequences, random: Stream | None = None) -> Generator:
        """The law given a source."""
        return Seq2SeqLaw(self, source, random)

    def read_as_written(self) -> None:
        """The encoder takes the decoder's parameters."""
        self.network.encoder.load_state_dict(self.network.decoder.state_dict())


class Seq2SeqLaw(Generator):
    """A sequence-to-sequence generator whose source is known; it shares all parameters.

    Args:
        whole: the generator.
        source: one row a sequence, or one row for all.
        random: where dropout of `hidden` comes from; None for none.
    """

    def __init__(self, whole: Seq2SeqGenerator, source: Sequences, random: Stream | None) -> None:
        super().__init__(whole.vocabulary_size, whole.start, whole.end)
        self.whole = whole
        self.output = whole.output
        self.source = source
        self.random = random

    def start_state(self, count: int) -> State:
        """Hidden and cell state, what attention looks at and where."""
        return self.read(count, None)

    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """One step of the decoder."""
        return self.whole.network.step(look_up(self.output.weight, tokens), state)

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """All hidden states, read in one pass."""
        network, rate = self.whole.network, self.whole.settings.dropout
        state = self.read(tokens.shape[0], self.random)
        embedded = one_mask(look_up(self.output.weight, self.inputs(tokens)), rate, self.random)
        return one_mask(network.attend(network.decode(embedded, state), state), rate, self.random)

    def read(self, count: int, random: Stream | None) -> State:
        """The state after the source, for `count` sequences.

        Raises:
            ValueError: the source has neither as many rows nor one.
        """
        if len(self.source) not in (1, count):
            raise ValueError(f"{count} sequences need {count} sources or one for all, got {len(self.source)}")
        table = torch.cat([self.output.weight, self.whole.unknown])
        tokens, mask = self.source.tokens, self.source.mask
        if random is not None:  # each sequence drops something else
            tokens, mask = tokens.expand(count, -1), mask.expand(count, -1)
        state = self.whole.network.encode(one_mask(look_up(table, tokens), self.whole.settings.dropout, random), mask)
        return state if len(tokens) == count else tuple(part.expand(count, *part.shape[1:]) for part in state)
