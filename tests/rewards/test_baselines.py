"""Baselines: right means, and an unchanged expected gradient.

Mutants killed: a mean over padding, over positions instead of rows, a row inside its own leave-one-out mean, a moving
average that already holds the batch it centres, one without bias correction, a state that is not saved.
"""

from __future__ import annotations

import itertools

import pytest
import torch

from seqgans.generators.recurrent import LSTM
from seqgans.objectives.policy_gradient import reinforce_loss
from seqgans.randomness import generator_for
from seqgans.rewards.baselines import BASELINES, MovingAverage, batch_mean, leave_one_out

REWARDS = torch.tensor([[1.0, 2.0, 7.0], [3.0, 4.0, 9.0], [8.0, 9.0, 5.0]])
MASK = torch.tensor([[True, True, True], [True, True, False], [True, False, False]])


def test_batch_mean_by_hand() -> None:
    expected = torch.tensor([[-3.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [4.0, 0.0, 0.0]])
    torch.testing.assert_close(batch_mean(REWARDS, MASK), expected)


def test_leave_one_out_by_hand() -> None:
    expected = torch.tensor([[-4.5, -2.0, 7.0], [-1.5, 2.0, 0.0], [6.0, 0.0, 0.0]])
    torch.testing.assert_close(leave_one_out(REWARDS, MASK), expected)


@pytest.mark.parametrize("name", BASELINES)
def test_padding_has_no_influence_and_earns_nothing(name: str) -> None:
    spoilt = REWARDS.masked_fill(~MASK, float("nan"))
    centred = BASELINES[name](spoilt, MASK)
    torch.testing.assert_close(centred, BASELINES[name](REWARDS, MASK))
    assert bool((centred[~MASK] == 0).all())


@pytest.mark.parametrize("name", ["batch_mean", "leave_one_out"])
def test_adding_a_constant_per_position_changes_nothing(name: str) -> None:
    moved = REWARDS + torch.tensor([5.0, -1.0, 2.0])
    found, expected = BASELINES[name](moved, MASK), BASELINES[name](REWARDS, MASK)
    shared = MASK.sum(0) > 1  # where only one row is real there is nothing to compare with
    torch.testing.assert_close(found[:, shared], expected[:, shared])


@pytest.mark.parametrize(("name", "factor"), [("none", 1.0), ("leave_one_out", 1.0), ("batch_mean", 0.5)])
def test_the_expected_gradient_of_two_samples_is_unchanged(name: str, factor: float) -> None:
    """All 81 pairs of sequences of 3 tokens and 2 steps: exact, and 1 − 1/B for the batch mean."""
    every = torch.tensor(list(itertools.product(range(3), repeat=2)))
    generator = LSTM(embedding=3, hidden=4, deviation=0.8).build(3, 0, None, generator_for(1))
    parameters = list(generator.parameters())
    log_probs = generator.log_probs(every)
    law = log_probs.sum(1).exp()
    earned = torch.rand(9, generator=generator_for(2))
    exact = torch.autograd.grad(-(law * earned).sum(), parameters, retain_graph=True)
    mask = torch.ones(2, 2, dtype=torch.bool)
    expected = torch.zeros(())
    for pair in itertools.product(range(9), repeat=2):
        rows = torch.tensor(pair)
        rewards = BASELINES[name](earned[rows][:, None].expand(2, 2), mask)
        expected = expected + law[rows].prod().detach() * reinforce_loss(log_probs[rows], rewards, mask)
    for found, wanted in zip(torch.autograd.grad(expected, parameters), exact, strict=True):
        torch.testing.assert_close(found, factor * wanted, rtol=0, atol=2e-6)


def test_the_moving_average_holds_earlier_batches_only() -> None:
    baseline = MovingAverage(decay=0.5)
    ones = torch.ones(2, 2, dtype=torch.bool)
    first = baseline(torch.full((2, 2), 4.0), ones)
    second = baseline(torch.full((2, 2), 10.0), ones)
    third = baseline(torch.zeros(2, 2), ones)
    assert first.unique().tolist() == [4.0]
    assert second.unique().tolist() == [6.0]  # 10 − 4
    assert third.unique().tolist() == [-8.0]  # −(½·4·½ + ½·10) / (1 − ¼)


def test_the_moving_average_survives_in_a_state_dict() -> None:
    one, other = MovingAverage(), MovingAverage()
    one(REWARDS, MASK)
    assert not torch.equal(one.state_dict()["average"], other.state_dict()["average"])
    other.load_state_dict(one.state_dict())
    torch.testing.assert_close(one(REWARDS, MASK), other(REWARDS, MASK))
    assert (one(REWARDS, MASK)[~MASK] == 0).all()


def test_the_moving_average_does_not_read_padding() -> None:
    one, other = MovingAverage(), MovingAverage()
    one(REWARDS, MASK)
    other(REWARDS.masked_fill(~MASK, 100.0), MASK)
    assert torch.equal(one.average, other.average)
    assert one.average > 0


def test_a_decay_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"MovingAverage\.decay must be at least 0 and below 1, got 1\.0"):
        MovingAverage(decay=1.0)
