"""Behaviour policies draw what their densities say (coldgan.md, check 3), on 3 tokens and 3 steps.

Mutants killed: the weights of a mixture exchanged, a component chosen a token instead of a sequence, densities of
padding, log-probabilities before decoding.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from seqgans.generators.base import Generator
from seqgans.generators.behaviour import Behaviour, decoded_log_probs
from seqgans.generators.decoding import Decoding
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from tests.goodness import pvalue

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))
CODES = torch.tensor([9, 3, 1])
COUNT = 20_000


def network(end: int | None = None) -> Generator:
    return LSTM(embedding=2, hidden=3, deviation=0.8).build(3, 0, end, generator_for(0, "generator"))


def token_laws(law: Generator, decoding: Decoding) -> Tensor:
    """The probability of each token of each of the 27."""
    return decoded_log_probs(law, EVERY, decoding).exp()


def exact(law: Generator, behaviour: Behaviour) -> Tensor:
    """The probability of each of the 27, by definition."""
    cold = token_laws(law, Decoding(temperature=behaviour.temperature))
    nucleus, share = token_laws(law, Decoding(top_p=behaviour.nucleus)), behaviour.cold_share
    if behaviour.kind != "mixture":
        return (cold if behaviour.kind == "cold" else nucleus).prod(1)
    if behaviour.level == "token":
        return (share * cold + (1 - share) * nucleus).prod(1)
    return share * cold.prod(1) + (1 - share) * nucleus.prod(1)


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "cold", "temperature": 0.5},
        {"kind": "cold", "temperature": 1.0},
        {"kind": "nucleus", "nucleus": 0.7},
        {"kind": "nucleus", "nucleus": 1.0},
        {"temperature": 0.5, "nucleus": 0.7, "cold_share": 0.3},
        {"temperature": 0.5, "nucleus": 0.7, "cold_share": 0.3, "level": "token"},
    ],
)
def test_samples_follow_the_density_they_come_with(settings: dict[str, Any]) -> None:
    law, behaviour = network(), Behaviour(**settings)
    found, density = behaviour.draw(law, COUNT, 3, Stream(generator_for(1)))
    expected = exact(law, behaviour)
    assert float(expected.sum()) == pytest.approx(1, abs=1e-5)
    which = found.tokens @ CODES
    torch.testing.assert_close(density, expected[which].log(), rtol=0, atol=1e-4)
    counts, drawn = torch.bincount(which, minlength=27), expected > 1e-4
    assert int(counts[~drawn].sum()) <= COUNT * 27 * 1e-4
    assert pvalue(counts[drawn], expected[drawn]) > 1e-4


def test_padding_has_no_density() -> None:
    """Behind the end token nothing counts, whoever wrote the row."""
    law = network(end=0)
    found, density = Behaviour(temperature=0.5, nucleus=0.7, cold_share=0.5).draw(law, 200, 3, Stream(generator_for(2)))
    short = ~found.mask.all(1)
    assert 20 < int(short.sum()) < 200
    parts = []
    for decoding in (Decoding(temperature=0.5), Decoding(top_p=0.7)):
        parts.append(decoded_log_probs(law, found.tokens, decoding).masked_fill(~found.mask, 0.0).sum(1).exp())
    torch.testing.assert_close(density.exp(), 0.5 * parts[0] + 0.5 * parts[1], rtol=1e-4, atol=1e-6)


def test_cold_without_end_is_greedy() -> None:
    law = network()
    found, _ = Behaviour(kind="cold", temperature=1e-4).draw(law, 8, 3, Stream(generator_for(1)))
    greedy = law.sample(1, 3, random=generator_for(1), decoding=Decoding(temperature=0.0)).tokens
    assert bool((found.tokens == greedy).all())


def test_the_nucleus_is_the_smallest_set_that_reaches_its_mass() -> None:
    law = network()
    plain = decoded_log_probs(law, EVERY, Decoding()).exp()[::9, 0]  # the first token's law
    kept = decoded_log_probs(law, EVERY, Decoding(top_p=0.5)).exp()[::9, 0] > 0
    order = plain.argsort(descending=True)
    size = int((plain[order].cumsum(0) < 0.5).sum()) + 1
    assert kept.tolist() == [token in order[:size].tolist() for token in range(3)]
    assert int((decoded_log_probs(law, EVERY, Decoding(top_p=1e-6)).exp()[::9, 0] > 0).sum()) == 1


def test_a_mixture_of_laws_needs_a_share_of_each() -> None:
    with pytest.raises(ValueError, match="share must be above 0 and at most 1, and below 1 beside another law"):
        Decoding(other=Decoding(top_p=0.5))
