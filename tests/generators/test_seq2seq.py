"""Generators that read a source: what the source decides, and what it must not.

Mutants killed: a source read beyond its mask, rows that are mixed, attention over padding, blanks that look like
tokens, an unconditional law that depends on anything, dropout in samples, an encoder that does not start as decoder.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import nn

from seqgans.data.blanks import blanked
from seqgans.errors import BadInput
from seqgans.generators.attention import EncoderDecoder
from seqgans.generators.conditional import around, conditional
from seqgans.generators.recurrent import LSTM
from seqgans.generators.seq2seq import Seq2Seq, Seq2SeqGenerator
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.rollouts import complete
from seqgans.sequences import Sequences

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)


@pytest.fixture(scope="module")
def generator() -> Seq2SeqGenerator:
    made = Seq2Seq(hidden=6, layers=2, dropout=0.5).build(3, 0, None, generator_for(3, "generator"))
    assert isinstance(made, Seq2SeqGenerator)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(3)
    return made


def source(*rows: list[int]) -> Sequences:
    """Rows as a source; −1 fills up."""
    tokens = torch.tensor(rows)
    return Sequences(tokens.clamp(min=0), tokens >= 0)


def test_without_a_source_it_is_one_law_of_its_own(generator: Seq2SeqGenerator) -> None:
    """Everything missing: probabilities of all sequences sum to 1 and are those given blanks, whatever x is."""
    log_probs = generator.log_probs(EVERY)
    assert log_probs.sum(1).exp().sum().item() == pytest.approx(1.0, abs=1e-5)
    nothing_kept = torch.zeros(27, 3, dtype=torch.bool)
    for seed in (1, 2):
        x = Sequences.of(torch.randint(3, (27, 3), generator=generator_for(seed)))
        law = around(generator, x, nothing_kept)
        torch.testing.assert_close(law.log_probs(EVERY), log_probs, rtol=0, atol=1e-6)
        drawn = [g.sample(50, 3, random=generator_for(4)).tokens for g in (generator, generator.given(blank_rows(50)))]
        assert torch.equal(*drawn)


def blank_rows(count: int) -> Sequences:
    return source(*[[3, 3, 3]] * count)


def test_the_source_decides_and_only_as_far_as_it_goes(generator: Seq2SeqGenerator) -> None:
    given = source([0, 3, 1, -1], [2, -1, -1, -1], [0, 3, 1, 2])
    tokens = EVERY[[5, 5, 5]]
    found = generator.given(given).log_probs(tokens)
    alone = [generator.given(source(row)).log_probs(tokens[:1]) for row in ([0, 3, 1], [2], [0, 3, 1, 2])]
    torch.testing.assert_close(found, torch.cat(alone), rtol=0, atol=1e-6)
    assert (found[0] - found[2]).abs().max() > 1e-3
    other = generator.given(Sequences(given.tokens.masked_fill(~given.mask, 2), given.mask)).log_probs(tokens)
    assert torch.equal(found, other)
    for row in ([0, 0, 1], [0, 2, 1], [0, 1, 3]):  # a blank is no token, and its place counts
        assert (generator.given(source(row)).log_probs(tokens[:1]) - found[:1]).abs().max() > 1e-4


def test_one_source_serves_all_and_others_must_match(generator: Seq2SeqGenerator) -> None:
    one = generator.given(source([1, 3, 2])).log_probs(EVERY)
    torch.testing.assert_close(one, generator.given(source(*[[1, 3, 2]] * 27)).log_probs(EVERY), rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="27 sequences need 27 sources or one for all, got 2"):
        generator.given(source([1], [2])).log_probs(EVERY)


def test_a_source_of_no_tokens_leaves_a_language_model(generator: Seq2SeqGenerator) -> None:
    law = generator.given(generator.blanks(1, 0))
    hidden = law.hidden(EVERY)
    states = generator.network.decoder(nn.functional.embedding(law.inputs(EVERY), generator.output.weight))[0]
    torch.testing.assert_close(
        hidden, generator.network.combine(torch.cat([states, torch.zeros_like(states)], 2)).tanh(), rtol=0, atol=1e-6
    )


def test_what_is_given_can_be_rolled_out(generator: Seq2SeqGenerator) -> None:
    law = generator.given(source([0, 3, 1], [2, 2, -1]))
    tokens = torch.tensor([[1, 2, 0], [0, 0, 1]])
    completed = complete(law, tokens, 5, Stream(generator_for(5)))
    assert completed.shape == (2, 5, 2, 3)
    assert torch.equal(completed[1, :, :, :2], tokens[:, :2].expand(5, 2, 2))
    with pytest.raises(BadInput, match="has states only once its source is given"):
        complete(generator, tokens, 5, Stream(generator_for(5)))


def test_attention_is_its_formula() -> None:
    network = EncoderDecoder(4, 1, generator_for(6))
    embedded, mask = torch.randn(2, 3, 4, generator=generator_for(7)), torch.tensor([[True] * 3, [True, False, False]])
    state = network.encode(embedded, mask)
    states = torch.randn(2, 5, 4, generator=generator_for(8))
    found = network.attend(states, state)
    for row, size in ((0, 3), (1, 1)):
        memory = network.encoder(embedded[row : row + 1, :size])[0][0]  # (size, 4)
        for time in range(5):
            weights = (memory @ states[row, time]).softmax(0)
            both = torch.cat([states[row, time], weights @ memory])
            torch.testing.assert_close(found[row, time], network.combine(both).tanh(), rtol=0, atol=1e-6)


def test_dropout_reaches_likelihoods_and_no_samples(generator: Seq2SeqGenerator) -> None:
    given = source([0, 3, 1])
    plain = generator.given(given)
    dropped = [generator.given(given, Stream(generator_for(seed))).log_probs(EVERY) for seed in (1, 1, 2)]
    assert torch.equal(dropped[0], dropped[1])
    assert not torch.equal(dropped[0], dropped[2])
    drawn = [
        law.sample(20, 3, random=generator_for(9)).tokens
        for law in (plain, generator.given(given, Stream(generator_for(1))))
    ]
    assert torch.equal(*drawn)


def test_reading_begins_as_writing() -> None:
    generator = Seq2Seq(hidden=3, layers=2).build(4, 0, None, generator_for(0))
    conditional(generator).read_as_written()
    network = generator.network
    assert isinstance(network, EncoderDecoder)
    pairs = zip(network.encoder.parameters(), network.decoder.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_others_cannot_read() -> None:
    plain = LSTM(embedding=2, hidden=3).build(3, 0, None, generator_for(0))
    with pytest.raises(BadInput, match="needs a generator that reads a source, got Recurrent; choose"):
        conditional(plain)
    real = Sequences.of(EVERY)
    assert around(plain, real, torch.ones(27, 3, dtype=torch.bool)) is plain
    assert blanked(real, torch.zeros(27, 3, dtype=torch.bool), 3).tokens.unique().tolist() == [3]


@pytest.mark.parametrize(("name", "value"), [("hidden", 0), ("layers", 0), ("dropout", 1.0), ("dropout", -0.1)])
def test_settings_that_mean_nothing(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"Seq2Seq.{name} must be"):
        Seq2Seq(**{name: value})
