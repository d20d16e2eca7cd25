"""An LSTM that reads a source, an LSTM that goes on from there, and attention from the second to the first."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqgans.generators.base import State
from seqgans.generators.recurrent import lstm_step
from seqgans.randomness import Stream, dropout


class EncoderDecoder(nn.Module):
    """What a sequence-to-sequence network is besides embeddings and output.

        e_1 … e_S, h_0 = encoder(x_1 … x_S),   h_t = decoder(h_t−1, y_t)
        a_ts = softmax_s(h_t · e_s),   h̃_t = tanh(W [h_t; Σ_s a_ts e_s] + b)

    All parameters start uniform in ±1/√width. What is fed to it is embedded already, all vectors equally wide.

    Args:
        width: numbers of a state, and of an embedding.
        layers: of each LSTM.
        random: where the parameters come from.

    References:
        Luong, Pham and Manning (2015), arXiv:1508.04025, Eq. 5 and 8 ("dot", global).
    """

    def __init__(self, width: int, layers: int, random: torch.Generator) -> None:
        super().__init__()
        self.encoder = nn.LSTM(width, width, layers, batch_first=True)
        self.decoder = nn.LSTM(width, width, layers, batch_first=True)
        self.combine = nn.Linear(2 * width, width)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(width**-0.5), width**-0.5, generator=random)

    def encode(self, embedded: Float[Tensor, "batch source width"], mask: Bool[Tensor, "batch source"]) -> State:
        """Read a source.

        Args:
            embedded: its tokens.
            mask: True where there is one; what follows is not read.

        Returns:
            Hidden and cell state of all layers side by side, what attention looks at, and where it may look.
        """
        count, width = embedded.shape[0], self.encoder.hidden_size
        if not embedded.shape[1]:
            zeros = embedded.new_zeros(count, self.encoder.num_layers * width)
            return zeros, zeros.clone(), embedded, mask
        if bool(mask.all()):
            memory, (hidden, cell) = self.encoder(embedded)
        else:
            lengths = mask.sum(1).clamp(min=1).cpu()
            packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
            states, (hidden, cell) = self.encoder(packed)
            memory, _ = pad_packed_sequence(states, batch_first=True, total_length=mask.shape[1])
        return hidden.transpose(0, 1).flatten(1), cell.transpose(0, 1).flatten(1), memory, mask

    def decode(self, embedded: Float[Tensor, "batch time width"], state: State) -> Float[Tensor, "batch time width"]:
        """h_1 … h_T: the last layer after each token."""
        layers = (self.decoder.num_layers, self.decoder.hidden_size)
        start = tuple(part.unflatten(1, layers).transpose(0, 1).contiguous() for part in state[:2])
        return self.decoder(embedded, start)[0]

    def step(self, embedded: Float[Tensor, "batch width"], state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """Read one token more: h̃_t and the new state."""
        hidden, cell, memory, mask = state
        width = self.decoder.hidden_size
        news: list[list[Tensor]] = []
        for layer in range(self.decoder.num_layers):
            places = slice(layer * width, (layer + 1) * width)
            gates = self._product("ih", layer, embedded) + self._product("hh", layer, hidden[:, places])
            news.append(lstm_step(gates, cell[:, places]))
            embedded = news[-1][0]
        hidden, cell = (torch.cat(parts, 1) for parts in zip(*news, strict=True))
        return self.attend(embedded[:, None], state)[:, 0], (hidden, cell, memory, mask)

    def attend(self, states: Float[Tensor, "batch time width"], state: State) -> Float[Tensor, "batch time width"]:
        """h̃ of each state; where the source is empty, attention finds 0."""
        memory, mask = state[2], state[3][:, None]  # (batch, source, width), (batch, 1, source)
        scores = states @ memory.transpose(1, 2)  # (batch, time, source)
        weights = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(2) * mask
        return self.combine(torch.cat([states, weights @ memory], 2)).tanh()

    def _product(self, kind: str, layer: int, values: Tensor) -> Tensor:
        weight, bias = (getattr(self.decoder, f"{part}_{kind}_l{layer}") for part in ("weight", "bias"))
        return nn.functional.linear(values, weight, bias)


def one_mask(values: Float[Tensor, "batch time width"], rate: float, random: Stream | None) -> Tensor:
    """Variational dropout: what is dropped of a sequence is dropped at all its positions.

    References:
        Gal and Ghahramani (2016), arXiv:1512.05287.
    """
    if random is None or rate == 0:
        return values
    return values * dropout(torch.ones_like(values[:, :1]), rate, random)
