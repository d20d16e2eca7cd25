"""One prefix of each sequence. Mutants killed: prefixes of no token, whole sequences never, tokens behind the end."""

from __future__ import annotations

import torch
from scipy.stats import chisquare

from seqgans.data.prefixes import broken_off
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences


def test_every_length_is_equally_likely() -> None:
    mask = torch.arange(5) < torch.tensor([[4], [1]]).repeat(3000, 1)  # sequences of four tokens and of one
    whole = Sequences(torch.arange(5).repeat(6000, 1), mask, torch.arange(6000))
    found = broken_off(whole, Stream(generator_for(0)))
    lengths = found.mask.sum(1)
    assert torch.equal(found.mask, torch.arange(5) < lengths[:, None])  # a prefix
    assert torch.equal(found.tokens, whole.tokens)
    assert found.categories is not None
    assert torch.equal(found.categories, torch.arange(6000))
    assert lengths[1::2].unique().tolist() == [1]
    counts = lengths[0::2].bincount(minlength=6).tolist()
    assert counts[0] == counts[5] == 0
    assert chisquare(counts[1:5]).pvalue > 0.001


def test_processes_break_off_what_one_would() -> None:
    whole = Sequences.of(torch.arange(8)[:, None].repeat(1, 5))
    alone = broken_off(whole, Stream(generator_for(1))).mask
    for rank in range(2):
        stream = Stream(generator_for(1))
        with stream.share(rank, rank + 1, 2):
            assert torch.equal(broken_off(whole[slice(rank, None, 2)], stream).mask, alone[rank::2])
