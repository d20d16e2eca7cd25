"""In-filling perplexity: how surprising the missing tokens of real sequences are to a generator that sees the rest."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from seqgans.data.blanks import kept_tokens
from seqgans.errors import BadInput
from seqgans.evaluation.base import Evidence, Metric
from seqgans.evaluation.figure import Figure
from seqgans.evaluation.likelihood import ROWS, Scorer, device_of
from seqgans.generators.base import Generator
from seqgans.generators.conditional import around
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences

PRESENT = 0.5  # MaskGAN's share of tokens that are kept


@torch.no_grad()
def infill_perplexity(scorer: Scorer, real: Sequences, end: int | None = None, *, rows: int = ROWS) -> Figure:
    """How many tokens a generator hesitates between where one is missing.

        exp( −Σ log G(x_t | x_<t, m(x)) / number of missing tokens )

    One block of about half of each sequence is missing, always the same one. A generator that reads no source is asked
    for G(x_t | x_<t): what follows the block does not help it.

    Args:
        scorer: the law.
        real: sequences nothing was trained on.
        end: id of the end token, which is never missing.
        rows: sequences scored at once.

    Returns:
        At least 1; the vocabulary's size for a uniform law. The error is that of the mean logarithm, carried over.

    References:
        Fedus, Goodfellow and Dai (2018), arXiv:1801.07736.
    """
    kept = kept_tokens(real, end, Stream(generator_for(0, "evaluation", "blanks")), present=PRESENT)
    missing = real.mask & ~kept
    totals = [np.zeros(0)]
    for first in range(0, len(real), rows):
        part = slice(first, first + rows)
        log_probs = _law(scorer, real[part], kept[part]).masked_fill(~missing[part], 0.0)
        totals.append(log_probs.double().sum(1).numpy())
    blanks = missing.any(1).numpy()
    sizes = missing.sum(1).numpy()[blanks].astype(np.float64)
    nats = Figure.ratio(-np.concatenate(totals)[blanks], sizes, blanks=int(sizes.sum()))
    value = math.exp(min(nats.value, 700.0))  # e^700 is all that fits
    error = None if nats.standard_error is None else value * nats.standard_error
    return Figure(value=value, standard_error=error, count=nats.count, details=nats.details)


def _law(scorer: Scorer, real: Sequences, kept: Tensor) -> Tensor:
    """Log-probability of each token beside what is kept, on the processor."""
    device = device_of(scorer)
    tokens = real.to(device)
    law = around(scorer, tokens, kept.to(device)) if isinstance(scorer, Generator) else scorer
    return law.log_probs(tokens.tokens).cpu()


def of_evidence(evidence: Evidence) -> dict[str, Figure]:
    """The figure on the first `count` real sequences.

    Raises:
        BadInput: they answer sources, so that what a generator reads is no text with blanks.
    """
    if evidence.sources is not None:
        raise BadInput("needs a generator of texts, got one of answers")
    real = evidence.padded(evidence.part("references")[: evidence.count])
    return {METRIC.name: infill_perplexity(evidence.learnt, real, evidence.end, rows=evidence.rows)}


METRIC = Metric(
    name="infill_perplexity",
    description="how surprising a missing block of real tokens is, given its surroundings",
    paper="Fedus et al.",
    year=2018,
    unit="tokens to choose from",
    better="lower",
    needs=frozenset({"references", "generator"}),
    sizes="the first `count` references",
    floor="that of the law of the data, above 1",
    compute=of_evidence,
)
