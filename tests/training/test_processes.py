"""Two processes that share every batch learn what one learns alone.

Mutants killed: other random numbers on each process, the same rows on each, rows joined in another order, a mean of
means over unequal parts, gradients added on one process only, a baseline or ranks over a process's own rows, a
minibatch of one row, of which a process has none.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

ROUNDING = {"players/generator.attention_norm.bias"}
"""A shift of all keys changes no attention: that part of the gradient is rounding alone, which Adam scales up."""

SCRIPT = Path(__file__).with_name("two_processes.py")


def cases(recipes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Likelihood whose last minibatch has one row; SeqGAN with a batch baseline, shuffled, in parts; RelGAN."""
    found = {name: {**mapping, "run": {"device": "cpu"}} for name, mapping in recipes.items()}
    found["likelihood"]["algorithm"] = {**recipes["likelihood"]["algorithm"], "batch": 13}  # 40 = 3 · 13 + 1
    plain = recipes["seqgan"]
    found["shuffled"] = {
        **plain,
        "algorithm": {**plain["algorithm"], "baseline": "leave_one_out", "shuffled": True, "rounds": 1},
        "run": {"device": "cpu", "accumulate": 2},
    }
    return found


@pytest.fixture(scope="module")
def finals(recipes: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Tensor]]:
    """What each of two processes has in the end."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "recipes.json").write_text(json.dumps(cases(recipes)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(folder / f"{rank}.safetensors"), str(folder / "recipes.json")],
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "WORLD_SIZE": "2",
                "LOCAL_WORLD_SIZE": "2",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
                "ACCELERATE_USE_CPU": "true",
            },
        )
        for rank in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=400)
        assert process.returncode == 0, errors
    return [load_file(folder / f"{rank}.safetensors") for rank in range(2)]


def test_both_processes_have_the_same(finals: list[dict[str, Tensor]]) -> None:
    assert finals[0].keys() == finals[1].keys()
    for name, tensor in finals[0].items():
        assert torch.equal(tensor, finals[1][name]), name


@pytest.mark.parametrize("name", ["likelihood", "seqgan", "relgan", "shuffled"])
def test_they_have_what_one_has_alone(
    finals: list[dict[str, Tensor]], recipes: dict[str, dict[str, Any]], name: str
) -> None:
    spec = importlib.util.spec_from_file_location("two_processes", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    mapping = cases(recipes)[name]
    tensors, losses = module.learn({**mapping, "run": {"device": "cpu"}})  # accumulate is 1
    shared = {key.removeprefix(f"{name}/"): part for key, part in finals[0].items() if key.startswith(f"{name}/")}
    assert shared.pop("losses").tolist() == pytest.approx(losses, abs=1e-5)
    assert shared.keys() == tensors.keys()
    for key, tensor in tensors.items():
        if key.startswith("streams/"):
            assert torch.equal(shared[key], tensor), key
        elif key not in ROUNDING:
            torch.testing.assert_close(shared[key], tensor, rtol=0, atol=1e-5, msg=key)
