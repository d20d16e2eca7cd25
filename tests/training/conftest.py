"""A tiny oracle and the recipes of a few algorithms on it, small enough to train in a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

RECIPES: dict[str, dict[str, Any]] = {
    "likelihood": {"algorithm": {"name": "likelihood", "pretrain_epochs": 3, "batch": 8}},
    "seqgan": {
        "algorithm": {
            "name": "seqgan",
            "pretrain_epochs": 2,
            "discriminator_pretrain_steps": 2,
            "rounds": 3,
            "discriminator_steps": 1,
            "discriminator_epochs": 2,
            "discriminator_examples": 16,
            "rollouts": 2,
            "batch": 8,
            "discriminator_batch": 16,
            "baseline": "moving_average",
        },
        "discriminator": {"embedding": 4, "widths": [1, 2, 3], "maps": [3, 3, 3]},
    },
    "relgan": {
        "algorithm": {"name": "relgan", "pretrain_epochs": 1, "rounds": 2, "discriminator_steps": 1, "batch": 8},
        "generator": {"embedding": 3, "heads": 2, "head_size": 4},
        "discriminator": {"embedding": 4, "views": 2, "widths": [2, 3], "maps": 4, "dense": 3},
    },
}
CORPUS = {"spec": "oracle", "vocabulary_size": 20, "length": 6, "sequences": 40}
RUN = {
    "device": "cpu",
    "eval_every": 2,
    "eval_samples": 20,
    "final_samples": 20,
    "checkpoint_every": 1,
    "tensorboard": False,
}


@pytest.fixture(scope="session")
def recipes() -> dict[str, dict[str, Any]]:
    """Complete mappings by the name of the algorithm, for `Recipe.of`."""
    small = {"generator": {"embedding": 4, "hidden": 5}, "corpus": CORPUS, "run": RUN}
    return {name: {**small, **parts} for name, parts in RECIPES.items()}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sources and responses of one to four words."""
    path = tmp_path_factory.mktemp("pairs") / "pairs.tsv"
    words = [[f"w{(place + step) % 7}" for step in range(1 + place % 4)] for place in range(40)]
    path.write_text("".join(f"{' '.join(row)} ?\t{' '.join(row[::-1])}\n" for row in words))
    return path
