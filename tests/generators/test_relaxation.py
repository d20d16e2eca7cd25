"""Gumbel-softmax against the law it relaxes, its limits, its Jacobian and its bias.

Mutants killed: noise added after the softmax or on another scale, β divided instead of multiplied, tokens of other
noise than the rows, gradient cut where soft rows are read, hard rows without the gradient of the soft ones, soft rows
read although hard ones were asked for.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seqgans.generators import GENERATORS
from seqgans.generators.relaxation import gumbel, relaxed_draw
from seqgans.randomness import Stream, generator_for
from tests.goodness import pvalue

LOGITS = torch.tensor([0.5, -1.0, 0.0, 1.2, -0.3])
DRAWS = 200_000
TEMPERATURES = (2.0, 1.0, 0.5, 0.2)


def stream(seed: int = 0) -> Stream:
    return Stream(generator_for(seed, "noise"))


def drawn(temperature: float, logits: Tensor = LOGITS, count: int = DRAWS) -> tuple[Tensor, Tensor]:
    return relaxed_draw(logits.expand(count, -1), stream(), 1 / temperature, straight_through=False)


@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
def test_the_largest_weight_follows_the_law_at_every_temperature(temperature: float) -> None:
    soft, tokens = drawn(temperature)
    assert pvalue(torch.bincount(tokens, minlength=5), LOGITS.double().softmax(0)) > 0.001
    assert (soft.argmax(1) == tokens).double().mean().item() > 1 - 1e-4  # rounding may join the two largest


def test_without_noise_rows_are_the_law_and_tokens_still_draws() -> None:
    _, noisy = drawn(1.0)
    soft, tokens = relaxed_draw(LOGITS.expand(DRAWS, -1), stream(), 1.0, straight_through=False, noisy=False)
    torch.testing.assert_close(soft, LOGITS.softmax(0).expand(DRAWS, -1))
    assert torch.equal(tokens, noisy)


def test_the_noise_is_gumbel() -> None:
    noise = gumbel(stream(), DRAWS, 5).double()
    assert noise.mean().item() == pytest.approx(0.5772, rel=0.01)
    assert noise.var().item() == pytest.approx(math.pi**2 / 6, rel=0.01)


def test_cold_rows_are_one_hot_and_hot_rows_uniform() -> None:
    assert (drawn(1e-4)[0].amax(1) > 0.999).double().mean() >= 0.99
    assert ((drawn(1e3)[0] - 0.2).abs().amax(1) < 0.01).double().mean() >= 0.99


def test_the_jacobian_is_that_of_a_softmax_over_the_temperature() -> None:
    temperature, logits = 0.7, LOGITS.double()

    def row(given: Tensor) -> Tensor:
        return relaxed_draw(given[None], stream(), 1 / temperature, straight_through=False)[0][0]

    found = torch.autograd.functional.jacobian(row, logits)
    weights = row(logits)
    expected = (torch.diag(weights) - weights[:, None] * weights) / temperature
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)

    def hard(given: Tensor) -> Tensor:
        return relaxed_draw(given[None], stream(), 1 / temperature, straight_through=True)[0][0]

    torch.testing.assert_close(torch.autograd.functional.jacobian(hard, logits), expected, rtol=0, atol=1e-6)
    assert sorted(hard(logits).tolist()) == pytest.approx([0, 0, 0, 0, 1])


def test_bias_falls_and_variance_grows_as_it_cools() -> None:
    """One step of three tokens, f linear: the exact gradient is p_j (f_j − Σ p f)."""
    logits, values = torch.tensor([0.3, -0.6, 0.8]).double(), torch.tensor([1.0, -2.0, 0.5]).double()
    count = 400_000
    chances = logits.softmax(0)
    exact = chances * (values - chances @ values)
    biases, variances = [], []
    for temperature in TEMPERATURES:
        given = logits.expand(count, -1).clone().requires_grad_()
        soft, _ = relaxed_draw(given, stream(), 1 / temperature, straight_through=False)
        (gradient,) = torch.autograd.grad((soft @ values).sum(), given)  # (draws, 3), one estimate a row
        biases.append((gradient.mean(0) - exact).norm().item())
        variances.append(gradient.var(0).sum().item())
    assert biases == sorted(biases, reverse=True)
    assert biases[0] > 5 * biases[-1]
    assert variances == sorted(variances)
    tokens = drawn(1.0, logits, count)[1]
    scores = torch.nn.functional.one_hot(tokens, 3) - chances  # ∇ log p(y)
    reinforce = values[tokens][:, None] * scores
    errors = reinforce.std(0) / math.sqrt(count)
    assert ((reinforce.mean(0) - exact).abs() < 4 * errors).all()


def test_a_curved_function_has_a_biased_gradient() -> None:
    logits, count = torch.tensor([0.3, -0.6, 0.8]).double(), 400_000
    values = torch.tensor([1.0, -2.0, 0.5]).double()
    chances = logits.softmax(0)
    exact = chances * (values.square() - chances @ values.square())  # f(one-hot i) = values_i²
    given = logits.expand(count, -1).clone().requires_grad_()
    soft, _ = relaxed_draw(given, stream(), 1.0, straight_through=False)
    (gradient,) = torch.autograd.grad((soft @ values).square().sum(), given)
    errors = gradient.std(0) / math.sqrt(count)
    assert ((gradient.mean(0) - exact).abs() / errors).max() > 20


@pytest.mark.parametrize("name", ["lstm", "gru", "memory"])
def test_reading_one_hot_rows_is_reading_tokens(name: str) -> None:
    generator = GENERATORS[name]().build(4, 0, None, generator_for(0, "generator"))
    hard = generator.relax(50, 5, random=generator_for(1), straight_through=True)
    soft = generator.relax(50, 5, random=generator_for(1), straight_through=True, soft_inputs=True)
    assert torch.equal(hard.tokens, soft.tokens)
    torch.testing.assert_close(hard.weights, soft.weights, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_gradient_flows_through_what_was_read(name: str) -> None:
    """With soft inputs everything is smooth, so the gradient is the slope of the last row in the first bias."""
    generator = GENERATORS[name]().build(4, 0, None, generator_for(0, "generator")).double()
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.4 * torch.randn(parameter.shape, generator=generator_for(2), dtype=torch.float64))

    def last(soft_inputs: bool, shift: float = 0.0) -> Tensor:
        with torch.no_grad():
            generator.output.bias[1] += shift
        found = generator.relax(6, 3, random=generator_for(1), inverse_temperature=0.7, soft_inputs=soft_inputs)
        with torch.no_grad():
            generator.output.bias[1] -= shift
        return found.weights[:, -1, 2].sum()

    with torch.no_grad():
        slope = (last(True, 1e-5) - last(True, -1e-5)) / 2e-5
    (gradient,) = torch.autograd.grad(last(True), [generator.output.bias])
    torch.testing.assert_close(gradient[1], slope, rtol=1e-5, atol=1e-8)
    (direct,) = torch.autograd.grad(last(False), [generator.output.bias])
    assert not torch.isclose(direct[1], slope, rtol=1e-3)
