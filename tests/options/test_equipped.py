"""An algorithm with options: what is changed, in which order, and with what another game begins.

Mutants killed: a validation that comes before what a round still does, a game that begins where another one ended, an
option that is off and changes the schedule, a fine-tuning at the cost of another one's divergence or with its answers.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from seqgans.algorithms.seqgan import SeqGAN
from seqgans.discriminators.ensemble import Ensemble
from seqgans.options import Options, equipped
from seqgans.rewards.answers import PastAnswers
from seqgans.rewards.scale import Leash
from seqgans.training.build import build_players, open_corpus
from seqgans.training.recipe import Recipe
from seqgans.verbs import train


def test_a_round_ends_with_its_validation() -> None:
    algorithm = SeqGAN()
    assert equipped(algorithm, Options()) is algorithm
    schedule = equipped(algorithm, Options(interleave=2, patience=3)).schedule()
    assert [phase.name for phase in schedule.round] == [
        "generator",
        "discriminator",
        "interleaved steps",
        "validation",
    ]
    assert [phase.name for phase in schedule.before] == ["likelihood", "discriminator pre-training", "validation"]
    assert schedule.rounds == 200


def test_a_game_begins_with_the_networks_of_another_and_not_with_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe.of(
        {
            "algorithm": {"name": "seqgan"},
            "corpus": {"spec": "world:markov", "sequences": 20},
            "generator": {"embedding": 3, "hidden": 4},
            "discriminator": {"embedding": 3, "widths": [1], "maps": [2]},
            "options": {"patience": 2, "replay": 0.5, "replay_size": 4, "discriminators": 2, "critic": "baseline"},
        }
    )
    corpus, _ = open_corpus(recipe.corpus, recipe.corpus_settings, 0)
    players, other = (build_players(recipe, corpus, seed) for seed in (0, 1))
    assert isinstance(players.discriminator, Ensemble)
    first, second = (member.state_dict() for member in players.discriminator.members)
    assert any(not torch.equal(first[name], second[name]) for name in first)
    other.get_buffer("referee.over").fill_(True)
    other.get_buffer("replay.seen").fill_(3)
    monkeypatch.setattr(train, "load_run", lambda *_: SimpleNamespace(corpus=corpus, players=other))
    train.begin_with(players, corpus, "run", "latest")
    assert not bool(players.get_buffer("referee.over"))
    assert int(players.get_buffer("replay.seen")) == 0
    found, wanted = players.state_dict(), other.state_dict()
    for name in found:
        assert name.startswith(("referee.", "replay.")) or torch.equal(found[name], wanted[name]), name


def test_a_fine_tuning_begins_with_its_own_beta_and_no_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe.of({"algorithm": {"name": "likelihood"}, "corpus": {"spec": "world:markov", "sequences": 20}})
    corpus, _ = open_corpus(recipe.corpus, recipe.corpus_settings, 0)
    players, other = (build_players(recipe, corpus, seed) for seed in (0, 1))
    for one, cost in ((players, 0.5), (other, 0.25)):
        one.add_module("leash", Leash(cost))
        one.add_module("memory", PastAnswers(4, corpus.length))
    PastAnswers.among(other).remember(corpus.train[:2], torch.tensor([7, 8]), 1)
    monkeypatch.setattr(train, "load_run", lambda *_: SimpleNamespace(corpus=corpus, players=other))
    train.begin_with(players, corpus, "run", "latest")
    assert float(players.get_buffer("leash.coefficient")) == 0.5
    assert int(players.get_buffer("memory.samples.seen")) == 0
    assert not bool(players.get_buffer("memory.rows").any())
    assert torch.equal(players.generator.output.weight, other.generator.output.weight)


def test_contradictions_are_errors() -> None:
    with pytest.raises(ValueError, match=r"Options.shared must be false for one discriminator"):
        Options(shared=True)
    with pytest.raises(ValueError, match=r"Options.replay must be at least 0 and below 1, got 1.0"):
        Options(replay=1.0)
