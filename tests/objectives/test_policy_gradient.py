"""REINFORCE and the entropy bonus against exact gradients on a world of 3 tokens and 3 steps.

Mutants killed: sign, a mean over time, rewards of other rows or positions, padding that is read, gradient through
the rewards, an entropy bonus of the wrong sign.
"""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from seqgans.generators.recurrent import LSTM
from seqgans.objectives.policy_gradient import entropy_bonus, reinforce_loss
from seqgans.randomness import generator_for

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
ALL = torch.ones(27, 3, dtype=torch.bool)


def gradients(loss: Tensor, parameters: list[Tensor]) -> Tensor:
    """One long row."""
    return torch.cat([part.reshape(-1) for part in torch.autograd.grad(loss, parameters, retain_graph=True)])


def world() -> tuple[Tensor, list[Tensor]]:
    """log G of every sequence and token, and the parameters, of a small LSTM in float32."""
    generator = LSTM(embedding=4, hidden=5, deviation=0.7).build(3, 0, None, generator_for(1))
    return generator.log_probs(EVERY), list(generator.parameters())


def test_weighted_by_their_probability_all_sequences_give_the_exact_gradient() -> None:
    log_probs, parameters = world()
    rewards = torch.rand(27, generator=generator_for(2))
    law = log_probs.sum(1).exp()
    exact = gradients(-(law * rewards).sum(), parameters)
    # the loss is a mean over rows: 27 G(Y) R(Y) makes it the expectation
    weighted = (27 * law.detach() * rewards)[:, None].expand(27, 3)
    torch.testing.assert_close(
        gradients(reinforce_loss(log_probs, weighted, ALL), parameters), exact, rtol=0, atol=1e-6
    )


def test_future_rewards_alone_give_the_same_expected_gradient() -> None:
    log_probs, parameters = world()
    law = log_probs.sum(1).exp()
    earned = torch.rand(27, generator=generator_for(3))
    of_prefix = [
        (law.detach() * earned).view(3 ** (t + 1), -1).sum(1) / law.detach().view(3 ** (t + 1), -1).sum(1)
        for t in range(3)
    ]  # Q(Y_1:t−1, y_t), exact
    rewards = torch.stack([value.repeat_interleave(27 // len(value)) for value in of_prefix], 1)
    exact = gradients(-(law * earned).sum(), parameters)
    found = gradients(reinforce_loss(log_probs, 27 * law.detach()[:, None] * rewards, ALL), parameters)
    torch.testing.assert_close(found, exact, rtol=0, atol=1e-6)


def test_a_constant_reward_per_position_gives_no_expected_gradient() -> None:
    log_probs, parameters = world()
    weights = 27 * log_probs.detach().sum(1, keepdim=True).exp()
    found = gradients(reinforce_loss(log_probs, weights * torch.tensor([0.3, 2.0, -1.0]), ALL), parameters)
    torch.testing.assert_close(found, torch.zeros_like(found), rtol=0, atol=1e-6)


def test_it_sums_over_time_and_means_over_rows() -> None:
    log_probs = torch.tensor([[-1.0, -2.0], [-3.0, float("-inf")]])
    rewards = torch.tensor([[1.0, 10.0], [100.0, float("nan")]])
    mask = torch.tensor([[True, True], [True, False]])
    assert reinforce_loss(log_probs, rewards, mask).item() == pytest.approx((1 + 20 + 300) / 2)


def test_rewards_with_gradient_are_refused() -> None:
    with pytest.raises(ValueError, match="rewards must carry no gradient"):
        reinforce_loss(torch.zeros(1, 1), torch.ones(1, 1, requires_grad=True), torch.ones(1, 1, dtype=torch.bool))


def test_the_entropy_bonus_climbs_the_entropy() -> None:
    log_probs, parameters = world()
    total = log_probs.sum(1)
    exact = gradients((total.exp() * total).sum(), parameters)  # −H
    # each row's gradient, weighted by its probability
    found = sum(
        (
            p * gradients(entropy_bonus(log_probs[[i]], ALL[[i]]), parameters)
            for i, p in enumerate(total.exp().detach())
        ),
        start=torch.zeros_like(exact),
    )
    torch.testing.assert_close(found, exact, rtol=0, atol=2e-6)
