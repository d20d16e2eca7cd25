"""What every algorithm in the table must do. A new one is tested as soon as it stands there.

Mutants killed: a player moved by another's loss, an optimiser, stream, order, moving average or best epoch
that a checkpoint forgets, patience that a resume forgets, a play that is gathered twice, randomness from outside the
streams, a setting that YAML cannot hold, a parameter that no loss reaches.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from seqgans.algorithms import ALGORITHMS, reading_sources
from seqgans.algorithms.base import Algorithm, Play, Update
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.discriminators import DISCRIMINATORS
from seqgans.generators import GENERATORS
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.options.phases import updates_of
from seqgans.training.build import build_players
from seqgans.training.checkpoint import load_checkpoint, save_checkpoint
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from tests.contracts.small import CASES, LINES, PAIRED, PAIRS, mapping

UNREACHED = {
    "relgan": {"discriminator.output.bias", "discriminator.dense.bias"},  # only differences of scores are scored
    "catgan": {"discriminator.output.bias", "discriminator.dense.bias"},  # as above, up to rounding
    "wgan": {"discriminator.output.bias"},  # only differences and slopes of scores count
}
"""Parameters whose gradient is 0, and why."""

UNREACHED |= {f"{name}{PAIRS}": {"generator.unknown"} for name in reading_sources()}  # no source has a blank


def cut(corpus: Corpus) -> Corpus:
    """Few validation and test sequences."""
    return dataclasses.replace(corpus, valid=corpus.valid[:8], test=corpus.test[:8])


@pytest.fixture(scope="module")
def oracle() -> Corpus:
    """Sequences of one length, without end token."""
    return cut(oracle_corpus(fresh_oracle(20, 0), CorpusSettings(length=6, sequences=10), 0))


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Sequences that end, of two categories."""
    path = tmp_path_factory.mktemp("text") / "lines.tsv"
    path.write_text("".join(f"{'long' if len(line) > 3 else 'short'}\t{line}\n" for line in LINES * 2))
    return cut(open_text_corpus(str(path), CorpusSettings(text="1", label="0", valid=0.25, test=0.25), 0))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Sequences that end, each of which answers another one."""
    path = tmp_path_factory.mktemp("pairs") / "lines.tsv"
    path.write_text(PAIRED)
    return cut(open_text_corpus(str(path), CorpusSettings(text="1", source="0", valid=0.25, test=0.25), 0))


@pytest.fixture
def corpus(name: str, oracle: Corpus, pairs: Corpus) -> Corpus:
    """What a case learns from: sequences of one length, or pairs."""
    return pairs if name.endswith(PAIRS) else oracle


@pytest.fixture
def ending(name: str, text: Corpus, pairs: Corpus) -> Corpus:
    """The same, its sequences ending."""
    return pairs if name.endswith(PAIRS) else text


@functools.cache
def small(name: str) -> Recipe:
    return Recipe.of(mapping(name))


def training(name: str, corpus: Corpus, seed: int = 0) -> Training:
    recipe = small(name)
    players = build_players(recipe, corpus, seed)
    return Training(recipe.settings, players, corpus, seed, Team("cpu"))


def copied(training: Training) -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors, facts = training.state()
    return {name: tensor.clone() for name, tensor in tensors.items()}, facts


def assert_same(one: tuple[dict[str, Tensor], dict[str, Any]], other: tuple[dict[str, Tensor], dict[str, Any]]) -> None:
    assert one[1] == other[1]
    assert one[0].keys() == other[0].keys()
    for name, tensor in one[0].items():
        assert torch.equal(tensor, other[0][name]), name


@pytest.fixture(params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_updates_move_their_player_alone_and_reach_every_parameter(
    name: str, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = training(name, corpus)
    expected = Counter(
        (phase.name, update.player)
        for phase in (*learner.schedule.before, *learner.schedule.round)
        for update in updates_of(phase)
    )
    moves: Counter[tuple[str, str]] = Counter()
    reached: set[str] = set()
    plain = Training.moved

    def watched(self: Training, update: Update, play: Play, chosen: Tensor) -> tuple[float, dict[str, float]]:
        before = {key: tensor.clone() for key, tensor in self.players.state_dict().items()}
        found = plain(self, update, play, chosen)
        for key, tensor in self.players.state_dict().items():
            assert bool(tensor.isfinite().all()), key
            assert torch.equal(tensor, before[key]) or key.startswith(f"{update.player}."), (update.player, key)
        for key, parameter in self.players.named_parameters():
            if key.startswith(f"{update.player}.") and parameter.grad is not None:
                assert bool(parameter.grad.isfinite().all()), key
                if bool((parameter.grad != 0).any()):
                    assert not torch.equal(parameter, before[key]), key
                    reached.add(key)
        phase = self.phase()
        assert phase is not None
        moves[phase.name, update.player] += 1
        return found

    monkeypatch.setattr(Training, "moved", watched)
    learnable = {key for key, part in learner.players.named_parameters() if part.requires_grad}
    events = list(learner.events())
    assert events[-1].kind == "end"
    assert all(count >= 3 for count in moves.values())
    assert moves.keys() == expected.keys()
    assert reached | UNREACHED.get(name, set()) == learnable
    assert [event.kind for event in events].count("round") == learner.schedule.rounds
    assert events[-1].step == learner.place.step


def test_a_seed_repeats_and_another_differs(name: str, corpus: Corpus) -> None:
    finals = []
    for seed in (0, 0, 1):
        learner = training(name, corpus, seed)
        torch.manual_seed(len(finals))  # the global generator must not matter
        list(learner.events())
        finals.append(copied(learner))
    assert_same(finals[0], finals[1])
    weights = [{key: part for key, part in final[0].items() if key.startswith("players/")} for final in finals]
    if any(len(part.unique()) > 1 for part in weights[0].values()):  # the uniform generator knows nothing of seeds
        assert any(not torch.equal(part, weights[2][key]) for key, part in weights[0].items())


def test_going_on_from_any_event_is_not_stopping(name: str, ending: Corpus, tmp_path: Path) -> None:
    """From the checkpoint of every event the next event leads to the same state; so, by induction, does the rest."""
    learner = training(name, ending)
    states = [copied(learner)]
    states += [copied(learner) for _ in learner.events()]
    assert states[-1][1]["place"]["done"]
    for index, state in enumerate(states):
        save_checkpoint(tmp_path / "step", *state)
        again = training(name, ending, seed=5)  # what the seed decides comes from the checkpoint
        again.restore(*load_checkpoint(tmp_path / "step"))
        assert_same(copied(again), state)
        following = next((other for other in states[index:] if other[1]["place"] != state[1]["place"]), None)
        event = next(again.events(), None)
        assert (event is None) == (following is None)
        if following is not None:
            assert_same(copied(again), following)
    middle = training(name, ending, seed=5)
    middle.restore(*states[len(states) // 2])
    list(middle.events())
    assert_same(copied(middle), states[-1])


@pytest.mark.parametrize("name", ALGORITHMS)
def test_settings_survive_a_round_trip(name: str) -> None:
    recipe = Recipe.of(mapping(name))
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe
    assert Recipe.of(recipe.to_dict()) == recipe
    default = Recipe.of({"algorithm": {"name": name}, "corpus": {"spec": "oracle"}})
    assert default.settings == ALGORITHMS[name]()
    assert Recipe.from_yaml(default.to_yaml()) == default


@pytest.mark.parametrize("name", ALGORITHMS)
def test_it_fits_the_contract(name: str) -> None:
    kind = ALGORITHMS[name]
    assert isinstance(kind(), Algorithm)
    assert kind.generator in GENERATORS
    assert kind.discriminator is None or kind.discriminator in DISCRIMINATORS
    assert kind.paper
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(kind(), next((field.name for field in dataclasses.fields(kind)), "any"), 1)  # pyright: ignore[reportArgumentType]
