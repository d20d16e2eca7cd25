"""Likelihoods at several temperatures: the network reads sequences once, and logits are computed once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from seqgans.errors import BadInput
from seqgans.evaluation.likelihood import ROWS, Scores, device_of
from seqgans.generators.base import Generator
from seqgans.generators.likelihood import token_log_probs_at
from seqgans.sequences import Sequences


def scores_at(
    generator: Generator, sequences: Sequences, temperatures: Sequence[float], *, rows: int = ROWS
) -> list[Scores]:
    """What `score` says of a generator at each of several temperatures; the network reads the sequences once.

    Args:
        generator: the law.
        sequences: what it is asked about.
        temperatures: each above 0.
        rows: sequences scored at once.
    """
    totals = []
    device = device_of(generator)
    for first in range(0, len(sequences), rows):
        part = sequences[first : first + rows].to(device)
        log_probs = log_probs_at(generator, part.tokens, temperatures).double()  # (temperatures, rows, time)
        totals.append(log_probs.masked_fill(~part.mask, 0.0).sum(2).cpu())
    sizes = sequences.mask.sum(1).cpu().numpy().astype(np.float64)
    return [Scores(numbers, sizes) for numbers in torch.cat(totals, 1).numpy()]


@torch.no_grad()
def log_probs_at(
    generator: Generator, tokens: Int[Tensor, "batch time"], temperatures: Sequence[float]
) -> Float[Tensor, "temperatures batch time"]:
    """Log-probabilities, nats, under the laws that are drawn from at each temperature: log softmax(o_t / τ).

    Args:
        generator: what the logits o_t come from; one with a single hidden state a token reads them once.
        tokens: ids.
        temperatures: τ, each above 0, since at 0 all other tokens have no probability at all.
    """
    wrong = [temperature for temperature in temperatures if not (temperature > 0 and math.isfinite(temperature))]
    if wrong:
        raise BadInput(f"a likelihood needs a finite temperature above 0, got {wrong[0]}: choose 0.1 or more")
    if type(generator).log_probs is not Generator.log_probs:  # a law that no single state explains
        return torch.stack([generator.log_probs(tokens, temperature) for temperature in temperatures])
    hidden = generator.hidden(tokens)
    if generator.stops is None and not generator.minimum:
        asked, output = (hidden.flatten(0, 1), tokens.flatten()), generator.output
        return token_log_probs_at(asked[0], output.weight, output.bias, asked[1], temperatures).unflatten(
            1, tokens.shape
        )
    return torch.stack([generator.log_probs_after(hidden, tokens, temperature) for temperature in temperatures])
