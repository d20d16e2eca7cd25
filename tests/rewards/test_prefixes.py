"""Rewards from scores of prefixes and steps.

Mutants killed: prefixes one token short, rewards on other rows, padding that is read, logits for probabilities.
"""

from __future__ import annotations

import pytest
import torch

from seqgans.discriminators.convolutional import CNN
from seqgans.discriminators.recurrent import GRUScorer, LSTMScorer
from seqgans.errors import BadInput
from seqgans.randomness import generator_for
from seqgans.rewards.prefixes import of_prefixes, prefix_rewards, step_rewards

MASK = torch.tensor([[True, True, True, True], [True, True, False, False]])
TOKENS = torch.tensor([[1, 2, 0, 4], [3, 1, 4, 4]])


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
        BadInput, match="need a discriminator with a score per step, got Convolutional; choose one of: lstm, gru"
    ):
        step_rewards(CNN(widths=(1,), maps=(2,)).build(5, 4, generator_for(5)), TOKENS, MASK)


def test_a_judge_may_give_a_vector_and_only_some_prefixes_may_be_asked_for() -> None:
    """A prefix longer than its sequence is the sequence."""
    discriminator = CNN(embedding=4, widths=(1, 2), maps=(3, 4)).build(5, 4, generator_for(2))

    def both(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return torch.stack([discriminator.scores(tokens, mask), mask.sum(1).float()], 1)

    found = of_prefixes(both, TOKENS, MASK, [1, 3])
    assert found.shape == (2, 2, 2)
    assert found[:, :, 1].tolist() == [[1.0, 3.0], [1.0, 2.0]]
    torch.testing.assert_close(found[:, :, 0], of_prefixes(discriminator.scores, TOKENS, MASK)[:, [0, 2]])
    torch.testing.assert_close(found[1, 1, 0], discriminator.scores(TOKENS, MASK)[1].detach())
