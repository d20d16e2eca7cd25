"""A run that diverges says so, once, and stays usable."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqgans.errors import Diverged
from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe
from seqgans.verbs.sample import sample
from seqgans.verbs.train import train


def test_a_loss_that_is_no_number_is_a_finding_and_the_run_can_still_be_sampled(tmp_path: Path):
    recipe = Recipe.of(
        {
            "algorithm": {
                "name": "likelihood",
                "pretrain_epochs": 3,
                "rate": 1e38,
                "clip": 1e38,
                "patience": 0,
                "keep_best": False,
            },
            "corpus": {"spec": "world:markov", "sequences": 200},
            "run": {"final_samples": 50, "eval_samples": 50, "tensorboard": False},
        }
    )
    with pytest.raises(Diverged, match="lower its learning rate"):
        train(recipe, tmp_path / "run")
    kinds = [line["kind"] for line in RunFolder.existing(tmp_path / "run").events()]
    assert kinds.count("failed") == kinds.count("finding") == 1
    assert len(sample(tmp_path / "run", 3)) == 3
