"""A small causal transformer with rotary positions and a cache of keys and values.

Positions are relative, so no length has to be known beforehand. Each row of a state has its own position:
roll-outs that continue prefixes of different lengths advance together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from seqgans.generators.base import Generator, State, look_up

BLOCK = 32  # tokens by which the cache grows


@dataclass(frozen=True, kw_only=True)
class Transformer:
    """Settings of a transformer generator.

    Attributes:
        layers: number of layers.
        width: numbers that stand for a token between layers.
        heads: attention heads; each gets width / heads numbers, which must be even.
        feed_forward: units of the hidden layer after each attention.
        deviation: every matrix starts from N(0, deviation²).
    """

    paper: ClassVar[str] = "Vaswani et al. 2017"

    layers: int = 2
    width: int = 64
    heads: int = 4
    feed_forward: int = 256
    deviation: float = 0.05

    def __post_init__(self) -> None:
        for name in ("layers", "width", "heads", "feed_forward"):
            if getattr(self, name) < 1:
                raise ValueError(f"Transformer.{name} must be at least 1, got {getattr(self, name)}")
        if self.width % (2 * self.heads):
            raise ValueError(f"Transformer.width must be a multiple of 2 · heads = {2 * self.heads}, got {self.width}")
        if not self.deviation > 0:
            raise ValueError(f"Transformer.deviation must be above 0, got {self.deviation}")

    def build(self, vocabulary_size: int, start: int, end: int | None, random: torch.Generator) -> Generator:
        """A generator with freshly drawn parameters."""
        return Causal(vocabulary_size, start, end, self, random)


class Layer(nn.Module):
    """x ← x + W_o attention(LN(x)),  x ← x + W_2 gelu(W_1 LN(x)): the pre-normalised transformer layer."""

    def __init__(self, settings: Transformer) -> None:
        super().__init__()
        self.heads = settings.heads
        self.attention_norm = nn.LayerNorm(settings.width)
        self.attention = nn.Linear(settings.width, 3 * settings.width, bias=False)
        self.mixer = nn.Linear(settings.width, settings.width, bias=False)
        self.feed_norm = nn.LayerNorm(settings.width)
        self.widen = nn.Linear(settings.width, settings.feed_forward)
        self.narrow = nn.Linear(settings.feed_forward, settings.width)

    def read(
        self, values: Float[Tensor, "batch time width"], positions: Int[Tensor, "rows time"]
    ) -> tuple[Float[Tensor, "batch time heads size"], Float[Tensor, "batch time two heads size"]]:
        """Queries, and keys with values; queries and keys are rotated by their positions."""
        mixed = self.attention(self.attention_norm(values)).unflatten(2, (3, self.heads, -1))
        query, key, value = mixed.unbind(2)  # (batch, time, heads, size) each
        return rotate(query, positions), torch.stack([rotate(key, positions), value], 2)

    def attend(
        self,
        values: Float[Tensor, "batch time width"],
        query: Float[Tensor, "batch time heads size"],
        memory: Float[Tensor, "batch room two heads size"],
        seen: Bool[Tensor, "batch 1 1 room"] | None,
    ) -> Float[Tensor, "batch time width"]:
        """The layer's output; `seen` says what a row may look at, None means everything up to itself."""
        key, value = memory.unbind(2)
        found = scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attn_mask=seen, is_causal=seen is None
        )
        values = values + self.mixer(found.transpose(1, 2).flatten(2))
        return values + self.narrow(nn.functional.gelu(self.widen(self.feed_norm(values))))


class Causal(Generator):
    """h_t from the embeddings of the start token and y_1 … y_{t−1}; logits W LN(h_t) + b.

    A state holds the position of each row, (batch,), and for each layer the rotated keys and the values read so
    far, (batch, room, 2, heads, size); only the first `position` places of the room are filled.

    Args:
        vocabulary_size: number of ids.
        start: id of the start token.
        end: id of the end token, or None.
        settings: sizes and initial deviation.
        random: where the parameters come from.
    """

    def __init__(
        self, vocabulary_size: int, start: int, end: int | None, settings: Transformer, random: torch.Generator
    ) -> None:
        super().__init__(vocabulary_size, start, end)
        self.settings = settings
        self.embedding = nn.Embedding(vocabulary_size, settings.width)
        self.layers = nn.ModuleList(Layer(settings) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(settings.width)
        self.output = nn.Linear(settings.width, vocabulary_size)
        with torch.no_grad():
            for part in self.modules():
                if isinstance(part, nn.Linear | nn.Embedding):
                    part.weight.normal_(0.0, settings.deviation, generator=random)
                if isinstance(part, nn.Linear) and part.bias is not None:
                    part.bias.zero_()

    def start_state(self, count: int) -> State:
        """Position 0 and an empty cache with room for one block."""
        weight, heads = self.output.weight, self.settings.heads
        shape = (count, BLOCK, 2, heads, self.settings.width // heads)
        position = torch.zeros(count, dtype=torch.long, device=weight.device)
        return (position, *(weight.new_zeros(shape) for _ in self.layers))

    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """One token a row, each at the position of its row."""
        position, caches = state[0], state[1:]
        longest = int(position.max()) + 1 if len(position) else 1
        rows = torch.arange(len(position), device=position.device)
        seen = torch.arange(longest, device=position.device) <= position[:, None]  # (batch, room)
        values = look_up(self.embedding.weight, tokens)[:, None]  # (batch, 1, width)
        grown = []
        for layer, cache in zip(self.blocks(), caches, strict=True):
            query, fresh = layer.read(values, position[:, None])
            if longest > cache.shape[1]:
                cache = torch.cat([cache, cache.new_zeros(cache.shape[0], BLOCK, *cache.shape[2:])], 1)
            if torch.is_grad_enabled():  # what an earlier step looked at must stay as it was
                cache = cache.index_put((rows, position), fresh[:, 0].to(cache.dtype))
            else:
                cache[rows, position] = fresh[:, 0].to(cache.dtype)
            values = layer.attend(values, query, cache[:, :longest], seen[:, None, None])
            grown.append(cache)
        return self.norm(values[:, 0]), (position + 1, *grown)

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """All hidden states in one pass; each looks at what stands before it."""
        positions = torch.arange(tokens.shape[1], device=tokens.device)[None]
        values = self.embedding(self.inputs(tokens))  # (batch, time, width)
        for layer in self.blocks():
            query, memory = layer.read(values, positions)
            values = layer.attend(values, query, memory, None)
        return self.norm(values)

    def blocks(self) -> list[Layer]:
        """The layers, from the embeddings up."""
        return [layer for layer in self.layers if isinstance(layer, Layer)]


def rotate(
    values: Float[Tensor, "batch time heads size"], positions: Int[Tensor, "rows time"]
) -> Float[Tensor, "batch time heads size"]:
    """Turn each pair of numbers by an angle that grows with the position (rotary embedding).

        (x_j, x_{j+s/2}) ↦ rotation by p · 10000^(−2j/s), so that products of two rows depend on p − p′ only

    References:
        Su et al. (2021), arXiv:2104.09864.
    """
    half = values.shape[-1] // 2
    speeds = 10000.0 ** (-torch.arange(half, device=values.device) / half)
    angles = positions[:, :, None, None] * speeds  # (rows, time, 1, half)
    cosine, sine = angles.cos().to(values.dtype), angles.sin().to(values.dtype)
    first, second = values[..., :half], values[..., half:]
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], -1)
