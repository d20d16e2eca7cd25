"""Two processes that share every batch learn what one learns alone.

Mutants killed: other random numbers on each process, the same rows on each, rows joined in another order, a mean of
means over unequal parts, gradients added on one process only, a baseline or ranks over a process's own rows, a
minibatch of one row, of which a process has none, gradients of 0 where no loss of any process reached, or none where
only that of another process did, sources that another process's rows answer.
"""

from __future__ import annotations

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

from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from seqgans.verbs.train import train
from tests.generators.models import model_folder
from tests.training.two_processes import learn, stepped

ROUNDING = ("attention_norm.bias", "attention_norm/bias")
"""A shift of all keys changes no attention: that part of the gradient is rounding alone, which Adam scales up."""

RUN = {"eval_samples": 20, "final_samples": 20, "tensorboard": False}
NAMES = (
    "likelihood",
    "seqgan",
    "relgan",
    "shuffled",
    "maskgan",
    "bred",
    "pairs",
    "equipped",
    "values",
    "groups",
    "relaxed",
    "cautious",
    "adapters",
)
SCRIPT = Path(__file__).with_name("two_processes.py")
SHARING = Path(__file__).parents[2] / "recipes" / "accelerate" / "fsdp.yaml"
TWO = ("--multi_gpu", "--num_processes", 2, "--num_machines", 1)  # --multi_gpu is accelerate's word for torchrun


def cases(recipes: dict[str, dict[str, Any]], pairs: Path) -> dict[str, dict[str, Any]]:
    """Likelihood, a last minibatch of one row; SeqGAN with a baseline, shuffled, in parts; RelGAN; MaskGAN; CatGAN
    with two parents; pairs, also with old answers, slopes of answers and a referee; RLGAF with values, and in
    groups, shuffled, with a discriminator that may wait, and relaxed; ColdGAN with a mixture of sequences, shuffled;
    PPO of a pre-trained model by adapters."""
    found = {name: {**mapping, "run": {"device": "cpu"}} for name, mapping in recipes.items()}
    found["likelihood"]["algorithm"] = {**recipes["likelihood"]["algorithm"], "batch": 13}  # 40 = 3 · 13 + 1
    plain = recipes["seqgan"]
    found["shuffled"] = {
        **plain,
        "algorithm": {**plain["algorithm"], "baseline": "leave_one_out", "shuffled": True, "rounds": 1},
        "run": {"device": "cpu", "accumulate": 2},
    }
    small = {"hidden": 5, "layers": 1}
    game = {"name": "maskgan", "pretrain_epochs": 0, "mask_epochs": 1, "rounds": 1, "batch": 10, "shuffled": True}
    found["maskgan"] = {
        "algorithm": {**game, "whole": 0.3, "generator_rate": 0.01, "critic_rate": 0.01},
        "corpus": plain["corpus"],
        "generator": small,
        "discriminator": small,
        "run": {"device": "cpu"},
    }
    found["bred"] = {
        "algorithm": {"name": "catgan", "pretrain_epochs": 1, "rounds": 3, "batch": 8, "fitness_examples": 4}
        | {"parents": 2, "mutations": ["relativistic", "hinge"], "discriminator_objective": "relativistic"},
        "corpus": plain["corpus"],
        "generator": {"embedding": 4, "heads": 2, "head_size": 3},
        "discriminator": {"embedding": 4, "views": 2, "widths": [1, 2], "maps": 3, "dense": 4},
        "run": {"device": "cpu"},
    }
    found["pairs"] = {
        **plain,
        "algorithm": {**plain["algorithm"], "pretrain_epochs": 1, "rounds": 1, "baseline": "batch_mean"},
        "corpus": {"spec": str(pairs), "text": "1", "source": "0", "test": 0.1},
        "generator": {"name": "seq2seq", **small, "dropout": 0.4},
        "run": {"device": "cpu"},
    }
    found["equipped"] = {
        **found["pairs"],
        "algorithm": {**found["pairs"]["algorithm"], "rounds": 2},
        "options": {"replay": 0.5, "replay_size": 6, "gradient_penalty": 1.0, "patience": 2, "validation_samples": 8},
    }
    tuned = {"name": "rlgaf", "pretrain_epochs": 1, "rounds": 2, "batch": 8, "group": 4, "memory": 16, "kl_target": 0.1}
    grouped = {"scaled": True, "shuffled": True, "gate": 0.6, "gate_rounds": 2, "discriminator_pretrain_steps": 1}
    arms = {
        "values": {"variant": "ppo", "ppo_epochs": 2},
        "groups": grouped,
        "relaxed": {"variant": "gumbel", "kl": 0.1},
    }
    for name, more in arms.items():
        found[name] = {
            **found["pairs"],
            "algorithm": {**tuned, **more},
            "generator": {"name": "seq2seq", **small},
            "discriminator": {"name": "lstm", "embedding": 4, "hidden": 5},
        }
    cautious = {"name": "coldgan", "pretrain_epochs": 1, "rounds": 2, "batch": 8, "memory": 16, "steps": 2}
    cautious |= {"discriminator_pretrain_steps": 1, "temperature": 0.5, "cold_share": 0.4, "shuffled": True}
    cautious |= {"baseline": "leave_one_out", "weights": "normalised"}
    found["cautious"] = {**found["groups"], "algorithm": cautious}
    prompts = pairs.with_name("prompts.tsv")
    prompts.write_text("".join(f"w{row} w{row + 1}\tw{row + 2} w{row + 3}\n" for row in range(1, 13)))
    adapted = {"model": str(model_folder(pairs.with_name("model"))), "lora": 2}
    found["adapters"] = {
        "algorithm": {**tuned, "variant": "ppo", "ppo_epochs": 2, "discriminator_pretrain_steps": 1}
        | {"discriminator_loss": "standard"},  # a pair moves the judge's bias by rounding alone, which Adam scales up
        "corpus": {"spec": str(prompts), "text": "1", "source": "0", "length": 4, "source_length": 4, "test": 0.1},
        "generator": {"name": "pretrained", **adapted},
        "discriminator": {"name": "pretrained", **adapted},
        "run": {"device": "cpu"},
    }
    return found


@pytest.fixture(scope="module")
def finals(
    recipes: dict[str, dict[str, Any]], pairs: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Tensor]]:
    """What each of two processes has in the end."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "recipes.json").write_text(json.dumps(cases(recipes, pairs)))
    launched(SCRIPT, folder, folder / "recipes.json")
    return [load_file(folder / f"{rank}.safetensors") for rank in range(2)]


def launched(*words: object, options: tuple[object, ...] = TWO) -> str:
    """What `accelerate launch` of two processes writes to stdout."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = ("launch", *options, "--main_process_port", port)
    command = [sys.executable, "-m", "accelerate.commands.accelerate_cli", *launcher, *words]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    found = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=400, env=environment, check=False
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_both_processes_have_the_same(finals: list[dict[str, Tensor]]) -> None:
    assert finals[0].keys() == finals[1].keys()
    for name, tensor in finals[0].items():
        assert torch.equal(tensor, finals[1][name]), name


@pytest.mark.parametrize("name", NAMES)
def test_they_have_what_one_has_alone(
    finals: list[dict[str, Tensor]], recipes: dict[str, dict[str, Any]], pairs: Path, name: str
) -> None:
    mapping = cases(recipes, pairs)[name]
    tensors, losses = learn({**mapping, "run": {"device": "cpu"}})  # accumulate is 1
    shared = {key.removeprefix(f"{name}/"): part for key, part in finals[0].items() if key.startswith(f"{name}/")}
    assert shared.pop("losses").tolist() == pytest.approx(losses, abs=1e-5)
    assert shared.keys() == tensors.keys()
    for key, tensor in tensors.items():
        if key.startswith("streams/"):
            assert torch.equal(shared[key], tensor), key
        elif not key.endswith(ROUNDING):
            torch.testing.assert_close(shared[key], tensor, rtol=0, atol=1e-5, msg=key)


def test_an_optimiser_counts_the_same_steps(finals: list[dict[str, Tensor]]) -> None:
    """Parameters that no loss reached in a step are passed over, by one process and by two."""
    alone = stepped(Team("cpu"), (0, 1))
    assert [int(alone[f"step/{index}"]) for index in range(3)] == [4, 2, 1]
    shared = {key.removeprefix("stepped/"): part for key, part in finals[0].items() if key.startswith("stepped/")}
    assert shared.keys() == alone.keys()
    for key, tensor in alone.items():
        torch.testing.assert_close(shared[key], tensor, rtol=0, atol=1e-6, msg=key)


def test_the_command_line_trains_in_two_processes_what_it_trains_in_one(
    recipes: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """One of them speaks and writes; the run is that of one process."""
    settings = tmp_path / "settings.yaml"
    settings.write_text(Recipe.of({**recipes["seqgan"], "run": {**RUN, "device": "cpu"}}).to_yaml())
    out = launched("-m", "seqgans", "train", "--config", settings, "--out", tmp_path / "two")
    assert out.count("run: ") == out.count("NLL oracle") == 1
    two, one = RunFolder.existing(tmp_path / "two"), train(Recipe.from_yaml(settings.read_text()), tmp_path / "one")
    assert [folder.read_json("versions.json")["processes"] for folder in (two, one)] == [2, 1]
    tensors, facts = two.latest()
    expected, same = one.latest()
    assert facts["place"] == same["place"]
    assert tensors.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(tensors[name], tensor, rtol=0, atol=1e-5, msg=name)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads of the system are listed in /proc alone")
@pytest.mark.parametrize(
    ("way", "options"),
    [("cli", TWO), ("cli", ("--config_file", SHARING)), ("python", TWO)],
    ids=["ddp", "fsdp", "python"],
)
def test_nothing_that_joined_them_outlives_the_run(
    recipes: dict[str, dict[str, Any]], tmp_path: Path, way: str, options: tuple[object, ...]
) -> None:
    """A thread of the group that wants Python while it shuts down ends a finished run with SIGABRT, once in a while."""
    settings = tmp_path / "settings.yaml"
    settings.write_text(Recipe.of({**recipes["seqgan"], "run": {**RUN, "device": "cpu"}}).to_yaml())
    launched(SCRIPT.with_name("parting_processes.py"), tmp_path, way, settings, options=options)
    for rank in range(2):
        threads = json.loads((tmp_path / f"threads-{rank}.json").read_text())
        assert threads
        assert not [name for name in threads if "gloo" in name]
