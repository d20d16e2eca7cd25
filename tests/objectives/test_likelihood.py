"""The negative log-likelihood of real tokens.

Mutants killed: sign, a mean over all positions, a mean over rows first, padding that is read (an infinite
log-probability there would show), a product with the mask instead of a choice.
"""

from __future__ import annotations

import math

import torch

from seqgans.objectives.likelihood import negative_log_likelihood
from seqgans.randomness import generator_for


def test_it_is_a_mean_over_real_tokens() -> None:
    log_probs = torch.tensor([[0.5, 0.25, 0.0], [0.125, 0.1, 0.2]]).log()  # log 0 = −∞ in padding
    mask = torch.tensor([[True, True, False], [True, False, False]])
    expected = -math.log(0.5 * 0.25 * 0.125) / 3
    assert abs(negative_log_likelihood(log_probs, mask).item() - expected) < 1e-6


def test_its_gradient_at_the_logits_is_softmax_less_one_hot_over_the_count() -> None:
    logits = torch.randn(3, 4, 5, generator=generator_for(1), requires_grad=True)
    tokens = torch.randint(5, (3, 4), generator=generator_for(2))
    mask = torch.arange(4) < torch.tensor([4, 1, 3])[:, None]
    log_probs = logits.log_softmax(2).gather(2, tokens[:, :, None])[:, :, 0]
    negative_log_likelihood(log_probs, mask).backward()
    one_hot = torch.nn.functional.one_hot(tokens, 5)
    expected = (logits.detach().softmax(2) - one_hot) * mask[:, :, None] / mask.sum()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, expected, rtol=0, atol=1e-6)


def test_repeating_the_batch_leaves_it_unchanged_and_no_tokens_give_zero() -> None:
    log_probs = torch.randn(2, 3, generator=generator_for(3))
    mask = torch.tensor([[True, True, False], [True, False, False]])
    twice = negative_log_likelihood(log_probs.repeat(2, 1), mask.repeat(2, 1))
    torch.testing.assert_close(twice, negative_log_likelihood(log_probs, mask))
    assert negative_log_likelihood(log_probs, torch.zeros_like(mask)).item() == 0.0
