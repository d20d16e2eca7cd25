"""Sample: the law it draws from, and that the first of many samples are those of few."""

from __future__ import annotations

import shutil
from inspect import unwrap
from pathlib import Path

import pytest
import torch

from seqgans.errors import BadInput
from seqgans.training.checkpoint import load_checkpoint, save_checkpoint
from seqgans.verbs.loading import load_run
from seqgans.verbs.sample import ROWS, checked, sample


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


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("3", 1.0, 0, 1.0, 0), "the number of samples must be a whole number, got '3'"),
        ((3, 1.0, 2.5, 1.0, 0), "top_k must be a whole number, got 2.5"),
        ((3, 1.0, 0, "a", 0), "top_p must be a number, got 'a'"),
        ((3, None, 0, 1.0, 0), "temperature must be a number, got None"),
        ((True, 1.0, 0, 1.0, 0), "the number of samples must be a whole number, got True"),
    ],
)
def test_values_of_other_types_are_refused_where_nobody_checks_types(values: tuple, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        unwrap(checked)(*values)


def test_a_prefix_is_what_every_sample_begins_with(runs: Path, tmp_path: Path) -> None:
    """Kills: a prefix that is read and drawn anew; more samples than a chunk holds; a law that has not read it."""
    first, second = sample(runs / "likelihood-1", ROWS + 5, temperature=0.0, prefix="1 0")[:: ROWS + 4]
    assert first.ids[:2] == [1, 0]
    assert first == second
    rest = load_run(runs / "likelihood-1").players.generator
    with torch.no_grad():
        assert rest.logits(torch.tensor([first.ids])).argmax(2).tolist()[0][2:] == first.ids[2:]
    assert sample(runs / "likelihood-1", 3, prefix=" ") == sample(runs / "likelihood-1", 3)


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
        ({"prefix": "1 99"}, "ids must be among 0 ... "),
        ({"prefix": "0 " * 50}, "a prefix must have at most "),
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
