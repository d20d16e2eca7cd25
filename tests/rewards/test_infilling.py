"""What blanks earn: the formula of the return, kept tokens that earn nothing, the control arm.

Mutants killed: discount of the wrong side, rewards of kept tokens, no floor under log D, advantages without bounds,
a shuffle that loses blanks, keeps them where they were or counts them from the last.
"""

from __future__ import annotations

import math

import pytest
import torch

from seqgans.discriminators.recurrent import LSTMScorer
from seqgans.discriminators.seq2seq import ContextScorer, Seq2SeqScorer
from seqgans.errors import BadInput
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.control import shuffled_over_blanks
from seqgans.rewards.infilling import Critic, advantages, context_reader, fill_returns, fill_rewards
from seqgans.sequences import Sequences

REWARDS = torch.randn(5, 7, generator=generator_for(0))
MISSING = torch.rand(5, 7, generator=generator_for(1)) < 0.6


def test_returns_follow_their_formula() -> None:
    own = REWARDS * MISSING
    for discount in (0.0, 0.3, 1.0):
        found = fill_returns(REWARDS, MISSING, discount)
        for time in range(7):
            expected = sum(discount ** (later - time) * own[:, later] for later in range(time, 7)) * MISSING[:, time]
            torch.testing.assert_close(found[:, time], expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(fill_returns(REWARDS, MISSING, 0.0), own)


def test_a_fill_earns_the_log_of_being_real() -> None:
    scorer = Seq2SeqScorer(hidden=4, layers=1, dropout=0.5).build(3, 4, generator_for(2))
    assert isinstance(scorer, ContextScorer)
    real = Sequences.of(torch.randint(3, (6, 4), generator=generator_for(3)))
    missing = torch.rand(6, 4, generator=generator_for(4)) < 0.5
    source = Sequences(real.tokens.masked_fill(missing, 3), real.mask)
    found = fill_rewards(scorer, real, source, missing)
    scores = scorer.step_scores(real.tokens, real.mask, context=source)
    torch.testing.assert_close(found, (scores.sigmoid() + 1e-7).log().detach() * missing)
    assert not found.requires_grad
    with torch.no_grad():
        scorer.output.bias.fill_(-1000.0)
    lowest = fill_rewards(scorer, real, source, torch.ones_like(missing))
    torch.testing.assert_close(lowest, torch.full((6, 4), math.log(1e-7)))


def test_advantages_are_bounded_and_stand_at_blanks() -> None:
    found = advantages(10 * REWARDS, torch.ones(5, 7), MISSING, limit=2.0)
    torch.testing.assert_close(found, (10 * REWARDS - 1).clamp(-2, 2) * MISSING)


def test_the_control_hands_blanks_to_others() -> None:
    rows, time = 40, 6
    missing = torch.zeros(rows, time, dtype=torch.bool)
    for row in range(rows):
        missing[row, 1 + row % 4 : 3 + row % 4] = True  # blocks of two at different places
    values = (torch.arange(rows)[:, None] * 10.0 + missing.cumsum(1)) * missing  # which row, and which of its blanks
    found = shuffled_over_blanks(values, missing, Stream(generator_for(5)))
    assert torch.equal(found != 0, missing)
    got = found[missing].view(rows, 2)
    assert torch.equal(got[:, 1] - got[:, 0], torch.ones(rows))  # the blanks of one sequence stay together, in order
    assert sorted(got[:, 0].tolist()) == sorted(values[missing].view(rows, 2)[:, 0].tolist())
    assert (got[:, 0] != values[missing].view(rows, 2)[:, 0]).float().mean() > 0.8
    missing = torch.arange(time) >= (torch.arange(rows) % time)[:, None]  # from one blank to all
    found = shuffled_over_blanks(missing.cumsum(1) * missing.float(), missing, Stream(generator_for(5)))
    assert torch.equal(found[found > 0], missing.cumsum(1)[found > 0].float())  # the i-th has that of another's i-th
    assert bool((found > 0)[:, -1].any())
    fewer = torch.tensor([[True, False], [True, True]])
    assert shuffled_over_blanks(torch.ones(2, 2), fewer, Stream(generator_for(0))).sum() <= 3


def test_others_read_no_context() -> None:
    with pytest.raises(BadInput, match="needs a discriminator that reads a context, got RecurrentScorer; choose"):
        context_reader(LSTMScorer().build(3, 4, generator_for(0)))


def test_a_critic_expects_nothing_at_first() -> None:
    assert Critic(3)(torch.randn(2, 4, 3, generator=generator_for(6))).abs().max().item() == 0
