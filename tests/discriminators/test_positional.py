"""The position-aware LSTM discriminator of ScratchGAN.

Mutants killed: the score of the padded last step, a step that sees the next token, a position that is not read, a norm
that is left out, decay of some parameters alone, periods by equal differences, a start that opens another gate.
"""

from __future__ import annotations

import math

import pytest
import torch

from seqgans.discriminators.positional import Positional, PositionalLSTM, position_signal
from seqgans.generators.recurrent import lstm_step
from seqgans.randomness import generator_for

SMALL = PositionalLSTM(embedding=4, positions=3, hidden=6)
TOKENS = torch.tensor([[1, 2, 0, 4, 3], [3, 1, 4, 0, 0], [2, 2, 2, 2, 2]])
MASK = torch.arange(5) < torch.tensor([5, 3, 1])[:, None]


def built(seed: int, settings: PositionalLSTM = SMALL) -> Positional:
    discriminator = settings.build(5, 5, generator_for(seed))
    assert isinstance(discriminator, Positional)
    return discriminator


def test_the_score_is_that_of_the_last_real_step() -> None:
    discriminator = built(1)
    steps = built(1).step_scores(TOKENS, MASK)
    expected = torch.stack([steps[0, 4], steps[1, 2], steps[2, 0]])
    assert torch.equal(discriminator.scores(TOKENS, MASK), expected)


def test_a_step_sees_no_later_token() -> None:
    discriminator = built(2)
    other = TOKENS.clone()
    other[:, 3] = (other[:, 3] + 1) % 5
    every = torch.ones_like(MASK)
    one, two = (discriminator.step_scores(tokens, every) for tokens in (TOKENS, other))
    assert torch.equal(one[:, :3], two[:, :3])
    assert bool((one[:, 3:] != two[:, 3:]).all())


def test_the_signal_by_hand() -> None:
    """Periods 2, √12, 6 and shifts 0, 1, 2 for 6 positions."""
    found = position_signal(6, 3)
    expected = [
        [math.cos(math.pi * (time / period + shift)) for period, shift in ((2, 0), (12**0.5, 1), (6, 2))]
        for time in range(6)
    ]
    torch.testing.assert_close(found, torch.tensor(expected), rtol=0, atol=1e-5)


def test_it_knows_where_it_is() -> None:
    """Without recurrence and with equal tokens only the position tells steps apart."""
    discriminator = built(3)
    with torch.no_grad():
        discriminator.recurrent.weight.zero_()
        discriminator.norm.bias[6:12] = -50.0  # forget everything
    steps = discriminator.step_scores(TOKENS[2:], torch.ones(1, 5, dtype=torch.bool))
    assert len(steps[0].unique()) == 5
    with torch.no_grad():
        discriminator.inward.weight[:, 4:] = 0.0
    blind = discriminator.step_scores(TOKENS[2:], torch.ones(1, 5, dtype=torch.bool))
    torch.testing.assert_close(blind[0], blind[0, :1].expand(5))


def test_it_remembers_at_first() -> None:
    """With nothing to read a cell keeps σ(1) of what it holds."""
    _, cell = lstm_step(built(6).norm.bias.detach()[None], torch.ones(1, 6))
    torch.testing.assert_close(cell, torch.ones(1, 6).sigmoid())


def test_the_norm_makes_the_size_of_what_is_read_irrelevant() -> None:
    discriminator = built(4)
    before = discriminator.scores(TOKENS, MASK)
    with torch.no_grad():
        for part in (discriminator.inward, discriminator.recurrent):
            part.weight.mul_(100.0)
    torch.testing.assert_close(discriminator.scores(TOKENS, MASK), before, rtol=1e-3, atol=1e-3)


def test_decay_counts_every_parameter() -> None:
    discriminator = built(5, PositionalLSTM(embedding=4, positions=3, hidden=6, decay=0.1))
    expected = 0.05 * sum(part.square().sum().item() for part in discriminator.parameters())
    assert discriminator.penalty().item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"positions": 0}, "PositionalLSTM.positions must be at least 1, got 0"),
        ({"dropout": 1.0}, "PositionalLSTM.dropout must be at least 0 and below 1, got 1.0"),
        ({"decay": -1.0}, "PositionalLSTM.decay must be a finite number of at least 0, got -1.0"),
    ],
)
def test_settings_are_checked(given: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PositionalLSTM(**given)  # pyright: ignore[reportArgumentType]
