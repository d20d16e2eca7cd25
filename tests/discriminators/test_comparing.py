"""The comparer. Mutants killed: verdicts that are not turned round, a tie that has a direction, sequences that a score
is compared with that never change.
"""

from __future__ import annotations

import pytest
import torch

from seqgans.discriminators.comparing import BETTER, HUMAN, TIE, WORSE, Comparer, Comparing, as_comparer
from seqgans.discriminators.convolutional import CNN
from seqgans.errors import BadInput
from seqgans.randomness import generator_for

TOKENS = torch.randint(6, (8, 5), generator=generator_for(1))
MASK = torch.ones(8, 5, dtype=torch.bool)


def comparer(antisymmetric: bool = True) -> Comparing:
    settings = Comparer(embedding=4, widths=(1, 2), maps=(6, 6), encoding=5, hidden=7, antisymmetric=antisymmetric)
    return as_comparer(settings.build(6, 5, generator_for(0)))


def test_a_swapped_pair_has_the_swapped_verdict() -> None:
    """Exactly, by construction; and not at all where that is switched off."""
    for antisymmetric in (True, False):
        judge = comparer(antisymmetric)
        encoded = judge.encode(TOKENS, MASK).detach()
        one = judge.compare(encoded[:4], encoded[4:]).detach()
        other = judge.compare(encoded[4:], encoded[:4]).detach()
        swapped = torch.stack([other[:, WORSE], other[:, BETTER], other[:, TIE]], 1)
        assert torch.equal(one, swapped) == antisymmetric
        assert float((one[:, BETTER] - one[:, WORSE]).abs().min()) > 1e-5


def test_nobody_is_better_than_itself() -> None:
    encoded = comparer().encode(TOKENS, MASK).detach()
    logits = comparer().compare(encoded, encoded)
    assert torch.equal(logits[:, BETTER], logits[:, WORSE])


def test_a_score_is_the_log_odds_of_not_being_worse_than_those_remembered() -> None:
    judge = comparer()
    before = judge.scores(TOKENS, MASK)
    judge.remember(TOKENS[:3], MASK[:3])
    encoded = judge.encode(TOKENS, MASK)
    expected = torch.zeros(8)
    for index in range(HUMAN):
        chances = judge.compare(encoded, encoded[index % 3].expand(8, -1)).softmax(-1)
        expected += (1 / chances[:, WORSE] - 1).log() / HUMAN
    torch.testing.assert_close(judge.scores(TOKENS, MASK), expected)
    assert not torch.allclose(before, expected)
    assert {"human_tokens", "human_mask"} <= judge.state_dict().keys()


def test_completions_are_encoded_as_they_would_be_alone() -> None:
    judge = comparer()
    tokens = TOKENS.view(2, 2, 2, 5).clone()
    tokens[0, :, :, :2] = tokens[-1, 0, :, :2]
    tokens[1, :, :, :3] = tokens[-1, 0, :, :3]
    found = judge.encode_completions(tokens, torch.ones_like(tokens, dtype=torch.bool), [2, 3])
    expected = judge.encode(tokens.flatten(0, 2), MASK).view(found.shape)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_another_discriminator_compares_nothing() -> None:
    with pytest.raises(BadInput, match="of pairs, got Convolutional; choose"):
        as_comparer(CNN(widths=(1,), maps=(2,)).build(6, 5, generator_for(0)))


@pytest.mark.parametrize(("field", "value"), [("encoding", 0), ("hidden", 0), ("widths", (1,)), ("dropout", 1.0)])
def test_settings_are_checked(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"\.{field}"):
        Comparer(**{field: value})  # pyright: ignore[reportArgumentType]
