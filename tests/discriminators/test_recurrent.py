"""LSTM and GRU discriminators.

Mutants killed: the score of the padded last step, a step that sees the next token, a backward direction that starts in
the padding or ignores the first token, one embedding for padding and id 0.
"""

from __future__ import annotations

import pytest
import torch

from seqgans.discriminators.recurrent import GRUScorer, LSTMScorer
from seqgans.errors import BadInput
from seqgans.randomness import generator_for

KINDS = [LSTMScorer, GRUScorer]
TOKENS = torch.tensor([[1, 2, 0, 4, 3], [3, 1, 4, 0, 0], [2, 2, 2, 2, 2]])
MASK = torch.arange(5) < torch.tensor([5, 3, 1])[:, None]


@pytest.mark.parametrize("kind", KINDS)
def test_the_score_is_that_of_the_last_real_step(kind: type[LSTMScorer] | type[GRUScorer]) -> None:
    discriminator = kind(layers=2).build(5, 5, generator_for(1))
    steps = discriminator.step_scores(TOKENS, MASK)
    expected = torch.stack([steps[0, 4], steps[1, 2], steps[2, 0]])
    assert torch.equal(discriminator.scores(TOKENS, MASK), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_sees_no_later_token(kind: type[LSTMScorer] | type[GRUScorer]) -> None:
    discriminator = kind().build(5, 5, generator_for(2))
    other = TOKENS.clone()
    other[:, 3] = (other[:, 3] + 1) % 5
    every = torch.ones_like(MASK)
    one, two = (discriminator.step_scores(tokens, every) for tokens in (TOKENS, other))
    assert torch.equal(one[:, :3], two[:, :3])
    assert bool((one[:, 3:] != two[:, 3:]).all())


@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_a_short_row_scores_as_if_nothing_followed(kind: type[LSTMScorer] | type[GRUScorer]) -> None:
    discriminator = kind(bidirectional=True).build(5, 5, generator_for(3))
    whole = discriminator.scores(TOKENS, MASK)
    cut = discriminator.scores(TOKENS[1:2, :3], MASK[1:2, :3])
    torch.testing.assert_close(whole[1:2], cut, rtol=0, atol=1e-6)
    with pytest.raises(BadInput, match="needs a discriminator with bidirectional false"):
        discriminator.step_scores(TOKENS, MASK)


def test_padding_is_no_word() -> None:
    discriminator = LSTMScorer().build(5, 2, generator_for(4))
    zeros = torch.zeros(1, 2, dtype=torch.long)
    steps = [discriminator.step_scores(zeros, torch.tensor([[True, real]])) for real in (True, False)]
    assert steps[0][0, 1] != steps[1][0, 1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hidden": 0}, "LSTMScorer.hidden must be at least 1, got 0"),
        ({"dropout": 1.0}, "LSTMScorer.dropout must be at least 0 and below 1, got 1.0"),
    ],
)
def test_settings_are_checked(given: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LSTMScorer(**given)
