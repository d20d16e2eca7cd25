"""How a causal model of `transformers` reads: prompts that several rows share are read once.

In a group of answers to one prompt, and where real answers are judged beside generated ones, most of what is read is
the same prompt again. Its keys and values are made once and stand before every row that goes on from it; gradient flows
back into them from all rows.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from seqgans.errors import BadInput
from seqgans.generators.base import look_up
from seqgans.generators.caching import cache_of, empty_cache, parts_of
from seqgans.sequences import Sequences


def embedded(trunk: Any, tokens: Tensor) -> Tensor:
    """What a model reads of ids, or of weights over the vocabulary; some models scale their table."""
    table = trunk.get_input_embeddings()
    return look_up(table.weight, tokens) * getattr(table, "embed_scale", 1.0)


def worth_sharing(trunk: Any, sources: Sequences, which: Int[Tensor, " batch"]) -> bool:
    """Whether reading each different prompt once saves more than a second pass costs.

    Models whose memory is no keys and values, and those that forget their activations, read everything in one pass.

    Args:
        trunk: the model.
        sources: different prompts.
        which: of them each row has.
    """
    if getattr(trunk, "_is_stateful", False) or (torch.is_grad_enabled() and forgets(trunk)):
        return False
    longer = bool(sources.mask[:, 1:].any())  # however wide the padding of other prompts is
    return longer and 2 * len(sources) <= len(which)


def remembered(
    trunk: Any, prompts: Int[Tensor, "prompts longest"], sizes: Int[Tensor, " prompts"]
) -> tuple[Bool[Tensor, "prompts longest"], list[Tensor]]:
    """Which places of a cache of prompts are real, and its keys and values, of each layer in turn.

    Prompts stand at the end of their rows, so that what follows is right behind them, also where a layer looks a few
    places back only; positions count from the first real token.

    Args:
        trunk: a causal model without its head.
        prompts: padded behind.
        sizes: tokens of each that count.
    """
    width = prompts.shape[1]
    places = torch.arange(width, device=sizes.device) - (width - sizes)[:, None]  # negative: padding
    real = places >= 0
    found = trunk(
        input_ids=prompts.gather(1, places.clamp(min=0)),
        attention_mask=None if bool(real.all()) else real.long(),
        position_ids=places.clamp(min=0),
        past_key_values=empty_cache(),
        use_cache=True,
    )
    return real, [*parts_of(found.past_key_values)]


def read_behind(
    trunk: Any,
    prompts: Int[Tensor, "prompts longest"],
    sizes: Int[Tensor, " prompts"],
    which: Int[Tensor, " batch"],
    inputs: Float[Tensor, "batch time width"],
) -> Float[Tensor, "batch time width"]:
    """The hidden states after each input, each row behind its prompt, each prompt read once.

    Args:
        trunk: a causal model without its head.
        prompts: different prompts, padded behind.
        sizes: tokens of each that count.
        which: of them stands before each row.
        inputs: embedded tokens that follow, read from position `sizes` on.
    """
    real, parts = remembered(trunk, prompts, sizes)
    count, time = inputs.shape[:2]
    found = trunk(
        inputs_embeds=inputs,
        attention_mask=torch.cat([real[which], real.new_ones(count, time)], 1).long(),
        position_ids=sizes[which, None] + torch.arange(time, device=sizes.device),
        past_key_values=cache_of([part[which] for part in parts], prompts.shape[1]),
        use_cache=True,
    )
    return found.last_hidden_state


def checkpoint_activations(model: Any) -> None:
    """From now on keep only what enters each layer, and compute the rest again when gradient comes by.

    Takes a third more time and far less memory (Chen et al. 2016, arXiv:1604.06174). Layers that write keys and values
    are left alone while they do, for the second time would write them twice. `transformers` can do so as well, but in
    training only, and training turns dropout on.

    Raises:
        BadInput: the model has no layers that are known to allow it.
    """
    from transformers.modeling_layers import GradientCheckpointingLayer

    layers = [part for part in model.modules() if isinstance(part, GradientCheckpointingLayer)]
    if not layers:
        raise BadInput(f"gradient_checkpointing must be false for a {type(model).__name__}, which cannot")
    for layer in layers:
        layer.__class__ = _forgetting(type(layer))  # pyright: ignore[reportAttributeAccessIssue]


class Forgetful:
    """In front of a layer's class: what its gradient needs is computed again."""

    def forward(self, *given: Any, **named: Any) -> Any:
        """What the layer gives."""
        own = super().forward  # pyright: ignore[reportAttributeAccessIssue]
        if not torch.is_grad_enabled() or named.get("past_key_values") is not None:
            return own(*given, **named)
        return checkpoint(own, *given, use_reentrant=False, **named)


@cache
def _forgetting(kind: type[nn.Module]) -> type[nn.Module]:
    """A class of the same name, by which models are split and sharded."""
    return type(kind.__name__, (Forgetful, kind), {"__module__": kind.__module__})


def forgets(trunk: nn.Module) -> bool:
    """Whether a model forgets its activations."""
    return any(isinstance(part, Forgetful) for part in trunk.modules())
