"""What users of fine-tuning look for: tables of answers, curves as a picture, boards.

Mutants killed: answers of another round than they were paid in, a resume that writes rows twice, markup in a page,
a board that hears nothing.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from seqgans.errors import BadInput
from seqgans.report.players import completions_section, curves_png
from seqgans.training.recipe import Recipe
from seqgans.verbs.completions import FILE
from seqgans.verbs.train import resume, train
from tests.generators.models import model_folder
from tests.verbs.test_rescue import Heard


def recipe(tmp: Path, **run: Any) -> Recipe:
    pairs = tmp / "pairs.tsv"
    pairs.write_text("".join(f"w1 w{number}\tw3 w{number}\n" for number in range(2, 18)))
    game = {"pretrain_epochs": 1, "discriminator_pretrain_steps": 1, "rounds": 4, "batch": 4, "group": 2, "memory": 8}
    return Recipe.of(
        {
            "algorithm": {"name": "rlgaf", **game},
            "corpus": {"spec": str(pairs), "text": "1", "source": "0", "end": "yes"},
            "generator": {"model": str(model_folder(tmp / "model"))},
            "run": {"device": "cpu", "final_samples": 8, "eval_samples": 8, "tensorboard": False, **run},
        }
    )


def test_answers_are_kept_with_what_they_earned(tmp_path: Path) -> None:
    heard = Heard()
    run = train(recipe(tmp_path, completions_every=2, checkpoint_every=1, keep=9), tmp_path / "run", heard)
    rows = [json.loads(line) for line in (run.path / FILE).read_text().splitlines()]
    assert [row["round"] for row in rows] == [2] * 4 + [4] * 4
    assert rows[0].keys() == {"step", "round", "prompt", "answer", "score", "reward", "kl"}
    assert all(row["prompt"].startswith("w1 w") for row in rows)
    tables = [line for line in heard.lines if "answer" in line and "score" in line]
    assert len(tables) == 2
    assert tables[0].startswith("round 2\n")
    page = (run.path / "report.html").read_text()
    assert page.count('<section id="completions">') == 1
    before = (run.path / FILE).read_bytes()
    for checkpoint in run.checkpoints()[-3:]:
        run.keep_events(10**6)
        for path in checkpoint.iterdir():
            path.unlink()
        checkpoint.rmdir()
    resume(run.path)
    assert (run.path / FILE).read_bytes() == before
    pytest.importorskip("matplotlib", reason="curves are drawn with the extra [plots]")
    assert (run.path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_that_wants_none_has_none(tmp_path: Path) -> None:
    run = train(recipe(tmp_path, completions_every=0, curves=False), tmp_path / "run")
    assert not (run.path / FILE).exists()
    assert not (run.path / "curves.png").exists()


def test_answers_are_text_and_never_markup() -> None:
    row = {"round": 1, "prompt": "<b>", "answer": "</table>", "score": 0.5, "reward": -1.0}
    found = completions_section([row])
    assert "&lt;b&gt;" in found
    assert "&lt;/table&gt;" in found
    assert completions_section([]) == ""


def test_without_a_game_there_is_nothing_to_draw() -> None:
    assert curves_png([{"kind": "gathering", "round": 0, "figures": {"reward": 1.0}}], "none") is None


def test_trackers_of_accelerate(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the tracker that is tried needs the extra [board]")
    run = train(recipe(tmp_path, trackers="tensorboard"), tmp_path / "run")
    assert list((run.path / "seqgans").glob("events.*"))
    with pytest.raises(BadInput, match=r"run\.trackers must be among .*wandb, got 'nothing'"):
        train(recipe(tmp_path, trackers="nothing"), tmp_path / "other")
    assert not (tmp_path / "other").exists()  # the corrected command finds its place free
    with pytest.raises(BadInput, match=r"run\.trackers: aim must be installed first"):
        train(recipe(tmp_path, trackers="aim"), tmp_path / "third")


@pytest.mark.parametrize("kl", [0.0, 0.1])
def test_relaxed_answers_have_a_table_of_their_hard_ones(kl: float, tmp_path: Path) -> None:
    plain = recipe(tmp_path, completions_every=2)
    settings = dataclasses.replace(plain.settings, variant="gumbel", kl=kl)  # pyright: ignore[reportArgumentType]
    run = train(dataclasses.replace(plain, settings=settings), tmp_path / "run")
    rows = [json.loads(line) for line in (run.path / FILE).read_text().splitlines()]
    assert [row["round"] for row in rows] == [2] * 4 + [4] * 4
    assert rows[0].keys() == {"step", "round", "prompt", "answer", "score"} | ({"kl"} if kl else set())
    (line,) = [line for line in run.events() if line["kind"] == "gathering" and line.get("round") == 2][:1]
    assert line["figures"]["reward"] == pytest.approx(sum(row["score"] for row in rows[:4]) / 4, abs=1e-3)
