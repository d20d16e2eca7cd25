"""Questions for a run are read whole: a model reads more than its training prompts had, a small generator refuses it.

Mutants killed: a prompt cut to the training width, the closing token counted as room, positions without the answer's.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from seqgans.errors import BadInput
from seqgans.training.recipe import Recipe
from seqgans.verbs.asking import encoded_questions
from seqgans.verbs.loading import load_run
from seqgans.verbs.sample import sample
from seqgans.verbs.train import train
from tests.generators.models import model_folder
from tests.verbs.conftest import RUN


def trained(tmp_path: Path, generator: dict[str, object]) -> Path:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("".join(f"w1 w{number}\tw3 w{number}\n" for number in range(2, 18)))
    facts = {
        "algorithm": {"name": "likelihood", "pretrain_epochs": 1},
        "corpus": {"spec": str(pairs), "text": "1", "source": "0"},
        "generator": generator,
        "run": {**RUN, "final_samples": 8, "eval_samples": 8},
    }
    return train(Recipe.of(facts), tmp_path / "run").path


def test_a_model_reads_as_much_as_its_positions_hold(tmp_path: Path) -> None:
    path = trained(tmp_path, {"name": "pretrained", "model": str(model_folder(tmp_path / "model"))})
    run = load_run(path)
    assert (run.corpus.source_width, run.corpus.length) == (2, 3)
    fits = " ".join(f"w{1 + place % 20}" for place in range(61))  # of 64 positions, the answer's 3 left out
    assert encoded_questions(run, ["w5", fits]).lists() == [[5], [1 + place % 20 for place in range(61)]]
    assert len(sample(path, 2, sources=["w5", fits])) == 2
    line = "must have at most 61 tokens, number 2 has 62; the model has 64 positions and an answer takes 3; shorten it"
    with pytest.raises(BadInput, match=line):
        sample(path, 2, sources=["w5", f"{fits} w1"])


def test_a_small_generator_reads_as_much_as_it_was_trained_with(tmp_path: Path) -> None:
    path = trained(tmp_path, {"name": "seq2seq", "hidden": 4, "layers": 1})
    assert len(sample(path, 1, sources=["w1 w5"])) == 1
    line = r"at most 2 tokens, number 1 has 3; shorten it, or train with a larger --corpus\.source-length"
    with pytest.raises(BadInput, match=line):
        sample(path, 1, sources=["w1 w5 w5"])


def test_an_answer_may_have_a_beginning(tmp_path: Path) -> None:
    """Kills: a generator that answers taken for one that fills in blanks, where what is kept changes what is read."""
    path = trained(tmp_path, {"name": "seq2seq", "hidden": 4, "layers": 1})
    drawn = sample(path, 3, sources=["w1 w5", "w1 w6", "w1 w7"], prefix="w3")
    assert [one.text.split()[0] for one in drawn] == ["w3"] * 3
    (tmp_path / "texts.txt").write_text("w1 w2 w3\n" * 20)
    facts = {
        "algorithm": {"name": "maskgan", "pretrain_epochs": 1, "rounds": 0},
        "corpus": {"spec": str(tmp_path / "texts.txt")},
        "run": {**RUN, "final_samples": 8, "eval_samples": 8},
    }
    with pytest.raises(BadInput, match="use fill, with a line of blanks"):
        sample(train(Recipe.of(facts), tmp_path / "blanks").path, 1, prefix="w1")
