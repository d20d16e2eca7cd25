"""Losses of blanks, by hand.

Mutants killed: labels of kept tokens, halves, padding that counts, a sum over the batch for a mean, a mean over blanks
for one over sequences, kept tokens that move the critic.
"""

from __future__ import annotations

import math

import pytest
import torch

from seqgans.objectives.infilling import fill_accuracy, fill_loss, value_loss


def log_sigmoid(value: float) -> float:
    return -math.log1p(math.exp(-value))


def test_kept_tokens_are_real_and_padding_counts_as_nothing() -> None:
    real, fake = torch.tensor([[1.0, -2.0, 9.0], [0.5, 3.0, 2.0]]), torch.tensor([[0.3, 2.0, -1.0], [1.5, 7.0, 7.0]])
    real_mask = torch.tensor([[True, True, False], [True, True, True]])
    fake_mask = torch.tensor([[True, True, True], [True, False, False]])
    kept = torch.tensor([[True, False, True], [False, True, True]])
    expected = -sum(map(log_sigmoid, (1.0, -2.0, 0.5, 3.0, 2.0)))
    expected -= log_sigmoid(0.3) + log_sigmoid(-2.0) + log_sigmoid(-1.0) + log_sigmoid(-1.5)
    found = fill_loss(real, fake, real_mask, fake_mask, kept)
    assert found.item() == pytest.approx(expected / 12, abs=1e-6)
    twice = fill_loss(*(part.repeat(2, 1) for part in (real, fake, real_mask, fake_mask, kept)))
    assert twice.item() == pytest.approx(found.item(), abs=1e-6)


def test_accuracy_looks_at_blanks_only() -> None:
    real, fake = torch.tensor([[2.0, -1.0]]), torch.tensor([[-1.0, 4.0]])
    blank = torch.tensor([[True, False]])
    assert fill_accuracy(real, fake, blank, blank) == 1.0
    assert fill_accuracy(real, fake, ~blank, ~blank) == 0.0
    assert fill_accuracy(real, fake, ~blank, blank) == 0.5
    assert fill_accuracy(real, fake, blank & ~blank, blank) == 0.5  # no blanks: nothing is known


def test_the_critic_is_moved_at_blanks_only() -> None:
    values = torch.tensor([[1.0, 2.0], [0.0, 5.0]], requires_grad=True)
    returns = torch.tensor([[3.0, 9.0], [9.0, 4.0]])
    mask = torch.tensor([[True, False], [True, True]])
    loss = value_loss(values, returns, mask)
    assert loss.item() == pytest.approx((4 + 81 + 1) / 2)
    loss.backward()
    assert values.grad is not None
    torch.testing.assert_close(values.grad, torch.tensor([[-2.0, 0.0], [-9.0, 1.0]]))
    with pytest.raises(ValueError, match="returns must carry no gradient"):
        value_loss(values, returns.requires_grad_(), mask)


def test_smoothing_lowers_the_target_of_every_real_token() -> None:
    """Also that of the kept ones of a filled-in sequence; padding has none."""
    real, fake = torch.tensor([[2.0, -1.0]]), torch.tensor([[0.5, 4.0]])
    mask, kept = torch.tensor([[True, True]]), torch.tensor([[True, False]])
    targets = torch.tensor([[0.9, 0.9], [0.9, 0.0]])
    scores = torch.cat([real, fake])
    expected = -(targets * scores.sigmoid().log() + (1 - targets) * (-scores).sigmoid().log()).mean()
    torch.testing.assert_close(fill_loss(real, fake, mask, mask, kept, 0.1), expected)
    none = mask & False
    assert fill_loss(real, fake, none, none, kept, 0.1).item() == 0
