"""What a checkpoint need not hold: the frozen base of a pre-trained player, which its own file gives back.

A player that learns by adapters names the tensors of its base (`base`) and where they came from (`origin`). A
checkpoint keeps the rest and a fingerprint of each base, so that another model in the same place is noticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from seqgans.errors import BadInput


def borrowed(players: nn.Module) -> set[str]:
    """Names in the state dict of tensors that never change and come with the model."""
    return {f"{path}.{name}" for path, module in owners(players) for name in module.base}


def owners(players: nn.Module) -> list[tuple[str, Any]]:
    """The modules that have a frozen base, by their path."""
    return [(path, module) for path, module in players.named_modules() if getattr(module, "base", None)]


def fingerprints(players: nn.Module) -> dict[str, dict[str, str]]:
    """Where the base of each player came from, and a digest of its tensors; computed once."""
    found: dict[str, dict[str, str]] = {}
    known: dict[tuple[int, ...], str] = {}  # players that share a base share the work
    for path, module in owners(players):
        parameters = dict(module.named_parameters(remove_duplicate=False))
        tensors = [(name, parameters[name]) for name in sorted(module.base)]
        which = tuple(part.data_ptr() for _, part in tensors)
        if not getattr(module, "base_digest", ""):
            module.base_digest = known.get(which) or digest_of(tensors)
        known[which] = module.base_digest
        found[path] = {"origin": module.origin, "sha256": module.base_digest}
    return found


@torch.no_grad()
def digest_of(tensors: list[tuple[str, nn.Parameter]]) -> str:
    """A fingerprint of named tensors."""
    total = hashlib.sha256()
    for name, part in tensors:
        total.update(name.encode())
        total.update(part.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    return total.hexdigest()


def kept(players: nn.Module, prefix: str = "") -> dict[str, Tensor]:
    """The state dict without what is borrowed."""
    left_out = borrowed(players)
    return {f"{prefix}{name}": part for name, part in players.state_dict().items() if name not in left_out}


def of_players(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those tensors of a checkpoint that are the players', by the names of their state dict."""
    return {name.removeprefix("players/"): part for name, part in tensors.items() if name.startswith("players/")}


def load_players(players: nn.Module, tensors: Mapping[str, Tensor], bases: Mapping[str, Mapping[str, str]]) -> None:
    """Give players what a checkpoint holds; what is borrowed stays as it was loaded.

    Args:
        players: built from the same recipe.
        tensors: by the names of the state dict, without what is borrowed.
        bases: the fingerprints of the checkpoint; empty for one that holds everything.

    Raises:
        BadInput: a base is another model than it was.
        RuntimeError: a name or shape does not fit.
    """
    here = fingerprints(players) if bases else {}
    for path, base in bases.items():
        if here.get(path, {}).get("sha256") != base["sha256"]:
            raise BadInput(
                f"the {path} of this run was made of {base['origin']}, which is another model now; put the old one back"
            )
    missing = borrowed(players) if bases else set()
    whole = {**{name: part for name, part in players.state_dict().items() if name in missing}, **tensors}
    players.load_state_dict(whole)
