"""Reward-to-go, spread rewards, and rewards from scores of prefixes and steps.

Mutants killed: a sum over the past, a discount from the wrong side, prefixes one token short, rewards on other rows,
padding that is read, logits for probabilities.
"""

from __future__ import annotations

import pytest
import torch

from seqgans.discriminators.convolutional import CNN
from seqgans.discriminators.recurrent import GRUScorer, LSTMScorer
from seqgans.errors import BadInput
from seqgans.randomness import generator_for
from seqgans.rewards.returns import prefix_rewards, reward_to_go, spread, step_rewards

MASK = torch.tensor([[True, True, True, True], [True, True, False, False]])
TOKENS = torch.tensor([[1, 2, 0, 4], [3, 1, 4, 4]])


@pytest.mark.parametrize("discount", [0.0, 0.5, 1.0])
def test_reward_to_go_is_the_discounted_sum_of_what_follows(discount: float) -> None:
    rewards = torch.rand(2, 4, generator=generator_for(1))
    expected = torch.zeros(2, 4)
    for row in range(2):
        for time in range(4):
            expected[row, time] = MASK[row, time] * sum(
                discount ** (later - time) * rewards[row, later] * MASK[row, later] for later in range(time, 4)
            )
    torch.testing.assert_close(reward_to_go(rewards, MASK, discount), expected)
    assert rewards.min() > 0  # what was given is left as it was


def test_a_discount_above_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"discount must be at least 0 and at most 1, got 1\.1"):
        reward_to_go(torch.ones(2, 4), MASK, 1.1)


def test_spread_gives_every_real_token_the_reward_of_its_row() -> None:
    expected = torch.tensor([[2.0, 2.0, 2.0, 2.0], [5.0, 5.0, 0.0, 0.0]])
    assert torch.equal(spread(torch.tensor([2.0, 5.0]), MASK), expected)


def test_prefix_rewards_score_each_padded_prefix() -> None:
    discriminator = CNN(embedding=4, widths=(1, 2), maps=(3, 4)).build(5, 4, generator_for(2))
    rewards = prefix_rewards(discriminator, TOKENS, MASK)
    assert not rewards.requires_grad
    for time in range(4):
        known = MASK & (torch.arange(4) <= time)
        expected = discriminator.scores(TOKENS, known).sigmoid() * MASK[:, time]
        torch.testing.assert_close(rewards[:, time], expected, rtol=0, atol=1e-6)


def test_prefix_rewards_do_not_depend_on_the_rows_scored_at_once() -> None:
    discriminator = CNN(embedding=4, widths=(1, 2), maps=(3, 4)).build(5, 4, generator_for(2))
    tokens = torch.randint(5, (300, 4), generator=generator_for(3))
    mask = torch.ones_like(tokens, dtype=torch.bool)
    whole = prefix_rewards(discriminator, tokens, mask)
    parts = torch.cat([prefix_rewards(discriminator, part, torch.ones_like(part) > 0) for part in tokens.split(7)])
    torch.testing.assert_close(whole, parts, rtol=0, atol=1e-6)


@pytest.mark.parametrize("settings", [LSTMScorer(), GRUScorer(layers=2)])
def test_step_rewards_are_the_prefix_rewards_of_a_causal_discriminator(settings: LSTMScorer | GRUScorer) -> None:
    discriminator = settings.build(5, 4, generator_for(4))
    steps = step_rewards(discriminator, TOKENS, MASK)
    torch.testing.assert_close(steps, prefix_rewards(discriminator, TOKENS, MASK), rtol=0, atol=1e-6)
    assert not steps.requires_grad


def test_step_rewards_need_a_score_per_step() -> None:
    with pytest.raises(
        BadInput, match="need a discriminator with a score per step, got Convolutional; choose lstm or gru"
    ):
        step_rewards(CNN(widths=(1,), maps=(2,)).build(5, 4, generator_for(5)), TOKENS, MASK)
