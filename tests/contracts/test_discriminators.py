"""What every discriminator in the table must do.

Mutants killed: padding that reaches a score, hard and soft inputs through different embeddings, dropout while rewards
are computed, the score of the first or of the padded last step, a backward direction that begins with padding.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from seqgans.discriminators import DISCRIMINATORS
from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.recurrent import GRUScorer, LSTMScorer
from seqgans.randomness import Stream, generator_for

VOCABULARY, LENGTH, ROWS = 6, 7, 5
SETTINGS = {
    **{
        name: kind(dropout=0.5) for name, kind in DISCRIMINATORS.items() if name != "pretrained"
    },  # it has a file of tests
    "lstm both ways": LSTMScorer(dropout=0.5, bidirectional=True, layers=2),
    "gru both ways": GRUScorer(dropout=0.5, bidirectional=True),
}


@pytest.fixture(params=SETTINGS)
def discriminator(request: pytest.FixtureRequest) -> Discriminator:
    return SETTINGS[request.param].build(VOCABULARY, LENGTH, generator_for(1))


def batch() -> tuple[Tensor, Tensor]:
    """Ids and a mask whose rows end at 7, 5, 3, 1 and 7 tokens."""
    tokens = torch.randint(VOCABULARY, (ROWS, LENGTH), generator=generator_for(2))
    mask = torch.arange(LENGTH) < torch.tensor([7, 5, 3, 1, 7])[:, None]
    return tokens, mask


def test_hard_and_one_hot_inputs_score_alike(discriminator: Discriminator) -> None:
    tokens, mask = batch()
    one_hot = torch.nn.functional.one_hot(tokens, VOCABULARY).float()
    hard = discriminator.scores(tokens, mask)
    assert hard.std() > 1e-4
    torch.testing.assert_close(hard, discriminator.scores(one_hot, mask), rtol=0, atol=1e-5)
    torch.testing.assert_close(
        discriminator.view_scores(tokens, mask), discriminator.view_scores(one_hot, mask), rtol=0, atol=1e-5
    )


def test_what_stands_in_padding_is_not_read(discriminator: Discriminator) -> None:
    tokens, mask = batch()
    other = torch.where(mask, tokens, (tokens + 1) % VOCABULARY)
    assert torch.equal(discriminator.scores(tokens, mask), discriminator.scores(other, mask))
    moved = torch.where(mask, (tokens + 1) % VOCABULARY, tokens)
    assert bool((discriminator.scores(tokens, mask) != discriminator.scores(moved, mask)).all())


def test_rows_do_not_see_each_other(discriminator: Discriminator) -> None:
    tokens, mask = batch()
    whole = discriminator.scores(tokens, mask)
    alone = torch.cat([discriminator.scores(tokens[[row]], mask[[row]]) for row in range(ROWS)])
    torch.testing.assert_close(whole, alone, rtol=0, atol=1e-5)


def test_dropout_needs_randomness(discriminator: Discriminator) -> None:
    tokens, mask = batch()
    plain = discriminator.scores(tokens, mask)
    assert torch.equal(plain, discriminator.scores(tokens, mask))
    one, same, other = (discriminator.scores(tokens, mask, random=Stream(generator_for(seed))) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert not torch.equal(one, plain)


def test_every_parameter_gets_a_finite_gradient(discriminator: Discriminator) -> None:
    tokens, mask = batch()
    (discriminator.scores(tokens, mask).square().sum() + discriminator.penalty()).backward()
    for name, parameter in discriminator.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name
        assert bool(parameter.grad.abs().sum() > 0), name


@pytest.mark.parametrize("lengths", [range(1, LENGTH), [2, 5]], ids=str)
def test_completions_score_as_they_would_alone(discriminator: Discriminator, lengths: Sequence[int]) -> None:
    tokens = torch.randint(VOCABULARY, (len(lengths), 2, 3, LENGTH), generator=generator_for(5))
    for place, length in enumerate(lengths):
        tokens[place, :, :, :length] = tokens[-1, 0, :, :length]
    mask = torch.arange(LENGTH) < torch.tensor([7, 7, 6])[:, None]
    mask = mask.expand(tokens.shape)
    found = discriminator.completion_scores(tokens, mask, lengths)
    expected = discriminator.scores(tokens.flatten(0, 2), mask.flatten(0, 2)).view(found.shape)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_settings_survive_a_round_trip(name: str) -> None:
    settings = DISCRIMINATORS[name]()
    assert DISCRIMINATORS[name](**dataclasses.asdict(settings)) == settings
