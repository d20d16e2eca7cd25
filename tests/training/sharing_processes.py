"""Train with moments shared out among processes, stop at some event, go on, and keep what each process has.

    accelerate launch --config_file recipes/accelerate/fsdp.yaml sharing_processes.py FOLDER RECIPES.json

Each process writes to FOLDER/RANK.safetensors what it has in the end, and how many numbers of moments it holds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from seqgans.training.build import build_players, open_corpus
from seqgans.training.loop import Training
from seqgans.training.moments import SharedAdam
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team, parting

STOPPED = 5  # events before a run is put down and taken up again


def training_of(mapping: dict[str, Any]) -> Training:
    """A training at its beginning."""
    recipe = Recipe.of(mapping)
    corpus, _ = open_corpus(recipe.corpus, recipe.corpus_settings, recipe.run.seed)
    players = build_players(recipe, corpus, recipe.run.seed)
    return Training(recipe.played, players, corpus, recipe.run.seed, Team("cpu"), recipe.run.accumulate)


def held(training: Training) -> int:
    """Numbers of moments in this process."""
    optimizers = [one.adam if isinstance(one, SharedAdam) else one for one in training.optimizers.values()]
    return sum(part.numel() for one in optimizers for slots in one.state.values() for part in slots.values())


def main() -> None:
    """Each recipe of a file in turn, once without a stop and once with one."""
    torch.set_num_threads(1)
    found: dict[str, torch.Tensor] = {}
    for name, mapping in json.loads(Path(sys.argv[2]).read_text()).items():
        training, middle = training_of(mapping), None
        for number, _ in enumerate(training.events()):
            if number == STOPPED:
                tensors, facts = training.state()
                middle = {key: part.clone() for key, part in tensors.items()}, json.loads(json.dumps(facts))
        assert middle is not None
        again = training_of(mapping)
        again.restore(*middle)
        list(again.events())
        for which, one in (("whole", training), ("stopped", again)):
            found |= {f"{name}/{which}/{key}": part.clone() for key, part in one.state()[0].items()}
        found[f"{name}/held"] = torch.tensor(held(training))
    team = Team("cpu")
    assert team.shares, "the launcher did not ask for moments to be shared out"
    save_file(found, Path(sys.argv[1]) / f"{team.rank}.safetensors")


if __name__ == "__main__":
    with parting():
        main()
