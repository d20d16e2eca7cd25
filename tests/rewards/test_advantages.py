"""Advantages by hand: where a score lies, who is compared with whom, and what is expected."""

from __future__ import annotations

import pytest
import torch

from seqgans.errors import BadInput
from seqgans.rewards.advantages import (
    against_the_others,
    against_their_place,
    at_the_end,
    compared,
    gained,
    generalised_advantages,
)
from seqgans.rewards.answers import REWARDS, PastAnswers, earned
from seqgans.rewards.scale import Leash, RunningScale
from seqgans.sequences import Sequences

MASK = torch.tensor([[True, True, False], [True, False, False], [True, True, True], [True, True, True]])
SCORES = torch.tensor([1.0, 2.0, 3.0, 4.0])


def test_a_score_lies_on_the_last_real_token_whether_it_ends_or_is_cut() -> None:
    assert at_the_end(SCORES, MASK).tolist() == [[0, 1, 0], [2, 0, 0], [0, 0, 3], [0, 0, 4]]


def test_no_answer_has_a_part_in_its_own_baseline() -> None:
    returns = at_the_end(SCORES, MASK).flip(1).cumsum(1).flip(1)
    found = against_the_others(returns, MASK, 2)
    assert found.tolist() == [[-1, -1, 0], [1, 0, 0], [-1, -1, -1], [1, 1, 1]]
    assert against_the_others(returns, MASK, 4)[0, 0] == 1 - 3
    placed = against_their_place(returns, MASK, 2)
    assert placed.tolist() == [[-1, 1, 0], [1, 0, 0], [-1, -1, -1], [1, 1, 1]]  # alone at its place: its return
    with pytest.raises(BadInput, match="4 answers must make whole groups of at least 2, got groups of 3"):
        against_the_others(returns, MASK, 3)
    assert compared(at_the_end(SCORES, MASK), MASK, None, 1.0, placed=True).equal(returns)


def test_what_is_gained_adds_up_to_the_score() -> None:
    steps = torch.tensor([[0.5, 2.0, 9.0], [1.0, 9.0, 9.0], [1.0, 0.0, 3.0], [4.0, 4.0, 4.0]])
    assert gained(steps, MASK).sum(1).tolist() == [2.0, 1.0, 3.0, 4.0]


def test_generalised_advantages_by_hand() -> None:
    rewards, values = torch.tensor([[0.0, 1.0, 7.0]]), torch.tensor([[0.5, 0.2, 9.0]])
    mask = torch.tensor([[True, True, False]])
    found, returns = generalised_advantages(rewards, values, mask, 0.9, 0.5)
    last = 1.0 - 0.2
    first = 0.0 + 0.9 * 0.2 - 0.5 + 0.45 * last
    assert torch.allclose(found, torch.tensor([[first, last, 0.0]]))
    assert torch.allclose(returns, torch.tensor([[first + 0.5, 1.0, 0.0]]))
    plain, _ = generalised_advantages(rewards, values, mask, 1.0, 1.0)
    assert torch.allclose(plain, torch.tensor([[1.0 - 0.5, 1.0 - 0.2, 0.0]]))


@pytest.mark.parametrize("credit", ["token", "end"])
def test_a_score_that_is_no_number_counts_as_the_mean_of_the_others(credit) -> None:
    scores = torch.tensor([[1.0, 2.0, 3.0]] * 4) if credit == "token" else SCORES.clone()
    scores.view(-1)[0] = float("nan")
    for scale in (None, RunningScale()):
        found = earned(scores, MASK, "logit", credit, scale)
        assert bool(found.isfinite().all())
        assert bool((found[~MASK] == 0).all())
    nothing = torch.full_like(scores, float("nan"))
    assert bool((earned(nothing, MASK, "logit", credit) == 0).all())


def test_scores_of_padding_have_no_part_in_that_mean() -> None:
    """Trap 7, one answer of many without a score. Mutants killed: the mean over padding, which nobody wrote."""
    scores = torch.where(MASK, 1.0, 500.0)
    scores[3] = float("nan")
    found = earned(scores, MASK, "logit", "token")
    assert found.sum(1).tolist() == [1.0, 1.0, 1.0, 1.0]


def test_rewards_of_the_paper_lie_within_a_half() -> None:
    far = torch.tensor([-100.0, 0.0, 100.0])
    assert REWARDS["probability"](far).tolist() == [-0.5, 0.0, 0.5]
    assert REWARDS["raw_probability"](far).tolist() == [0.0, 0.5, 1.0]
    assert REWARDS["imitation"](torch.zeros(1)).item() == pytest.approx(0.6931, abs=1e-4)


def test_equal_rewards_stay_finite_and_a_usual_deviation_becomes_one() -> None:
    scale = RunningScale(decay=0.0)
    assert scale(torch.tensor([3.0, 3.0])).tolist() == [300.0, 300.0]  # the floor, not a division by 0
    assert scale(torch.tensor([-10.0, 10.0])).std().item() == pytest.approx(1.0)
    assert bool(RunningScale()(torch.ones(1)).isfinite().all())


def test_a_leash_is_pulled_towards_its_target() -> None:
    leash = Leash(0.1, target=1.0)
    leash.steer(5.0)
    assert leash.coefficient.item() == pytest.approx(0.1 * 1.02)
    leash.steer(0.0)
    assert leash.coefficient.item() == pytest.approx(0.1 * 1.02 * 0.98)
    fixed = Leash(0.1)
    fixed.steer(5.0)
    assert fixed.coefficient.item() == pytest.approx(0.1)


def test_answers_are_remembered_beside_what_they_answer() -> None:
    past = PastAnswers(3, 4)
    tokens = torch.arange(8).view(4, 2)
    past.remember(Sequences(tokens, torch.ones_like(tokens, dtype=torch.bool)), torch.tensor([7, 8, 9, 10]), 1)
    latest = past.samples.latest(2)
    assert past.rows[latest].tolist() == [10, 9]
    assert past.samples.at(latest).tokens.tolist() == [[6, 7, 0, 0], [4, 5, 0, 0]]
    assert past.samples.at(latest).mask.sum(1).tolist() == [2, 2]
