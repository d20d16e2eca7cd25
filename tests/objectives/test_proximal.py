"""PPO's surrogate against REINFORCE, by hand, and on what it must not reward."""

from __future__ import annotations

import pytest
import torch

from seqgans.objectives.policy_gradient import reinforce_loss
from seqgans.objectives.proximal import clipped_share, clipped_surrogate, value_loss

MASK = torch.tensor([[True, True, False], [True, True, True]])


def test_where_it_was_drawn_its_gradient_is_the_policy_gradient() -> None:
    random = torch.Generator().manual_seed(0)
    log_probs = torch.randn(2, 3, generator=random, dtype=torch.double).requires_grad_()
    advantages = torch.randn(2, 3, generator=random, dtype=torch.double)
    surrogate = clipped_surrogate(log_probs, log_probs.detach(), advantages, MASK, 0.2)
    plain = reinforce_loss(log_probs, advantages, MASK)
    (one,), (other,) = torch.autograd.grad(surrogate, log_probs), torch.autograd.grad(plain, log_probs)
    assert torch.allclose(one, other)
    assert clipped_share(log_probs, log_probs, MASK, 0.2) == 0.0


@pytest.mark.parametrize(("ratio", "advantage", "gradient"), [(1.5, 1.0, 0.0), (1.5, -1.0, 1.5), (0.5, -1.0, 0.0)])
def test_nothing_is_gained_by_leaving_the_interval(ratio: float, advantage: float, gradient: float) -> None:
    log_probs = torch.tensor([[ratio]]).log().requires_grad_()
    one = torch.ones(1, 1)
    clipped_surrogate(log_probs, one.log(), advantage * one, one.bool(), 0.2).backward()
    assert log_probs.grad is not None
    assert log_probs.grad.item() == pytest.approx(gradient)


def test_padding_has_no_part() -> None:
    log_probs = torch.full((2, 3), -1.0)
    beyond = log_probs.masked_fill(~MASK, float("nan"))
    advantages = torch.ones(2, 3)
    whole = clipped_surrogate(log_probs, log_probs, advantages, MASK, 0.2)
    assert clipped_surrogate(beyond, log_probs, advantages, MASK, 0.2) == whole == torch.tensor(-2.5)
    assert value_loss(beyond, log_probs - 2, MASK) == torch.tensor(4.0)


def test_what_carries_gradient_is_refused() -> None:
    one = torch.ones(1, 1)
    with pytest.raises(ValueError, match="must carry no gradient"):
        clipped_surrogate(one, one, one.clone().requires_grad_(), one.bool(), 0.2)
    with pytest.raises(ValueError, match=r"clip must be above 0, got 0\.0"):
        clipped_surrogate(one, one, one, one.bool(), 0.0)
