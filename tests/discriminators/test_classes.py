"""A discriminator of classes: its readings as probabilities.

Mutants killed: class 0 taken for a category, categories counted from another place, the largest for the sum of the
rest, roll-outs read by another reading than finished sequences.
"""

from __future__ import annotations

import pytest
import torch

from seqgans.discriminators.classes import ClassDiscriminator, Classes, discriminator_of_classes
from seqgans.discriminators.convolutional import CNN
from seqgans.errors import BadInput
from seqgans.randomness import generator_for

TOKENS = torch.randint(6, (5, 7), generator=generator_for(2))
MASK = torch.arange(7) < torch.tensor([7, 5, 3, 1, 7])[:, None]


def built(categories: int) -> ClassDiscriminator:
    settings = Classes(categories=categories, embedding=4, widths=(1, 2), maps=(3, 3))
    return discriminator_of_classes(settings.build(6, 7, generator_for(1)))


def test_readings_are_the_probabilities_of_one_softmax() -> None:
    judge = built(3)
    probabilities = judge.class_scores(TOKENS, MASK).softmax(1)
    torch.testing.assert_close(judge.scores(TOKENS, MASK).sigmoid(), 1 - probabilities[:, 0])
    for category in range(3):
        ours = judge.of(category).scores(TOKENS, MASK).sigmoid()
        torch.testing.assert_close(ours, probabilities[:, category + 1])
    with pytest.raises(ValueError, match="from 0 to 2, got 3"):
        judge.of(3)


def test_one_category_leaves_two_classes_that_sum_to_one() -> None:
    judge = built(1)
    torch.testing.assert_close(judge.of(0).scores(TOKENS, MASK), judge.scores(TOKENS, MASK))
    generated = judge.class_scores(TOKENS, MASK).softmax(1)[:, 0]
    torch.testing.assert_close(1 - judge.of(0).scores(TOKENS, MASK).sigmoid(), generated)


def test_roll_outs_score_as_finished_sequences() -> None:
    judge = built(2)
    tokens = torch.randint(6, (2, 3, 4, 7), generator=generator_for(3))
    for place, length in enumerate((2, 4)):
        tokens[place, :, :, :length] = TOKENS[:4, :length]
    mask = torch.ones_like(tokens, dtype=torch.bool)
    flat = tokens.flatten(0, 2), mask.flatten(0, 2)
    for reading in (judge, judge.of(1)):
        expected = reading.scores(*flat).view(2, 3, 4)
        torch.testing.assert_close(reading.completion_scores(tokens, mask, [2, 4]), expected, rtol=0, atol=1e-5)


def test_a_plain_discriminator_is_refused() -> None:
    plain = CNN(embedding=4, widths=(1, 2), maps=(3, 3)).build(6, 7, generator_for(1))
    with pytest.raises(BadInput, match=r"choose --discriminator\.name classes"):
        discriminator_of_classes(plain)
    with pytest.raises(ValueError, match=r"Classes\.categories must be at least 1, got 0"):
        Classes(categories=0)
