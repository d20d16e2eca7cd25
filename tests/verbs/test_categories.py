"""A run on labelled text from end to end: trained, kept, loaded, sampled by category.

Mutants killed: a category that is not handed on, categories that a run's folder forgets, names out of order.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from seqgans.errors import BadInput
from seqgans.training.recipe import Recipe
from seqgans.verbs.evaluate import evaluate
from seqgans.verbs.sample import sample
from seqgans.verbs.train import train

ROWS = [f"rain\t{sky} rain fell" for sky in ("dark", "grey", "wet")] + [f"sun\t{sky} sun" for sky in ("warm", "bright")]
SMALL = {
    "algorithm": {"name": "sentigan", "pretrain_epochs": 40, "pretrain_rate": 0.05, "rounds": 0},
    "generator": {"embedding": 4, "hidden": 8},
    "discriminator": {"embedding": 4, "widths": [1, 2], "maps": [3, 3]},
    "run": {"final_samples": 20, "tensorboard": False, "device": "cpu", "eval_every": 0, "checkpoint_every": 0},
}


def test_samples_of_a_category(tmp_path: Path) -> None:
    table = tmp_path / "weather.tsv"
    table.write_text("\n".join(ROWS * 30))
    settings = {**SMALL["algorithm"], "discriminator_pretrain_steps": 1, "discriminator_examples": 10}  # pyright: ignore[reportCallIssue,reportArgumentType]
    spec = {"spec": str(table), "text": "1", "label": "0", "valid": 0.1, "test": 0.3}
    run = train(Recipe.of({**SMALL, "algorithm": settings, "corpus": spec}), tmp_path / "run")
    for category in ("rain", "sun"):
        texts = [one.text for one in sample(run.path, 50, category=category)]
        assert sum(category in text.split() for text in texts) >= 45, category
    texts = [one.text for one in sample(run.path, 200)]
    assert 80 <= sum("rain" in text.split() for text in texts) <= 160  # three in five
    with pytest.raises(BadInput, match="no category is called 'snow'; choose one of: rain, sun"):
        sample(run.path, 1, category="snow")
    found = evaluate(run.path, metrics=["category_accuracy", "category_share"], count=100).flat()
    assert found["category_accuracy"].value > 0.85
    assert found["category_accuracy"].details["learnt_from"] == 90  # the training rows
    assert 0.4 <= found["category_share_rain"].value <= 0.8


def test_a_run_without_categories(tmp_path: Path) -> None:
    settings = {"name": "likelihood", "pretrain_epochs": 1}
    recipe = {**SMALL, "algorithm": settings, "corpus": {"spec": "world:skewed", "sequences": 20}}
    del recipe["discriminator"]
    run = train(Recipe.of(recipe), tmp_path / "run")
    with pytest.raises(BadInput, match=r"--category needs a generator of several categories"):
        sample(run.path, 1, category="rain")
    with pytest.raises(BadInput, match="'category_accuracy': needs the categories of the references"):
        evaluate(run.path, metrics=["category_accuracy"], count=10)
