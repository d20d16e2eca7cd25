"""A generator that the run before has measured is not measured again, and nothing else is taken for it.

Mutants killed: figures of other parameters, of another seed, of fewer samples, of another corpus; of a start that has
gone on; figures without their samples or temperatures.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from seqgans.training.folder import RunFolder
from seqgans.verbs import recorder, reporting
from seqgans.verbs.judging import Judge
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
    train({"algorithm": algorithm, "corpus": CORPUS, "generator": SIZES, "run": RUN}, out)
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
    for module in (recorder, reporting):
        monkeypatch.setattr(module, "judged_before", lambda *_: None)
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
