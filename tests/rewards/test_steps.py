"""The ways to a reward a token.

Mutants killed: one way in the place of another, a worth that is not applied, figures of padding.
"""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from seqgans.discriminators.convolutional import CNN
from seqgans.discriminators.recurrent import LSTMScorer
from seqgans.errors import BadInput
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.steps import EACH_STEP, OfWhole, Way, check_of_whole, reward_figures, token_rewards, token_values
from seqgans.sequences import Samples
from seqgans.training.recipe import Recipe

GENERATOR = LSTM(embedding=4, hidden=4).build(5, 0, 0, generator_for(0))  # 0 ends a sequence
JUDGE = LSTMScorer(embedding=4, hidden=4).build(5, 6, generator_for(1))
FAKE = GENERATOR.sample(30, 6, random=generator_for(2))
LAST = FAKE.mask.sum(1, keepdim=True) - 1


def rewards(way: Way) -> torch.Tensor:
    return token_rewards(way, GENERATOR, JUDGE, FAKE, 2, Stream(generator_for(3)))


@pytest.mark.parametrize("way", get_args(Way))
def test_padding_earns_nothing_and_a_finished_sequence_what_is_said_of_it(way: Way) -> None:
    found = rewards(way)
    score = JUDGE.scores(FAKE.tokens, FAKE.mask)
    assert not bool(FAKE.mask.all())
    assert bool((found[~FAKE.mask] == 0).all())
    if way in ("rollouts", "prefix", "step"):
        torch.testing.assert_close(found.gather(1, LAST)[:, 0], score.sigmoid())
    if way == "gain":
        torch.testing.assert_close(found.sum(1), score)
    if way == "gain_to_go":
        torch.testing.assert_close(found[:, 0], score)


def test_prefixes_and_steps_agree_where_the_discriminator_reads_in_order() -> None:
    """Then a step's word is what the prefix is worth, and steps to come are their sum."""
    prefix, step = rewards("prefix"), rewards("step")
    torch.testing.assert_close(step, prefix.flip(1).cumsum(1).flip(1) * FAKE.mask)


def test_worth_is_what_the_score_is_made_into() -> None:
    for way in ("rollouts", "prefix", "step"):
        found = token_rewards(way, GENERATOR, JUDGE, FAKE, 2, Stream(generator_for(3)), torch.nn.Identity())
        score = JUDGE.scores(FAKE.tokens, FAKE.mask)
        torch.testing.assert_close(found.gather(1, LAST)[:, 0], score)


def test_steps_need_a_score_per_step() -> None:
    judge = CNN(widths=(1,), maps=(2,)).build(5, 6, generator_for(0))
    for way in EACH_STEP:
        with pytest.raises(BadInput, match="a score per step, got Convolutional"):
            token_rewards(way, GENERATOR, judge, FAKE, 2, Stream(generator_for(3)))


def test_figures_count_real_tokens() -> None:
    mask = torch.tensor([[True, True], [True, False]])
    samples = Samples(torch.zeros(2, 2, dtype=torch.long), mask, -torch.tensor([[1.0, 2.0], [3.0, 0.0]]))
    found = reward_figures(torch.tensor([[1.0, 2.0], [6.0, 0.0]]), samples)
    assert found == pytest.approx({"reward": 3.0, "reward_spread": 8**0.5, "entropy": 2.0})


@pytest.mark.parametrize("name", ["rankgan", "sentigan", "leakgan", "salgan"])
@pytest.mark.parametrize("way", EACH_STEP)
def test_a_system_that_judges_whole_sequences_offers_no_more(name: str, way: Way) -> None:
    with pytest.raises(BadInput) as caught:
        Recipe.of({"algorithm": {"name": name, "reward": way}, "corpus": {"spec": "oracle"}})
    assert "must be one of: rollouts, prefix," in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(BadInput, match=f"reward must be one of rollouts, prefix where whole sequences .* got '{way}'"):
        check_of_whole(way)


@pytest.mark.parametrize("way", get_args(OfWhole))
def test_behind_its_end_a_sequence_keeps_its_worth(way: OfWhole) -> None:
    """What a control arm hands to a longer sequence."""
    values = token_values(way, GENERATOR, JUDGE, FAKE, 2, Stream(generator_for(3)))
    torch.testing.assert_close(values * FAKE.mask, rewards(way))
    whole = JUDGE.scores(FAKE.tokens, FAKE.mask).sigmoid()[:, None].expand_as(values)
    behind = torch.arange(6) >= LAST
    torch.testing.assert_close(values[behind], whole[behind])
