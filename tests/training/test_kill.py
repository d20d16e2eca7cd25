"""A run that is killed again and again ends where an uninterrupted one ends, bit for bit.

Mutants killed: a checkpoint that is not whole, a stream or optimiser that is not saved, events that are written twice
or lost, the end of a run that a kill leaves out, Ctrl-C that loses work or ends with a traceback.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import torch

from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe
from seqgans.verbs.train import resume, train

KILLS = 4
PATIENCE = 240.0  # seconds until a process that does nothing is given up


@pytest.fixture(scope="module")
def recipe(recipes: dict[str, dict[str, Any]]) -> Recipe:
    return Recipe.of(recipes["seqgan"])


@pytest.fixture(scope="module")
def whole(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The same run, never stopped."""
    return train(recipe, tmp_path_factory.mktemp("whole") / "run")


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "the process does nothing"
        time.sleep(0.002)


def assert_equal(folder: RunFolder, whole: RunFolder) -> None:
    """The same last state, the same named checkpoints, the same events but for the clock."""
    for which in ("latest", "best", "pretrained"):
        (ours, facts), (theirs, expected) = folder.load(which), whole.load(which)
        assert facts == expected
        assert ours.keys() == theirs.keys()
        for name, tensor in ours.items():
            assert torch.equal(tensor, theirs[name]), (which, name)
    timeless = [
        [{key: value for key, value in line.items() if key not in ("time", "seconds")} for line in each.events()]
        for each in (folder, whole)
    ]
    for line in timeless[0]:
        line.pop("figures") if line["kind"] == "gathering" else None  # means of what came after the last stop
    for line in timeless[1]:
        line.pop("figures") if line["kind"] == "gathering" else None
    assert timeless[0] == timeless[1]
    reports = [json.loads((each.path / "report.json").read_text()) for each in (folder, whole)]
    for report in reports:
        del report["cpu_seconds"], report["findings"]
    assert reports[0] == reports[1]
    assert sorted(os.listdir(folder.path / "samples")) == sorted(os.listdir(whole.path / "samples"))


def test_killed_at_random_moments(recipe: Recipe, whole: RunFolder, tmp_path: Path) -> None:
    context = get_context("forkserver")
    context.set_forkserver_preload(["seqgans.verbs.train"])
    moments = random.Random(0)
    out = tmp_path / "run"
    events, total = out / "events.jsonl", lines(whole.path / "events.jsonl")
    process = context.Process(target=train, args=(recipe, out))
    process.start()
    for kill in range(KILLS):
        after = moments.randint(total * kill // KILLS, total * (kill + 1) // KILLS)
        wait_until(lambda after=after, process=process: lines(events) >= after or not process.is_alive())
        wait_until(lambda: any((out / "checkpoints").glob("step-*")))
        time.sleep(moments.random() * 0.1)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        process = context.Process(target=resume, args=(out,))
        process.start()
    process.join(PATIENCE)
    assert process.exitcode == 0
    assert_equal(RunFolder(out), whole)


def command(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "seqgans", *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_stopped_by_ctrl_c(recipe: Recipe, whole: RunFolder, tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text(recipe.to_yaml())
    out = tmp_path / "run"
    process = command("train", "seqgan", "--config", str(settings), "--out", str(out))
    wait_until(lambda: lines(out / "events.jsonl") >= 6 or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    last = errors.strip().splitlines()[-1]
    assert last.startswith("seqgans: stopped at update ")
    assert last.endswith(f"; go on with: seqgans resume {out}")
    assert "Traceback" not in errors
    step = int(last.split("update ")[1].split(";")[0])
    assert RunFolder(out).latest()[1]["place"]["step"] == step  # nothing is lost
    resume(out)
    assert_equal(RunFolder(out), whole)


def test_a_finished_run_can_be_resumed_and_nothing_happens(whole: RunFolder) -> None:
    before = {path: path.read_bytes() for path in whole.path.rglob("*") if path.is_file()}
    resume(whole.path)
    assert {path: path.read_bytes() for path in whole.path.rglob("*") if path.is_file()} == before
