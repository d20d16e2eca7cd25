"""What ColdGAN logs of a pre-trained model beside what it learns from: the figures that alarms go by.

Mutants killed: a reference that is the model before maximum likelihood, one that follows the model in later rounds,
figures of padding, figures that are logged of any generator, a play that they change.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from seqgans.algorithms.base import Players
from seqgans.algorithms.coldgan import ColdGAN
from seqgans.algorithms.off_policy import off_policy_play
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.generators.conditional import given
from seqgans.generators.entropy import entropy_and_divergence
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.training.alarms import Adrift, Narrowing
from seqgans.training.build import build_players
from seqgans.training.recipe import Recipe
from seqgans.verbs.completions import FILE
from seqgans.verbs.train import train
from tests.algorithms.test_coldgan import SCORES, algorithm_of
from tests.algorithms.test_coldgan import players_of as small_players
from tests.algorithms.tuned import scene_of
from tests.generators.models import model_folder

GAME = {"pretrain_epochs": 0, "discriminator_pretrain_steps": 1, "rounds": 12, "batch": 8, "memory": 16}
HEARD = {"length", "real_length", "repeated", "real_repeated", "real_nll", "entropy", "kl"}


def mapping(spec: Path | str, model: Path, **settings: Any) -> dict[str, Any]:
    return {
        "algorithm": {"name": "coldgan", **GAME, **settings},
        "corpus": {"spec": str(spec), "text": "1", "source": "0", "end": "yes"},
        "generator": {"model": str(model)},
        "run": {"device": "cpu", "final_samples": 8, "eval_samples": 8, "eval_every": 0, "tensorboard": False},
    }


def players_of(folder: Path, corpus: Corpus, **settings: Any) -> tuple[ColdGAN, Players]:
    recipe = Recipe.of(mapping("pairs.tsv", folder, **settings))
    assert isinstance(recipe.settings, ColdGAN)
    return recipe.settings, build_players(recipe, corpus, 0)


def test_what_alarms_hear_is_logged_and_moves_nothing(folder: Path, corpus: Corpus) -> None:
    settings, players = players_of(folder, corpus)
    with torch.no_grad():  # maximum likelihood moves the model before the game begins
        players.get_parameter("generator.model.lm_head.weight").mul_(1.1)
        scene = scene_of(corpus)
        first = settings.play(players, scene)
        assert first.figures["kl"] == 0.0
        players.get_parameter("generator.model.lm_head.weight").mul_(1.5)
        second = settings.play(players, dataclasses.replace(scene, round=2))
    assert set(first.figures) >= HEARD
    fake = second.fake
    assert fake is not None
    assert not bool(fake.mask.all())
    law, known = (given(players.get_submodule(name), fake.source) for name in ("generator", "reference"))  # pyright: ignore
    entropy, apart = entropy_and_divergence(law, known, fake.tokens)
    assert second.figures["entropy"] == pytest.approx(float(entropy[fake.mask].mean()), rel=1e-5)
    assert second.figures["kl"] == pytest.approx(float(apart[fake.mask].mean()), rel=1e-5)
    assert second.figures["kl"] > 0.01
    torch.testing.assert_close(second.extras["kl"], (apart * fake.mask).sum(1))
    settings, players = players_of(folder, corpus)
    with torch.no_grad():
        plain = off_policy_play(
            players,
            scene_of(corpus),
            behaviour=settings.draws,
            batch=8,
            answers=1,
            weighing=settings.weights,
            weight_limit=settings.weight_limit,
            baseline=settings.baseline,
            shuffled=False,
        )
    again, same = players_of(folder, corpus)
    with torch.no_grad():
        watched = again.play(same, scene_of(corpus))
    assert plain.rewards is not None
    assert watched.rewards is not None
    assert plain.rewards.equal(watched.rewards)


def test_without_a_reference_there_is_no_divergence(folder: Path, corpus: Corpus) -> None:
    settings, players = players_of(folder, corpus, reference=False)
    assert "reference" not in dict(players.named_children())
    with torch.no_grad():
        found = settings.play(players, scene_of(corpus))
    assert set(found.figures) & HEARD == HEARD - {"kl"}
    assert "kl" not in found.extras


def test_small_generators_are_not_watched() -> None:
    world = oracle_corpus(fresh_oracle(3, 0), CorpusSettings(length=3, sequences=12, valid=0.0, test=0.0), 0)
    algorithm = algorithm_of(batch=8)
    players = small_players(algorithm, SCORES)
    assert "reference" not in dict(players.named_children())
    with torch.no_grad():
        assert not set(algorithm.play(players, scene_of(world)).figures) & (HEARD - {"length"})


def test_alarms_hear_a_model_that_runs_away(tmp_path: Path) -> None:
    """Every answer is rewarded, whatever it is: the model goes on with what it happened to write."""
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("".join(f"w1 w{number}\tw3 w{number} w5\n" for number in range(2, 18)))
    wild = {"generator_rate": 0.02, "behaviour": "cold", "temperature": 0.5, "baseline": "none", "replay": 0.0}
    recipe = Recipe.of(mapping(pairs, model_folder(tmp_path / "model"), **wild, rounds=25))
    run = train(dataclasses.replace(recipe, run=dataclasses.replace(recipe.run, on_collapse="note")), tmp_path / "run")
    said = [line["detector"] for line in run.events() if line["kind"] == "finding"]
    assert {Adrift.name, Narrowing.name} <= set(said)
    assert '"kl"' in (run.path / FILE).read_text()
