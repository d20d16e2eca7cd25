"""Ranks within a comparison set (rankgan.md, check 1 and 3).

Mutants killed: a set without the ranked sentence, a log of a mean for a mean of logs, γ on one side of the fraction
only, the sign of the ranker's loss.
"""

from __future__ import annotations

import math

import pytest
import torch

from seqgans.objectives.ranking import log_ranks, log_ranks_within, ranker_loss
from seqgans.randomness import generator_for

NEAR = 2 * torch.rand(5, 3, generator=generator_for(0)) - 1  # α of 5 sentences to 3 references


def test_a_rank_is_written_out() -> None:
    """P(s | u, C) by hand, then a mean of logs over the references."""
    inputs, others = NEAR[:2], NEAR[2:]
    expected = torch.zeros(2)
    for row in range(2):
        for reference in range(3):
            rest = sum(math.exp(4 * float(value)) for value in others[:, reference])
            own = math.exp(4 * float(inputs[row, reference]))
            expected[row] += math.log(own / (own + rest)) / 3
    torch.testing.assert_close(log_ranks(inputs, others, 4.0), expected)


def test_ranks_under_one_reference_are_a_distribution() -> None:
    ranks = log_ranks_within(NEAR[:, :1], 3.0).exp()
    assert float(ranks.sum()) == pytest.approx(1, abs=1e-6)
    torch.testing.assert_close(log_ranks_within(NEAR + 0.7, 3.0), log_ranks_within(NEAR, 3.0))
    torch.testing.assert_close(log_ranks(NEAR[:1] + 0.7, NEAR[1:] + 0.7, 3.0), log_ranks(NEAR[:1], NEAR[1:], 3.0))


@pytest.mark.parametrize("joined", [False, True])
def test_ranks_within_a_batch_are_ranks_among_the_others(joined: bool) -> None:
    within = log_ranks_within(NEAR, 3.0, joined)
    for row in range(5):
        rest = torch.cat([NEAR[:row], NEAR[row + 1 :]])
        torch.testing.assert_close(within[row], log_ranks(NEAR[row], rest, 3.0, joined))


@pytest.mark.parametrize("joined", [False, True])
def test_without_sharpness_all_rank_alike(joined: bool) -> None:
    torch.testing.assert_close(log_ranks_within(NEAR, 0.0, joined), torch.full((5,), -math.log(5)))
    torch.testing.assert_close(log_ranks(NEAR[:2], NEAR[2:], 0.0, joined), torch.full((2,), -math.log(4)))


def test_with_one_reference_both_definitions_are_one() -> None:
    torch.testing.assert_close(log_ranks_within(NEAR[:, :1], 3.0, True), log_ranks_within(NEAR[:, :1], 3.0))
    two = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert float((log_ranks_within(two, 2.0, True) - log_ranks_within(two, 2.0)).abs().max()) > 0.3


def test_order_and_ties() -> None:
    order = torch.tensor([3, 1, 4, 0, 2])
    torch.testing.assert_close(log_ranks_within(NEAR[order], 3.0), log_ranks_within(NEAR, 3.0)[order])
    torch.testing.assert_close(log_ranks(NEAR[:2], NEAR[2:][[1, 2, 0]], 3.0), log_ranks(NEAR[:2], NEAR[2:], 3.0))
    twice = log_ranks_within(torch.cat([NEAR, NEAR[:1]]), 3.0)
    assert float(twice[0]) == float(twice[5])


def test_sets_side_by_side_do_not_meet() -> None:
    """One comparison set for each group of the last axis but one."""
    groups = torch.stack([NEAR, NEAR.flip(0)], 1)  # (sentences, groups, references)
    found = log_ranks(groups[:2], groups[2:], 3.0)
    torch.testing.assert_close(found[:, 0], log_ranks(NEAR[:2], NEAR[2:], 3.0))
    torch.testing.assert_close(found[:, 1], log_ranks(NEAR.flip(0)[:2], NEAR.flip(0)[2:], 3.0))


def test_the_ranker_gains_where_real_ranks_rise() -> None:
    real, fake = torch.tensor([-1.0, -3.0], requires_grad=True), torch.tensor([-2.0], requires_grad=True)
    value = ranker_loss(real, fake)
    value.backward()
    assert value.item() == 0.0
    assert real.grad is not None
    assert fake.grad is not None
    assert real.grad.tolist() == [-0.5, -0.5]
    assert fake.grad.tolist() == [1.0]
