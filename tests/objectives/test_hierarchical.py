"""Manager and worker: direction of the gradient, identities of the reward.

Mutants killed: sign of the manager's loss, one averaged cosine for all positions, a mean over time for the sum, a
missing mask, a horizon that is one off or not clamped, gradient through features, rewards that look ahead, rewards of
rounding, the first tokens' mean taken over goals that are not there.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from seqgans.objectives.hierarchical import intrinsic_rewards, manager_loss
from seqgans.randomness import generator_for

BATCH, TIME, WIDTH, HORIZON = 4, 6, 5, 2


@pytest.fixture
def features() -> Tensor:
    return torch.randn(BATCH, TIME + 1, WIDTH, generator=generator_for(1))


@pytest.fixture
def goals() -> Tensor:
    return normalize(torch.randn(BATCH, TIME, WIDTH, generator=generator_for(2)), dim=2)


ALL = torch.ones(BATCH, TIME, dtype=torch.bool)


def cosines(features: Tensor, goals: Tensor) -> Tensor:
    ahead = [min(time + HORIZON, TIME) for time in range(TIME)]
    return cosine_similarity(features[:, ahead] - features[:, :-1], goals, dim=2)


def test_manager_loss_is_its_formula(features: Tensor, goals: Tensor) -> None:
    values = torch.randn(BATCH, TIME, generator=generator_for(3))
    mask = torch.arange(TIME) < torch.tensor([6, 3, 1, 5])[:, None]
    total = 0.0
    for row in range(BATCH):
        for time in range(TIME):
            moved = features[row, min(time + HORIZON, TIME)] - features[row, time]
            cosine = moved @ goals[row, time] / moved.norm()
            total -= (mask[row, time] * values[row, time] * cosine).item() / BATCH
    assert manager_loss(features, goals, values, mask, HORIZON).item() == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_step_turns_each_goal_by_the_sign_of_its_value(features: Tensor, goals: Tensor, sign: float) -> None:
    raw = goals.clone().requires_grad_()
    values = torch.full((BATCH, TIME), sign)
    values[:, 3] *= -1  # per position: one averaged factor would turn all the same way
    manager_loss(features, normalize(raw, dim=2), values, ALL, HORIZON).backward()
    assert raw.grad is not None
    after = cosines(features, normalize(raw.detach() - 0.01 * raw.grad, dim=2))
    assert ((after - cosines(features, goals)) * values > 0).all()


def test_padding_does_not_reach_the_manager(features: Tensor, goals: Tensor) -> None:
    mask = torch.arange(TIME) < torch.tensor([6, 3, 1, 5])[:, None]
    raw = goals.clone().requires_grad_()
    manager_loss(features, raw, torch.ones(BATCH, TIME), mask, HORIZON).backward()
    assert raw.grad is not None
    assert torch.equal(raw.grad.abs().sum(2) > 0, mask)


def test_repeating_the_batch_leaves_the_loss_as_it_is(features: Tensor, goals: Tensor) -> None:
    once = manager_loss(features, goals, torch.ones(BATCH, TIME), ALL, HORIZON)
    twice = manager_loss(
        features.repeat(2, 1, 1), goals.repeat(2, 1, 1), torch.ones(2 * BATCH, TIME), ALL.repeat(2, 1), HORIZON
    )
    torch.testing.assert_close(once, twice)


def test_features_and_values_must_be_constants(features: Tensor, goals: Tensor) -> None:
    with pytest.raises(ValueError, match="must carry no gradient"):
        manager_loss(features.requires_grad_(), goals, torch.ones(BATCH, TIME), ALL, HORIZON)


@pytest.mark.parametrize("rounding", [0.0, 1e-7])
def test_features_that_stand_still_have_no_direction(goals: Tensor, rounding: float) -> None:
    """Nor have those that a product has rounded another way in another row."""
    still = torch.ones(BATCH, TIME + 1, WIDTH) + rounding * torch.randn(
        BATCH, TIME + 1, WIDTH, generator=generator_for(3)
    )
    assert bool((still != 1).any()) == (rounding > 0)
    raw = goals.clone().requires_grad_()
    loss = manager_loss(still, raw, torch.ones(BATCH, TIME), ALL, HORIZON)
    loss.backward()
    assert loss.item() == 0
    assert raw.grad is not None
    assert raw.grad.isfinite().all()
    assert not intrinsic_rewards(still, goals, HORIZON).any()


def test_rewards_are_their_formula(features: Tensor, goals: Tensor) -> None:
    for horizon in (1, 3, 50):
        rewards = intrinsic_rewards(features, goals, horizon)
        assert (rewards.abs() <= 1 + 1e-6).all()
        for row in range(BATCH):
            for read in range(1, TIME + 1):
                back = range(1, min(horizon, read) + 1)
                along = [
                    cosine_similarity(features[row, read] - features[row, read - i], goals[row, read - i], dim=0)
                    for i in back
                ]
                assert rewards[row, read - 1].item() == pytest.approx(torch.stack(along).mean().item(), abs=1e-5)


def test_moving_exactly_along_the_goals_earns_one() -> None:
    goal = normalize(torch.randn(BATCH, 1, WIDTH, generator=generator_for(4)), dim=2)
    steps = torch.rand(BATCH, TIME + 1, 1, generator=generator_for(5)) + 0.1
    features = steps.cumsum(1) * goal
    rewards = intrinsic_rewards(features, goal.expand(-1, TIME, -1), HORIZON)
    torch.testing.assert_close(rewards, torch.ones(BATCH, TIME))
    torch.testing.assert_close(intrinsic_rewards(-features, goal.expand(-1, TIME, -1), HORIZON), -rewards)


def test_a_reward_does_not_look_ahead_or_carry_gradient(features: Tensor, goals: Tensor) -> None:
    before = intrinsic_rewards(features, goals.requires_grad_(), HORIZON)
    assert not before.requires_grad
    changed = features.clone()
    changed[:, 4:] += 1.0
    after = intrinsic_rewards(changed, goals, HORIZON)
    assert torch.equal(before[:, :3], after[:, :3])  # tokens 1 to 3 lead to features 1 to 3
    assert (before[:, 3] != after[:, 3]).all()
