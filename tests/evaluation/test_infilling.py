"""In-filling perplexity: exact where the law is known, the context counting only where it is read.

Mutants killed: kept tokens that are counted, a mean over sequences for one over blanks, a source that shows the answer.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from seqgans.data.blanks import kept_tokens
from seqgans.evaluation import METRICS, Evidence, measure
from seqgans.evaluation.infilling import infill_perplexity
from seqgans.generators.conditional import around
from seqgans.generators.seq2seq import Seq2Seq
from seqgans.generators.uniform import Uniform
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences


def test_a_uniform_law_hesitates_between_all() -> None:
    uniform = Uniform().build(7, 0, None, generator_for(0))
    real = Sequences.of(torch.randint(7, (50, 8), generator=generator_for(1)))
    found = infill_perplexity(uniform, real)
    assert found.value == pytest.approx(7.0, rel=1e-5)
    assert found.details["blanks"] == 50 * 3


@pytest.mark.parametrize("end", [None, 0])
def test_it_is_the_mean_over_blanks_given_the_rest(end: int | None) -> None:
    generator = Seq2Seq(hidden=5, layers=1).build(6, 0, end, generator_for(2))
    tokens = torch.randint(1, 6, (40, 9), generator=generator_for(3))
    if end is not None:
        lengths = torch.randint(1, 9, (40, 1), generator=generator_for(4))
        tokens = tokens.masked_fill(torch.arange(9) >= lengths, end)
    real = Sequences.of(tokens, end)
    kept = kept_tokens(real, end, Stream(generator_for(0, "evaluation", "blanks")), present=0.5)
    missing = real.mask & ~kept
    log_probs = around(generator, real, kept).log_probs(tokens)[missing]
    found = infill_perplexity(generator, real, end, rows=7)
    assert found.value == pytest.approx(math.exp(-log_probs.mean().item()), rel=1e-4)
    assert found.count == int(missing.any(1).sum())


def test_it_is_a_metric_of_runs() -> None:
    """A law that copies its source knows all but the blanks, and gains nothing from them."""
    generator = Seq2Seq(hidden=4, layers=1).build(5, 0, None, generator_for(5))
    nn.init.zeros_(generator.output.weight)
    nn.init.zeros_(generator.output.bias)
    rows = torch.randint(5, (30, 6), generator=generator_for(6)).tolist()
    found = measure(Evidence(references=rows, generator=generator, length=6), ["infill_perplexity"]).flat()
    assert found["infill_perplexity"].value == pytest.approx(5.0, rel=1e-5)
    assert METRICS["infill_perplexity"].better == "lower"
