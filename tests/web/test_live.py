"""Runs as they grow: found, read up to the last whole line, their texts escaped.

Mutants killed: names joined to paths, a half-written line, a state by age alone, samples as HTML.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from seqgans.errors import BadInput
from seqgans.web.live import summary
from seqgans.web.runs import Absent, Runs
from seqgans.web.store import Store

from .conftest import HOSTILE, client_of, let_in


def growing(folder: Path, lines: int = 3) -> Path:
    """A run that has only just begun, as it stands on the disk."""
    folder.mkdir(parents=True)
    (folder / "settings.yaml").write_text(
        "algorithm: {name: seqgan, rounds: 9}\ncorpus: {spec: a.txt}\nrun: {seed: 4}\n"
    )
    for step in range(1, lines + 1):
        append(folder, step)
    return folder


def append(folder: Path, step: int, **more: Any) -> None:
    line = {
        "kind": "evaluation",
        "stage": "game",
        "step": step,
        "round": step,
        "gathering": 1,
        "phase": "generator",
        "figures": {"nll_gen": {"mean": 2.0 + step, "error": 0.1}},
        "samples": [f"sample {step} {HOSTILE}"],
        **more,
    }
    with (folder / "events.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def test_runs_are_found_by_name_and_never_by_path(tmp_path: Path):
    growing(tmp_path / "a" / "b")
    growing(tmp_path / "c")
    growing(tmp_path / ".hidden" / "d")
    growing(tmp_path / "c" / "inner")
    outside = growing(tmp_path.with_name(f"{tmp_path.name}-outside"))
    (tmp_path / "link").symlink_to(outside)
    runs = Runs([tmp_path])
    assert list(runs.found()) == ["a/b", "c"]
    for name in ("", ".", "..", "a", "a/../c", "link", "/etc", f"../{outside.name}", "c/inner", "a/b\0"):
        with pytest.raises(Absent):
            runs.path(name)
    assert list(Runs([tmp_path / "c", tmp_path / "a"]).found()) == ["b", "c"]
    with pytest.raises(BadInput, match="no folder"):
        Runs([tmp_path / "nowhere"])


def test_two_folders_with_runs_of_the_same_name(tmp_path: Path):
    first, second = growing(tmp_path / "one" / "run"), growing(tmp_path / "two" / "run")
    assert Runs([tmp_path / "one", tmp_path / "two"]).found() == {"run": first, "two/run": second}


def test_states(tmp_path: Path):
    run = growing(tmp_path / "run", lines=0)
    assert summary(run)["state"] == "starting"
    append(run, 1)
    assert summary(run) == {
        "algorithm": "seqgan",
        "corpus": "a.txt",
        "seed": 4,
        "step": 1,
        "round": 1,
        "rounds": 9,
        "state": "running",
    }
    os.utime(run / "events.jsonl", (0, 0))
    assert summary(run)["state"] == "silent"
    (run / "report.json").write_text("{}")
    assert summary(run)["state"] == "finished"
    append(run, 2, kind="failed")
    assert summary(run)["state"] == "failed"


@pytest.mark.parametrize("settings", ["", "- a list", "algorithm: [", "algorithm: 3\nrun: null", "\0"])
def test_damaged_settings_are_no_trouble(tmp_path: Path, settings: str):
    run = growing(tmp_path / "run")
    (run / "settings.yaml").write_text(settings)
    assert summary(run)["algorithm"] == ""


def test_a_run_grows_on_the_page(tmp_path: Path, store: Store):
    run = growing(tmp_path / "runs" / "new")
    with client_of(tmp_path / "runs", store) as client:
        assert client.get("/live/runs").status_code == 403
        let_in(client)
        assert [found["name"] for found in client.get("/live/runs").json()["runs"]] == ["new"]
        first = client.get("/live/run", params={"name": "new"}).json()
        assert [at["step"] for at in first["samples"]] == [1, 2, 3]
        assert "NLL gen" in first["curves"]
        same = client.get("/live/run", params={"name": "new", "seen": first["version"]}).json()
        assert same == {"version": first["version"]}
        append(run, 4)
        append(run, 4, kind="finding", detector=f"collapse {HOSTILE}", saw="the same again", **{"try": "less"})
        with (run / "events.jsonl").open("a") as file:
            file.write('{"kind": "evaluation", "st')  # the run writes while we read
        second = client.get("/live/run", params={"name": "new", "seen": first["version"]}).json()
        assert [at["step"] for at in second["samples"]] == [1, 2, 3, 4]
        assert "the same again" in second["findings"]
        assert HOSTILE not in second["findings"] + second["curves"] + second["training"]
        assert second["samples"][0]["texts"] == [f"sample 1 {HOSTILE}"]  # a text, which the page shows as one
        shutil.rmtree(run)
        assert client.get("/live/run", params={"name": "new"}).status_code == 404
        for name in ("../new", "/etc/passwd", "new/../new", ""):
            assert client.get("/live/run", params={"name": name}).status_code == 404


def test_curves_of_both_players_of_a_real_run(runs: Path, store: Store):
    with client_of(runs, store) as client:
        found = let_in(client).get("/live/run", params={"name": "text/seqgan"}).json()
        assert found["state"] == "finished"
        assert "discriminator" in found["training"]
        assert "generator" in found["training"]
        assert found["music"] is None
        assert "style=" not in found["findings"] + found["curves"] + found["training"]  # the policy forbids it
        tunes = client.get("/live/run", params={"name": "tunes"}).json()
        assert tunes["music"][:2] == ["A0", "A#0"]
