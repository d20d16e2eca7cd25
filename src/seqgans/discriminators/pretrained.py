"""A pre-trained language model with one number at its end: is this text, after this prompt, real?

It reads the ids that were sampled, prompt and response in a row, each row from position 0, and looks at no padding:
equal ids score equally, whatever they are padded with. Read at every token it is a discriminator with a score per step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.data.sources import apart
from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.encoder_decoder import AnswerJudge
from seqgans.discriminators.readers import LanguageJudge
from seqgans.errors import BadInput
from seqgans.generators.adapters import adapted, copy_without_adapters
from seqgans.generators.base import Generator
from seqgans.generators.loading import load_model, trunk_of
from seqgans.generators.pretrained import CausalLM
from seqgans.generators.reading import checkpoint_activations, embedded, read_behind, worth_sharing
from seqgans.randomness import Stream
from seqgans.sequences import Sequences


@dataclass(frozen=True, kw_only=True)
class PretrainedScorer:
    """Settings of a language model that judges.

    Attributes:
        model: a folder, a .gguf file or a name on the hub, of the vocabulary of the generator; empty: the generator's.
        trunk: own, a model of its own; or shared, the generator's frozen one, which is then loaded once and in memory
            once, with adapters and a last layer of its own. Both must learn by adapters (`lora`).
        lora: rank of low-rank adapters, which then learn beside the last layer and nothing else; 0 moves everything.
        lora_alpha: their strength: what they add is scaled by lora_alpha / lora.
        gradient_checkpointing: keep what enters each layer and compute the rest again for the gradient: less memory, a
            third more time. A shared trunk does as the generator's.
    """

    paper: ClassVar[str] = "Zhang, Lau, Wong and Zhang 2023"

    model: str = ""
    trunk: Literal["own", "shared"] = "own"
    lora: int = 0
    lora_alpha: float = 16.0
    gradient_checkpointing: bool = False

    def __post_init__(self) -> None:
        if self.lora < 0:
            raise ValueError(f"PretrainedScorer.lora must be at least 0, got {self.lora}")
        if not self.lora_alpha > 0:
            raise ValueError(f"PretrainedScorer.lora_alpha must be above 0, got {self.lora_alpha}")
        if self.trunk == "shared" and not self.lora:
            raise ValueError("PretrainedScorer.lora must be at least 1 where the trunk is shared, got 0")

    def build(self, vocabulary_size: int, length: int, random: torch.Generator) -> Judge | AnswerJudge:
        """The model with a head that says 0 to everything.

        Raises:
            BadInput: there is no such model, it knows another number of ids, or a trunk is to be shared with nobody.
        """
        if self.trunk == "shared":
            raise BadInput("a shared trunk needs the generator it is shared with; take --discriminator.trunk own")
        model = load_model(self.model, random, head=False)
        if self.gradient_checkpointing:
            checkpoint_activations(model)
        known = model.get_input_embeddings().weight.shape[0]
        if known != vocabulary_size:
            raise BadInput(
                f"the discriminator's {self.model} knows {known} ids and the generator {vocabulary_size}; "
                "both must share one vocabulary"
            )
        if model.config.is_encoder_decoder:
            found = AnswerJudge(adapted(model, self.lora, self.lora_alpha, random), vocabulary_size)
        else:
            found = Judge(adapted(trunk_of(model), self.lora, self.lora_alpha, random), vocabulary_size)
        found.origin = self.model
        return found

    def build_beside(
        self, generator: Generator, vocabulary_size: int, length: int, random: torch.Generator
    ) -> Discriminator:
        """The same beside a generator, whose trunk it stands on where that is shared.

        Raises:
            BadInput: as `build`; or the generator has no frozen trunk of the same model.
        """
        if self.trunk == "own":
            return self.build(vocabulary_size, length, random)
        if not isinstance(generator, CausalLM) or not generator.base:
            raise BadInput(
                "a shared trunk must be a frozen one: the generator must be a causal model that learns by adapters; "
                "give --generator.lora 8, or take --discriminator.trunk own"
            )
        if generator.origin != self.model:
            raise BadInput(
                f"a shared trunk must be of one model, got {generator.origin} for the generator and {self.model} for "
                "the discriminator; leave out --discriminator.model"
            )
        trunk = adapted(copy_without_adapters(generator.trunk), self.lora, self.lora_alpha, random)
        found = Judge(trunk, vocabulary_size)
        found.origin = self.model
        return found


class Judge(LanguageJudge):
    """s(x, y) = w · h(x, y) + b, h the hidden state at the last real token; D = σ(s).

    Args:
        trunk: a causal model of `transformers` without its head.
        vocabulary_size: number of ids.
    """

    trunk: nn.Module

    def __init__(self, trunk: nn.Module, vocabulary_size: int) -> None:
        embedding: nn.Embedding = trunk.get_input_embeddings()  # pyright: ignore
        config = getattr(trunk, "config", None)
        super().__init__(vocabulary_size, {"trunk": trunk}, getattr(config, "hidden_size", embedding.weight.shape[1]))

    def step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """One logit a token; entry t has seen the tokens up to t."""
        return self.read(embedded(self.trunk, tokens))

    def pair_step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], source: Sequences, *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """One logit a token of the response; entry t has seen the prompt and the response up to t."""
        inputs = embedded(self.trunk, tokens)  # (batch, time, width)
        once, which = apart(source)
        if worth_sharing(self.trunk, once, which):
            sizes = once.mask.sum(1)
            return self.head(read_behind(self.trunk, once.tokens[:, : int(sizes.max())], sizes, which, inputs))[:, :, 0]
        places = source.mask.sum(1, keepdim=True) + torch.arange(mask.shape[1], device=mask.device)
        prompts = nn.functional.pad(embedded(self.trunk, source.tokens), (0, 0, 0, mask.shape[1]))
        both = prompts.scatter(1, places[:, :, None].expand_as(inputs), inputs)
        return self.read(both).gather(1, places)

    def read(self, inputs: Float[Tensor, "batch time width"]) -> Float[Tensor, "batch time"]:
        """A logit after each token; what follows a token is never looked at, so padding needs no mask."""
        found = self.trunk(inputs_embeds=inputs, use_cache=False).last_hidden_state
        return self.head(found)[:, :, 0]
