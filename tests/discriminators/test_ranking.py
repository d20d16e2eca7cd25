"""The ranker: features of unit length. Mutants killed: features without a norm, a memory that never changes."""

from __future__ import annotations

import pytest
import torch

from seqgans.discriminators.convolutional import CNN
from seqgans.discriminators.ranking import Ranker, Ranking, as_ranker
from seqgans.errors import BadInput
from seqgans.randomness import generator_for

TOKENS = torch.randint(6, (8, 5), generator=generator_for(1))
MASK = torch.ones(8, 5, dtype=torch.bool)


def ranker() -> Ranking:
    return as_ranker(Ranker(embedding=4, widths=(1, 2), maps=(6, 6)).build(6, 5, generator_for(0)))


def test_a_sentence_is_nearest_to_itself() -> None:
    features = ranker().features(TOKENS, MASK).detach()
    near = features @ features.t()
    torch.testing.assert_close(near.diagonal(), torch.ones(8))
    assert bool((near <= 1 + 1e-6).all())
    assert torch.equal(near.argmax(1)[:3], torch.arange(3))


def test_scores_are_cosines_to_the_sentences_remembered_last() -> None:
    judge = ranker()
    before = judge.scores(TOKENS, MASK)
    judge.remember(TOKENS[:3], MASK[:3])
    features = judge.features(TOKENS, MASK)
    mean = features[:3].mean(0)
    torch.testing.assert_close(judge.scores(TOKENS, MASK), features @ mean / mean.norm())
    assert not torch.allclose(judge.scores(TOKENS, MASK), before)
    assert "human" in judge.state_dict()


def test_another_discriminator_has_no_ranks() -> None:
    with pytest.raises(BadInput, match="choose ranker"):
        as_ranker(CNN(widths=(1,), maps=(2,)).build(6, 5, generator_for(0)))


@pytest.mark.parametrize(
    ("field", "value"), [("widths", (1,)), ("embedding", 0), ("dropout", 1.0), ("widths", (9,) * 12)]
)
def test_settings_are_checked(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"Ranker\."):
        Ranker(**{field: value}).build(6, 5, generator_for(0))  # pyright: ignore[reportArgumentType]
