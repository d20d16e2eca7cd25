"""A small LSTM language model over ids, trained by maximum likelihood until held-out sequences get less likely.

References: Caccia et al. (2020), arXiv:1811.02549, whose models are larger (two layers of 512 units with dropout).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.errors import BadInput
from seqgans.evaluation.closed import PADDING, UNKNOWN, batches, encoded
from seqgans.evaluation.likelihood import Scores
from seqgans.generators.likelihood import token_log_probs
from seqgans.generators.recurrent import LSTM, Recurrent
from seqgans.randomness import generator_for

EMBEDDING, HIDDEN = 64, 64
BATCH, READ = 64, 500  # sequences learnt from and read at once
RATE, HALVINGS, EPOCHS = 8e-3, 2, 8
EVEN = 0.01  # share of every probability that is uniform, since a network says nothing about what it never saw
VALID = 10  # every tenth sequence stops the training
LONGEST = 256  # tokens that are read of a sequence


@dataclass(frozen=True)
class LstmLanguage:
    """An LSTM that has read a text, and a little of the uniform law: P = 0.99 P_LSTM + 0.01 / K.

    Attributes:
        vocabulary: the ids it knows, sorted; all others are one unknown word.
        rare: how many other ids the unknown word stands for, which share its probability evenly with all that is new.
        network: the LSTM, over K symbols: one for padding and the start, the unknown word and the vocabulary.
        epochs: passes over the text after which it was best.
    """

    vocabulary: np.ndarray
    rare: int
    network: Recurrent
    epochs: int

    @classmethod
    def learn(
        cls, rows: Sequence[Sequence[int]], vocabulary: np.ndarray, *, rare: int = 0, seed: int = 0
    ) -> LstmLanguage:
        """The model of a text, by Adam. Each time the held-out tenth gets less likely it goes back and halves the rate.

        Args:
            rows: lists of ids; those without a token are left out.
            vocabulary: the ids that are words of their own.
            rare: how many other ids there are.
            seed: of the parameters and of the order of sequences.

        Raises:
            BadInput: fewer than two sequences have a token.
        """
        known = np.unique(np.asarray(vocabulary, np.int64))
        coded = [row for row in encoded(rows, known, LONGEST) if row]
        if len(coded) < 2:
            raise BadInput(f"a neural language model needs at least two sequences with a token, got {len(coded)}")
        random = generator_for(seed, "evaluation", "language")
        sizes = LSTM(embedding=EMBEDDING, hidden=HIDDEN, deviation=0.08)
        network = Recurrent("lstm", len(known) + UNKNOWN + 1, PADDING, None, sizes, random)
        valid = coded[VALID - 1 :: VALID] or coded[-1:]
        train = [row for place, row in enumerate(coded) if place % VALID != VALID - 1]
        optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
        best, kept, epochs, worse = float("inf"), copy.deepcopy(network.state_dict()), 0, 0
        for epoch in range(1, EPOCHS + 1):
            for _, tokens, mask in batches(train, BATCH, random):
                optimizer.zero_grad(set_to_none=True)
                (-taken(network, tokens, mask).mean()).backward()
                nn.utils.clip_grad_norm_(network.parameters(), 5.0)
                optimizer.step()
            now = valid_nll(network, valid)
            if now < best:
                best, kept, epochs = now, copy.deepcopy(network.state_dict()), epoch
                continue
            network.load_state_dict(kept)
            worse += 1
            if worse > HALVINGS:
                break
            for group in optimizer.param_groups:
                group["lr"] /= 2
        network.load_state_dict(kept)
        return cls(known, rare, network.requires_grad_(False), epochs)

    def score(self, rows: Sequence[Sequence[int]]) -> Scores:
        """How likely each of many sequences is, nats; its end is not scored."""
        coded = encoded(rows, self.vocabulary, LONGEST)
        totals = np.zeros(len(rows))
        for places, tokens, mask in batches(coded, READ):
            each = torch.zeros(mask.shape, dtype=torch.float64)
            whole = math.log1p(-EVEN) + taken(self.network, tokens, mask).double()
            even = torch.full_like(whole, math.log(EVEN / self.network.vocabulary_size))
            each[mask] = torch.logaddexp(whole, even) - math.log(self.rare + 1) * (tokens[mask] == UNKNOWN)
            totals[places] = each.sum(1).numpy()
        return Scores(totals, np.array([len(row) for row in coded], np.float64))

    def states(self, rows: Sequence[Sequence[int]]) -> Float[np.ndarray, "rows width"]:
        """Mean of the hidden states after each token of a sequence; 0 where it has none."""
        found = np.zeros((len(rows), HIDDEN))
        for places, tokens, mask in batches(encoded(rows, self.vocabulary, LONGEST), READ):
            after = self.network.hidden(nn.functional.pad(tokens, (0, 1)))[:, 1:]
            found[places] = ((after * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)).double().numpy()
        return found


def taken(network: Recurrent, tokens: Int[Tensor, "rows time"], mask: Tensor) -> Float[Tensor, " tokens"]:
    """Log-probability of every real token, row by row, nats."""
    hidden = network.hidden(tokens)[mask]
    return token_log_probs(hidden, network.output.weight, network.output.bias, tokens[mask])


@torch.no_grad()
def valid_nll(network: Recurrent, rows: Sequence[Sequence[int]]) -> float:
    """Negative log-likelihood per token."""
    total, count = 0.0, 0
    for _, tokens, mask in batches(rows, READ):
        total -= float(taken(network, tokens, mask).double().sum())
        count += int(mask.sum())
    return total / count
