"""What every generator in the table must do, on a world of 3 tokens and 3 steps that can be enumerated.

Mutants killed: inputs shifted by one step in `advance` or in `hidden`, the start token forgotten, a state that loses
or mixes rows, a cache read beyond or short of its position, a prefix that is not read, log-probabilities at the wrong
temperature, uniforms used twice, mass of the padding of the vocabulary, a relaxed draw without gradient.
"""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from seqgans.discriminators.leaking import LeakingCNN
from seqgans.evaluation.likelihood import draw_sequences
from seqgans.evaluation.tempered import scores_at
from seqgans.generators import GENERATORS
from seqgans.generators.base import Generator, join, repeat, select
from seqgans.generators.categories import within
from seqgans.generators.conditional import Conditional
from seqgans.generators.decoding import Decoding
from seqgans.generators.latent import LatentGenerator
from seqgans.generators.pretrained import CausalLM
from seqgans.randomness import generator_for
from seqgans.sequences import Sequences
from tests.generators.models import causal_model
from tests.goodness import pvalue

VOCABULARY, LENGTH = 3, 3
EVERY = torch.tensor(list(itertools.product(range(VOCABULARY), repeat=LENGTH)))  # (27, 3)
SMALLER = {"seq2seq": {"hidden": 24}}  # where the published size takes long
LEAKING = LeakingCNN(embedding=4, widths=(1, 2), maps=(3, 4))


def build(name: str, end: int | None = None, vocabulary: int = VOCABULARY, length: int = LENGTH) -> Generator:
    """A fresh generator whose logits vary by about 1, so that its law is far from uniform."""
    if name == "pretrained":
        generator: Generator = CausalLM(causal_model("gpt2", vocabulary=vocabulary), vocabulary, 0, end)
    else:
        settings = GENERATORS[name](**SMALLER.get(name, {}))
        generator = settings.build(vocabulary, 0, end, generator_for(7, "generator"))
    if isinstance(generator, Conditional) and name != "pretrained":  # on the contract once a source is given
        source = torch.tensor([[1, generator.blank, 0]])
        generator = generator.given(Sequences(source, source >= 0))
    if isinstance(generator, LatentGenerator):  # on the contract once a code is given
        generator = generator.given(generator.draw_codes(1, generator_for(7, "code")))
    generator = within(generator, 0)  # one of several categories is on the contract once it is named
    generator.attach(LEAKING.build(vocabulary, length, generator_for(7, "discriminator")))
    with torch.no_grad():
        tokens = torch.randint(vocabulary, (64, length), generator=generator_for(8))
        spread = (generator.hidden(tokens) @ generator.output.weight.t()).std()
        if name != "uniform":
            generator.output.weight.div_(spread)
    return generator


@pytest.fixture(params=GENERATORS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_probabilities_of_all_sequences_sum_to_one(name: str) -> None:
    log_probs = build(name).log_probs(EVERY).sum(1).double()
    assert abs(log_probs.exp().sum().item() - 1) < 1e-5
    if name != "uniform":
        assert log_probs.std() > 0.3  # the law of the other tests is not the uniform one


def test_samples_follow_the_exact_law(name: str) -> None:
    generator = build(name)
    samples = generator.sample(20_000, LENGTH, random=generator_for(1))
    counts = torch.bincount(samples.tokens @ torch.tensor([9, 3, 1]), minlength=27)
    exact = generator.log_probs(EVERY).sum(1).double().exp()
    assert pvalue(counts, exact) > 0.001


@pytest.mark.parametrize("end", [None, 0])
def test_samples_have_the_likelihood_of_teacher_forcing(name: str, end: int | None) -> None:
    generator = build(name, end, vocabulary=5, length=40)
    samples = generator.sample(30, 40, random=generator_for(2))
    again = generator.log_probs(samples.tokens).masked_fill(~samples.mask, 0.0)
    torch.testing.assert_close(samples.log_probs, again, rtol=0, atol=2e-5)
    assert bool(samples.mask.all()) == (end is None)


def test_advance_reads_what_hidden_reads(name: str) -> None:
    generator = build(name, vocabulary=5, length=40)
    tokens = torch.randint(5, (4, 40), generator=generator_for(3))
    whole = generator.hidden(tokens)
    state = generator.start_state(4)
    for step, column in enumerate(generator.inputs(tokens).unbind(1)):
        hidden, state = generator.advance(column, state)
        torch.testing.assert_close(hidden, whole[:, step], rtol=0, atol=2e-5)


def test_hard_tokens_and_one_hot_rows_advance_alike(name: str) -> None:
    generator = build(name)
    hard, soft = generator.start_state(2), generator.start_state(2)
    for column in (torch.tensor([0, 0]), torch.tensor([1, 2]), torch.tensor([2, 0])):
        one, hard = generator.advance(column, hard)
        other, soft = generator.advance(torch.nn.functional.one_hot(column, VOCABULARY).float(), soft)
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_states_can_be_selected_repeated_and_joined(name: str) -> None:
    generator = build(name)
    with torch.no_grad():
        tokens = torch.tensor([0, 1, 2])
        _, state = generator.advance(torch.zeros(3, dtype=torch.long), generator.start_state(3))
        parts = join([select(state, torch.tensor([2, 0])), repeat(select(state, torch.tensor([1])), 2)])
        order = torch.tensor([2, 0, 1, 1])
        whole, _ = generator.advance(tokens, state)
        mixed, _ = generator.advance(tokens[order], parts)
    torch.testing.assert_close(mixed, whole[order], rtol=0, atol=1e-5)


def test_a_prefix_is_kept_and_conditions_what_follows(name: str) -> None:
    generator = build(name)
    prefix = torch.tensor([[2], [1]]).repeat(10_000, 1)
    samples = generator.sample(20_000, LENGTH, random=generator_for(4), prefix=prefix)
    assert torch.equal(samples.tokens[:, :1], prefix)
    torch.testing.assert_close(
        samples.log_probs[:50], generator.log_probs(samples.tokens[:50]).detach(), rtol=0, atol=1e-5
    )
    exact = generator.log_probs(EVERY)[:, 1:].sum(1).double().exp().detach().view(3, 9)
    for first, rows in ((2, slice(0, None, 2)), (1, slice(1, None, 2))):
        counts = torch.bincount(samples.tokens[rows, 1:] @ torch.tensor([3, 1]), minlength=9)
        assert pvalue(counts, exact[first]) > 0.001


def test_any_tokens_can_be_kept_and_condition_what_follows(name: str) -> None:
    generator = build(name)
    prefix = torch.tensor([[1, 2, 1], [1, 0, 1]]).repeat(10_000, 1)
    kept = torch.tensor([[False, True, False]]).expand(20_000, -1)
    samples = generator.sample(20_000, LENGTH, random=generator_for(12), prefix=prefix, kept=kept)
    assert torch.equal(samples.tokens[:, 1], prefix[:, 1])
    torch.testing.assert_close(
        samples.log_probs[:50], generator.log_probs(samples.tokens[:50]).detach(), rtol=0, atol=1e-5
    )
    every = generator.log_probs(EVERY).double().exp().detach()
    for middle, rows in ((2, slice(0, None, 2)), (0, slice(1, None, 2))):
        counts = torch.bincount(samples.tokens[rows][:, [0, 2]] @ torch.tensor([3, 1]), minlength=9)
        expected = every[EVERY[:, 1] == middle][:, [0, 2]].prod(1)
        assert pvalue(counts, expected) > 0.001


def test_a_seed_repeats_and_another_differs(name: str) -> None:
    generator = build(name)
    one, same, other = (generator.sample(50, LENGTH, random=generator_for(seed)).tokens for seed in (5, 5, 6))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("decoding", [Decoding(temperature=0.0), Decoding(top_k=1), Decoding(top_p=1e-6)], ids=str)
def test_the_coldest_decodings_take_the_most_likely_token(name: str, decoding: Decoding) -> None:
    if name == "uniform":
        pytest.skip("no token is the most likely one")
    generator = build(name, vocabulary=7, length=5)
    samples = generator.sample(4, 5, random=generator_for(6), decoding=decoding)
    assert torch.equal(samples.tokens, generator.logits(samples.tokens).argmax(2))
    assert torch.equal(samples.log_probs, torch.zeros_like(samples.log_probs))


def test_temperature_moves_from_argmax_to_the_law(name: str) -> None:
    generator = build(name)
    entropies = []
    for temperature in (1e-6, 0.5, 1.0, 5.0):
        samples = generator.sample(4000, LENGTH, random=generator_for(9), decoding=Decoding(temperature=temperature))
        entropies.append(-samples.log_probs.sum(1).mean().item())
    if name != "uniform":
        assert entropies[0] < 0.05 < entropies[1] < entropies[2] < entropies[3]
    assert entropies[3] <= LENGTH * torch.tensor(3.0).log().item() + 1e-4


def test_every_parameter_that_learns_gets_a_finite_gradient(name: str) -> None:
    generator = build(name, vocabulary=5, length=6)
    learning = [(key, part) for key, part in generator.named_parameters() if part.requires_grad]
    if name == "uniform":
        assert not learning
        return
    tokens = torch.randint(5, (8, 6), generator=generator_for(10))
    generator.log_probs(tokens).sum().backward()
    for key, parameter in learning:
        assert parameter.grad is not None, key
        assert bool(parameter.grad.isfinite().all()), key
        assert bool(parameter.grad.abs().sum() > 0), key


def test_relaxed_samples_follow_the_law_and_carry_gradient(name: str) -> None:
    generator = build(name)
    relaxed = generator.relax(6000, LENGTH, random=generator_for(11), inverse_temperature=2.0)
    torch.testing.assert_close(relaxed.weights.sum(2), torch.ones(6000, LENGTH), rtol=0, atol=1e-5)
    counts = torch.bincount(relaxed.tokens @ torch.tensor([9, 3, 1]), minlength=27)
    exact = generator.log_probs(EVERY).sum(1).double().exp().detach()
    assert pvalue(counts, exact) > 0.001
    if name == "uniform":
        return
    values: Tensor = torch.arange(3.0)
    (relaxed.weights @ values).sum().backward()
    assert generator.output.weight.grad is not None
    assert bool(generator.output.weight.grad.abs().sum() > 0)


def test_what_it_drew_a_sample_with_is_what_it_holds_of_it(name: str) -> None:
    """Kills: scores at temperature 1, padding counted, rows of one part for those of another."""
    generator = build(name, end=2)
    drawn = draw_sequences(generator, 50, LENGTH, generator_for(9), decoding=Decoding(temperature=0.6), rows=20)
    asked = scores_at(generator, drawn, [0.6], rows=20)[0]
    assert drawn.scores is not None or name == "pretrained"  # whose engine may be another program
    if drawn.scores is not None:
        torch.testing.assert_close(torch.tensor(drawn.scores.totals), torch.tensor(asked.totals), atol=1e-4, rtol=1e-4)
        assert drawn.scores.sizes.tolist() == asked.sizes.tolist() == drawn.mask.sum(1).tolist()
        assert len(set(asked.sizes)) > 1
