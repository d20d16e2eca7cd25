"""Reward-to-go and spread rewards.

Mutants killed: a sum over the past, a discount from the wrong side, padding that is read.
"""

from __future__ import annotations

import pytest
import torch

from seqgans.randomness import generator_for
from seqgans.rewards.returns import reward_to_go, spread

MASK = torch.tensor([[True, True, True, True], [True, True, False, False]])


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
