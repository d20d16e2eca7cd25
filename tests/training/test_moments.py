"""Moments shared out among processes: what is learnt is what one process learns with all of them.

Mutants killed: pieces joined in another order, padding that reaches a parameter, one that no loss reached and is moved
all the same, moments that a checkpoint or a resume leaves out, a process that holds them all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from seqgans.training.folder import RunFolder
from seqgans.training.moments import SharedAdam, adam_for
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from seqgans.verbs.train import resume, train
from tests.training.sharing_processes import held, training_of
from tests.training.test_processes import ROUNDING, RUN, cases, launched

SCRIPT = Path(__file__).with_name("sharing_processes.py")
CONFIG = Path(__file__).parents[2] / "recipes" / "accelerate" / "fsdp.yaml"
SHARED = ("--config_file", CONFIG)
NAMES = ("seqgan", "bred", "values", "groups")


@pytest.fixture(scope="module")
def mappings(recipes: dict[str, dict[str, Any]], pairs: Path) -> dict[str, dict[str, Any]]:
    every = cases(recipes, pairs)
    return {name: every[name] for name in NAMES}


@pytest.fixture(scope="module")
def finals(mappings: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Tensor]]:
    """What each of two processes has in the end."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "recipes.json").write_text(json.dumps(mappings))
    launched(SCRIPT, folder, folder / "recipes.json", options=SHARED)
    return [load_file(folder / f"{rank}.safetensors") for rank in range(2)]


@pytest.mark.parametrize("name", NAMES)
def test_they_learn_what_one_learns_with_all_moments(
    finals: list[dict[str, Tensor]], mappings: dict[str, dict[str, Any]], name: str
) -> None:
    alone = training_of(mappings[name])
    list(alone.events())
    tensors = alone.state()[0]
    for rank in (0, 1):
        inside = f"{name}/whole/"
        shared = {key.removeprefix(inside): part for key, part in finals[rank].items() if key.startswith(inside)}
        assert shared.keys() == tensors.keys()  # a checkpoint is as ever, all moments in it
        for key, tensor in tensors.items():
            if not key.endswith(ROUNDING):
                torch.testing.assert_close(shared[key], tensor, rtol=0, atol=1e-5, msg=key)
    parts, whole = [int(final[f"{name}/held"]) for final in finals], held(alone)
    assert whole <= sum(parts) < 1.1 * whole + 200  # pieces are filled up to one size, and each counts its steps
    assert max(parts) < 0.55 * whole + 100


@pytest.mark.parametrize("name", NAMES)
def test_going_on_is_not_stopping(finals: list[dict[str, Tensor]], name: str) -> None:
    for final in finals:
        keys = [key for key in final if key.startswith(f"{name}/whole/")]
        assert keys
        for key in keys:
            assert final[key.replace("/whole/", "/stopped/")].equal(final[key]), key


def test_a_run_goes_on_with_any_number_of_processes(recipes: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """The command line under the shipped file; a checkpoint of it, taken up by one process with all moments."""
    settings = tmp_path / "settings.yaml"
    settings.write_text(Recipe.of({**recipes["seqgan"], "run": {**RUN, "device": "cpu", "keep": 100}}).to_yaml())
    out = launched("-m", "seqgans", "train", "--config", settings, "--out", tmp_path / "two", options=SHARED)
    assert out.count("run: ") == 1
    one = train(Recipe.from_yaml(settings.read_text()), tmp_path / "one")
    two = RunFolder.existing(tmp_path / "two")
    expected = one.latest()[0]
    assert two.latest()[0].keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(two.latest()[0][name], tensor, rtol=0, atol=1e-5, msg=name)
    steps = sorted((tmp_path / "two" / "checkpoints").glob("step-*"))
    for path in steps[len(steps) // 2 :]:
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    again = resume(tmp_path / "two").latest()[0]
    for name, tensor in expected.items():
        torch.testing.assert_close(again[name], tensor, rtol=0, atol=1e-5, msg=name)


class Alone(Team):
    """A process that shares with itself."""

    def __init__(self) -> None:
        super().__init__("cpu")
        self.shares = True

    def gathered(self, numbers: Tensor) -> Tensor:
        """Its own row."""
        return numbers[None]


def test_it_is_adam_number_by_number() -> None:
    """Parameters of odd sizes, one without a gradient in every second step, one put elsewhere on the way."""
    found = []
    for team in (Team("cpu"), Alone()):
        random = torch.Generator().manual_seed(0)
        parameters = [torch.nn.Parameter(torch.randn(shape, generator=random)) for shape in ((3, 5), (7,), (1,))]
        optimizer = adam_for(parameters, team, lr=0.1, fused=True)
        assert isinstance(optimizer, SharedAdam) == team.shares
        for turn in range(4):
            optimizer.zero_grad()
            moved = parameters if turn % 2 else parameters[:2]
            sum((part.square() * (turn + 1)).sum() for part in moved).backward()  # pyright: ignore
            optimizer.step()
            if turn == 1:
                with torch.no_grad():
                    parameters[0].fill_(0.5)
        state = optimizer.state_dict()["state"]
        found.append([*parameters, *(part for slots in state.values() for part in slots.values())])
    assert len(found[0]) == len(found[1]) == 3 + 3 * 3
    for part, same in zip(*found, strict=True):
        assert part.equal(same)
