"""The two halves of LeakGAN's generator: a manager that sets goals and a worker that pursues them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seqgans.generators.base import look_up
from seqgans.generators.recurrent import lstm_step


class Manager(nn.Module):
    """ĝ_t = W_g h_t + b with h_t = LSTM(f_t, h_{t−1}),  g_t = ĝ_t / ‖ĝ_t‖.

    Args:
        features: how many features the discriminator leaks; goals are directions among them.
        units: size of h_t.
        constant: leave h_t out, so that the goal is always the same.
    """

    def __init__(self, features: int, units: int, constant: bool) -> None:
        super().__init__()
        self.constant = constant
        self.cell = nn.LSTM(features, units, batch_first=True)
        self.goal = nn.Linear(units, features)

    def forward(self, features: Float[Tensor, "batch time width"]) -> Float[Tensor, "batch time width"]:
        """The goals set after each prefix, of length 1."""
        return self.direction(self.cell(features)[0])

    def advance(
        self, features: Float[Tensor, "batch width"], hidden: Float[Tensor, "batch hidden"], memory: Tensor
    ) -> tuple[Float[Tensor, "batch width"], Tensor, Tensor]:
        """The goal set after one more prefix, and the new state of the LSTM."""
        hidden, memory = one_step(self.cell, features, hidden, memory)
        return self.direction(hidden), hidden, memory

    def direction(self, hidden: Float[Tensor, "*axes hidden"]) -> Float[Tensor, "*axes width"]:
        """g_t from h_t; the constant goal is W_g · 0 + b."""
        return nn.functional.normalize(self.goal(hidden * 0.0 if self.constant else hidden), dim=-1)


class Worker(nn.Module):
    """h_t = LSTM(e(y_{t−1}), h_{t−1}), and the aim w_t = W_ψ Σ of c goals; `output` is O.

    Args:
        vocabulary_size: number of ids.
        embedding: width of a token's embedding.
        units: size of h_t.
        aim: k, size of w_t.
        horizon: c, how many goals an aim is made of.
        block: take the goals of the last finished block of c tokens instead of the last c goals.
        normalise: scale aims to length 1.
    """

    goals: nn.Linear
    first_goal: nn.Parameter

    def __init__(
        self, vocabulary_size: int, embedding: int, units: int, *, aim: int, horizon: int, block: bool, normalise: bool
    ) -> None:
        super().__init__()
        self.horizon, self.block, self.normalise = horizon, block, normalise
        self.embedding = nn.Embedding(vocabulary_size, embedding)
        self.cell = nn.LSTM(embedding, units, batch_first=True)
        self.output = nn.Linear(aim * (units + 1), vocabulary_size)
        del self.output.bias  # O_t · w_t has none besides that of O_t, which is the product with the 1 in [h_t, 1]
        self.output.register_buffer("bias", torch.zeros(vocabulary_size), persistent=False)

    def meet(self, features: int) -> None:
        """Make the parts that depend on how many features the discriminator leaks."""
        self.goals = nn.Linear(features, self.output.in_features // (self.cell.hidden_size + 1), bias=False)
        self.first_goal = nn.Parameter(torch.empty(features))

    def advance(self, tokens: Tensor, hidden: Tensor, memory: Tensor) -> list[Tensor]:
        """The state of the LSTM after one more token."""
        return one_step(self.cell, look_up(self.embedding.weight, tokens), hidden, memory)

    def embedded_goals(self, goals: Float[Tensor, "batch time width"]) -> Float[Tensor, "batch goals aim"]:
        """W_ψ g of c first goals and then of the given ones."""
        return torch.cat([self.embedded_first_goals(len(goals)), self.goals(goals)], 1)

    def embedded_first_goals(self, count: int) -> Float[Tensor, "batch goals aim"]:
        """W_ψ g of the c goals of before the first token, which are all the same learned direction."""
        first = self.goals(nn.functional.normalize(self.first_goal, dim=0))
        return first.expand(count, self.horizon, -1)

    def aims(self, embedded_goals: Float[Tensor, "batch goals aim"], times: range) -> Float[Tensor, "batch time aim"]:
        """w_t for each of `times`, from the embedded goals up to the last of them."""
        firsts = [time - time % self.horizon if self.block else time for time in times]
        aims = torch.stack([embedded_goals[:, first : first + self.horizon].sum(1) for first in firsts], 1)
        return nn.functional.normalize(aims, dim=2) if self.normalise else aims


def products(hidden: Float[Tensor, "*axes hidden"], aims: Float[Tensor, "*axes aim"]) -> Float[Tensor, "*axes width"]:
    """Every entry of [hidden, 1] times every entry of `aims`, so that a linear layer of it is bilinear in both."""
    extended = nn.functional.pad(hidden, (0, 1), value=1.0)
    return (extended[..., :, None] * aims[..., None, :]).flatten(-2)


def one_step(cell: nn.LSTM, inputs: Tensor, hidden: Tensor, memory: Tensor) -> list[Tensor]:
    """New hidden and cell state of an LSTM of one layer."""
    parts: dict[str, Tensor] = dict(cell.named_parameters())
    recurrent = nn.functional.linear(hidden, parts["weight_hh_l0"], parts["bias_hh_l0"])
    return lstm_step(nn.functional.linear(inputs, parts["weight_ih_l0"], parts["bias_ih_l0"]) + recurrent, memory)
