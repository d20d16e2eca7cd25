"""Two words swapped, each pair equally often. Mutants killed: the end token moved, a place swapped with itself."""

from __future__ import annotations

from collections import Counter

import torch
from scipy.stats import chisquare

from seqgans.data.swapping import with_two_swapped
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences


def test_every_pair_of_places_is_equally_likely() -> None:
    tokens = torch.arange(4).repeat(6000, 1)
    swapped = with_two_swapped(Sequences.of(tokens), Stream(generator_for(0))).tokens
    assert torch.equal(swapped.sort(1).values, tokens)
    counts = Counter(tuple(row) for row in (swapped != tokens).tolist())
    assert all(sum(pair) == 2 for pair in counts)
    assert len(counts) == 6
    assert chisquare(list(counts.values())).pvalue > 0.001


def test_end_tokens_padding_and_single_words_stay() -> None:
    tokens = torch.tensor([[5, 6, 0, 0], [5, 0, 0, 0], [0, 0, 0, 0], [5, 6, 7, 8]])
    given = Sequences.of(tokens, end=0)
    for seed in range(20):
        swapped = with_two_swapped(given, Stream(generator_for(seed)), end=0)
        assert swapped.tokens[:3].tolist() == [[6, 5, 0, 0], [5, 0, 0, 0], [0, 0, 0, 0]]
        assert swapped.tokens[3].tolist() != [5, 6, 7, 8]
        assert torch.equal(swapped.mask, given.mask)
    assert tokens[0].tolist() == [5, 6, 0, 0]  # the given ones are not written to
