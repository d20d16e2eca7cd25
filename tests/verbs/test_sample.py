"""Sample: the law it draws from, and that the first of many samples are those of few."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from seqgans.errors import BadInput
from seqgans.training.checkpoint import load_checkpoint, save_checkpoint
from seqgans.verbs.loading import load_run
from seqgans.verbs.sample import ROWS, sample


def test_the_first_of_many_are_those_of_few(runs: Path) -> None:
    few, many = sample(runs / "likelihood-1", 3, seed=4), sample(runs / "likelihood-1", ROWS + 5, seed=4)
    assert len(many) == ROWS + 5
    assert many[:3] == few
    assert len({entry.text for entry in many}) > ROWS // 2  # later chunks do not repeat the first
    assert all(entry.text == " ".join(map(str, entry.ids)) for entry in many)


def test_temperature_zero_is_the_most_likely_token_each_time(runs: Path) -> None:
    [drawn] = sample(runs / "likelihood-1", 1, temperature=0.0)
    tokens = torch.tensor([drawn.ids])
    with torch.no_grad():
        assert load_run(runs / "likelihood-1").players.generator.logits(tokens).argmax(2).tolist() == [drawn.ids]


def test_checkpoints_differ(runs: Path) -> None:
    last, first = (sample(runs / "seqgan-1", 50, checkpoint=name) for name in ("latest", "pretrained"))
    assert last != first


def test_parameters_that_are_no_numbers_are_refused(runs: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(runs / "likelihood-1", tmp_path / "astray")
    for checkpoint in (copy / "checkpoints").iterdir():
        tensors, facts = load_checkpoint(checkpoint)
        tensors["players/generator.output.bias"][0] = torch.nan
        save_checkpoint(checkpoint, tensors, facts)
    with pytest.raises(
        BadInput, match=r"checkpoint latest of .* must hold finite numbers, generator\.output\.bias has"
    ):
        sample(copy, 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"count": 0}, "the number of samples must be at least 1, got 0"),
        ({"temperature": -1.0}, "temperature must be a finite number of at least 0"),
        ({"top_k": -1}, "top_k must be at least 0"),
        ({"top_p": 1.5}, "top_p must be above 0 and at most 1"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"checkpoint": "nonsense"}, "has no checkpoint called 'nonsense'"),
    ],
)
def test_what_cannot_be_drawn(settings: dict[str, float], message: str, runs: Path) -> None:
    with pytest.raises(BadInput, match=message):
        sample(runs / "likelihood-1", **{"count": 1, **settings})


def test_a_sample_ends_where_it_is_told_to_stop() -> None:
    from seqgans.data.vocabulary import Vocabulary
    from seqgans.verbs.sample import stopped

    words = Vocabulary(("a", "b", "c", "."), "words", None)
    assert stopped([0, 1, 3, 2], words, ["."]) == ([0, 1, 3][:3], "a b ")
    assert stopped([0, 1, 2], words, ["."]) == ([0, 1, 2], "a b c")
    assert stopped([3, 0], words, ["c", "."]) == ([], "")
