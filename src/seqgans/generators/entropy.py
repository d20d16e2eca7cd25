"""How undecided a generator is at each token of given sequences, and how far its law there is from another's.

Sums over the whole vocabulary, not estimates from what was drawn: they hold whichever law wrote the sequences.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.generators.base import Generator
from seqgans.generators.decoding import CHUNK_VALUES, PLAIN


@torch.no_grad()
def entropy_and_divergence(
    law: Generator, reference: Generator | None, tokens: Int[Tensor, "batch time"]
) -> tuple[Float[Tensor, "batch time"], Float[Tensor, "batch time"]]:
    """Entropy of the next token, and its divergence from a reference, before each of the given tokens, in nats.

        H_t = −Σ_a π(a | y_<t) log π(a | y_<t),   K_t = Σ_a π(a | y_<t) log (π(a | y_<t) / π_ref(a | y_<t))

    A few rows of logits at a time: no (batch, time, vocabulary) tensor.

    Args:
        law: π; what a minimum of tokens or a stop string forbids has no part in it.
        reference: π_ref, of the same vocabulary, minimum and stop strings; None for none, and divergences of 0.
        tokens: ids.
    """
    laws = [law] if reference is None else [law, reference]
    states = [one.hidden(tokens) for one in laws]
    entropy = torch.zeros(tokens.shape, device=tokens.device)
    divergence, step = torch.zeros_like(entropy), max(1, CHUNK_VALUES // len(law.output.weight))
    for time in range(tokens.shape[1]):
        how = law.decoding_at(time, PLAIN)
        for rows in torch.arange(len(tokens), device=tokens.device).split(step):
            found = []
            for one, hidden in zip(laws, states, strict=True):
                weight, bias = one.output.weight, one.output.bias
                logits = nn.functional.linear(hidden[rows, time].to(weight.dtype), weight, bias)
                found.append(how.shape(logits.float()).log_softmax(1))
            probabilities = found[0].exp()
            entropy[rows, time] = torch.special.entr(probabilities).sum(1)
            apart = torch.where(probabilities > 0, found[0] - found[-1], 0.0)
            divergence[rows, time] = (probabilities * apart).sum(1)
    closed = law.closed(tokens)
    return entropy.masked_fill(closed, 0.0), divergence.masked_fill(closed, 0.0)
