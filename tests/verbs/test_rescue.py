"""A fine-tuning without anything that steadies it collapses, is noticed, and goes back to its last good checkpoint.

Mutants killed: a good checkpoint taken from after the alarm, numbered checkpoints of the collapse left for a resume, a
run that is to note and stops, players that stay as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from seqgans.training.alarms import STOPS, SUSTAINED
from seqgans.training.checkpoint import load_checkpoint
from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe
from seqgans.verbs.train import resume, train
from tests.generators.models import model_folder

NAIVE = {
    "likelihood_weight": 0.0,
    "kl": 0.0,
    "credit": "end",
    "scaled": True,
    "smoothing": 0.0,
    "replay": 0.0,
    "score_penalty": 0.0,
}
ROUNDS = 60


class Heard:
    """A watcher that keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def begin(self, schedule: Any, done: int) -> None: ...

    def event(self, event: Any, figures: dict[str, float]) -> None: ...

    def say(self, line: str) -> None:
        self.lines.append(line)

    def close(self) -> None: ...


def recipe(tmp: Path, **run: Any) -> Recipe:
    pairs = tmp / "pairs.tsv"
    pairs.write_text("w1 w2\tw11 w12 w13 w14 w15\n" * 20)
    return Recipe.of(
        {
            "algorithm": {
                "name": "rlgaf",
                "pretrain_epochs": 0,
                "rounds": ROUNDS,
                "batch": 16,
                "generator_rate": 0.02,
                "discriminator_rate": 0.003,
                **NAIVE,
            },
            "corpus": {"spec": str(pairs), "text": "1", "source": "0", "end": "yes"},
            "generator": {"model": str(model_folder(tmp / "model", weights=False))},
            "run": {
                "device": "cpu",
                "final_samples": 8,
                "eval_samples": 8,
                "eval_every": 0,
                "tensorboard": False,
                **run,
            },
        }
    )


def test_the_naive_way_collapses_and_is_put_back(tmp_path: Path) -> None:
    heard = Heard()
    run = train(recipe(tmp_path, checkpoint_every=3, keep=1), tmp_path / "run", heard)
    lines = run.events()
    findings = [line for line in lines if line["kind"] == "finding" and line["detector"] in STOPS]
    assert findings, [line["detector"] for line in lines if line["kind"] == "finding"]
    alarm = findings[0]["round"]
    (rescued,) = [line for line in lines if line["kind"] == "rescued"]
    assert rescued["checkpoint"] == "good"
    assert SUSTAINED <= rescued["round"] + SUSTAINED <= alarm < ROUNDS
    assert any(f"stopped, and went back to round {rescued['round']}" in line for line in heard.lines)
    good, facts = load_checkpoint(run.path / "checkpoints" / "good")
    last, end = run.latest()
    assert end["place"]["done"]
    assert facts["place"]["round"] == rescued["round"] == end["place"]["round"]
    for name, tensor in good.items():
        if name.startswith("players/"):
            assert torch.equal(tensor, last[name]), name
    assert [line["kind"] for line in lines][-1] == "evaluation"
    resume(tmp_path / "run")  # it is over, and stays over
    assert RunFolder.existing(run.path).events() == lines


def test_a_run_that_is_to_note_goes_on(tmp_path: Path) -> None:
    run = train(recipe(tmp_path, checkpoint_every=0, on_collapse="note"), tmp_path / "run")
    lines = run.events()
    assert any(line["kind"] == "finding" and line["detector"] in STOPS for line in lines)
    assert not any(line["kind"] == "rescued" for line in lines)
    assert run.latest()[1]["place"]["round"] == ROUNDS


def test_without_a_good_checkpoint_it_is_what_the_game_began_with(tmp_path: Path) -> None:
    run = train(recipe(tmp_path, checkpoint_every=0, on_collapse="stop"), tmp_path / "run")
    (rescued,) = [line for line in run.events() if line["kind"] == "rescued"]
    assert rescued["checkpoint"] == "pretrained"
    assert rescued["round"] == 0
