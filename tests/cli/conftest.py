"""Small runs made through the command line, and a way to call it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from seqgans.__main__ import run

TINY_WORDS = """--run.final_samples 60 --run.eval_samples 20 --run.tensorboard false --run.device cpu
--pretrain-epochs 2 --generator.embedding 4 --generator.hidden 4"""
GAME_WORDS = """--rounds 1 --algorithm.discriminator_pretrain_steps 1 --algorithm.discriminator_steps 1
--algorithm.discriminator_epochs 1 --algorithm.rollouts 1 --algorithm.batch 8 --discriminator.widths [1,2]
--discriminator.maps [2,2] --discriminator.embedding 4"""
TINY, GAME = TINY_WORDS.split(), GAME_WORDS.split()
ANIMALS, VERBS = ("cat", "dog", "cow", "hen"), ("sleeps", "runs", "eats")


class Called(NamedTuple):
    """How a call ended."""

    code: int
    out: str
    err: str


Call = Callable[..., Called]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """The command line, in this process."""

    def calling(*words: object) -> Called:
        code = run([str(word) for word in words])
        return Called(code, *capsys.readouterr())

    return calling


@pytest.fixture(scope="session")
def text_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences of three to five words."""
    path = tmp_path_factory.mktemp("text") / "animals.txt"
    lines = [f"the {animal} {verb}" for animal in ANIMALS for verb in VERBS]
    lines += [f"a {animal} {verb} and {other}" for animal in ANIMALS for verb in VERBS for other in VERBS]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, text_file: Path) -> Path:
    """Runs on a world (`seqgan`, and `likelihood-1` and `-2`, which differ in their seed) and on text (`text`)."""
    folder = tmp_path_factory.mktemp("runs")
    world = ["--corpus", "world:skewed", "--corpus.sequences", "100"]
    calls = (
        ("seqgan", *world, *TINY, *GAME, "--seed", "1", "--out", folder / "seqgan"),
        ("likelihood", *world, *TINY, "--seed", "1", "--out", folder / "likelihood-1"),
        ("likelihood", *world, *TINY, "--seed", "2", "--out", folder / "likelihood-2"),
        ("seqgan", "--corpus", text_file, *TINY, *GAME, "--corpus.valid", "0.2", "--out", folder / "text"),
    )
    for words in calls:
        assert run(["train", *map(str, words)]) == 0
    return folder
