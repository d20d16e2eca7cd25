"""The memory of samples and the worth of a comparison.

Mutants killed: the newest sample overwritten first, a memory that forgets when a sample was drawn, a sign or weight of
another verdict, a sum over references for the mean.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from seqgans.discriminators.comparing import Comparer, as_comparer
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.self_play import LEAST, Against, PastSamples, as_past_samples, comparative_reward
from seqgans.sequences import Sequences

TOKENS = torch.randint(6, (9, 5), generator=generator_for(1))
MASK = torch.ones(9, 5, dtype=torch.bool)


def numbers(*values: int) -> Sequences:
    tokens = torch.tensor(values)[:, None]
    return Sequences(tokens, torch.ones_like(tokens, dtype=torch.bool))


def test_the_oldest_make_room() -> None:
    past = PastSamples(5, 1)
    assert len(past) == 0
    past.remember(numbers(1, 2, 3), 0)
    assert len(past) == 3
    assert sorted(past.at(past.drawn(40, Stream(generator_for(0)))).tokens.unique().tolist()) == [1, 2, 3]
    past.remember(numbers(4, 5, 6, 7), 2)
    assert sorted(past.tokens[:, 0].tolist()) == [3, 4, 5, 6, 7]
    assert past.at(past.latest(3)).tokens[:, 0].tolist() == [7, 6, 5]
    assert past.at(past.latest(6)).tokens[:, 0].tolist() == [7, 6, 5, 4, 3, 7]
    assert past.rounds[past.latest(5)].tolist() == [2, 2, 2, 2, 0]
    past.remember(numbers(*range(10, 22)), 3)  # more than there is room for
    assert past.at(past.latest(5)).tokens[:, 0].tolist() == [21, 20, 19, 18, 17]
    copied = PastSamples(5, 1)
    copied.load_state_dict(past.state_dict())
    assert torch.equal(copied.latest(5), past.latest(5))


def test_a_reward_weighs_the_verdicts() -> None:
    chances = torch.tensor([[0.2, 0.5, 0.3], [0.98, 0.01, 0.01]])
    found = comparative_reward(chances.log(), (1.0, -1.0, 0.1))
    torch.testing.assert_close(found, torch.tensor([0.2 - 0.5 + 0.03, 0.97 + 0.001]))
    logs = comparative_reward(chances.log(), (1.0, -1.0, 0.1), "log")
    torch.testing.assert_close(logs, chances.log() @ torch.tensor([1.0, -1.0, 0.1]))
    sure = torch.tensor([[50.0, -50.0, 0.0]])
    torch.testing.assert_close(comparative_reward(sure, (1.0, -1.0, 0.0), "log"), torch.tensor([-LEAST]))


def test_rewards_against_references_are_a_mean() -> None:
    """In [−1, 1] for the usual weights, and exactly 0 for a sequence against itself."""
    judge = as_comparer(Comparer(embedding=4, widths=(1, 2), maps=(6, 6), encoding=5).build(6, 5, generator_for(0)))
    with torch.no_grad():
        judge.output.weight.mul_(3000)  # sure of itself
        encoded = judge.encode(TOKENS, MASK)
        rewards = Against(judge, encoded[:3]).scores(TOKENS, MASK)
        each = [comparative_reward(judge.compare(encoded, one.expand(9, -1)), (1.0, -1.0, 0.0)) for one in encoded[:3]]
        torch.testing.assert_close(rewards, torch.stack(each).mean(0))
        assert float(rewards.abs().max()) <= 1
        assert float(rewards.abs().max()) > 0.3
        alone = torch.cat([Against(judge, encoded[[row]]).rewards(encoded[[row]]) for row in range(9)])
        assert torch.equal(alone, torch.zeros(9))
        verdicts = Against(judge, encoded[:3]).verdicts(encoded[:3])
    assert verdicts[0] == pytest.approx(verdicts[1], abs=1e-6)  # among themselves nobody gains
    assert sum(verdicts) == pytest.approx(1, abs=1e-6)


def test_another_player_holds_no_samples() -> None:
    with pytest.raises(TypeError, match="PastSamples, got Linear"):
        as_past_samples(nn.Linear(1, 1))
