"""A generator with a latent code, exact on a world of 3 tokens and 3 steps.

The law given a code stands in `tests/contracts/test_generators.py`. Mutants killed: one code for all samples, a sum
for a mean over codes, the mean of log-probabilities for the logarithm of the mean, per-token averages over codes that
forget the past, temperature after the average, hard inputs for soft ones, a gradient that stops at what was read.
"""

from __future__ import annotations

import itertools

import pytest
import torch

from seqgans.errors import BadInput
from seqgans.evaluation.tempered import log_probs_at
from seqgans.generators.decoding import Decoding
from seqgans.generators.latent import Latent, LatentGenerator
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from tests.goodness import pvalue

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)


def build(vocabulary: int = 3, end: int | None = None, **settings) -> LatentGenerator:
    sizes = {"embedding": 4, "hidden": 5, "latent": 2, "likelihood_codes": 3, "deviation": 1.0, **settings}
    built = Latent(**sizes).build(vocabulary, 0, end, generator_for(3))
    assert isinstance(built, LatentGenerator)
    return built


def test_a_likelihood_is_that_of_an_average_over_codes() -> None:
    generator = build()
    each = torch.stack([generator.given(code[None]).log_probs(EVERY).sum(1) for code in generator.likelihood_codes])
    found = generator.log_probs(EVERY)
    torch.testing.assert_close(found.sum(1), each.exp().mean(0).log())
    assert found.sum(1).exp().sum().item() == pytest.approx(1, abs=1e-5)
    assert (each[0] - each[1]).abs().max() > 0.3  # codes say something
    for first in range(3):  # a token's share is the conditional law of the average
        rows = EVERY[:, 0] == first
        assert found[rows][:, 1:].sum(1).exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_a_likelihood_over_many_codes_is_the_law_of_the_samples() -> None:
    generator = build(likelihood_codes=4000)
    exact = generator.log_probs(EVERY).sum(1).exp().detach().double()
    samples = generator.sample(20_000, 3, random=generator_for(4))
    counts = torch.bincount(samples.tokens @ torch.tensor([9, 3, 1]), minlength=27)
    assert pvalue(counts, exact) > 0.001


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_a_temperature_acts_given_the_code(temperature: float) -> None:
    generator = build()
    expected = torch.stack(
        [
            (generator.given(code[None]).logits(EVERY) / temperature).log_softmax(2).gather(2, EVERY[:, :, None]).sum(1)
            for code in generator.likelihood_codes
        ]
    )
    found = log_probs_at(generator, EVERY, [temperature])[0].sum(1)
    torch.testing.assert_close(found, expected[:, :, 0].exp().mean(0).log())


def test_codes_are_the_only_chance_at_temperature_zero() -> None:
    generator = build(vocabulary=20)
    samples = generator.sample(200, 6, random=generator_for(5), decoding=Decoding(temperature=0.0))
    assert len(samples.tokens.unique(dim=0)) > 20
    assert torch.equal(samples.log_probs, torch.zeros(200, 6))
    codes = generator.draw_codes(30, generator_for(6))
    one, other = (
        generator.given(codes).sample(30, 6, random=generator_for(seed), decoding=Decoding(temperature=0.0)).tokens
        for seed in (7, 8)
    )
    assert torch.equal(one, other)
    assert torch.equal(one, generator.given(codes).logits(one).argmax(2))


@pytest.mark.parametrize("prior", ["uniform", "normal"])
def test_codes_follow_the_prior(prior: str) -> None:
    codes = build(prior=prior, latent=3).draw_codes(20_000, generator_for(9))
    deviation = 3**-0.5 if prior == "uniform" else 1.0
    assert codes.mean().item() == pytest.approx(0, abs=0.02)
    assert codes.std().item() == pytest.approx(deviation, rel=0.02)
    assert (codes.abs().max() < 1) == (prior == "uniform")


def test_a_code_can_enter_the_first_state_only() -> None:
    generator = build(every_step=False)
    with torch.no_grad():
        generator.unfold.weight.zero_()
    one, other = (generator.given(generator.draw_codes(1, generator_for(seed))) for seed in (1, 2))
    torch.testing.assert_close(one.log_probs(EVERY), other.log_probs(EVERY))
    assert not torch.allclose(
        *(build().given(build().draw_codes(1, generator_for(seed))).log_probs(EVERY) for seed in (1, 2))
    )


def test_the_sharpest_soft_argmax_is_greedy_decoding_and_the_bluntest_reads_the_mean_embedding() -> None:
    generator = build(vocabulary=12, end=0)
    given = generator.given(generator.draw_codes(300, generator_for(1)))
    sharp = given.soft_argmax(8, 1e4)
    greedy = given.sample(300, 8, random=generator_for(2), decoding=Decoding(temperature=0.0))
    logits = given.logits(greedy.tokens).topk(2, 2).values
    clear = ((logits[:, :, 0] - logits[:, :, 1] > 1e-2) | ~greedy.mask).all(1)  # up to the end of the sequence
    assert clear.float().mean() > 0.8
    assert torch.equal(sharp.mask[clear], greedy.mask[clear])
    assert torch.equal(sharp.tokens[clear][greedy.mask[clear]], greedy.tokens[clear][greedy.mask[clear]])
    blunt = given.soft_argmax(8, 0.0)
    torch.testing.assert_close(blunt.weights, torch.full((300, 8, 12), 1 / 12))
    state = given.advance(torch.zeros(300, dtype=torch.long), given.start_state(300))[1]
    mean = torch.full((300, 12), 1 / 12)
    expected = generator.output(given.advance(mean, state)[0])
    found = generator.output(given.advance(blunt.weights[:, 0], state)[0])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("sharpness", [1.0, 10.0, 100.0])
def test_a_gradient_flows_back_through_every_step_that_was_read(sharpness: float) -> None:
    generator = build(vocabulary=5, deviation=0.1)
    relaxed = generator.given(generator.draw_codes(20, generator_for(1))).soft_argmax(4, sharpness)
    values = torch.arange(5.0)
    (relaxed.weights[:, -1] @ values).sum().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all() and parameter.grad.any()), name
    assert generator.embedding.weight.grad is not None
    assert bool((generator.embedding.weight.grad != 0).any(1).all())  # all words were read, softly


def test_without_a_code_there_is_no_state() -> None:
    with pytest.raises(BadInput, match="only once its codes are given"):
        build().start_state(2)
    with pytest.raises(BadInput, match="only once its codes are given"):
        build().hidden(EVERY)
    with pytest.raises(ValueError, match="4 sequences need 4 codes or one for all, got 3"):
        build().given(torch.zeros(3, 2)).start_state(4)


@pytest.mark.parametrize(
    ("name", "value"), [("embedding", 0), ("latent", 0), ("likelihood_codes", 0), ("prior", "flat"), ("deviation", 0.0)]
)
def test_settings_are_checked(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"Latent.{name} must be"):
        Latent(**{name: value})


def test_other_generators_begin_with_their_start_state() -> None:
    plain = LSTM().build(5, 0, None, generator_for(0))
    one, other = plain.begin(3, Stream(generator_for(0))), plain.start_state(3)
    assert all(torch.equal(*parts) for parts in zip(one, other, strict=True))
