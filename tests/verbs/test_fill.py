"""Fill: what is given stays, what is missing is drawn given both sides, and lines do not disturb each other.

Mutants killed: words that come back as unknown, blanks filled with the end token, a source that shows nothing, fills
that depend on the lines behind them.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqgans.errors import BadInput
from seqgans.sequences import Sequences
from seqgans.training.recipe import Recipe
from seqgans.verbs.fill import ROWS, fill
from seqgans.verbs.loading import load_run
from seqgans.verbs.train import train

SOUNDS = {"cat": "meow", "dog": "woof", "cow": "moo"}
LINES = [f"the {animal} {says} {sound}" for animal, sound in SOUNDS.items() for says in ("says", "sings")] * 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs `masked` on text and `numbers` on a world, both of maskgan, and `plain`, of maximum likelihood."""
    folder = tmp_path_factory.mktemp("fills")
    text = folder / "lines.txt"
    text.write_text("".join(f"{line}\n" for line in LINES))
    small = {"hidden": 12, "layers": 1, "dropout": 0.0}
    game = {"name": "maskgan", "mask_epochs": 30, "pretrain_rate": 0.03, "rounds": 1, "batch": 16}
    run = {"final_samples": 30, "tensorboard": False, "device": "cpu"}
    parts = {"generator": small, "discriminator": small, "run": run}
    for name, corpus in (
        ("masked", {"spec": str(text), "end": "yes"}),
        ("numbers", {"spec": "world:skewed", "sequences": 40}),
    ):
        train(Recipe.of({"algorithm": game, "corpus": corpus, **parts}), folder / name)
    plain = {"algorithm": {"name": "likelihood", "pretrain_epochs": 1}, "run": run}
    train(Recipe.of({**plain, "corpus": {"spec": str(text), "end": "yes"}}), folder / "plain")
    return folder


@pytest.mark.parametrize("name", ["masked", "plain"])
def test_given_words_stay_and_blanks_become_words(folder: Path, name: str) -> None:
    lines = ["the _ says meow", "_ zebra _", "the cat says", "", "_ _"]
    found = fill(folder / name, lines, count=3, seed=1)
    assert len(found) == 15
    known = set(load_run(folder / name).corpus.vocabulary.symbols) - {"<end>", "<unk>"}
    for place, entry in enumerate(found):
        given, words = lines[place // 3].split(), entry.text.split()
        assert len(entry.ids) == len(words) == len(given)
        for before, after in zip(given, words, strict=True):
            assert after in known if before == "_" else after == before
    assert len({entry.text for entry in found[:3]} | {entry.text for entry in found[3:6]}) > 2


def test_the_coldest_fill_is_the_most_likely_token_given_both_sides(folder: Path) -> None:
    run = load_run(folder / "numbers")
    generator = run.players.generator
    [entry] = fill(folder / "numbers", ["1 _ 2"], temperature=0.0)
    source = torch.tensor([[1, generator.blank, 2]])  # type: ignore[list-item]
    with torch.no_grad():
        law = generator.given(Sequences(source, source >= 0))  # type: ignore[operator]
        logits = law.logits(torch.tensor([[1, 0, 2]]))[0, 1]
    assert entry.ids == [1, int(logits.argmax()), 2]
    assert entry.text == " ".join(map(str, entry.ids))


def test_the_first_lines_of_many_are_filled_as_alone(folder: Path) -> None:
    lines = ["_ _ _"] * (ROWS + 3)
    many = fill(folder / "numbers", lines, seed=3)
    assert many[:2] == fill(folder / "numbers", lines[:2], seed=3)
    assert many[:50] != fill(folder / "numbers", lines[:50], seed=4)
    assert len({entry.text for entry in many}) > 5


def test_what_follows_a_blank_counts_where_a_source_is_read(folder: Path) -> None:
    pairs = {
        name: [fill(folder / name, [line] * 60, seed=2) for line in ("the _ says meow", "the _ says woof")]
        for name in ("masked", "plain")
    }
    filled = {name: [[entry.ids[1] for entry in part] for part in both] for name, both in pairs.items()}
    assert filled["plain"][0] == filled["plain"][1]
    symbols = load_run(folder / "masked").corpus.vocabulary.symbols
    right = [
        [symbols[number] for number in part].count(animal)
        for part, animal in zip(filled["masked"], ("cat", "dog"), strict=True)
    ]
    assert min(right) > 40  # of 60; from the left alone it would be a third


@pytest.mark.parametrize(
    ("name", "line", "settings", "message"),
    [
        ("numbers", "1 _", {}, "line 1 must have 3 tokens, as all sequences of this run, got 2; add blanks"),
        ("numbers", "1 _ 2 1", {}, "line 1 must have at most 3 tokens, got 4; shorten it"),
        ("numbers", "1 _ 9", {}, "line 1: ids must be among 0 ... 2, got '9'"),
        ("numbers", "1 1 _", {"blank": "1"}, "line 1: '1' is in this vocabulary, so it cannot mean a blank"),
        ("masked", "the _", {"blank": "_ _"}, "line 1: a blank must be one of the words, got '_ _'"),
        ("masked", "the _ cat says meow", {}, "line 1 must have at most 4 tokens, got 5"),
        ("masked", "_", {"count": 0}, "the number of samples must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_filled(folder: Path, name: str, line: str, settings: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        fill(folder / name, [line], **settings)
