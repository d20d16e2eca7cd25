"""An LSTM discriminator that knows where in the sequence it is and judges every prefix (ScratchGAN)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.discriminators.base import Discriminator, embed
from seqgans.discriminators.recurrent import last_real
from seqgans.generators.recurrent import lstm_step
from seqgans.randomness import Stream, dropout

DEVIATION = 0.3836  # of the embeddings at the start: that of GloVe's, as in the authors' code


@dataclass(frozen=True, kw_only=True)
class PositionalLSTM:
    """Settings of the discriminator of ScratchGAN; the defaults are the published ones.

    Attributes:
        embedding: width of a token's embedding.
        positions: cosines of the position that are read beside it.
        hidden: units of the layer.
        dropout: probability of dropping a number of the embeddings while it learns.
        decay: weight decay of all parameters, added to the loss as decay / 2 · ‖φ‖².
    """

    paper: ClassVar[str] = "de Masson d'Autume et al. 2019"

    embedding: int = 64
    positions: int = 8
    hidden: int = 512
    dropout: float = 0.1
    decay: float = 1e-6

    def __post_init__(self) -> None:
        for field in ("embedding", "positions", "hidden"):
            if getattr(self, field) < 1:
                raise ValueError(f"PositionalLSTM.{field} must be at least 1, got {getattr(self, field)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"PositionalLSTM.dropout must be at least 0 and below 1, got {self.dropout}")
        if not (math.isfinite(self.decay) and self.decay >= 0):
            raise ValueError(f"PositionalLSTM.decay must be a finite number of at least 0, got {self.decay}")

    def build(self, vocabulary_size: int, length: int, random: torch.Generator) -> Positional:
        """A discriminator with freshly drawn parameters, for sequences of at most `length` tokens."""
        return Positional(vocabulary_size, length, self, random)


class Positional(Discriminator):
    """gates_t = norm(W [e(y_t), p_t] + U h_{t−1}),  score_t = w · h_t + b,  D(y_t | y_<t) = σ(score_t).

    The norm runs over all gates of a step and has a gain and an offset, which is the gates' bias. The authors drop
    numbers of the table of embeddings, the same for all sequences, and have a linear layer between [e, p] and W.

    Args:
        vocabulary_size: number of ids.
        length: tokens of the longest sequence.
        settings: sizes, dropout and decay.
        random: where the parameters come from.
    """

    signal: Tensor

    def __init__(self, vocabulary_size: int, length: int, settings: PositionalLSTM, random: torch.Generator) -> None:
        super().__init__(vocabulary_size)
        self.settings = settings
        self.embedding = nn.Parameter(torch.empty(vocabulary_size + 1, settings.embedding))
        self.inward = nn.Linear(settings.embedding + settings.positions, 4 * settings.hidden, bias=False)
        self.recurrent = nn.Linear(settings.hidden, 4 * settings.hidden, bias=False)
        self.norm = nn.LayerNorm(4 * settings.hidden)
        self.output = nn.Linear(settings.hidden, 1)
        self.register_buffer("signal", position_signal(length, settings.positions), persistent=False)
        bound = settings.hidden**-0.5
        with torch.no_grad():
            self.embedding.normal_(0.0, DEVIATION, generator=random)
            for part in (self.inward, self.recurrent, self.output):
                for parameter in part.parameters():
                    parameter.uniform_(-bound, bound, generator=random)
            self.norm.bias[settings.hidden : 2 * settings.hidden] = 1.0  # remember at first

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit at the last real token; a row without any is scored as one padding symbol."""
        return self.step_scores(tokens, mask, random=random).gather(1, last_real(mask)[:, None])[:, 0]

    def step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """One logit after each token; entry t has seen the tokens up to t and no later ones.

        Args:
            tokens: ids (batch, time), or weights over the vocabulary (batch, time, vocab).
            mask: True where a token is real; the rest is read as padding.
            random: where dropout comes from; None for none.
        """
        embedded = dropout(embed(self.embedding, tokens, mask), self.settings.dropout, random)
        count, time = mask.shape
        places = self.signal[:time].expand(count, -1, -1)
        inward = self.inward(torch.cat([embedded, places], 2))  # (batch, time, gates)
        hidden = cell = embedded.new_zeros(count, self.settings.hidden)
        states = []
        for step in inward.unbind(1):
            hidden, cell = lstm_step(self.norm(step + self.recurrent(hidden)), cell)
            states.append(hidden)
        return self.output(torch.stack(states, 1))[:, :, 0]

    def penalty(self) -> Tensor:
        """½ · decay · ‖φ‖²."""
        return 0.5 * self.settings.decay * torch.stack([part.square().sum() for part in self.parameters()]).sum()


def position_signal(length: int, count: int) -> Float[Tensor, "time positions"]:
    """Cosines of the position, from fast to slow, each beginning elsewhere.

        p_tk = cos(π (t / P_k + s_k)),   P_k from 2 to `length` by equal factors,   s_k from 0 to 2 by equal steps

    Args:
        length: positions, from t = 0.
        count: cosines.

    >>> position_signal(3, 1).round().int().flatten()
    tensor([ 1,  0, -1], dtype=torch.int32)
    """
    periods = torch.linspace(math.log(2), math.log(length), count).exp()
    shifts = torch.linspace(0.0, 2.0, count)
    return (math.pi * (torch.arange(length)[:, None] / periods + shifts)).cos()
