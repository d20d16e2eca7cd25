"""Pre-trained models fine-tuned on texts alone, without prompts: all the way to figures, samples and fills.

Mutants killed: a blank where a pre-trained model has no vector for it; figures of blanks for a model that reads none;
a fill that claims to read both sides, and the studio likewise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seqgans.errors import BadInput
from seqgans.randomness import Stream, generator_for
from seqgans.training.recipe import Recipe
from seqgans.verbs.evaluate import evaluate
from seqgans.verbs.fill import fill, reads_both_sides
from seqgans.verbs.loading import load_run
from seqgans.verbs.sample import sample
from seqgans.verbs.train import train
from seqgans.web.readings import Wish, law_for
from tests.generators.models import model_folder

RLGAF = {"name": "rlgaf", "pretrain_epochs": 1, "discriminator_pretrain_steps": 1, "batch": 4, "group": 2, "rounds": 1}
COLDGAN = {"name": "coldgan", "pretrain_epochs": 1, "discriminator_pretrain_steps": 1, "batch": 4, "rounds": 1}
LINES = "".join(f"w1 w{1 + row % 5} w{1 + row % 3}\n" for row in range(24))


def recipe(folder: Path, kind: str, algorithm: dict[str, Any]) -> Recipe:
    model_folder(folder / "model", kind=kind)
    (folder / "lines.txt").write_text(LINES)
    return Recipe.of(
        {
            "algorithm": algorithm,
            "corpus": {"spec": str(folder / "lines.txt"), "valid": 0.2, "test": 0.2},
            "generator": {"name": "pretrained", "model": str(folder / "model")},
            "run": {"final_samples": 20, "eval_samples": 10, "tensorboard": False, "completions_every": 1},
        }
    )


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [
        ("gpt2", RLGAF),
        ("llama", {**RLGAF, "variant": "ppo", "baseline": "value"}),
        ("gpt2", {**RLGAF, "variant": "gumbel"}),
        ("t5", RLGAF),
        ("gpt2", COLDGAN),
    ],
    ids=("reinforce", "ppo", "gumbel", "t5", "coldgan"),
)
def test_texts_alone_train_a_model(kind: str, algorithm: dict[str, Any], tmp_path: Path) -> None:
    folder = train(recipe(tmp_path, kind, algorithm), tmp_path / "run")
    report = folder.read_json("report.json")
    assert report["sweeps"] == {}  # thousands of texts of a large model, drawn by evaluate where they are wanted
    figures = report["evaluations"]["final"]
    assert {"nll_gen_test", "bleu_4"} <= figures.keys()
    assert "infill_perplexity" not in figures
    assert len(list(sample(folder.path, 3))) == 3
    assert evaluate(folder.path, metrics=["infill_perplexity"], count=5).figures["infill_perplexity"]


@pytest.mark.parametrize("kind", ["gpt2", "t5"])
def test_what_is_read_without_a_prompt_is_nothing(kind: str, tmp_path: Path) -> None:
    run = train(recipe(tmp_path, kind, RLGAF), tmp_path / "run")
    loaded = load_run(run.path, "latest")
    assert not reads_both_sides(loaded)
    with pytest.raises(BadInput, match="blanks need tokens that are words, characters, notes or ids"):
        list(fill(run.path, ["w1 _ w2"]))
    law = law_for(loaded, Wish(count=2), None)
    assert law.sample(2, 3, random=Stream(generator_for(0))).tokens.shape == (2, 3)


def test_blanks_need_a_generator_that_knows_them(tmp_path: Path) -> None:
    asked = recipe(tmp_path, "gpt2", {"name": "maskgan", "rounds": 1, "pretrain_epochs": 0, "mask_epochs": 1})
    with pytest.raises(BadInput, match=r"reads sequences with blanks, got CausalLM; choose --generator\.name seq2seq"):
        train(asked, tmp_path / "run")
