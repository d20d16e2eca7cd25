"""Likelihoods at several temperatures: those of the scaled softmax, whatever the generator, and read once.

Mutants killed: the bias not scaled, multiplied for divided, no new normalisation, one temperature's logits in the place
of the next one's, large logits that overflow, padding that counts, a minimum length or a stop string left out.
"""

from __future__ import annotations

import math

import pytest
import torch

from seqgans.errors import BadInput
from seqgans.evaluation.evidence import Evidence
from seqgans.evaluation.likelihood import draw_sequences, score
from seqgans.evaluation.tempered import log_probs_at, scores_at
from seqgans.generators import likelihood
from seqgans.generators.category_memory import CategoryMemory
from seqgans.generators.decoding import Decoding
from seqgans.generators.mixture import Mixture
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import generator_for
from seqgans.sequences import Sequences

TEMPERATURES = [0.3, 1.0, 2.0, 0.5]


@pytest.fixture
def network():
    return LSTM(embedding=4, hidden=6, deviation=1.0).build(5, 0, None, generator_for(1))


@pytest.fixture
def tokens() -> torch.Tensor:
    return torch.randint(5, (23, 4), generator=generator_for(2))


@pytest.mark.parametrize("chunk", [None, 70])
@pytest.mark.parametrize("size", [1.0, 300.0])
def test_it_is_the_scaled_softmax(network, tokens, size: float, chunk: int | None, monkeypatch) -> None:
    if chunk is not None:  # several slices
        monkeypatch.setattr(likelihood, "CHUNK_VALUES", chunk)
        monkeypatch.setattr(likelihood, "LEAST_ROWS", 1)
    with torch.no_grad():
        network.output.weight.mul_(size)
        network.output.bias.normal_(generator=generator_for(3))
    found = log_probs_at(network, tokens, TEMPERATURES)
    assert not found.requires_grad
    for row, temperature in zip(found, TEMPERATURES, strict=True):
        law = (network.logits(tokens).double() / temperature).log_softmax(2)
        expected = law.gather(2, tokens[:, :, None])[:, :, 0].float()
        torch.testing.assert_close(row, expected, atol=1e-5 * size, rtol=1e-5)
        torch.testing.assert_close(row, network.log_probs(tokens, temperature), atol=1e-5 * size, rtol=1e-5)


def test_it_is_the_law_that_is_drawn_from(network) -> None:
    samples = network.sample(20, 4, random=generator_for(4), decoding=Decoding(temperature=0.6))
    scored = log_probs_at(network, samples.tokens, [0.6])[0]
    torch.testing.assert_close(scored, samples.log_probs, atol=1e-4, rtol=1e-4)


def test_the_network_reads_once(network, tokens, monkeypatch) -> None:
    read = []
    hidden = network.hidden
    monkeypatch.setattr(network, "hidden", lambda asked: read.append(len(asked)) or hidden(asked))
    scores_at(network, Sequences.of(tokens), TEMPERATURES, rows=10)
    assert read == [10, 10, 3]


def test_scores_are_those_of_each_temperature(network, tokens) -> None:
    mask = torch.arange(4) < torch.randint(1, 5, (23, 1), generator=generator_for(5))
    rows = Sequences(tokens, mask)
    found = scores_at(network, rows, TEMPERATURES, rows=7)
    for scores, temperature in zip(found, TEMPERATURES, strict=True):
        totals = (network.log_probs(tokens, temperature).double() * mask).sum(1)
        assert scores.totals == pytest.approx(totals.detach().numpy(), abs=1e-5)
        assert scores.sizes.tolist() == mask.sum(1).tolist()
    assert found[1].totals == pytest.approx(score(network, rows).totals, abs=1e-5)


def test_ends_that_the_law_forbids_stay_forbidden() -> None:
    """A minimum length is part of the law at every temperature."""
    network = LSTM(embedding=4, hidden=6, deviation=1.0).build(5, 0, 0, generator_for(1))
    tokens = torch.randint(5, (23, 4), generator=generator_for(2))
    network.minimum = 2
    found = log_probs_at(network, tokens, TEMPERATURES)
    for row, temperature in zip(found, TEMPERATURES, strict=True):
        torch.testing.assert_close(row, network.log_probs(tokens, temperature))
    assert not torch.allclose(
        found[1][:, 0], network.logits(tokens).log_softmax(2)[:, 0].gather(1, tokens[:, :1])[:, 0]
    )


def test_a_law_of_several_categories_is_theirs_together(tokens) -> None:
    """Mutants killed: hidden states of a generator that has none before its category is known."""
    network = CategoryMemory(categories=2, embedding=4, head_size=4).build(5, 0, None, generator_for(1))
    found = log_probs_at(network, tokens, TEMPERATURES)
    torch.testing.assert_close(found[3], network.log_probs(tokens, 0.5))


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.inf, math.nan])
def test_no_likelihood_without_a_temperature(network, tokens, wrong: float) -> None:
    with pytest.raises(BadInput, match=r"finite temperature above 0, got "):
        log_probs_at(network, tokens, [1.0, wrong])


def test_a_law_that_sums_over_its_parts_is_asked_again() -> None:
    """One of three generators drew; how likely the three together hold it is another number."""
    mixture = Mixture(categories=3, embedding=4, hidden=6).build(5, 0, None, generator_for(1))
    drawn = draw_sequences(mixture, 30, 4, generator_for(2))
    assert drawn.scores is None
    evidence = Evidence(generator=mixture, length=4, count=30)
    assert evidence.samples_under_generator.totals == pytest.approx(score(mixture, evidence.generated).totals)


def test_samples_of_a_plain_law_are_not_read_again(network, monkeypatch) -> None:
    evidence = Evidence(generator=network, length=4, count=30)
    asked = score(network, evidence.generated)
    again = Evidence(generator=network, length=4, count=30)
    monkeypatch.setattr(network, "hidden", lambda tokens: pytest.fail("read again"))
    assert again.samples_under_generator.totals == pytest.approx(asked.totals, abs=1e-4)


def test_padding_that_counts_is_scored() -> None:
    """Without a mask the network is asked of what stands behind the end, which it never drew."""
    ending = LSTM(embedding=4, hidden=6, deviation=1.0).build(5, 0, 3, generator_for(1))
    evidence = Evidence(generator=ending, length=4, count=30, end=3, masked=False)
    assert set(evidence.samples_under_generator.sizes) == {4.0}
    assert evidence.samples_under_generator.totals == pytest.approx(
        score(ending, evidence.generated, masked=False).totals
    )
