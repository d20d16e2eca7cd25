"""Train an algorithm in this process, or in one of several, and keep what it has learnt.

    accelerate launch --multi_gpu --num_processes 2 two_processes.py FOLDER RECIPES.json

Each process writes what it has in the end to FOLDER/RANK.safetensors.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from seqgans.training.build import build_players, open_corpus
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team, parting


def learn(mapping: dict[str, Any]) -> tuple[dict[str, torch.Tensor], list[float]]:
    """The state at the end, and the loss of every update."""
    recipe = Recipe.of(mapping)
    corpus, _ = open_corpus(recipe.corpus, recipe.corpus_settings, recipe.run.seed)
    players = build_players(recipe, corpus, recipe.run.seed)
    training = Training(recipe.played, players, corpus, recipe.run.seed, Team("cpu"), recipe.run.accumulate)
    losses = [event.loss for event in training.events() if event.kind == "update"]
    return training.state()[0], losses


def stepped(team: Team, ranks: Sequence[int]) -> dict[str, torch.Tensor]:
    """Three parameters after four steps of Adam, and its moments: one is reached by the loss of every process in every
    step, one by that of the last process in every second step, one by none but in the second step.

    Args:
        team: adds gradients.
        ranks: whose losses this process computes.
    """
    parameters = [torch.nn.Parameter(torch.ones(2)) for _ in range(3)]
    optimizer = torch.optim.Adam(parameters, lr=0.1)
    for turn in range(4):
        optimizer.zero_grad()
        for rank in ranks:
            reached = (True, rank == 1 and turn % 2 == 0, turn == 1)
            for parameter, is_reached in zip(parameters, reached, strict=True):
                if is_reached:
                    (parameter.square().sum() * (rank + turn + 1)).backward()
        team.add_gradients(iter(parameters))
        optimizer.step()
    found = {f"parameter/{index}": parameter.detach() for index, parameter in enumerate(parameters)}
    moments = optimizer.state_dict()["state"]
    return found | {f"{slot}/{index}": part for index, slots in moments.items() for slot, part in slots.items()}


def main() -> None:
    """Learn each recipe of a file in turn."""
    torch.set_num_threads(1)
    found: dict[str, torch.Tensor] = {}
    for name, mapping in json.loads(Path(sys.argv[2]).read_text()).items():
        tensors, losses = learn(mapping)
        found |= {f"{name}/{key}": tensor.clone() for key, tensor in tensors.items()}
        found[f"{name}/losses"] = torch.tensor(losses, dtype=torch.float64)
    team = Team("cpu")
    assert team.processes == 2, f"the launcher started {team.processes} process"
    found |= {f"stepped/{key}": tensor for key, tensor in stepped(team, (team.rank,)).items()}
    save_file(found, Path(sys.argv[1]) / f"{team.rank}.safetensors")


if __name__ == "__main__":
    with parting():
        main()
