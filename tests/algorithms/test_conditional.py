"""Games on sources and responses: a world of 2 sources, 3 tokens and 2 steps, where an expectation is a sum over 18.

Mutants killed: a law, a roll-out or a judge given the source of another row; a gradient of another source's law;
rewards of the position before or after; sources left behind by minibatches, prefixes or a play's checkpoint;
negatives with the sources of other samples; random numbers drawn where there are no sources.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from seqgans.algorithms.adversaries import real_and_fake, telling_apart, telling_steps_apart
from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.likelihood import teacher_forcing, validation_nll
from seqgans.algorithms.policy import policy_loss, policy_play
from seqgans.algorithms.regs import REGS
from seqgans.algorithms.scheduled_sampling import ScheduledSampling
from seqgans.algorithms.seqgan import SeqGAN
from seqgans.data.corpus import Corpus
from seqgans.data.vocabulary import Vocabulary
from seqgans.discriminators.pairs import beside
from seqgans.discriminators.seq2seq import Seq2SeqScorer
from seqgans.generators.conditional import conditional, given
from seqgans.generators.seq2seq import Seq2Seq
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences

SOURCES = Sequences.of(torch.tensor([[1, 2, 0], [2, 0, 0]]), end=0)
ANSWERS = torch.tensor(list(itertools.product(range(3), repeat=2)))  # (9, 2)
ROWS = torch.arange(18) // 9  # which source each response answers
EVERY = Sequences(ANSWERS.repeat(2, 1), torch.ones(18, 2, dtype=torch.bool), source=SOURCES[ROWS])
SAMPLES, GROUPS = 20_000, 40


@pytest.fixture(scope="module")
def players() -> Players:
    generator = Seq2Seq(hidden=4, layers=1, dropout=0.0).build(3, 0, None, generator_for(0, "generator"))
    judge = Seq2SeqScorer(hidden=4, layers=1, dropout=0.0).build(3, 2, generator_for(0, "judge"))
    with torch.no_grad():
        for parameter in (*generator.parameters(), *judge.parameters()):
            parameter.mul_(4.0)  # laws and scores that differ
    return Players({"generator": generator, "discriminator": judge})


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Source 0 is answered by 0 1 or 1 1, source 1 by 2 0."""
    rows = Sequences.of(torch.tensor([[0, 1], [1, 1], [2, 0], [2, 0]]))
    train = dataclasses.replace(rows, source=SOURCES[torch.tensor([0, 0, 1, 1])])
    return Corpus("pairs", train, train[:2], train[:0], Vocabulary.of_ids(3), 2, {})


def flat_gradient(value: Tensor, players: Players) -> Tensor:
    moved = [part for name, part in players.generator.named_parameters() if name != "unknown"]
    return torch.cat([part.flatten() for part in torch.autograd.grad(value, moved)])


def law(players: Players) -> Tensor:
    """G(y_t | Y_1:t−1, x), (18, 2)."""
    return given(players.generator, EVERY.source).log_probs(EVERY.tokens).exp()


def worth(players: Players) -> Tensor:
    """D(x, Y), (18,)."""
    return beside(players.discriminator, EVERY.source).scores(EVERY.tokens, EVERY.mask).sigmoid().detach()


def exact_gradient(players: Players) -> Tensor:
    """∇J = ½ Σ_x Σ_Y D(x, Y) ∇G(Y | x), for J the mean reward over both sources."""
    return flat_gradient((worth(players) * law(players).prod(1)).sum() / 2, players)


def exact_values(players: Players) -> Tensor:
    """Q(Y_1:t−1, y_t, x): the mean of D over what may follow, (18, 2)."""
    real, chances = worth(players).view(2, 3, 3), law(players).detach()[:, 1].view(2, 3, 3)
    first = (real * chances).sum(2, keepdim=True).expand(2, 3, 3)
    return torch.stack([first, real], 3).reshape(18, 2)


def test_exact_values_give_the_exact_gradient(players: Players) -> None:
    """The policy gradient summed over all pairs is the gradient of the mean reward; with other sources it is not."""
    weights = 9 * law(players).detach().prod(1)[:, None]  # the loss is a mean over 18 rows, half of them a source's
    rewards = weights * exact_values(players)
    loss = policy_loss(players, Play(fake=EVERY, rewards=rewards)).value
    torch.testing.assert_close(-flat_gradient(loss, players), exact_gradient(players), rtol=0, atol=1e-6)
    wrong = dataclasses.replace(EVERY, source=SOURCES[1 - ROWS])
    other = policy_loss(players, Play(fake=wrong, rewards=rewards)).value
    assert (flat_gradient(other, players) + exact_gradient(players)).abs().max() > 1e-3


@pytest.mark.parametrize("kind", [SeqGAN, REGS])
def test_samples_and_roll_outs_estimate_it(players: Players, corpus: Corpus, kind: Any) -> None:
    """Within 5 standard errors; the control arm is not."""
    algorithm = kind(batch=SAMPLES, rollouts=1, reward="rollouts", baseline="none")
    exact, apart = exact_gradient(players), {}
    for shuffled in (False, True):
        settings = dataclasses.replace(algorithm, shuffled=shuffled)
        with torch.no_grad():
            play = settings.play(players, Scene(corpus, Stream(generator_for(3))))
        parts = torch.stack(
            [
                -flat_gradient(settings.generator_loss(players, play.rows(rows)).value, players)
                for rows in torch.arange(SAMPLES).chunk(GROUPS)
            ]
        )
        error = parts.std(0) / GROUPS**0.5
        apart[shuffled] = float(((parts.mean(0) - exact).abs() / error.clamp(min=1e-7)).max())
    assert apart[False] < 5
    assert apart[True] > 8


@pytest.mark.parametrize("way", ["prefix", "step", "gain", "rollouts"])
def test_each_reward_is_that_of_its_own_pair(players: Players, corpus: Corpus, way: Any) -> None:
    """Rewards of a batch are those of each sample alone, wherever nothing is drawn for them."""
    scene = Scene(corpus, Stream(generator_for(1)))
    with torch.no_grad():
        play = policy_play(players, scene, reward=way, batch=12, rollouts=500, baseline="none", shuffled=False)
        assert play.fake is not None
        assert play.rewards is not None
        expected = []
        for row in range(12):
            fake = play.fake[slice(row, row + 1)]
            judge = beside(players.discriminator, fake.source)
            steps = judge.step_scores(fake.tokens, fake.mask)  # pyright: ignore
            if way == "gain":
                expected.append(torch.diff(steps, prepend=torch.zeros(1, 1)))
            elif way == "step":
                expected.append(steps.sigmoid().flip(1).cumsum(1).flip(1))
            elif way == "prefix":
                expected.append(steps.sigmoid())
            else:
                assert fake.source is not None
                places = (EVERY.tokens == fake.tokens).all(1) & (EVERY.source.tokens == fake.source.tokens).all(1)  # pyright: ignore
                expected.append(exact_values(players)[places])
    torch.testing.assert_close(play.rewards, torch.cat(expected), rtol=0, atol=0.06 if way == "rollouts" else 1e-5)


def test_likelihood_is_that_given_the_source(players: Players, corpus: Corpus) -> None:
    real = corpus.train
    assert real.source is not None
    alone = [
        conditional(players.generator).given(real.source[slice(row, row + 1)]).log_probs(real.tokens[row : row + 1])
        for row in range(4)
    ]
    nll = -torch.cat(alone).mean()
    random = Stream(generator_for(0))
    torch.testing.assert_close(teacher_forcing(players, Play(real=real, random=random)).value, nll)
    torch.testing.assert_close(REGS().teacher_loss(players, Play(real=real)).value, 2 * nll)
    torch.testing.assert_close(
        ScheduledSampling().sampled_forcing(players, Play(real=real, random=random, figures={"omega": 1.0})).value, nll
    )
    two = dataclasses.replace(corpus, valid=real[1:3])
    mean = -torch.cat(alone[1:3]).mean().item()
    assert validation_nll(players, Scene(two, random)) == pytest.approx(mean, abs=1e-6)


def test_the_discriminator_learns_from_pairs(players: Players, corpus: Corpus) -> None:
    with torch.no_grad():
        play = real_and_fake(players, Scene(corpus, Stream(generator_for(2))), 400)
        broken = real_and_fake(players, Scene(corpus, Stream(generator_for(2))), 400, one_prefix=True)
    for part in (play.real, play.fake):
        assert part is not None
        assert part.source is not None
    assert play.real is not None
    answered = {(*source, -1, *text) for source, text in zip(play.real.source.lists(), play.real.lists(), strict=True)}  # pyright: ignore
    assert answered == {(1, 2, 0, -1, 0, 1), (1, 2, 0, -1, 1, 1), (2, 0, -1, 2, 0)}
    assert play.fake is not None
    drawn = real_and_fake(players, Scene(corpus, Stream(generator_for(7))), 6000).fake
    assert drawn is not None
    asked = (drawn.source.tokens[:, 0] == 2).long()  # pyright: ignore
    found = torch.bincount(asked * 9 + drawn.tokens @ torch.tensor([3, 1]), minlength=18).view(2, 9) / 3000
    chances = law(players).detach().prod(1).view(2, 9)
    assert (found - chances).abs().max() < 0.03  # drawn given their own sources
    assert (found - chances.flip(0)).abs().max() > 0.06
    assert broken.fake is not None
    assert torch.equal(broken.fake.source.tokens, play.fake.source.tokens)  # pyright: ignore
    for name, telling in (("scores", telling_apart), ("step_scores", telling_steps_apart)):
        scores = [
            getattr(beside(players.discriminator, part.source), name)(part.tokens, part.mask)
            for part in (play.real, play.fake)
        ]
        expected = -0.5 * (scores[0].sigmoid().log().mean() + (1 - scores[1].sigmoid()).log().mean())
        torch.testing.assert_close(telling(players, play).value, expected)


def test_sources_stay_with_their_rows(corpus: Corpus) -> None:
    """Through minibatches, a checkpoint's tensors and back."""
    real = corpus.train
    play = Play(real=real, fake=real[torch.tensor([2, 3, 0, 1])])
    again = play.holding({name: tensor.clone() for name, tensor in play.tensors().items()})
    order = torch.tensor([3, 0])
    for whole, part in ((play.real, again.rows(order).real), (play.fake, again.rows(order).fake)):
        assert whole is not None
        assert part is not None
        assert torch.equal(part.tokens, whole.tokens[order])
        assert torch.equal(part.source.tokens, whole.source.tokens[order])  # pyright: ignore
        assert torch.equal(part.source.mask, whole.source.mask[order])  # pyright: ignore
    both = real.followed_by(real[:1])
    assert both.source is not None
    assert both.source.tokens[-1].tolist() == [1, 2, 0]
    with pytest.raises(ValueError, match="sequences with sources cannot be judged beside sequences without"):
        real.followed_by(dataclasses.replace(real, source=None))


def test_without_sources_nothing_is_drawn(corpus: Corpus) -> None:
    plain = dataclasses.replace(
        corpus, **{name: dataclasses.replace(getattr(corpus, name), source=None) for name in ("train", "valid", "test")}
    )
    stream = Stream(generator_for(5))
    assert Scene(plain, stream).source(4) is None
    assert torch.equal(stream.uniform(3), Stream(generator_for(5)).uniform(3))
    with pytest.raises(ValueError, match=r"Corpus\.valid must have sources of 3 positions"):
        dataclasses.replace(corpus, valid=plain.valid)
