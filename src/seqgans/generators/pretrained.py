"""A pre-trained causal language model as a generator: what it answers is the prompt it goes on from.

The model of `transformers` is the first half of a generator (tokens to hidden states, with its cache of keys and
values); its head is the second half, so likelihoods in chunks, sampling and relaxed sampling are those of every other
generator, and no tensor (batch, time, vocabulary) is ever whole. The log-probabilities of samples are those they were
drawn with.

Rows of prompts have different lengths. Each is read from position 0, what is written goes on at the row's own position,
and padding is never looked at, so a row's law does not depend on what it is padded with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seqgans.data.sources import apart, in_one
from seqgans.data.stops import Stops
from seqgans.data.tokenizer import vocabulary_of_model
from seqgans.errors import BadInput
from seqgans.generators.adapters import adapted, frozen_names, share_base
from seqgans.generators.base import Generator, State, select
from seqgans.generators.caching import cache_of, parts_of
from seqgans.generators.conditional import Conditional
from seqgans.generators.decoding import PLAIN, Decoding
from seqgans.generators.encoder_decoder import EncoderDecoderLM
from seqgans.generators.engines import VLLM
from seqgans.generators.loading import load_model, trunk_of
from seqgans.generators.reading import (
    checkpoint_activations,
    embedded,
    read_behind,
    remembered,
    worth_sharing,
)
from seqgans.randomness import Stream, as_stream
from seqgans.sequences import Samples, Sequences


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """Settings of a pre-trained causal language model.

    Attributes:
        model: a folder that `save_pretrained` wrote, a .gguf file, or a name on the hub; a folder with a config.json
            and no weights starts from random parameters.
        lora: rank of low-rank adapters, which are then all that learns; 0 moves every parameter.
        lora_alpha: their strength: what they add is scaled by lora_alpha / lora.
        min_new_tokens: tokens of an answer before it can end, in samples and likelihoods alike.
        gradient_checkpointing: keep what enters each layer and compute the rest again for the gradient: less memory, a
            third more time.
        engine: what writes samples: the model's own sampler, or vLLM, which is given the parameters after each update.
        engine_memory: share of the GPU's memory that vLLM takes.
        stop: strings behind which an answer ends, in samples and likelihoods alike; real answers are cut there too.
    """

    paper: ClassVar[str] = "Wolf et al. 2020"

    model: str = ""
    lora: int = 0
    lora_alpha: float = 16.0
    min_new_tokens: int = 0
    stop: tuple[str, ...] = ()
    gradient_checkpointing: bool = False
    engine: Literal["own", "vllm"] = "own"
    engine_memory: float = 0.3

    def __post_init__(self) -> None:
        if self.lora < 0:
            raise ValueError(f"Pretrained.lora must be at least 0, got {self.lora}")
        if self.min_new_tokens < 0:
            raise ValueError(f"Pretrained.min_new_tokens must be at least 0, got {self.min_new_tokens}")
        if not all(self.stop):
            raise ValueError("Pretrained.stop must be strings of at least one character, got an empty one")
        if not 0 < self.engine_memory < 1:
            raise ValueError(f"Pretrained.engine_memory must be above 0 and below 1, got {self.engine_memory}")
        if not self.lora_alpha > 0:
            raise ValueError(f"Pretrained.lora_alpha must be above 0, got {self.lora_alpha}")

    def build(self, vocabulary_size: int, start: int, end: int | None, random: torch.Generator) -> Generator:
        """The model, with its adapters if there are any.

        Raises:
            BadInput: there is no such model, it knows another number of ids, or there is no end token to stop with.
        """
        model = load_model(self.model, random)
        known = model.get_input_embeddings().weight.shape[0]
        if known != vocabulary_size:
            raise BadInput(
                f"{self.model} knows {known} ids and the corpus {vocabulary_size}; "
                "read the corpus with the model's own tokenizer (--corpus.tokenizer)"
            )
        if self.gradient_checkpointing:
            checkpoint_activations(model)
        model: Any = adapted(model, self.lora, self.lora_alpha, random)
        if model.config.is_encoder_decoder:
            found = EncoderDecoderLM(model, vocabulary_size, end)
        else:
            found = CausalLM(model, vocabulary_size, start, end)
        found.minimum, found.origin = self.min_new_tokens, self.model
        if self.stop:
            if end is None:
                raise BadInput("an answer that stops ends with the end token; set --corpus.end yes")
            found.stops = Stops(vocabulary_of_model(self.model), self.stop)
        if self.engine == "vllm":
            if not isinstance(found, CausalLM):
                raise BadInput("--generator.engine vllm writes for causal models, not for encoder-decoders; take own")
            found.engine = VLLM(self.model, self.engine_memory)
        return found


class CausalLM(Conditional):
    """G(y_t | x, y_<t) = softmax(W h_t + b), h_t the model's last hidden state at the token before y_t.

    Without a prompt, and where a prompt is empty, the start token is read first.

    Args:
        model: a causal language model of `transformers`.
        vocabulary_size: number of ids.
        start: id of the start token.
        end: id of the end token, or None.
    """

    reads_blanks: ClassVar[bool] = False

    def __init__(self, model: Any, vocabulary_size: int, start: int, end: int | None) -> None:
        super().__init__(vocabulary_size, start, end)
        self.model = model.eval()
        self.engine: VLLM | None = None
        self.base, self.origin = frozen_names(self), ""
        head = model.get_output_embeddings()
        if not isinstance(head, nn.Linear):
            raise BadInput(f"a causal model must end in one linear layer, got {type(head).__name__}; choose another")
        if head.bias is None:  # the rest of the library adds one; 0, and no part of what is saved
            del head.bias
            head.register_buffer("bias", head.weight.new_zeros(vocabulary_size), persistent=False)

    @property
    def output(self) -> nn.Linear:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The model's head."""
        return self.model.get_output_embeddings()

    @property
    def trunk(self) -> Any:
        """The model without its head."""
        return trunk_of(self.model)

    def train(self, mode: bool = True) -> CausalLM:
        """Dropout stays off, so that what is learnt is the law that was sampled from."""
        return super().train(False)  # pyright: ignore[reportReturnType]

    def attach(self, discriminator: nn.Module) -> None:
        """One frozen base in memory for both, where both learn by adapters of the same model."""
        share_base(self, discriminator)

    def given(self, source: Sequences, random: Stream | None = None) -> Generator:
        """The law of what follows each prompt."""
        return Continuing(self, source)

    def read_as_written(self) -> None:
        """Reading and writing are one already."""

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """The hidden states without a prompt."""
        return self.given(self.nothing(1)).hidden(tokens)

    def start_state(self, count: int) -> State:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The state of `count` empty prompts."""
        return self.given(self.nothing(1)).start_state(count)

    def advance(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, tokens: Tensor, state: State
    ) -> tuple[Float[Tensor, "batch width"], State]:
        """Read one token a row.

        A state holds the token that is still to be read before any that is given (−1 for none), the position of each
        row, (batch,), which places of the cache are real, (batch, room), and keys and values of each layer.
        """
        waiting, position, real, *cached = state
        first = embedded(self.trunk, waiting.clamp(min=0))
        inputs = torch.where(waiting[:, None] >= 0, first, embedded(self.trunk, tokens))[:, None]
        filled = real.shape[1]
        real = torch.cat([real, real.new_ones(len(real), 1)], 1)
        found = self.trunk(
            inputs_embeds=inputs,
            attention_mask=real.long(),
            position_ids=position[:, None],
            past_key_values=cache_of(cached, filled),
            use_cache=True,
        )
        state = (torch.full_like(waiting, -1), position + 1, real, *parts_of(found.past_key_values))
        return found.last_hidden_state[:, 0], state

    def sample(self, count: int, length: int, **how: Any) -> Any:
        """Draw sequences, without a prompt."""
        return self.given(self.nothing(1)).sample(count, length, **how)

    def relax(self, count: int, length: int, **how: Any) -> Any:
        """Draw sequences that a gradient can flow through, without a prompt."""
        return self.given(self.nothing(1)).relax(count, length, **how)


class Continuing(Generator):
    """A causal model whose prompts are known; it shares all parameters.

    Args:
        whole: the model.
        source: one prompt a row, or one for all.
    """

    whole: CausalLM

    def __init__(self, whole: CausalLM, source: Sequences) -> None:
        super().__init__(whole.vocabulary_size, whole.start, whole.end)
        object.__setattr__(self, "whole", whole)  # known, not owned
        self.minimum, self.stops = whole.minimum, whole.stops
        self.source = opened(source, whole.start)

    @property
    def output(self) -> nn.Linear:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The model's head."""
        return self.whole.output

    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """Read one token a row."""
        return self.whole.advance(tokens, state)

    def rows(self, count: int) -> Sequences:
        """One prompt for each of `count` sequences.

        Raises:
            ValueError: there are neither as many prompts nor one.
        """
        if len(self.source) == count:
            return self.source
        if len(self.source) != 1:
            raise ValueError(f"{count} sequences need {count} sources or one for all, got {len(self.source)}")
        return self.source[torch.zeros(count, dtype=torch.long)]

    def sample(
        self,
        count: int,
        length: int,
        *,
        random: torch.Generator | Stream,
        prefix: Int[Tensor, "batch prefix"] | None = None,
        kept: Bool[Tensor, "batch prefix"] | None = None,
        decoding: Decoding = PLAIN,
    ) -> Samples:
        """Draw answers, by the engine where there is one and it can."""
        engine = self.whole.engine
        if engine is None or prefix is not None or not engine.can(decoding):
            return super().sample(count, length, random=random, prefix=prefix, kept=kept, decoding=decoding)
        return engine.sample(self.whole, self.rows(count), length, as_stream(random), decoding)

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """The hidden states from which each token would be drawn.

        Prompts that rows share are read once; else prompts and tokens in one pass, tokens right behind their prompt,
        padding behind both, where no real token looks.
        """
        source, trunk = self.rows(len(tokens)), self.whole.trunk
        once, which = apart(source)
        if worth_sharing(trunk, once, which):
            sizes = once.mask.sum(1)
            last = once.tokens.gather(1, sizes[:, None] - 1)[which]
            inputs = embedded(trunk, torch.cat([last, tokens[:, :-1]], 1))
            return read_behind(trunk, once.tokens[:, : int(sizes.max()) - 1], sizes - 1, which, inputs)
        both, _, places = in_one(source, tokens, torch.ones_like(tokens, dtype=torch.bool))
        found = trunk(input_ids=both[:, :-1], use_cache=False).last_hidden_state
        return found.gather(1, (places - 1)[:, :, None].expand(-1, -1, found.shape[2]))

    def start_state(self, count: int) -> State:
        """All of each prompt is read but its last token, which is read first."""
        source, which = apart(self.rows(1 if len(self.source) == 1 else count))
        sizes = source.mask.sum(1)
        waiting = source.tokens.gather(1, sizes[:, None] - 1)[:, 0]
        position, width = sizes - 1, int(sizes.max()) - 1
        real, cached = torch.ones(len(sizes), 0, dtype=torch.bool, device=sizes.device), []
        if width:
            real, cached = remembered(self.whole.trunk, source.tokens[:, :width], position)
        state = (waiting, position, real, *cached)
        if len(source) == 1:
            return tuple(part.expand(count, *part.shape[1:]) for part in state)
        return state if len(source) == count else select(state, which)


def opened(source: Sequences, start: int) -> Sequences:
    """Prompts of at least one token: an empty one becomes the start token."""
    tokens, mask = source.tokens, source.mask
    if not tokens.shape[1]:
        tokens, mask = tokens.new_full((len(tokens), 1), start), mask.new_zeros(len(mask), 1)
    empty = ~mask.any(1)
    first = torch.arange(tokens.shape[1], device=tokens.device) == 0
    fresh = empty[:, None] & first
    return Sequences(tokens.masked_fill(fresh, start), mask | fresh)
