"""A pre-trained encoder-decoder (T5, BART) as a generator: the encoder reads the source, the decoder writes the answer.

Its decoder is the first half of a generator, its head the second, so everything else is as for any other. A source is
read between the marks that the model was trained with; without one the marks alone are read.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seqgans.data.sources import apart
from seqgans.errors import BadInput
from seqgans.generators.adapters import frozen_names
from seqgans.generators.base import Generator, State
from seqgans.generators.caching import cache_of, parts_of
from seqgans.generators.conditional import Conditional
from seqgans.generators.reading import embedded
from seqgans.randomness import Stream
from seqgans.sequences import Sequences


class Reader:
    """The two halves of a model of `transformers`, without its head.

    Args:
        model: an encoder and a decoder.
    """

    def __init__(self, model: Any) -> None:
        self.encoder, self.decoder, self.config = model.get_encoder(), model.get_decoder(), model.config
        self.start = self.config.decoder_start_token_id

    def embedded(self, tokens: Tensor) -> Tensor:
        """What the decoder reads of ids, or of weights over the vocabulary."""
        return embedded(self.decoder, tokens)

    def marked(self, source: Sequences) -> Sequences:
        """Sources between the marks that the model knows from its training: an end, for some a beginning."""
        begin: Any = getattr(self.config, "bos_token_id", None)
        end: Any = self.config.eos_token_id
        first = int(begin is not None)
        tokens = nn.functional.pad(source.tokens, (first, 1), value=end)
        sizes = source.mask.sum(1, keepdim=True) + first  # of the rows without their end
        if first:
            tokens[:, 0] = begin
        tokens.scatter_(1, sizes, end)
        return Sequences(tokens, torch.arange(tokens.shape[1], device=tokens.device) <= sizes)

    def encoded(self, source: Sequences, count: int) -> tuple[Tensor, Tensor]:
        """What the encoder makes of each source, for `count` answers, and where it is real.

        Raises:
            ValueError: there are neither as many sources nor one.
        """
        if len(source) not in (1, count):
            raise ValueError(f"{count} sequences need {count} sources or one for all, got {len(source)}")
        once, which = apart(self.marked(source))  # sources that several answers share are read once
        states = self.encoder(input_ids=once.tokens, attention_mask=once.mask.long()).last_hidden_state
        if len(once) == 1:
            return states.expand(count, -1, -1), once.mask.expand(count, -1)
        return (states, once.mask) if len(once) == count else (states[which], once.mask[which])

    def decoded(self, inputs: Tensor, encoded: tuple[Tensor, Tensor]) -> Float[Tensor, "batch time width"]:
        """States of the decoder, each having read what stands up to there."""
        states, real = encoded
        return self.decoder(
            inputs_embeds=inputs, encoder_hidden_states=states, encoder_attention_mask=real.long(), use_cache=False
        ).last_hidden_state


class EncoderDecoderLM(Conditional):
    """G(y_t | x, y_<t) = softmax(W c h_t + b), h_t the decoder's state before y_t, c a factor of the model's.

    Args:
        model: an encoder-decoder of `transformers` with its head.
        vocabulary_size: number of ids.
        end: id of the end token, or None.

    Raises:
        BadInput: what stands between decoder and logits is more than a factor and one linear layer.
    """

    reads_blanks: ClassVar[bool] = False

    def __init__(self, model: Any, vocabulary_size: int, end: int | None) -> None:
        super().__init__(vocabulary_size, model.config.decoder_start_token_id, end)
        self.model = model.eval()
        self.base, self.origin = frozen_names(self), ""
        head = model.get_output_embeddings()
        if not isinstance(head, nn.Linear):
            raise BadInput(f"a model must end in one linear layer, got {type(head).__name__}; choose another")
        if head.bias is not None:
            self.factor = factor_of(model, head.weight, head.bias)
            return
        added = getattr(model, "final_logits_bias", head.weight.new_zeros(1, vocabulary_size))[0].detach().clone()
        self.factor = factor_of(model, head.weight, added)
        del head.bias
        head.register_buffer("bias", added, persistent=False)  # the rest of the library adds one; it is not saved

    @property
    def output(self) -> nn.Linear:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The model's head."""
        return self.model.get_output_embeddings()

    def train(self, mode: bool = True) -> EncoderDecoderLM:
        """Dropout stays off, so that what is learnt is the law that was sampled from."""
        return super().train(False)  # pyright: ignore[reportReturnType]

    def given(self, source: Sequences, random: Stream | None = None) -> Generator:
        """The law of what answers each source."""
        return Answering(self, source)

    def read_as_written(self) -> None:
        """Reading was learnt with writing."""


@torch.no_grad()
def factor_of(model: Any, weight: Float[Tensor, "vocab width"], bias: Float[Tensor, " vocab"]) -> float:
    """What the decoder's states are multiplied by before the head, tried out.

    Raises:
        BadInput: no factor gives the model's logits.
    """
    ids = torch.zeros(1, 1, dtype=torch.long, device=weight.device)
    reader = Reader(model)
    states = reader.encoder(input_ids=ids).last_hidden_state, torch.ones_like(ids, dtype=torch.bool)
    hidden = reader.decoded(reader.embedded(ids), states)
    logits = model(input_ids=ids, decoder_input_ids=ids).logits
    for factor in (1.0, weight.shape[1] ** -0.5):
        if torch.allclose(nn.functional.linear(hidden * factor, weight, bias), logits, atol=1e-4):
            return factor
    raise BadInput("a model must end in one linear layer, but its logits are something else; choose another")


class Answering(Generator):
    """An encoder-decoder whose sources are known; it shares all parameters.

    Args:
        whole: the model.
        source: one row a sequence, or one for all.
    """

    whole: EncoderDecoderLM

    def __init__(self, whole: EncoderDecoderLM, source: Sequences) -> None:
        super().__init__(whole.vocabulary_size, whole.start, whole.end)
        object.__setattr__(self, "whole", whole)  # known, not owned
        self.minimum, self.stops = whole.minimum, whole.stops
        self.reader, self.factor, self.source = Reader(whole.model), whole.factor, source

    @property
    def output(self) -> nn.Linear:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The model's head."""
        return self.whole.output

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """All states of the decoder in one pass."""
        encoded = self.reader.encoded(self.source, len(tokens))
        return self.reader.decoded(self.reader.embedded(self.inputs(tokens)), encoded) * self.factor

    def start_state(self, count: int) -> State:
        """What the encoder read, and nothing written.

        A state holds the encoder's states and where they are real; what the decoder has read, (batch, room, width), and
        how many tokens of it count, (batch,); for how many the cache stands (−1: for none); keys and values.
        """
        states, real = self.reader.encoded(self.source, count)
        none = torch.zeros(count, dtype=torch.long, device=real.device)
        return states, real, states.new_zeros(count, 0, states.shape[2]), none, none

    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """Read one token a row.

        Where all rows stand at one place, as in samples, the cache is gone on from. Roll-outs join rows of different
        lengths, which decoders of `transformers` have no positions for: what was written is read anew.
        """
        states, real, read, count, held, *parts = state
        embedded = self.reader.embedded(tokens)[:, None]  # (batch, 1, width)
        if int(count.max()) >= read.shape[1]:
            read = nn.functional.pad(read, (0, 0, 0, 1))
        here = torch.arange(read.shape[1], device=count.device) == count[:, None]
        read = torch.where(here[:, :, None], embedded, read)
        filled = int(count[0])
        if bool((held == filled).all()) and bool((count == filled).all()):
            hidden, parts = self.gone_on(embedded, (states, real), parts, filled)
            held = count + 1
        else:
            every = self.reader.decoded(read, (states, real))
            hidden = every.gather(1, count[:, None, None].expand(-1, 1, every.shape[2]))[:, 0]
            held = torch.full_like(held, -1)
        return hidden * self.factor, (states, real, read, count + 1, held, *parts)

    def gone_on(
        self, embedded: Tensor, encoded: tuple[Tensor, Bool[Tensor, "batch source"]], parts: list[Tensor], filled: int
    ) -> tuple[Float[Tensor, "batch width"], list[Tensor]]:
        """The state after one more token, and the cache."""
        from transformers import DynamicCache, EncoderDecoderCache

        found = self.reader.decoder(
            inputs_embeds=embedded,
            encoder_hidden_states=encoded[0],
            encoder_attention_mask=encoded[1].long(),
            past_key_values=EncoderDecoderCache(cache_of(parts, filled), DynamicCache()),
            use_cache=True,
        )
        return found.last_hidden_state[:, 0], list(parts_of(found.past_key_values.self_attention_cache))
