"""What every option must do in every game it can be combined with: the contract of algorithms, with all options on.

Mutants killed: a memory or referee that a checkpoint forgets, an option that takes randomness from outside the streams
or from them while it is off, a penalty that moves another player, options that YAML cannot hold, an option that is
refused after hours of pre-training or breaks a round, a table in docs/options.md that says something else.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from seqgans.algorithms import ALGORITHMS
from seqgans.algorithms.base import Play, Update
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.errors import BadInput
from seqgans.options import Options, equipped
from seqgans.training.build import build_players
from seqgans.training.checkpoint import load_checkpoint, save_checkpoint
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from tests.contracts.small import LINES, mapping

ALWAYS = {"interleave": 1, "gradient_penalty": 1.0, "patience": 2, "validation_samples": 8}
EACH: dict[str, dict[str, Any]] = {
    **{name: {name: 1} for name in ("interleave", "gradient_penalty", "spectral_norm")},
    "replay": {"replay": 0.5},
    "smoothing": {"smoothing": 0.1},
    "discriminators": {"discriminators": 2},
    "critic": {"critic": "baseline"},
    "patience": {"patience": 1, "validation_samples": 8},
}
DOCS = Path(__file__).parents[2] / "docs" / "options.md"
CNN = {"embedding": 4, "widths": [1, 2], "maps": [3, 3]}
CASES: dict[str, dict[str, Any]] = {
    "seqgan": {
        "algorithm": {"pretrain_epochs": 1, "discriminator_pretrain_steps": 1, "discriminator_steps": 2, "rollouts": 1}
        | {"discriminator_examples": 8, "batch": 4, "rounds": 3, "discriminator_epochs": 1, "discriminator_batch": 8},
        "discriminator": CNN,
        "options": {**ALWAYS, "replay": 0.5, "replay_size": 5, "smoothing": 0.1, "critic": "baseline"},
    },
    "gsgan": {
        "algorithm": {"pretrain_epochs": 1, "rounds": 3, "batch": 4},
        "discriminator": {"embedding": 4, "hidden": 5},
        "options": {**ALWAYS, "validation": "nll", "discriminators": 2, "shared": True, "spectral_norm": 1.0},
    },
    "answers": {  # pairs of a source and a response
        "algorithm": {"name": "seqgan", "pretrain_epochs": 1, "discriminator_pretrain_steps": 1, "rollouts": 1}
        | {"discriminator_examples": 8, "batch": 4, "rounds": 3, "discriminator_epochs": 1, "discriminator_batch": 8}
        | {"discriminator_steps": 1},
        "generator": {"name": "seq2seq", "hidden": 5, "layers": 1},
        "discriminator": CNN,
        "options": {**ALWAYS, "replay": 0.5, "replay_size": 5},
    },
    "catgan": {  # its generator's updates are variants, and several survive
        "algorithm": {"pretrain_epochs": 1, "rounds": 3, "batch": 4, "discriminator_steps": 1, "fitness_examples": 4}
        | {"parents": 2, "temperature_step": 0.0},
        "generator": {"embedding": 4, "slots": 1, "heads": 2, "head_size": 3},
        "discriminator": {"embedding": 4, "views": 2, "widths": [1, 2], "maps": 3, "dense": 4},
        "options": {**ALWAYS, "discriminators": 2, "spectral_norm": 1.0},
    },
}


@pytest.fixture(params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corpus, Corpus]:
    """Lines alone, and lines that answer their words in reverse."""
    folder, settings = tmp_path_factory.mktemp("text"), CorpusSettings(valid=0.25, test=0.25)
    (folder / "lines.txt").write_text("".join(f"{line}\n" for line in LINES * 2))
    (folder / "pairs.tsv").write_text("".join(f"{line[::-1]}\t{line}\n" for line in LINES * 2))
    lines = open_text_corpus(str(folder / "lines.txt"), settings, 0)
    columns = dataclasses.replace(settings, source="0", text="1")
    return lines, open_text_corpus(str(folder / "pairs.tsv"), columns, 0)


@pytest.fixture
def corpus(name: str, corpora: tuple[Corpus, Corpus]) -> Corpus:
    return corpora[name == "answers"]


@pytest.fixture
def recipe(name: str) -> Recipe:
    case = CASES[name]
    return Recipe.of(
        {
            **case,
            "algorithm": {"name": name, **case["algorithm"]},
            "corpus": {"spec": "world:markov"},
            "generator": case.get("generator", {"embedding": 4, "hidden": 5}),
        }
    )


def training(recipe: Recipe, corpus: Corpus, seed: int = 0) -> Training:
    return Training(recipe.played, build_players(recipe, corpus, seed), corpus, seed, Team("cpu"))


def copied(training: Training) -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors, facts = training.state()
    return {name: tensor.clone() for name, tensor in tensors.items()}, facts


def assert_same(one: tuple[dict[str, Tensor], dict[str, Any]], other: tuple[dict[str, Tensor], dict[str, Any]]) -> None:
    assert one[1] == other[1]
    assert one[0].keys() == other[0].keys()
    for name, tensor in one[0].items():
        assert torch.equal(tensor, other[0][name]), name


def test_going_on_from_any_event_is_not_stopping(recipe: Recipe, corpus: Corpus, tmp_path: Path) -> None:
    learner = training(recipe, corpus)
    states = [copied(learner)]
    states += [copied(learner) for _ in learner.events()]
    for index, state in enumerate(states):
        save_checkpoint(tmp_path / "step", *state)
        again = training(recipe, corpus, seed=5)
        again.restore(*load_checkpoint(tmp_path / "step"))
        assert_same(copied(again), state)
        following = next((other for other in states[index:] if other[1]["place"] != state[1]["place"]), None)
        assert (next(again.events(), None) is None) == (following is None)
        if following is not None:
            assert_same(copied(again), following)


def test_an_update_moves_its_player_alone(recipe: Recipe, corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, moves = Training.moved, set[tuple[str, str]]()

    def watched(self: Training, update: Update, play: Play, chosen: Tensor) -> tuple[float, dict[str, float]]:
        before = {key: tensor.clone() for key, tensor in self.players.state_dict().items()}
        found = plain(self, update, play, chosen)
        for key, tensor in self.players.state_dict().items():
            assert bool(tensor.isfinite().all()) or key == "referee.best", key
            assert torch.equal(tensor, before[key]) or key.startswith(f"{update.player}."), (update.player, key)
        phase = self.phase()
        assert phase is not None
        moves.add((phase.name, update.player))
        if update.player == "discriminator":
            assert found[1]["slope"] > 0
        return found

    monkeypatch.setattr(Training, "moved", watched)
    learner = training(recipe, corpus)
    list(learner.events())
    assert {("interleaved steps", "generator"), ("discriminator", "discriminator")} <= moves
    assert (("generator", "critic") in moves) == (recipe.options.critic != "none")


def test_settings_survive_a_round_trip(recipe: Recipe) -> None:
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe
    assert recipe.options != Options()


def test_without_options_nothing_changes(corpora: tuple[Corpus, Corpus]) -> None:
    for name, kind in ALGORITHMS.items():
        recipe = Recipe.of({"algorithm": {"name": name}, "corpus": {"spec": "oracle"}})
        assert recipe.options == Options()
        assert recipe.played is recipe.settings, kind
    recipe = Recipe.of({"algorithm": {"name": "seqgan"}, "corpus": {"spec": "oracle"}})
    names = {name for name, _ in build_players(recipe, corpora[0], 0).named_children()}
    assert names == {"generator", "discriminator"}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("interleave", 1), ("replay", 0.5), ("gradient_penalty", 1.0), ("smoothing", 0.1), ("patience", 2)),
        *(("spectral_norm", 1.0), ("discriminators", 2), ("critic", "differences")),
    ],
)
def test_an_option_that_cannot_be_is_one_line(option: str, value: Any) -> None:
    with pytest.raises(BadInput, match=rf"^options\.{option} needs .* Likelihood has none") as found:
        equipped(ALGORITHMS["likelihood"](), Options(**{option: value}))
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_option_is_played_or_refused_before_anything_is_learnt(
    algorithm: str, corpora: tuple[Corpus, Corpus]
) -> None:
    """What docs/options.md says of each: played, or refused in one line that names what to leave out."""
    played = [name for name, options in EACH.items() if plays(algorithm, options, corpora[0])]
    lines = [line.split("|")[1:-1] for line in DOCS.read_text().splitlines() if line.startswith(f"| `{algorithm}` |")]
    assert len(lines) == 1, f"docs/options.md must have one row of {algorithm} in its table of games"
    told = [cell.strip() == "yes" for cell in lines[0][1:]]
    assert dict(zip(EACH, told, strict=True)) == {name: name in played for name in EACH}


def plays(algorithm: str, options: dict[str, Any], corpus: Corpus) -> bool:
    """Whether the first two rounds of a game with options are played.

    Raises:
        BadInput: it is refused when something has been learnt, or does not say what to leave out.
    """
    small = {**mapping(algorithm), "options": options}
    small["algorithm"] = {**small["algorithm"], "smoothing": 0.0} if algorithm == "rlgaf" else small["algorithm"]
    try:
        learner = training(Recipe.of(small), corpus)
    except BadInput as error:
        if "leave" in str(error) or "one alone" in str(error):
            return False
        raise
    list(learner.events())
    return True
