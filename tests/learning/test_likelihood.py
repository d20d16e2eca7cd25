"""Maximum likelihood end to end on fresh oracles (mle.md, check 6): close to the entropy, and when it over-fits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqgans.evaluation.kneser_ney import KneserNey
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


@pytest.mark.slow
def test_captions_are_likelier_to_it_than_to_a_bigram_model(shared_data: Path, tmp_path: Path) -> None:
    """Early-stopped likelihood of an LSTM beside Kneser-Ney of pairs of words, both of the same training captions.

    Both say how likely each word is, the end token included; the test captions are new to both.
    """
    recipe = Recipe.of(
        {
            "algorithm": {"name": "likelihood", "pretrain_epochs": 30, "patience": 2, "anneal": 0},
            "corpus": {
                "spec": str(shared_data / "image_coco.txt.gz"),
                "tokens": "words",
                "minimum_count": 2,
                "length": 38,
                "end": "yes",
            },
            "generator": {"name": "lstm", "embedding": 64, "hidden": 64},
            "run": {"final_samples": 100, "eval_every": 0, "tensorboard": False},
        }
    )
    run = train(recipe, tmp_path / "run")
    corpus = run.read_corpus()
    captions, unseen = (part.lists() for part in (corpus.train, corpus.test))  # with their end tokens
    pairs = KneserNey.learn(captions, np.unique(np.concatenate(captions)), order=2)
    ours = run.read_json("report.json")["evaluations"]["final"]["nll_gen_test"]["mean"]
    assert ours < pairs.score(unseen).nll().value - 0.1
