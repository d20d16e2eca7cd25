"""The relational-memory generator of the RelGAN paper.

What a token adds to the attention and to the gates depends on its embedding alone, and through two linear
maps in a row: their product is a narrow matrix (embedding × …), so all tokens of a batch are read in one
small product before the first step. Of the attending rows [M; x] only those of M are kept, so the query and
the MLP of the row x are never computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.generators.base import Generator, State, look_up


@dataclass(frozen=True, kw_only=True)
class RelationalMemory:
    """Settings of a relational-memory generator; the defaults are those of the RelGAN paper.

    Attributes:
        embedding: width of a token's embedding.
        slots: rows of the memory.
        heads: attention heads.
        head_size: width of a head's query, key and value; a row of the memory has heads · head_size numbers.
        mlp_layers: layers of the MLP after the attention, each as wide as the memory.
        forget_bias: added to the forget gate; the larger, the longer the memory holds at first.
        input_bias: added to the input gate.
    """

    paper: ClassVar[str] = "Santoro et al. 2018"

    embedding: int = 32
    slots: int = 1
    heads: int = 2
    head_size: int = 256
    mlp_layers: int = 2
    forget_bias: float = 1.0
    input_bias: float = 0.0

    def __post_init__(self) -> None:
        for name in ("embedding", "slots", "heads", "head_size", "mlp_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"RelationalMemory.{name} must be at least 1, got {getattr(self, name)}")
        if self.slots > self.heads * self.head_size:
            raise ValueError(
                f"RelationalMemory.slots must be at most heads · head_size = {self.heads * self.head_size}, "
                f"got {self.slots}"
            )

    def build(self, vocabulary_size: int, start: int, end: int | None, random: torch.Generator) -> Generator:
        """A generator with freshly drawn parameters."""
        return Memory(vocabulary_size, start, end, self, random)


class Memory(Generator):
    """Rows of memory that attend to each other and to the token just read.

        Q = M W_q,  K = [M; x] W_k,  V = [M; x] W_v,  (Q, K, V) layer-normalised together, row by row
        M̃ = softmax(s Q Kᵀ) V for each head, with s = 1/√(3 head_size)
        M′ = LN(M + M̃),  M″ = LN(M′ + MLP(M′))
        (i, f) = x U + tanh(M) R,  M ← σ(i + b_i) ⊙ tanh(M″) + σ(f + b_f) ⊙ M,  o = W_o M + b_o

    M starts as the first rows of the identity. Every weight starts from a normal distribution cut at two
    deviations, with deviation 1/√(inputs); every bias at 0. (RelGAN Eq. 3 and 4, and the authors' code.)

    Args:
        vocabulary_size: number of ids.
        start: id of the start token.
        end: id of the end token, or None.
        settings: sizes and gate biases.
        random: where the parameters come from.
        beside: numbers that are read beside every token, such as its category.
    """

    def __init__(
        self,
        vocabulary_size: int,
        start: int,
        end: int | None,
        settings: RelationalMemory,
        random: torch.Generator,
        beside: int = 0,
    ) -> None:
        super().__init__(vocabulary_size, start, end)
        self.settings = settings
        self.width = settings.heads * settings.head_size
        self.embedding = nn.Embedding(vocabulary_size, settings.embedding)
        self.reader = nn.Linear(settings.embedding + beside, self.width)
        self.attention = nn.Linear(self.width, 3 * self.width, bias=False)
        self.attention_norm = nn.LayerNorm(3 * self.width)
        self.attended_norm = nn.LayerNorm(self.width)
        self.mlp = nn.ModuleList(nn.Linear(self.width, self.width) for _ in range(settings.mlp_layers))
        self.mlp_norm = nn.LayerNorm(self.width)
        self.input_gates = nn.Linear(self.width, 2 * self.width, bias=False)
        self.memory_gates = nn.Linear(self.width, 2 * self.width, bias=False)
        self.output = nn.Linear(settings.slots * self.width, vocabulary_size)
        with torch.no_grad():
            draw_truncated(self.embedding.weight, vocabulary_size, random)  # a one-hot row times the table
            for layer in self.modules():
                if isinstance(layer, nn.Linear):
                    draw_truncated(layer.weight, layer.in_features, random)
                    if layer.bias is not None:
                        layer.bias.zero_()

    def start_state(self, count: int) -> State:
        """The first rows of the identity: one (batch, slots, width) tensor."""
        weight = self.output.weight
        rows = torch.eye(self.settings.slots, self.width, dtype=weight.dtype, device=weight.device)
        return (rows.expand(count, -1, -1).clone(),)

    def hidden(
        self, tokens: Int[Tensor, "batch time"], beside: Float[Tensor, "batch beside"] | None = None
    ) -> Float[Tensor, "batch time width"]:
        """The memory after each input; all inputs are read before the first step."""
        keys, values, gates = self.read(self.inputs(tokens).t(), beside)  # time first: each step is one block
        (memory,) = self.start_state(tokens.shape[0])
        memories = []
        for parts in zip(keys.unbind(), values.unbind(), gates.unbind(), strict=True):
            memory = self.step(memory, *parts)
            memories.append(memory.flatten(1))
        return torch.stack(memories, 1)

    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """One step of the memory; what is read beside tokens is the second part of the state."""
        memory = self.step(state[0], *self.read(tokens, *state[1:]))
        return memory.flatten(1), (memory, *state[1:])

    def read(
        self, tokens: Tensor, beside: Float[Tensor, "batch beside"] | None = None
    ) -> tuple[Float[Tensor, "*axes width"], Float[Tensor, "*axes width"], Float[Tensor, "*axes gates"]]:
        """What tokens (ids, or weights over the vocabulary) bring: keys, values, and shares of the gates."""
        onward = torch.cat([self.attention.weight, self.input_gates.weight])  # (5 width, width)
        embedded = look_up(self.embedding.weight, tokens)
        if beside is not None:
            embedded = torch.cat([embedded, beside.expand(*embedded.shape[:-1], -1)], -1)
        mixed = nn.functional.linear(embedded, onward @ self.reader.weight, onward @ self.reader.bias)
        attention, gates = mixed.split([3 * self.width, 2 * self.width], -1)
        _, keys, values = self.heads(self.attention_norm(attention))
        return keys.flatten(-2), values.flatten(-2), gates

    def heads(self, mixed: Float[Tensor, "*axes mixed"]) -> tuple[Tensor, ...]:
        """Query, key and value of each head: (…, heads, head_size) each."""
        size = self.settings.head_size
        return mixed.unflatten(-1, (self.settings.heads, 3 * size)).split(size, -1)

    def attend(
        self,
        memory: Float[Tensor, "batch slots width"],
        keys: Float[Tensor, "batch width"],
        values: Float[Tensor, "batch width"],
    ) -> Float[Tensor, "batch slots width"]:
        """M̃: each row of the memory looks at all rows and at the token (its `keys` and `values`)."""
        query, key, value = self.heads(self.attention_norm(self.attention(memory)))  # (batch, slots, heads, size)
        shape = query.shape[2:]
        key = torch.cat([key, keys.unflatten(1, shape)[:, None]], 1)
        value = torch.cat([value, values.unflatten(1, shape)[:, None]], 1)
        found = nn.functional.scaled_dot_product_attention(
            query.transpose(1, 2),
            key.transpose(1, 2),
            value.transpose(1, 2),
            scale=(3 * self.settings.head_size) ** -0.5,
        )
        return found.transpose(1, 2).flatten(2)

    def step(
        self,
        memory: Float[Tensor, "batch slots width"],
        keys: Float[Tensor, "batch width"],
        values: Float[Tensor, "batch width"],
        gates: Float[Tensor, "batch gates"],
    ) -> Float[Tensor, "batch slots width"]:
        """The memory after one token, given as what `read` made of it."""
        attended = self.attended_norm(memory + self.attend(memory, keys, values))
        thought = attended
        for layer in self.mlp[:-1]:
            thought = layer(thought).relu()
        candidate = self.mlp_norm(attended + self.mlp[-1](thought).relu()).tanh()
        write, keep = (gates[:, None] + self.memory_gates(memory.tanh())).chunk(2, -1)
        write = (write + self.settings.input_bias).sigmoid()
        keep = (keep + self.settings.forget_bias).sigmoid()
        return torch.addcmul(write * candidate, keep, memory)


def draw_truncated(weight: Tensor, inputs: int, random: torch.Generator) -> None:
    """Fill in place from N(0, 1/inputs), cut at two deviations."""
    deviation = inputs**-0.5
    nn.init.trunc_normal_(weight, std=deviation, a=-2 * deviation, b=2 * deviation, generator=random)
