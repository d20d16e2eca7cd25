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
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.data.packages import optional_package
from seqgans.data.sources import in_one
from seqgans.data.stops import Stops
from seqgans.data.tokenizer import vocabulary_of_model
from seqgans.errors import BadInput
from seqgans.generators.base import Generator, State, look_up
from seqgans.generators.caching import cache_of, parts_of
from seqgans.generators.conditional import Conditional
from seqgans.generators.loading import drawn_from, load_model
from seqgans.randomness import Stream
from seqgans.sequences import Sequences


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """Settings of a pre-trained causal language model.

    Attributes:
        model: a folder that `save_pretrained` wrote, a .gguf file, or a name on the hub; a folder with a config.json
            and no weights starts from random parameters.
        lora: rank of low-rank adapters, which are then all that learns; 0 moves every parameter.
        lora_alpha: their strength: what they add is scaled by lora_alpha / lora.
        min_new_tokens: tokens of an answer before it can end, in samples and likelihoods alike.
        stop: strings behind which an answer ends, in samples and likelihoods alike; real answers are cut there too.
    """

    paper: ClassVar[str] = "Wolf et al. 2020"

    model: str = ""
    lora: int = 0
    lora_alpha: float = 16.0
    min_new_tokens: int = 0
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.lora < 0:
            raise ValueError(f"Pretrained.lora must be at least 0, got {self.lora}")
        if self.min_new_tokens < 0:
            raise ValueError(f"Pretrained.min_new_tokens must be at least 0, got {self.min_new_tokens}")
        if not all(self.stop):
            raise ValueError("Pretrained.stop must be strings of at least one character, got an empty one")
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
        found = CausalLM(adapted(model, self.lora, self.lora_alpha, random), vocabulary_size, start, end)
        found.minimum, found.origin = self.min_new_tokens, self.model
        if self.stop:
            if end is None:
                raise BadInput("an answer that stops ends with the end token; set --corpus.end yes")
            found.stops = Stops(vocabulary_of_model(self.model), self.stop)
        return found


def adapted(model: nn.Module, rank: int, alpha: float, random: torch.Generator) -> nn.Module:
    """The model with low-rank adapters on all its linear layers but the head, or as it is for rank 0.

    References:
        Hu et al. (2021), arXiv:2106.09685.
    """
    if not rank:
        return model
    peft = optional_package("peft", "low-rank adapters (lora)", extra="lm")
    transposed = any(type(part).__name__ == "Conv1D" for part in model.modules())  # how GPT-2 writes linear layers
    settings = peft.LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules="all-linear", fan_in_fan_out=transposed
    )
    with drawn_from(random):
        peft.inject_adapter_in_model(settings, model)
    return model


def frozen_names(module: nn.Module) -> frozenset[str]:
    """Parameters that do not learn: with adapters the whole base, which its file gives back."""
    named = module.named_parameters(remove_duplicate=False)
    return frozenset(name for name, parameter in named if not parameter.requires_grad)


def share_base(generator: CausalLM, other: nn.Module) -> None:
    """Let another player of the same origin use the generator's frozen tensors instead of equal ones of its own.

    Args:
        generator: whose tensors stay.
        other: a player whose frozen tensors have names that end as those of the generator's trunk.
    """
    if not generator.origin or getattr(other, "origin", None) != generator.origin:
        return
    inside = f"model.{generator.model.base_model_prefix}."
    ours = {name.removeprefix(inside): generator.get_parameter(name) for name in generator.base}
    for name in getattr(other, "base", ()):
        above, _, last = name.rpartition(".")
        same = ours.get(name.removeprefix("trunk."))
        if same is not None and same.equal(other.get_parameter(name)):
            setattr(other.get_submodule(above), last, same)


class CausalLM(Conditional):
    """G(y_t | x, y_<t) = softmax(W h_t + b), h_t the model's last hidden state at the token before y_t.

    Without a prompt, and where a prompt is empty, the start token is read first.

    Args:
        model: a causal language model of `transformers`.
        vocabulary_size: number of ids.
        start: id of the start token.
        end: id of the end token, or None.
    """

    def __init__(self, model: Any, vocabulary_size: int, start: int, end: int | None) -> None:
        super().__init__(vocabulary_size, start, end)
        self.model = model.eval()
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
        return self.model.base_model

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
        table = self.model.get_input_embeddings().weight
        embedded = look_up(table, tokens)
        embedded = torch.where(waiting[:, None] >= 0, look_up(table, waiting.clamp(min=0)), embedded)[:, None]
        filled = real.shape[1]
        real = torch.cat([real, real.new_ones(len(real), 1)], 1)
        found = self.trunk(
            inputs_embeds=embedded,
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

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """The hidden states from which each token would be drawn: prompts and tokens in one pass.

        Tokens stand right behind their prompt, padding behind both, where no real token looks.
        """
        both, _, places = in_one(self.rows(len(tokens)), tokens, torch.ones_like(tokens, dtype=torch.bool))
        found = self.whole.trunk(input_ids=both[:, :-1], use_cache=False).last_hidden_state
        return found.gather(1, (places - 1)[:, :, None].expand(-1, -1, found.shape[2]))

    def start_state(self, count: int) -> State:
        """All of each prompt is read but its last token, which is read first."""
        source = self.rows(1 if len(self.source) == 1 else count)
        sizes = source.mask.sum(1)
        waiting = source.tokens.gather(1, sizes[:, None] - 1)[:, 0]
        position, width = sizes - 1, int(sizes.max()) - 1
        real = torch.arange(width, device=position.device) < position[:, None]
        if width:
            cached = parts_of(self.whole.trunk(input_ids=source.tokens[:, :width], use_cache=True).past_key_values)
        else:
            cached = ()
        state = (waiting, position, real, *cached)
        if len(waiting) == count:
            return state
        return tuple(part.expand(count, *part.shape[1:]) for part in state)


def opened(source: Sequences, start: int) -> Sequences:
    """Prompts of at least one token: an empty one becomes the start token."""
    tokens, mask = source.tokens, source.mask
    if not tokens.shape[1]:
        tokens, mask = tokens.new_full((len(tokens), 1), start), mask.new_zeros(len(mask), 1)
    empty = ~mask.any(1)
    first = torch.arange(tokens.shape[1], device=tokens.device) == 0
    fresh = empty[:, None] & first
    return Sequences(tokens.masked_fill(fresh, start), mask | fresh)
