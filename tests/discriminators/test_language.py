"""A language model as discriminator.

Mutants killed: a state that has read the token it judges, a start that is the first token, scores counted from 0 after
`settle`, an anchor that a checkpoint forgets, gains of padding.
"""

from __future__ import annotations

import itertools

import pytest
import torch

from seqgans.discriminators.language import Language, LanguageScorer
from seqgans.randomness import generator_for

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
MASK = torch.ones_like(EVERY, dtype=torch.bool)


def build() -> LanguageScorer:
    found = Language(embedding=4, hidden=5, deviation=1.5).build(3, 3, generator_for(1))
    assert isinstance(found, LanguageScorer)
    return found


def test_it_is_a_law_over_sequences() -> None:
    log_probs = build().log_probs(EVERY, MASK).sum(1).double()
    assert abs(log_probs.exp().sum().item() - 1) < 1e-5
    assert log_probs.std() > 0.3


def test_scores_are_log_ratios_up_to_normalisers() -> None:
    """score(Y) − score(Y') = Σ_t of logits moved; here against the two laws written out."""
    model = build()
    model.settle()
    before = model.log_probs(EVERY, MASK)
    assert torch.equal(model.scores(EVERY, MASK), torch.zeros(27))
    with torch.no_grad():
        model.weight.add_(torch.randn(3, 5, generator=generator_for(2)))
        model.bias.add_(torch.randn(3, generator=generator_for(3)))
    after = model.log_probs(EVERY, MASK)
    first, second = model.step_scores(EVERY, MASK)[:, 0], (after - before)[:, 0]  # no context: one normaliser
    difference = second - first
    torch.testing.assert_close(difference, difference[:1].expand(27), rtol=0, atol=1e-5)
    assert first.unique().numel() == 3
    gain = model.step_scores(EVERY, MASK)[:, 2] - model.step_scores(EVERY, MASK)[:, 1]
    rest = ((after - before)[:, 2] - gain).view(9, 3)  # within one context the normaliser is one number
    torch.testing.assert_close(rest, rest[:, :1].expand(9, 3), rtol=0, atol=1e-5)


def test_a_step_sees_no_later_token_and_padding_adds_nothing() -> None:
    model = build()
    steps = model.step_scores(EVERY, MASK)
    assert torch.equal(steps[0, :2], steps[1, :2])
    short = torch.arange(3) < torch.tensor([2])[:, None]
    torch.testing.assert_close(model.step_scores(EVERY[:1], short)[0], steps[0, [0, 1, 1]], rtol=0, atol=1e-5)


def test_where_it_settled_survives_a_checkpoint() -> None:
    model, other = build(), build()
    model.settle()
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.scores(EVERY, MASK), torch.zeros(27))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"hidden": 0}, "Language.hidden must be at least 1, got 0"),
        ({"deviation": 0.0}, "Language.deviation must be above 0, got 0.0"),
        ({"dropout": 1.0}, "Language.dropout must be at least 0 and below 1, got 1.0"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace(".", r"\.")):
        Language(**settings)  # pyright: ignore[reportArgumentType]
