"""A generator that the run before has measured is not measured again, and nothing else is taken for it.

Mutants killed: figures of other parameters, of another seed, of fewer samples, of another corpus; of a start that has
gone on, or whose last checkpoint is gone; figures without their samples or temperatures.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqgans.training.folder import RunFolder
from seqgans.verbs.judgement import Before
from seqgans.verbs.judging import Judge
from seqgans.verbs.progress import Silent
from seqgans.verbs.train import train

RUN = {"final_samples": 40, "eval_samples": 10, "tensorboard": False, "device": "cpu", "eval_every": 0, "seed": 1}
CORPUS = {"spec": "world:markov", "sequences": 60}
SIZES = {"name": "lstm", "embedding": 4, "hidden": 4}
SMALL = {"widths": [1, 2], "maps": [2, 2], "embedding": 4}
AT_ONCE = {"name": "seqgan", "pretrain_epochs": 0, "rounds": 1, "discriminator_pretrain_steps": 0, "rollouts": 1}
CUT = {"name": "gsgan", "pretrain_epochs": 0, "rounds": 1, "cut_gradient": True}
STAGE = "pretrained"


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of maximum likelihood, three epochs."""
    out = tmp_path_factory.mktemp("start") / "likelihood"
    algorithm = {"name": "likelihood", "pretrain_epochs": 3}
    run = {**RUN, "checkpoint_every": 1}
    train({"algorithm": algorithm, "corpus": CORPUS, "generator": SIZES, "run": run}, out)
    return out


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is measured from here on."""
    seen: list[str] = []
    for name in ("figures", "sweep"):
        original = getattr(Judge, name)

        def heard(self: Judge, *rest: Any, name: str = name, original: Any = original, **more: Any) -> Any:
            seen.append(name)
            return original(self, *rest, **more)

        monkeypatch.setattr(Judge, name, heard)
    return seen


def game(
    start: Path, out: Path, corpus: dict[str, Any] | None = None, algorithm: dict[str, Any] | None = None, **run: Any
) -> RunFolder:
    """A game that begins with a run."""
    return train(
        {
            "algorithm": algorithm or AT_ONCE,
            "corpus": {**CORPUS, **(corpus or {})},
            "generator": SIZES,
            **({} if algorithm == CUT else {"discriminator": SMALL}),
            "run": {**RUN, "start": str(start), **run},
        },
        out,
    )


def opening(folder: RunFolder) -> dict[str, Any]:
    """The line on what the game began with."""
    return next(line for line in folder.events() if line.get("stage") == STAGE)


def test_what_the_start_measured_is_what_would_be_measured(
    start: Path, tmp_path: Path, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = game(start, tmp_path / "known")
    assert measured == ["figures", "sweep"]  # of its end
    monkeypatch.setattr(Before, "judgement", lambda *_: None)
    fresh = game(start, tmp_path / "fresh")
    assert measured[2:] == ["figures", "figures", "sweep", "sweep"]
    line, other = opening(known), opening(fresh)
    assert line.pop("measured_by") == "likelihood"
    assert {**line, "time": 0, "seconds": 0} == {**other, "time": 0, "seconds": 0}
    assert known.read_text("samples/step-000000000.txt") == fresh.read_text("samples/step-000000000.txt")
    one, two = (folder.read_report() for folder in (known, fresh))
    assert one["sweeps"][STAGE] == two["sweeps"][STAGE] != []
    assert one["evaluations"] == two["evaluations"]


def test_a_control_begins_where_the_game_did(start: Path, tmp_path: Path, measured: list[str]) -> None:
    first = game(start, tmp_path / "first")
    measured.clear()
    control = game(
        first.path, tmp_path / "control", algorithm=AT_ONCE | {"shuffled": True}, start_checkpoint="pretrained"
    )
    assert measured == ["figures", "sweep"]
    assert opening(control)["figures"] == opening(first)["figures"] != first.read_report()["evaluations"]["final"]
    assert control.read_report()["sweeps"][STAGE] == first.read_report()["sweeps"][STAGE]


def test_a_generator_that_never_moves_is_not_measured_at_all(start: Path, tmp_path: Path, measured: list[str]) -> None:
    """The control of a relaxed game: its gradient is cut, so that its end is its start."""
    folder = game(start, tmp_path / "control", algorithm=CUT)
    assert measured == []
    mine, theirs = folder.read_report(), RunFolder(start).read_report()
    assert mine["evaluations"]["final"] == mine["evaluations"][STAGE] == theirs["evaluations"]["final"]
    assert mine["sweeps"]["final"] == mine["sweeps"][STAGE] == theirs["sweeps"]["final"]
    assert mine["samples"] == theirs["samples"]


@pytest.mark.parametrize("run", [{"seed": 2}, {"final_samples": 39}, {"show": 3}, {"best": "fed"}])
def test_figures_in_other_circumstances_are_measured(
    start: Path, tmp_path: Path, measured: list[str], run: dict[str, Any]
) -> None:
    line = opening(game(start, tmp_path / "game", **run))
    assert "measured_by" not in line
    assert measured.count("figures") == 2


def test_a_corpus_that_differs_is_measured_on(start: Path, tmp_path: Path, measured: list[str]) -> None:
    game(start, tmp_path / "game", corpus={"test": 0.2})
    assert measured.count("figures") == 2


@pytest.mark.parametrize("kept", ["corpus.safetensors", "versions.json"])
def test_a_start_of_other_sequences_or_software_is_not_taken_at_its_word(
    start: Path, tmp_path: Path, measured: list[str], kept: str
) -> None:
    """Its settings may be equal: a file that they name was written anew, a library brought up to date."""
    other = tmp_path / "other"
    shutil.copytree(start, other)
    if kept == "versions.json":
        versions = json.loads((start / kept).read_text())
        (other / kept).write_text(json.dumps(versions | {"torch": "0.1"}))
    else:
        from safetensors.torch import load_file, save_file

        tensors = load_file(other / kept)
        tensors["test.tokens"] = tensors["test.tokens"].flip(0)
        save_file(tensors, other / kept)
    game(other, tmp_path / "game")
    assert measured.count("figures") == 2


def test_parameters_that_the_start_did_not_judge_are_judged(
    start: Path, tmp_path: Path, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best checkpoint of this one is the last; of a run that has become worse it is not."""
    import torch

    from seqgans.training.checkpoint import load_checkpoint

    other = tmp_path / "other"
    shutil.copytree(start, other)
    tensors, facts = load_checkpoint(other / "checkpoints" / "best")
    worse = {name: part + 1 if part.is_floating_point() else part for name, part in tensors.items()}
    assert any(not torch.equal(part, tensors[name]) for name, part in worse.items())
    shutil.rmtree(other / "checkpoints" / "best")
    RunFolder(other).save_named("best", worse, facts)
    line = opening(game(other, tmp_path / "game", start_checkpoint="best"))
    assert "measured_by" not in line
    assert measured.count("figures") == 2


def test_figures_of_an_end_whose_checkpoint_is_gone_are_not_those_of_the_one_before(
    start: Path, tmp_path: Path, measured: list[str]
) -> None:
    """A damaged checkpoint is to be deleted, as its message says; what is left is younger than the figures."""
    cut = tmp_path / "cut"
    shutil.copytree(start, cut)
    shutil.rmtree(RunFolder(cut).checkpoints()[-1])
    line = opening(game(cut, tmp_path / "game"))
    assert "measured_by" not in line
    assert line["figures"] != RunFolder(cut).read_report()["evaluations"]["final"]
    assert measured.count("figures") == 2


@pytest.fixture(scope="module")
def played(start: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A game that begins with the start."""
    return game(start, tmp_path_factory.mktemp("played") / "game")


def known(played: RunFolder, start: Path) -> int:
    """How many judgements a game would take over if it had begun with a run."""
    recipe = played.read_recipe()
    return len(Before(played, dataclasses.replace(recipe, run=dataclasses.replace(recipe.run, start=str(start)))).known)


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.pop("figures"),
        lambda line: line.update(figures={"jsd": 0.5}),
        lambda line: line["figures"]["jsd"].update(mean="low"),
        lambda line: line["figures"]["jsd"].update(mean=None),
        lambda line: line.update(step="last"),
        lambda line: line.pop("samples"),
    ],
)
def test_what_a_damaged_start_says_is_not_taken_over(
    start: Path, played: RunFolder, tmp_path: Path, damage: Callable[[dict[str, Any]], Any]
) -> None:
    other = tmp_path / "other"
    shutil.copytree(start, other)
    assert known(played, other) == 1
    lines = [json.loads(line) for line in (start / "events.jsonl").read_text().splitlines()]
    damage(next(line for line in lines if line.get("stage") == "final"))
    (other / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert known(played, other) == 0


@pytest.mark.parametrize("sweeps", [[], {"final": [{"temperature": None}]}, {"final": "none"}, {"final": [1]}, None])
def test_a_damaged_curve_is_not_taken_over(start: Path, played: RunFolder, tmp_path: Path, sweeps: Any) -> None:
    other = tmp_path / "other"
    shutil.copytree(start, other)
    report = json.loads((start / "report.json").read_text())
    (other / "report.json").write_text(json.dumps(report | {"sweeps": sweeps}))
    assert known(played, other) == 0


def test_a_start_that_is_deleted_meanwhile_is_not_asked(start: Path, tmp_path: Path, measured: list[str]) -> None:
    """As far as the first evaluation: its checkpoints, or all of it."""
    other = tmp_path / "other"
    shutil.copytree(start, other)

    class Clearing(Silent):
        """Deletes the start's checkpoints once the game has begun with them."""

        def begin(self, schedule: Any, done: int) -> None:
            shutil.rmtree(other / "checkpoints")

    mapping = {"algorithm": AT_ONCE, "corpus": CORPUS, "generator": SIZES, "discriminator": SMALL}
    train({**mapping, "run": {**RUN, "start": str(other)}}, tmp_path / "game", Clearing())
    assert measured.count("figures") == 2


def test_the_start_is_read_once(start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many evaluations are as large as those before and after the game."""
    loaded: list[str] = []
    original = RunFolder.load

    def heard(self: RunFolder, which: str = "latest") -> Any:
        loaded.extend([which] if self.path == start else [])
        return original(self, which)

    monkeypatch.setattr(RunFolder, "load", heard)
    algorithm = AT_ONCE | {"rounds": 3}
    game(start, tmp_path / "game", algorithm=algorithm, eval_every=1, eval_samples=RUN["final_samples"])
    assert loaded == ["latest", "latest"]  # to begin with it, and to know what was judged
