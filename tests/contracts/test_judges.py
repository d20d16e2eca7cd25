"""What the loss of a discriminator takes in, in every algorithm that has one: dropout, its own penalty, smoothing.

Mutants killed: a loss that hands no random numbers on, so that nothing is ever dropped while it learns; one that
forgets what the discriminator itself adds, or a share of wrong labels that was asked for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
import torch

from seqgans.algorithms import ALGORITHMS
from seqgans.algorithms.base import Play, Update
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.discriminators import DISCRIMINATORS
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.options.phases import judges
from seqgans.randomness import Stream
from seqgans.training.build import build_players
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from tests.contracts.small import mapping

NO_DROPOUT = {
    "wgan": "its slopes are those of one function",
    "rlgaf": "paid for every token, answers that are alike are read once",
}
"""Who drops nothing, and why."""
NO_PENALTY = {"rankgan", "salgan", "fmgan"}
"""Whose discriminators are of a kind that adds nothing."""


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    found = oracle_corpus(fresh_oracle(20, 0), CorpusSettings(length=6, sequences=10), 0)
    return dataclasses.replace(found, valid=found.valid[:8], test=found.test[:8])


def named(without: set[str]) -> list[str]:
    return [name for name, kind in ALGORITHMS.items() if kind.discriminator is not None and name not in without]


def learner(name: str, corpus: Corpus, dropout: float, **settings: float) -> Training:
    given = mapping(name)
    given["algorithm"] |= settings
    if "dropout" in {field.name for field in dataclasses.fields(DISCRIMINATORS[given["discriminator"]["name"]])}:
        given["discriminator"]["dropout"] = dropout
    recipe = Recipe.of(given)
    return Training(recipe.settings, build_players(recipe, corpus, 0), corpus, 0, Team("cpu"))


def minibatches(training: Training) -> Iterator[tuple[Update, Play]]:
    """The first minibatch of every phase that moves the discriminator, before anybody has learnt anything.

    Where it reads real sequences alone it is part of an autoencoder, and tells nothing apart.
    """
    for phase in (*training.schedule.before, *training.schedule.round):
        play = training.gathered(phase)
        rows = torch.arange(min(len(play), phase.batch or len(play)))
        yield from ((update, play.rows(rows)) for update in phase.updates if judges(update) and phase.holds != "real")


def losses(training: Training) -> list[float]:
    """Of each of these, on the same random numbers."""
    found = []
    for update, play in minibatches(training):
        stream = Stream(torch.Generator().manual_seed(3))
        found.append(update.loss(training.players, dataclasses.replace(play, random=stream)).value.item())
    return found


@pytest.mark.parametrize("name", named(set(NO_DROPOUT)))
def test_dropout_reaches_every_loss(name: str, corpus: Corpus) -> None:
    plain, dropped = (losses(learner(name, corpus, dropout)) for dropout in (0.0, 0.5))
    assert plain
    assert all(one != other for one, other in zip(plain, dropped, strict=True)), (plain, dropped)


@pytest.mark.parametrize("name", [name for name in named(set()) if hasattr(ALGORITHMS[name], "smoothing")])
def test_smoothing_reaches_the_loss_of_the_game(name: str, corpus: Corpus) -> None:
    plain, smooth = (losses(learner(name, corpus, 0.0, smoothing=share)) for share in (0.0, 0.3))
    assert plain[-1] != smooth[-1]


@pytest.mark.parametrize("name", named(NO_PENALTY))
def test_what_a_discriminator_adds_is_in_every_loss(name: str, corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    training = learner(name, corpus, 0.0)
    judge = type(training.players.discriminator)
    monkeypatch.setattr(judge, "penalty", lambda self: torch.tensor(0.0))
    plain = losses(training)
    monkeypatch.setattr(judge, "penalty", lambda self: torch.tensor(64.0))
    added = [value - 64 for value in losses(learner(name, corpus, 0.0))]
    assert plain
    assert added == pytest.approx(plain, abs=1e-4)
