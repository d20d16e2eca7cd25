"""REGS on a world of 3 tokens and 3 steps, and beside SeqGAN.

Mutants killed: a discriminator that learns from whole sequences only, prefixes of the real or of the generated half
alone, rewards of the position before or after, rewards to go, the sign of the teacher, rewards of other sequences.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from seqgans.algorithms.adversaries import real_and_fake
from seqgans.algorithms.base import Algorithm, Play, Players, Scene
from seqgans.algorithms.regs import REGS
from seqgans.algorithms.seqgan import SeqGAN
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.discriminators.convolutional import CNN
from seqgans.discriminators.recurrent import LSTMScorer
from seqgans.errors import BadInput
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.objectives.adversarial import accuracy
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.steps import reward_figures, token_rewards
from seqgans.sequences import Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
EVERYWHERE = torch.ones(27, 3, dtype=torch.bool)
SHORT: dict[str, Any] = {
    "pretrain_epochs": 1,
    "discriminator_pretrain_steps": 1,
    "rounds": 3,
    "discriminator_steps": 1,
    "discriminator_epochs": 2,
    "discriminator_examples": 8,
    "discriminator_batch": 8,
    "batch": 6,
}


def team(corpus: Corpus, judge: Any) -> Players:
    vocabulary = corpus.vocabulary
    generator = LSTM(embedding=3, hidden=4, deviation=0.8).build(
        vocabulary.size, vocabulary.start, vocabulary.end, generator_for(0, "generator")
    )
    discriminator = judge.build(vocabulary.size, corpus.length, generator_for(0, "judge"))
    return Players({"generator": generator, "discriminator": discriminator})


@pytest.fixture(scope="module")
def text() -> Corpus:
    return open_text_corpus("world:markov", CorpusSettings(sequences=40), 0)


@pytest.fixture(scope="module")
def tiny() -> Corpus:
    return oracle_corpus(fresh_oracle(3, 0), CorpusSettings(length=3, sequences=24, valid=0.0, test=0.0), 0)


def trained(algorithm: Algorithm, corpus: Corpus, judge: Any) -> dict[str, Tensor]:
    learner = Training(algorithm, team(corpus, judge), corpus, 3, Team("cpu"))
    list(learner.events())
    return {name: tensor.clone() for name, tensor in learner.state()[0].items()}


@pytest.mark.parametrize("reward", ["prefix", "step"])
def test_from_full_sequences_it_is_seqgan_without_roll_outs(text: Corpus, reward: Any) -> None:
    """Every parameter, moment and stream, bit for bit; and from prefixes it is not."""
    judge = LSTMScorer(embedding=3, hidden=4)
    learns: Any = "whole" if reward == "prefix" else "every"
    whole = REGS(**SHORT, reward=reward, learns_from=learns, teacher_steps=0)
    expected = trained(SeqGAN(**SHORT, reward=reward, baseline="batch_mean"), text, judge)
    found = trained(whole, text, judge)
    assert found.keys() == expected.keys()
    for name, tensor in found.items():
        assert torch.equal(tensor, expected[name]), name
    other = trained(dataclasses.replace(whole, learns_from="one"), text, judge)
    weight = "players/discriminator.output.weight"
    assert not torch.equal(other[weight], expected[weight])


def test_the_gradient_is_that_of_each_step(tiny: Corpus) -> None:
    """Σ_t E[D(Y_1:t) ∇ log G(y_t)], written as a sum over all prefixes."""
    players = team(tiny, CNN(embedding=4, widths=(1, 2), maps=(6, 6)))
    log_probs = players.generator.log_probs(EVERY)  # (27, 3)
    law = log_probs.exp()
    parameters = [*players.generator.parameters()]
    exact = torch.zeros(())
    for length in (1, 2, 3):
        first = EVERY[:, length:].sum(1) == 0  # one sequence for each prefix
        known = torch.arange(3).expand(27, 3) < length
        worth = players.discriminator.scores(EVERY, known).sigmoid().detach()
        before = law[:, : length - 1].prod(1).detach()
        exact = exact + (worth * before * law[:, length - 1])[first].sum()
    algorithm = REGS(baseline="none", batch=24)
    play = algorithm.play(players, Scene(tiny, Stream(generator_for(1))))
    assert play.fake is not None
    assert play.rewards is not None
    codes = play.fake.tokens @ torch.tensor([9, 3, 1])
    rewards = torch.zeros(27, 3).index_copy(0, codes, play.rewards)
    drawn = codes.unique()
    assert len(drawn) > 5
    every = torch.zeros(27, 3)
    for length in (1, 2, 3):
        known = torch.arange(3).expand(27, 3) < length
        every[:, length - 1] = players.discriminator.scores(EVERY, known).sigmoid().detach()
    torch.testing.assert_close(rewards[drawn], every[drawn])
    weighted = 27 * law.prod(1).detach()[:, None] * every
    loss = algorithm.generator_loss(players, Play(fake=Sequences(EVERY, EVERYWHERE), rewards=weighted)).value
    for one, other in zip(
        torch.autograd.grad(-loss, parameters, retain_graph=True), torch.autograd.grad(exact, parameters), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)


def test_the_discriminator_sees_one_prefix_of_each(text: Corpus) -> None:
    players = team(text, CNN(embedding=4, widths=(1, 2), maps=(3, 3)))
    with torch.no_grad():
        whole = real_and_fake(players, Scene(text, Stream(generator_for(1))), 16)
        play = real_and_fake(players, Scene(text, Stream(generator_for(1))), 16, one_prefix=True)
    for full, part in ((whole.real, play.real), (whole.fake, play.fake)):
        assert full is not None
        assert part is not None
        assert torch.equal(full.tokens, part.tokens)
        assert bool((part.mask <= full.mask).all())
        assert bool((part.mask.sum(1) >= 1).all())
        assert int((part.mask.sum(1) < full.mask.sum(1)).sum()) > 8
        assert len(part.mask.sum(1).unique()) > 3
    phases = REGS(learns_from="one").schedule().round
    assert [phase.name for phase in phases] == ["generator", "teacher", "discriminator"]


def test_a_discriminator_of_prefixes_judges_short_ones_better() -> None:
    """Beginnings of two tokens, real against those of a random generator: the point of the method."""
    oracle = fresh_oracle(20, 0)
    corpus = oracle_corpus(oracle, CorpusSettings(length=8, sequences=1000, valid=0.0, test=0.0), 0)
    fresh = oracle_corpus(oracle, CorpusSettings(length=8, sequences=1000, valid=0.0, test=0.0), 1).train
    right = {}
    for learns in ("one", "whole"):
        players = team(corpus, CNN(embedding=16, widths=(1, 2, 3), maps=(16, 16, 16), dropout=0.0, decay=0.0))
        algorithm = REGS(
            pretrain_epochs=0, discriminator_pretrain_steps=1, rounds=0, discriminator_rate=3e-3, learns_from=learns
        )
        list(Training(algorithm, players, corpus, 0, Team("cpu")).events())
        fake = players.generator.sample(1000, 8, random=generator_for(5))
        short = (torch.arange(8) < 2).expand(1000, 8)
        with torch.no_grad():
            judge = players.discriminator
            right[learns] = accuracy(judge.scores(fresh.tokens, short), judge.scores(fake.tokens, short))
    assert right["one"] > right["whole"] + 0.03
    assert right["one"] > 0.6


def test_what_the_teacher_shows_earns_one(tiny: Corpus) -> None:
    players = team(tiny, CNN(embedding=4, widths=(1,), maps=(3,)))
    algorithm = REGS(batch=10)
    play = algorithm.real(players, Scene(tiny, Stream(generator_for(1))))
    assert play.real is not None
    assert len(play.real) == 10
    expected = -players.generator.log_probs(play.real.tokens).sum() / 10
    torch.testing.assert_close(algorithm.teacher_loss(players, play).value, expected)
    short = dataclasses.replace(play.real, mask=play.real.mask & (torch.arange(play.real.mask.shape[1]) < 2))
    expected = -players.generator.log_probs(short.tokens)[:, :2].sum() / 10
    torch.testing.assert_close(algorithm.teacher_loss(players, Play(real=short)).value, expected)


@pytest.mark.parametrize("reward", ["rollouts", "prefix", "step", "gain", "gain_to_go"])
def test_every_way_to_a_reward_is_an_option(text: Corpus, reward: Any) -> None:
    """The same in SeqGAN and here."""
    players = team(text, LSTMScorer(embedding=3, hidden=4))
    plays = []
    for kind in (REGS, SeqGAN):
        algorithm = kind(reward=reward, batch=6, rollouts=2, baseline="none")
        with torch.no_grad():
            plays.append(algorithm.play(players, Scene(text, Stream(generator_for(4)))))
    stream = Stream(generator_for(4))
    fake = players.generator.sample(6, text.length, random=stream)
    expected = token_rewards(reward, players.generator, players.discriminator, fake, 2, stream)
    for play in plays:
        assert play.rewards is not None
        torch.testing.assert_close(play.rewards, expected)
        assert play.figures == reward_figures(expected, fake)


def test_the_control_arm_hands_rewards_to_others(text: Corpus) -> None:
    players = team(text, CNN(embedding=4, widths=(1, 2), maps=(3, 3)))
    plain = REGS(batch=30, baseline="none").play(players, Scene(text, Stream(generator_for(5))))
    control = REGS(batch=30, baseline="none", shuffled=True).play(players, Scene(text, Stream(generator_for(5))))
    assert plain.fake is not None
    assert control.fake is not None
    assert plain.rewards is not None
    assert control.rewards is not None
    assert torch.equal(plain.fake.tokens, control.fake.tokens)
    assert not torch.equal(plain.rewards, control.rewards)


def test_a_judge_of_whole_sequences_is_refused_at_once(text: Corpus) -> None:
    judged = team(text, CNN(embedding=4, widths=(1, 2), maps=(3, 3)))
    with pytest.raises(BadInput, match="need a discriminator with a score per step, got Convolutional"):
        REGS(reward="gain").extras(judged, generator_for(0))


@pytest.mark.parametrize(
    ("field", "value"),
    [("rollouts", 0), ("batch", 0), ("teacher_steps", -1), ("clip", 0.0), ("discriminator_batch", 1), ("rounds", -1)],
)
def test_settings_are_checked(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"REGS\.{field} must be"):
        REGS(**{field: value})  # pyright: ignore[reportArgumentType]
