"""Maximum likelihood on worlds that can be enumerated.

Mutants killed: sign, padding that counts, a validation NLL that is a mean of means, early stopping that keeps the last
epoch, a law that is not recovered.
"""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.likelihood import Likelihood, pretraining, teacher_forcing, validation_nll
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.drawn import world_corpus
from seqgans.data.vocabulary import Vocabulary
from seqgans.data.worlds import WORLDS
from seqgans.errors import BadInput
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))


def players(vocabulary: int, end: int | None = None, seed: int = 1) -> Players:
    return Players({"generator": LSTM(embedding=8, hidden=16).build(vocabulary, 0, end, generator_for(seed))})


def corpus_of(train: Sequences, valid: Sequences) -> Corpus:
    symbols = ("<end>", "<unk>", "a", "b")
    vocabulary = Vocabulary(symbols, "words", end=0, unknown=1)
    return Corpus("text", train, valid, valid[:0], vocabulary, train.tokens.shape[1], {})


def ended(*rows: list[int]) -> Sequences:
    return Sequences.of(torch.tensor(rows), end=0)


def test_the_law_of_a_small_world_is_recovered() -> None:
    world = WORLDS["skewed"]
    corpus = world_corpus(world, CorpusSettings(sequences=20_000), seed=1)
    algorithm = Likelihood(pretrain_epochs=6, batch=256, rate=0.03)
    training = Training(algorithm, players(3), corpus, seed=2, team=Team("cpu"))
    events = list(training.events())
    exact = world.log_probs(EVERY).sum(1).double()
    learnt = training.players.generator.log_probs(EVERY).sum(1).double().detach()
    divergence = (exact.exp() * (exact - learnt)).sum().item()
    assert divergence < 0.01
    assert [event.kind for event in events].count("gathering") <= 6
    updates = [event for event in events if event.kind == "update"]
    assert updates[0].loss == pytest.approx(math.log(3), abs=0.1)  # it begins near uniform
    assert updates[-1].figures["nll"] == pytest.approx(updates[-1].loss)


def test_the_loss_is_a_mean_over_real_tokens_and_says_of_how_many() -> None:
    real = ended([2, 3, 0], [2, 0, 0])
    team = players(4, end=0)
    loss = teacher_forcing(team, Play(real=real))
    log_probs = team.generator.log_probs(real.tokens)
    expected = -(log_probs[0].sum() + log_probs[1, :2].sum()) / 5
    torch.testing.assert_close(loss.value, expected)
    assert loss.weight == 5.0
    parts = [teacher_forcing(team, Play(real=real[slice(row, row + 1)])) for row in range(2)]
    joined = sum(part.value.item() * (part.weight or 0) for part in parts) / 5
    assert joined == pytest.approx(loss.value.item(), abs=1e-6)


def test_validation_weighs_tokens_not_sequences() -> None:
    team = players(4, end=0)
    valid = ended(*[[2, 3, 0]] * 501, *[[2, 0, 0]] * 300)  # two unequal chunks
    corpus = corpus_of(ended([2, 3, 0]), valid)
    found = validation_nll(team, Scene(corpus, Stream(generator_for(1))))
    expected = -team.generator.log_probs(valid.tokens)[valid.mask].mean().item()
    assert found == pytest.approx(expected, abs=1e-5)


def test_early_stopping_keeps_the_best_epoch() -> None:
    train = ended([2, 2, 2, 0], [2, 3, 2, 0])
    valid = ended([2, 2, 2, 0], [3, 3, 3, 0])  # learning the training set by heart makes the second one unlikely
    corpus = corpus_of(train, valid)
    found = []
    for anneal in (0, 1):
        algorithm = Likelihood(pretrain_epochs=60, batch=2, rate=0.05, patience=5, anneal=anneal)
        training = Training(algorithm, players(4, end=0), corpus, seed=1, team=Team("cpu"))
        figures = [event.figures["validation"] for event in training.events() if event.kind == "gathering"]
        kept = validation_nll(training.players, Scene(corpus, Stream(generator_for(1))))
        assert kept == pytest.approx(min(figures), abs=1e-6)
        found.append(figures)
    plain, annealed = found
    assert len(plain) < 60
    assert plain[-6] == min(plain)
    assert min(plain) < plain[-1] - 0.01
    assert annealed[: len(plain)] == plain
    assert len(annealed) >= len(plain) + 5  # from the best epoch once more, at a tenth of the rate
    assert abs(annealed[len(plain)] - min(plain)) < abs(plain[-5] - min(plain))  # the same epoch, a smaller step


def test_early_stopping_without_validation_sequences_is_refused() -> None:
    train = ended([2, 2, 0])
    corpus = corpus_of(train, train[:0])
    with pytest.raises(BadInput, match=r"set --corpus\.valid above 0, or patience to 0 and keep_best to false"):
        validation_nll(players(4, end=0), Scene(corpus, Stream(generator_for(1))))
    assert pretraining(1, 0.1, 2, 5.0).validate is None
    assert pretraining(1, 0.1, 2, 5.0, keep_best=True).validate is not None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pretrain_epochs": 0}, r"Likelihood\.pretrain_epochs must be at least 1, got 0"),
        ({"rate": float("nan")}, r"Likelihood\.rate must be a finite number above 0, got nan"),
        ({"patience": -1}, r"Likelihood\.patience must be at least 0, got -1"),
    ],
)
def test_settings_are_checked(given: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Likelihood(**given)
