"""The closed-form game on 27 sequences, where V, the best discriminator and every gradient can be summed.

Mutants killed: ρ of the wrong sign, the derivative of one half of V alone, ω without p_g (maximum likelihood), weights
that overflow, a batch law that is not shared out, a softmax for the logarithm of it.
"""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from seqgans.generators.recurrent import LSTM
from seqgans.objectives.jensen_shannon import game_value, log_weights, minmax_log_ratios, softmax_log_ratios
from seqgans.randomness import generator_for

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
BITS = torch.tensor(list(itertools.product(range(2), repeat=3)))  # (8, 3)


def random_law(seed: int, kept: int = 27) -> Tensor:
    """Probabilities of 27 sequences, those of the last ones 0."""
    law = torch.rand(27, generator=generator_for(seed), dtype=torch.float64)
    law[kept:] = 0.0
    return law / law.sum()


def value_by_definition(data: Tensor, model: Tensor) -> Tensor:
    """E_{p_d} ln D* + E_{p_g} ln (1 − D*), summed over everything."""
    best = data / (data + model)
    seen = data > 0
    return (data[seen] * best[seen].log()).sum() + (model * (1 - best).log()).sum()


def value_from_data(data: Tensor, model: Tensor) -> Tensor:
    """The same from sequences of the data alone, each repeated as often as its weight of 1/1000 says."""
    seen = data > 0
    counts = (1000 * data[seen]).round().long()
    return game_value((model[seen].log() - data[seen].log()).repeat_interleave(counts))


def thousandths(law: Tensor) -> Tensor:
    """A law whose probabilities are multiples of 1/1000."""
    whole = (1000 * law).round()
    whole[0] += 1000 - whole.sum()
    return whole / 1000


def test_the_value_is_that_of_the_best_discriminator() -> None:
    data, model = thousandths(random_law(1, kept=9)), random_law(2)
    mixture = (data + model) / 2
    divergence = sum(torch.special.xlogy(law, law / mixture).sum() / 2 for law in (data, model))
    found = value_from_data(data, model)
    torch.testing.assert_close(found, value_by_definition(data, model), rtol=0, atol=1e-12)
    torch.testing.assert_close(found, -math.log(4) + 2 * divergence, rtol=0, atol=1e-12)


def test_its_ends() -> None:
    data = thousandths(random_law(3))
    assert value_from_data(data, data).item() == pytest.approx(-math.log(4))
    slopes = log_weights(torch.zeros(27, dtype=torch.float64)).exp()
    assert slopes.tolist() == pytest.approx(
        [math.log(2)] * 27
    )  # all alike: likelihood, whose gradient is 0 at p_g = p_d
    assert game_value(torch.full((4,), -1e4, dtype=torch.float64)).item() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("kept", [27, 9, 2])
def test_the_weighted_likelihood_of_the_data_has_the_gradient_of_the_whole_value(kept: int) -> None:
    """∇V = −Σ_{x∈S} ω ∇ ln p_g, against autograd through all 27 sequences of an LSTM in double precision."""
    data = random_law(4, kept)
    generator = LSTM(embedding=2, hidden=3, deviation=0.8).build(3, 0, None, generator_for(5)).double()
    parameters = list(generator.parameters())
    log_probs = generator.log_probs(EVERY).sum(1)
    exact = torch.autograd.grad(value_by_definition(data, log_probs.exp()), parameters, retain_graph=True)
    seen = data > 0
    weights = data[seen] * log_weights((log_probs[seen] - data[seen].log()).detach()).exp()
    found = torch.autograd.grad(-(weights * log_probs[seen]).sum(), parameters)
    for one, other in zip(found, exact, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-8)
    assert max(part.abs().max() for part in exact) > 1e-2


def test_the_derivative_of_the_value_is_minus_the_weight() -> None:
    ratios = torch.linspace(-20, 20, 9, dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(9 * game_value(ratios), ratios)
    torch.testing.assert_close(slope, -log_weights(ratios.detach()).exp(), rtol=1e-9, atol=0)


def test_weights_at_their_limits() -> None:
    data = 0.01
    log_model = torch.linspace(-30, 0, 61, dtype=torch.float64)
    model = log_model.exp()
    naive = model * torch.log1p(data / model) / data
    found = log_weights(log_model - math.log(data)).exp()
    torch.testing.assert_close(found, naive, rtol=1e-9, atol=0)
    assert bool((found.diff() > 0).all())
    assert log_weights(torch.tensor([40.0, 1e4], dtype=torch.float64)).tolist() == [
        0.0,
        0.0,
    ]  # p_g ≫ p_d: as likelihood
    far = log_weights(torch.tensor([-1e4], dtype=torch.float64))
    assert far.item() == pytest.approx(-1e4 + math.log(1e4))  # ω ≈ p_g ln (p_d / p_g)


def test_batch_laws_by_hand() -> None:
    log_probs = torch.tensor([0.2, 0.1, 0.1], dtype=torch.float64).log() - 900  # far below the smallest number
    shared = softmax_log_ratios(log_probs).exp()
    torch.testing.assert_close(shared, torch.tensor([1.5, 0.75, 0.75], dtype=torch.float64))
    stretched = minmax_log_ratios(log_probs).exp()
    torch.testing.assert_close(stretched, torch.tensor([3.0, 3e-10, 3e-10], dtype=torch.float64))
    even = torch.full((4,), -50.0)
    assert softmax_log_ratios(even).tolist() == [0.0] * 4
    assert minmax_log_ratios(even).exp().tolist() == pytest.approx([4.0] * 4)


def descended(weigh: bool, seed: int) -> tuple[float, float]:
    """Entropy and Jensen–Shannon divergence of three independent bits that learnt {000, 111}."""
    data = torch.zeros(8, dtype=torch.float64)
    data[0] = data[7] = 0.5
    logits = 0.1 * torch.randn(3, 2, generator=generator_for(seed), dtype=torch.float64)
    logits.requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=0.1)

    def law() -> Tensor:
        return logits.log_softmax(1)[torch.arange(3), BITS].sum(1)  # (8,)

    for _ in range(300):
        log_probs = law()
        seen = data > 0
        ratios = (log_probs[seen] - data[seen].log()).detach()
        weights = log_weights(ratios).exp() if weigh else torch.ones(2, dtype=torch.float64)
        optimizer.zero_grad()
        (-(data[seen] * weights * log_probs[seen]).sum()).backward()
        optimizer.step()
    model = law().detach().exp()
    return -(model * model.log()).sum().item(), (value_by_definition(data, model).item() + math.log(4)) / 2


@pytest.mark.parametrize("seed", range(3))
def test_it_seeks_a_mode_where_likelihood_covers_both(seed: int) -> None:
    entropy, divergence = descended(True, seed)
    assert entropy < 0.1  # nats
    assert divergence == pytest.approx(0.2165, abs=0.002)
    entropy, divergence = descended(False, seed)
    assert entropy == pytest.approx(math.log(8), abs=1e-3)
    assert divergence == pytest.approx(0.3804, abs=0.001)
