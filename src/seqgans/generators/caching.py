"""Keys and values of a causal model between two tokens: written into spare room instead of joined anew at each."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

ROOM = 32  # places that a full cache grows by


def written(whole: Tensor, new: Tensor, filled: int) -> Tensor:
    """A cache with new places behind those that are filled.

    Where gradient may be wanted nothing is overwritten; elsewhere `whole` is spent.

    Args:
        whole: (batch, heads, room, size), of which `filled` places count.
        new: (batch, heads, places, size).
        filled: places that count.

    Returns:
        The cache; what lies behind the new places is 0 or was never read.
    """
    if torch.is_grad_enabled():
        return torch.cat([whole[:, :, :filled], new], 2)
    end = filled + new.shape[2]
    if end > whole.shape[2]:
        larger = new.new_zeros(*new.shape[:2], end + ROOM, new.shape[3])
        larger[:, :, :filled] = whole[:, :, :filled]
        whole = larger
    whole[:, :, filled:end] = new
    return whole


@cache
def roomy_layer() -> type[Any]:
    """The layer of a cache that does so."""
    from transformers.cache_utils import DynamicLayer

    class Roomy(DynamicLayer):
        """Keys and values of one layer, `filled` places of which count."""

        def __init__(self, keys: Tensor, values: Tensor, filled: int) -> None:
            super().__init__()
            self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
            self.room = keys, values
            self.filled = filled
            self.keys, self.values = keys[:, :, :filled], values[:, :, :filled]

        def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
            """Take new keys and values in; all that count."""
            self.room = written(self.room[0], key_states, self.filled), written(self.room[1], value_states, self.filled)
            self.filled += key_states.shape[2]
            self.keys, self.values = (part[:, :, : self.filled] for part in self.room)
            return self.keys, self.values

    return Roomy


def empty_cache() -> Any:
    """Room for all that is read, also where a model looks back a few tokens only: what it looks at, its mask says."""
    from transformers import DynamicCache

    return DynamicCache()


def cache_of(parts: list[Tensor], filled: int) -> Any:
    """Keys and values of all layers as `transformers` reads them.

    Args:
        parts: keys and values of each layer in turn, with spare room behind.
        filled: places that count.
    """
    from transformers import DynamicCache

    found = DynamicCache()
    layer = roomy_layer()
    found.layers = [layer(keys, values, filled) for keys, values in zip(parts[::2], parts[1::2], strict=True)]
    return found


def parts_of(cached: Any) -> tuple[Tensor, ...]:
    """Keys and values of all layers, (batch, heads, room, size) each."""
    return tuple(part for layer in cached.layers for part in getattr(layer, "room", (layer.keys, layer.values)))
