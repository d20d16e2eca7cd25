"""Maximum likelihood end to end on fresh oracles (mle.md, check 6): close to the entropy, and when it over-fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqgans.training.recipe import Recipe
from seqgans.verbs.train import train
from tests.learning.games import entropy_of_the_oracle

SMALL = {"spec": "oracle", "vocabulary_size": 20, "length": 6, "sequences": 5000}
MIDDLE = {"spec": "oracle", "vocabulary_size": 200, "length": 12, "sequences": 2000}


def learnt(folder: Path, corpus: dict[str, object], **settings: object) -> dict[str, float]:
    """NLL_oracle and NLL_gen, nats per token, of a generator that learnt by likelihood."""
    recipe = Recipe.of(
        {
            "algorithm": {"name": "likelihood", **settings},
            "corpus": corpus,
            "run": {"final_samples": 4000, "tensorboard": False},
        }
    )
    final = train(recipe, folder).read_json("report.json")["evaluations"]["final"]
    return {name: final[name]["mean"] for name in ("nll_oracle", "nll_gen_test")}


@pytest.mark.slow
def test_a_small_oracle_is_learnt_to_near_its_entropy(tmp_path: Path) -> None:
    found = learnt(tmp_path / "run", SMALL, pretrain_epochs=25)
    assert found["nll_gen_test"] < entropy_of_the_oracle() + 0.15


@pytest.mark.slow
def test_early_stopping_picks_the_model_that_has_not_learnt_by_heart(tmp_path: Path) -> None:
    """After 60 epochs NLL_oracle is lower and NLL_gen far higher: the over-fitted model only looks better."""
    stopped = learnt(tmp_path / "stopped", MIDDLE, pretrain_epochs=60)
    by_heart = learnt(tmp_path / "heart", MIDDLE, pretrain_epochs=60, patience=0, keep_best=False)
    assert by_heart["nll_oracle"] < stopped["nll_oracle"] - 0.1
    assert by_heart["nll_gen_test"] > stopped["nll_gen_test"] + 0.3
