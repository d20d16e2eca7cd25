"""PG-BLEU: its estimator against the exact gradient of expected BLEU on a world of 3 tokens and 3 steps.

Mutants killed: sign, rewards of other rows, roll-outs on other axes or on the last position, a baseline over padding
or of the wrong axis, a control arm that still knows which sequence was good.
"""

from __future__ import annotations

import itertools
from typing import Literal

import pytest
import torch
from torch import Tensor

from seqgans.algorithms.base import Players, Scene
from seqgans.algorithms.pg_bleu import PGBLEU, Judge
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.drawn import world_corpus
from seqgans.data.vocabulary import Vocabulary
from seqgans.data.worlds import WORLDS
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.bleu import References
from seqgans.sequences import Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))
REAL = Sequences.of(torch.tensor([[0, 1, 2], [0, 0, 1]]))
CORPUS = Corpus("two lines", REAL, REAL, REAL, Vocabulary.of_ids(3), 3, {})
Baseline = Literal["none", "batch_mean", "leave_one_out", "moving_average"]


def players(algorithm: PGBLEU) -> Players:
    team = Players({"generator": LSTM(embedding=3, hidden=4, deviation=0.7).build(3, 0, None, generator_for(1))})
    for name, player in algorithm.extras(team, generator_for(2)).items():
        team.add_module(name, player)
    return team


def flat(gradient: tuple[Tensor, ...]) -> Tensor:
    return torch.cat([part.reshape(-1) for part in gradient])


def estimates(algorithm: PGBLEU, team: Players, batches: int) -> Tensor:
    """One gradient a row."""
    scene = Scene(CORPUS, Stream(generator_for(3)))
    parameters = list(team.generator.parameters())
    return torch.stack(
        [
            flat(torch.autograd.grad(algorithm.generator_loss(team, algorithm.play(team, scene)).value, parameters))
            for _ in range(batches)
        ]
    )


def exact_gradient(team: Players, order: int) -> Tensor:
    """−Σ_Y BLEU(Y) ∇G(Y)."""
    bleu = Judge(order)(EVERY, torch.ones_like(EVERY, dtype=torch.bool), CORPUS)
    law = team.generator.log_probs(EVERY).sum(1).exp()
    return flat(torch.autograd.grad(-(law * bleu).sum(), list(team.generator.parameters())))


def deviations(found: Tensor, exact: Tensor) -> Tensor:
    """Distance of the mean from `exact` in standard errors."""
    error = found.std(0) / len(found) ** 0.5
    return (found.mean(0) - exact)[error > 1e-7].abs() / error[error > 1e-7]


@pytest.mark.parametrize("rollouts", [0, 2])
@pytest.mark.parametrize("baseline", ["none", "batch_mean", "leave_one_out", "moving_average"])
def test_the_averaged_estimate_is_the_gradient_of_expected_bleu(baseline: Baseline, rollouts: int) -> None:
    algorithm = PGBLEU(order=2, rollouts=rollouts, baseline=baseline, batch=400)
    team = players(algorithm)
    found, exact = estimates(algorithm, team, 60), exact_gradient(team, 2)
    assert deviations(found, exact).max() < 4  # the batch mean's factor 1 − 1/400 is far below the noise
    assert deviations(found, torch.zeros_like(exact)).max() > 8


def test_shuffled_rewards_carry_no_gradient_of_bleu() -> None:
    algorithm = PGBLEU(order=2, rollouts=0, batch=400, shuffled=True)
    team = players(algorithm)
    found, exact = estimates(algorithm, team, 60), exact_gradient(team, 2)
    assert deviations(found, torch.zeros_like(exact)).max() < 4
    assert deviations(found, exact).max() > 8


def test_rewards_are_bleu_of_the_sentence_and_of_its_completions() -> None:
    algorithm = PGBLEU(order=2, rollouts=3000, baseline="none", batch=4)
    team = players(algorithm)
    tokens = torch.tensor([[0, 1, 2], [2, 2, 2], [1, 0, 0], [0, 0, 1]])
    mask = torch.ones_like(tokens, dtype=torch.bool)
    rewards, sentences = algorithm.rewards(team, Scene(CORPUS, Stream(generator_for(4))), tokens, mask)
    bleu = torch.tensor(References(REAL.lists(), 2).bleu(EVERY.tolist(), 2), dtype=torch.float32)
    codes = tokens @ torch.tensor([9, 3, 1])
    torch.testing.assert_close(sentences, bleu[codes])
    assert torch.equal(rewards[:, 2], sentences)
    law = team.generator.log_probs(EVERY).sum(1).exp().detach()
    for time, size in ((0, 9), (1, 3)):
        blocks = codes // size
        exact = ((law * bleu).view(-1, size).sum(1) / law.view(-1, size).sum(1))[blocks]
        torch.testing.assert_close(rewards[:, time], exact, rtol=0, atol=0.04)  # 4 standard errors of 3,000 roll-outs


def test_after_the_end_token_nothing_is_earned() -> None:
    vocabulary = Vocabulary(("<end>", "<unk>", "a", "b"), "words", end=0, unknown=1)
    real = Sequences.of(torch.tensor([[2, 3, 2, 0], [2, 0, 0, 0]]), end=0)
    corpus = Corpus("text", real, real, real, vocabulary, 4, {})
    algorithm = PGBLEU(order=2, rollouts=2, baseline="batch_mean", batch=64)
    team = Players(
        {"generator": LSTM().build(4, 0, 0, generator_for(1)), **algorithm.extras(Players({}), generator_for(2))}
    )
    play = algorithm.play(team, Scene(corpus, Stream(generator_for(5))))
    assert play.fake is not None
    assert play.rewards is not None
    assert bool((play.rewards[~play.fake.mask] == 0).all())
    assert bool((~play.fake.mask).any())
    raw, sentences = algorithm.rewards(team, Scene(corpus, Stream(generator_for(6))), real.tokens, real.mask)
    assert sentences.tolist() == pytest.approx([1.0, (1 * 0.1) ** 0.5])  # a word alone: its pair is smoothed
    assert raw[1].tolist()[1:] == pytest.approx([sentences[1].item(), 0.0, 0.0])


def test_bleu_rises_while_it_is_trained_for() -> None:
    corpus = world_corpus(WORLDS["parrot"], CorpusSettings(sequences=50), seed=1)
    algorithm = PGBLEU(pretrain_epochs=1, rounds=40, rollouts=0, batch=64, rate=0.02)
    training = Training(algorithm, players(algorithm), corpus, seed=4, team=Team("cpu"))
    bleus = [e.figures["bleu"] for e in training.events() if e.kind == "gathering" and e.phase == "generator"]
    assert len(bleus) == 40
    assert sum(bleus[-5:]) / 5 > sum(bleus[:5]) / 5 + 0.2
