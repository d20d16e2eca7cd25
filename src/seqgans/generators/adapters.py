"""Low-rank adapters of pre-trained models, and one frozen base in memory for all who learn by them."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from seqgans.data.packages import optional_package
from seqgans.generators.loading import drawn_from, trunk_name


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


def copy_without_adapters(trunk: nn.Module) -> nn.Module:
    """A model as it was before it was adapted, around the very same frozen tensors: nothing large is copied."""
    frozen = {id(part): part for part in trunk.parameters() if not part.requires_grad}
    found = copy.deepcopy(trunk, frozen)
    for name, part in list(found.named_modules()):
        if hasattr(part, "lora_A") and hasattr(part, "base_layer"):
            above, _, last = name.rpartition(".")
            setattr(found.get_submodule(above), last, part.base_layer)
    for hook in ("peft_config", "_hf_peft_config_loaded"):
        found.__dict__.pop(hook, None)
    return found


def frozen_names(module: nn.Module) -> frozenset[str]:
    """Parameters that do not learn: with adapters the whole base, which its file gives back."""
    named = module.named_parameters(remove_duplicate=False)
    return frozenset(name for name, parameter in named if not parameter.requires_grad)


def share_base(generator: Any, other: nn.Module) -> None:
    """Let another player of the same origin use the generator's frozen tensors instead of equal ones of its own.

    Args:
        generator: a pre-trained one, whose tensors stay.
        other: a player whose frozen tensors have names that end as those of the generator's trunk.
    """
    if not generator.origin or getattr(other, "origin", None) != generator.origin:
        return
    inside = f"model.{trunk_name(generator.model)}."
    ours = {name.removeprefix(inside): generator.get_parameter(name) for name in generator.base}
    for name in getattr(other, "base", ()):
        above, _, last = name.rpartition(".")
        same = ours.get(name.removeprefix("trunk."))
        if same is not None and same.equal(other.get_parameter(name)):
            setattr(other.get_submodule(above), last, same)
