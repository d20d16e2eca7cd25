"""What every algorithm must do on two processes that share its batches: learn what one process learns alone.

Settings that need a closer look have cases of their own in tests/training/test_processes.py. Mutants killed: whatever
those kill, in an algorithm that was forgotten there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.contracts.small import CASES, PAIRED, PAIRS, mapping
from tests.training.test_processes import ROUNDING, SCRIPT, launched
from tests.training.two_processes import learn

TOLERANCE = 1e-4  # of losses, and of half of a parameter: Adam makes a step of rounding where a gradient is nearly 0
FAINT = 1e-7  # gradients of no size
MOMENTS = 1e-3  # of Adam's averages, beside their own size: what decides whether gradients are the same
APART: dict[str, dict[str, Any]] = {
    "catgan": {"mutations": ["relativistic", "hinge"], "discriminator_objective": "relativistic"},
    "maligan": {"completions": 2},
}
"""Settings in place of what is another loss on several processes (RaGAN's means over rows) or cannot be shared out (a
batch of four completions of one prefix)."""


def told(name: str, folder: Path) -> dict[str, Any]:
    """A small recipe that another process can read, its corpus drawn or in a file."""
    corpus: dict[str, Any] = {"spec": "oracle", "vocabulary_size": 20, "length": 6, "sequences": 10}
    if name.endswith(PAIRS):
        corpus = {"spec": str(folder / "pairs.tsv"), "text": "1", "source": "0", "valid": 0.25, "test": 0.25}
    found = mapping(name)
    algorithm = {**found["algorithm"], **APART.get(name, {})}
    return {**found, "algorithm": algorithm, "corpus": corpus, "run": {"device": "cpu"}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pairs of a source and an answer are."""
    found = tmp_path_factory.mktemp("two")
    (found / "pairs.tsv").write_text(PAIRED)
    return found


@pytest.fixture(scope="module")
def finals(folder: Path) -> list[dict[str, Tensor]]:
    """What each of two processes has in the end, of all algorithms."""
    (folder / "recipes.json").write_text(json.dumps({name: told(name, folder) for name in CASES}))
    launched(SCRIPT, folder, folder / "recipes.json")
    return [load_file(folder / f"{rank}.safetensors") for rank in range(2)]


@pytest.mark.parametrize("name", CASES)
def test_two_processes_learn_what_one_learns(name: str, folder: Path, finals: list[dict[str, Tensor]]) -> None:
    tensors, losses = learn(told(name, folder))
    first, second = (
        {key.removeprefix(f"{name}/"): part for key, part in found.items() if key.startswith(f"{name}/")}
        for found in finals
    )
    assert all(torch.equal(part, second[key]) for key, part in first.items())
    assert first.pop("losses").tolist() == pytest.approx(losses, abs=TOLERANCE)
    assert first.keys() == tensors.keys()
    for key, tensor in tensors.items():
        if not tensor.is_floating_point():
            assert torch.equal(first[key], tensor), key
        elif tensor.numel() and not key.endswith(ROUNDING):
            apart = first[key] - tensor
            assert apart.abs().median().item() <= TOLERANCE, key
            if "/exp_avg" in key:
                assert apart.norm().item() <= MOMENTS * tensor.norm().item() + FAINT, key
