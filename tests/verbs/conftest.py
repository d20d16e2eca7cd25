"""Small runs on an enumerable world, made by the plain functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seqgans.evaluation.lstm_language import LstmLanguage
from seqgans.training.recipe import Recipe
from seqgans.verbs.train import train

RUN = {"final_samples": 60, "eval_samples": 20, "tensorboard": False, "device": "cpu"}
PLAYER = {"embedding": 4, "hidden": 4}


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `likelihood-1`, `-2`, and `seqgan-1`, `-2`; the numbers are seeds."""
    folder = tmp_path_factory.mktemp("runs")
    game = {
        "pretrain_epochs": 1,
        "rounds": 1,
        "discriminator_pretrain_steps": 1,
        "discriminator_steps": 1,
        "discriminator_epochs": 1,
        "rollouts": 1,
        "batch": 8,
    }
    for seed in (1, 2):
        common: dict[str, Any] = {
            "corpus": {"spec": "world:markov", "sequences": 60},
            "generator": PLAYER,
            "run": {**RUN, "seed": seed},
        }
        likelihood = {"algorithm": {"name": "likelihood", "pretrain_epochs": 2}}
        seqgan = {
            "algorithm": {"name": "seqgan", **game},
            "discriminator": {"widths": [1, 2], "maps": [2, 2], "embedding": 4},
        }
        train(Recipe.of({**common, **likelihood}), folder / f"likelihood-{seed}")
        train(Recipe.of({**common, **seqgan}), folder / f"seqgan-{seed}")
    return folder


@pytest.fixture
def learnt(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the texts that LSTMs read."""
    sizes: list[int] = []
    learn = LstmLanguage.learn

    def listening(rows: Any, *asked: Any, **more: Any) -> LstmLanguage:
        sizes.append(len(rows))
        return learn(rows, *asked, **more)

    monkeypatch.setattr(LstmLanguage, "learn", listening)
    return sizes
