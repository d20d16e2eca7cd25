"""Generators of several categories, on a world of 3 tokens and 3 steps that can be enumerated.

Mutants killed: rows handed to another part or back in another order, states that forget their category, a bias left out
of the blocks, shares that are not normalised or not used, a likelihood that averages each token over categories instead
of whole sequences, a random number drawn for the only category there is.
"""

from __future__ import annotations

import itertools

import pytest
import torch

from seqgans.errors import BadInput
from seqgans.generators.base import join, repeat, select
from seqgans.generators.categories import CategoryGenerator, categories_of, within
from seqgans.generators.category_memory import CategoryMemory
from seqgans.generators.likelihood import token_log_probs
from seqgans.generators.mixture import Mixture, MixtureGenerator
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from tests.goodness import pvalue

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
ROWS = torch.tensor([2, 0, 0, 2, 1, 0])


def mixture(categories: int = 3, end: int | None = None, vocabulary: int = 3) -> CategoryGenerator:
    settings = Mixture(categories=categories, embedding=3, hidden=4, deviation=0.9)
    built = settings.build(vocabulary, 0, end, generator_for(0, "mixture"))
    assert isinstance(built, CategoryGenerator)
    return built


def memory() -> CategoryGenerator:
    settings = CategoryMemory(categories=3, embedding=3, heads=2, head_size=3)
    built = settings.build(3, 0, None, generator_for(0, "memory"))
    assert isinstance(built, CategoryGenerator)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.5 * torch.randn(parameter.shape, generator=generator_for(1, "away")))
    return built


KINDS = {"mixture": mixture, "memory": memory}


@pytest.fixture(params=KINDS)
def generator(request: pytest.FixtureRequest) -> CategoryGenerator:
    return KINDS[request.param]()


def test_each_row_has_the_law_of_its_category(generator: CategoryGenerator) -> None:
    tokens = torch.randint(3, (6, 3), generator=generator_for(1))
    law = generator.within(ROWS)
    found = law.log_probs(tokens)
    for row, category in enumerate(ROWS.tolist()):
        alone = generator.within(category).log_probs(tokens[row : row + 1])
        torch.testing.assert_close(found[row : row + 1], alone, rtol=0, atol=1e-6)
    assert len({round(value, 4) for value in law.log_probs(tokens[:1].repeat(6, 1)).sum(1).tolist()}) == 3
    cold = generator.within(ROWS).log_probs(tokens, 0.5)
    torch.testing.assert_close(cold[:1], generator.within(2).log_probs(tokens[:1], 0.5))


def test_mixed_rows_are_on_the_contract(generator: CategoryGenerator) -> None:
    law = generator.within(ROWS)
    samples = law.sample(6, 3, random=generator_for(2))
    torch.testing.assert_close(samples.log_probs, law.log_probs(samples.tokens).detach(), rtol=0, atol=1e-6)
    hidden = law.hidden(samples.tokens)
    picked = token_log_probs(hidden, law.output.weight, law.output.bias, samples.tokens)
    torch.testing.assert_close(picked, law.log_probs(samples.tokens), rtol=0, atol=1e-6)
    with torch.no_grad():
        _, state = law.advance(torch.zeros(6, dtype=torch.long), law.start_state(6))
        parts = join([select(state, torch.tensor([4, 3])), repeat(select(state, torch.tensor([1])), 2)])
        order = torch.tensor([4, 3, 1, 1])
        tokens = samples.tokens[:, 0]
        whole, _ = law.advance(tokens, tuple(part.clone() for part in state))
        mixed, _ = law.advance(tokens[order], parts)
    torch.testing.assert_close(mixed, whole[order], rtol=0, atol=1e-6)


def test_relaxed_samples_reach_every_parameter(generator: CategoryGenerator) -> None:
    relaxed = generator.within(ROWS).relax(6, 3, random=generator_for(3), soft_inputs=True)
    (relaxed.weights * torch.randn(3, generator=generator_for(4))).sum().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.any()), name


def test_without_a_category_the_law_is_the_sum_over_all(generator: CategoryGenerator) -> None:
    generator.set_shares(torch.tensor([0, 0, 1, 2, 2, 2, 2, 2]))
    assert generator.shares.tolist() == [0.25, 0.125, 0.625]
    each = torch.stack([generator.within(category).log_probs(EVERY).sum(1).exp() for category in range(3)])
    exact = torch.tensor([0.25, 0.125, 0.625]) @ each
    torch.testing.assert_close(generator.log_probs(EVERY).sum(1).exp(), exact)
    assert exact.sum().item() == pytest.approx(1.0, abs=1e-5)
    drawn = generator.sample(20_000, 3, random=generator_for(5)).tokens @ torch.tensor([9, 3, 1])
    assert pvalue(torch.bincount(drawn, minlength=27), exact) > 0.001
    prefix = torch.full((50, 1), 2)
    assert torch.equal(generator.sample(50, 3, random=generator_for(5), prefix=prefix).tokens[:, :1], prefix)


def test_a_mixture_of_one_is_its_part() -> None:
    one = mixture(1)
    plain = LSTM(embedding=3, hidden=4, deviation=0.9).build(3, 0, None, generator_for(0, "mixture"))
    for name, parameter in plain.named_parameters():
        assert torch.equal(parameter, one.get_parameter(f"parts.0.{name}"))
    ours, theirs = (each.sample(40, 3, random=generator_for(6)) for each in (one, plain))
    assert torch.equal(ours.tokens, theirs.tokens)
    assert torch.equal(one.log_probs(EVERY), plain.log_probs(EVERY))
    soft, other = (each.relax(40, 3, random=generator_for(6)).weights for each in (one, plain))
    assert torch.equal(soft, other)


def test_two_processes_draw_what_one_would() -> None:
    law = mixture()
    whole = law.sample(8, 3, random=Stream(generator_for(7))).tokens
    for rank in range(2):
        stream = Stream(generator_for(7))
        with stream.share(rank, rank + 1, 2):
            assert torch.equal(law.sample(4, 3, random=stream).tokens, whole[rank::2])


def test_parts_share_nothing() -> None:
    law = mixture()
    law.within(torch.tensor([1, 1])).log_probs(EVERY[:2]).sum().backward()
    assert {name.split(".")[1] for name, part in law.named_parameters() if part.grad is not None} == {"1"}


def test_what_knows_no_categories() -> None:
    plain = LSTM(embedding=3, hidden=4).build(3, 0, None, generator_for(0))
    assert within(plain, 1) is plain
    assert categories_of(plain) == 1
    law = mixture()
    assert isinstance(law, MixtureGenerator)
    assert within(law, None) is law
    assert categories_of(law) == 3
    with pytest.raises(BadInput, match="only within one"):
        law.start_state(3)
    with pytest.raises(ValueError, match="6 categories need as many rows, got 2"):
        law.within(ROWS).start_state(2)
    with pytest.raises(ValueError, match=r"Mixture\.categories must be at least 1, got 0"):
        Mixture(categories=0)
