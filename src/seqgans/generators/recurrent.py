"""LSTM and GRU generators.

The input gates of every word are one table, computed once per call (vocab × gates), so a step is one
look-up and one small product instead of an embedding, two products and two biases.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.generators.base import Generator, State, look_up


@dataclass(frozen=True, kw_only=True)
class RecurrentSettings(ABC):
    """Settings that recurrent generators share.

    Attributes:
        embedding: width of a token's embedding.
        hidden: units of each layer.
        layers: number of layers.
        deviation: every parameter starts from N(0, deviation²).
    """

    cell: ClassVar[str]
    paper: ClassVar[str]

    embedding: int = 32
    hidden: int = 32
    layers: int = 1
    deviation: float = 0.1

    def __post_init__(self) -> None:
        name = type(self).__name__
        for field in ("embedding", "hidden", "layers"):
            if getattr(self, field) < 1:
                raise ValueError(f"{name}.{field} must be at least 1, got {getattr(self, field)}")
        if not self.deviation > 0:
            raise ValueError(f"{name}.deviation must be above 0, got {self.deviation}")

    def build(self, vocabulary_size: int, start: int, end: int | None, random: torch.Generator) -> Generator:
        """A generator with freshly drawn parameters."""
        return Recurrent(self.cell, vocabulary_size, start, end, self, random)


@final
class LSTM(RecurrentSettings):
    """Settings of an LSTM generator; the defaults are those of the SeqGAN paper."""

    cell: ClassVar[str] = "lstm"
    paper: ClassVar[str] = "Hochreiter and Schmidhuber 1997"


@final
class GRU(RecurrentSettings):
    """Settings of a GRU generator."""

    cell: ClassVar[str] = "gru"
    paper: ClassVar[str] = "Cho et al. 2014"


class Recurrent(Generator):
    """h_t = cell(h_{t−1}, e(y_{t−1})),  G(y_t | y_<t) = softmax(W h_t + b)  (SeqGAN Eq. 9 and 10).

    Args:
        cell: "lstm" or "gru".
        vocabulary_size: number of ids.
        start: id of the start token.
        end: id of the end token, or None.
        settings: sizes and initial deviation.
        random: where the parameters come from.
    """

    def __init__(
        self,
        cell: str,
        vocabulary_size: int,
        start: int,
        end: int | None,
        settings: RecurrentSettings,
        random: torch.Generator,
    ) -> None:
        super().__init__(vocabulary_size, start, end)
        kind = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.embedding = nn.Embedding(vocabulary_size, settings.embedding)
        self.cell = kind(settings.embedding, settings.hidden, settings.layers, batch_first=True)
        self.output = nn.Linear(settings.hidden, vocabulary_size)
        self.is_lstm = cell == "lstm"
        self._table: tuple[object, Tensor] | None = None
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.normal_(0.0, settings.deviation, generator=random)
            if self.is_lstm:  # two biases are added in every gate: let one speak for both
                for layer in range(settings.layers):
                    getattr(self.cell, f"bias_hh_l{layer}").zero_()

    def start_state(self, count: int) -> State:
        """Zero states, one (batch, layers · hidden) tensor, two for the LSTM."""
        self._table = None  # fused optimisers change parameters without telling
        zeros = self.output.weight.new_zeros(count, self.cell.num_layers * self.cell.hidden_size)
        return (zeros, zeros.clone()) if self.is_lstm else (zeros,)

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """All hidden states of the last layer, read in one pass."""
        return self.cell(self.embedding(self.inputs(tokens)))[0]

    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """One step of every layer."""
        size = self.cell.hidden_size
        gates = self.first_gates(tokens)  # (batch, gates · hidden)
        news: list[list[Tensor]] = []
        for layer in range(self.cell.num_layers):
            own = tuple(part[:, layer * size : (layer + 1) * size] for part in state)
            if layer:
                gates = nn.functional.linear(
                    news[-1][0], self._parameter("weight_ih", layer), self._parameter("bias_ih", layer)
                )
            recurrent = nn.functional.linear(
                own[0], self._parameter("weight_hh", layer), self._parameter("bias_hh", layer)
            )
            news.append(lstm_step(gates + recurrent, own[1]) if self.is_lstm else gru_step(gates, recurrent, own[0]))
        if len(news) == 1:
            return news[0][0], tuple(news[0])
        return news[-1][0], tuple(torch.cat(parts, 1) for parts in zip(*news, strict=True))

    def first_gates(self, tokens: Tensor) -> Float[Tensor, "batch gates"]:
        """What the tokens add to the first layer's gates.

        Without gradient they are looked up in a table of all words, kept until a parameter changes or new
        sequences begin.
        """
        sources = (self.embedding.weight, self._parameter("weight_ih", 0), self._parameter("bias_ih", 0))
        if torch.is_grad_enabled():
            return nn.functional.linear(look_up(sources[0], tokens), sources[1], sources[2])
        key = tuple((part.data_ptr(), part._version) for part in sources)
        if self._table is None or self._table[0] != key:
            with torch.autocast(tokens.device.type, enabled=False):
                table = torch.addmm(sources[2], sources[0], sources[1].t())  # (vocab, gates · hidden)
            self._table = key, table
        return look_up(self._table[1], tokens)

    def _parameter(self, name: str, layer: int) -> Tensor:
        return getattr(self.cell, f"{name}_l{layer}")


def lstm_step(gates: Float[Tensor, "batch gates"], cell: Float[Tensor, "batch hidden"]) -> list[Tensor]:
    """New hidden and cell state from the summed gates (input, forget, candidate, output)."""
    inward, forget, candidate, outward = gates.chunk(4, 1)
    cell = torch.addcmul(forget.sigmoid() * cell, inward.sigmoid(), candidate.tanh())
    return [outward.sigmoid() * cell.tanh(), cell]


def gru_step(
    gates: Float[Tensor, "batch gates"],
    recurrent: Float[Tensor, "batch gates"],
    hidden: Float[Tensor, "batch hidden"],
) -> list[Tensor]:
    """New hidden state from the two halves of the gates (reset, update, candidate)."""
    reset_in, update_in, candidate_in = gates.chunk(3, 1)
    reset_re, update_re, candidate_re = recurrent.chunk(3, 1)
    update = (update_in + update_re).sigmoid()
    candidate = (candidate_in + (reset_in + reset_re).sigmoid() * candidate_re).tanh()
    return [torch.lerp(candidate.to(hidden.dtype), hidden, update.to(hidden.dtype))]
