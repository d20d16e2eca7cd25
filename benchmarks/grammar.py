"""How many samples of a run on a world can occur there, how many of those differ, and how long they are.

    python benchmarks/grammar.py RUN [RUN …]

Draws 2,000 sequences from the last and the first checkpoint of each run; real ones stand in the last row. Length is
what precedes the blanks of `world:arithmetic`, and its distance half the sum of differences of the two histograms.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor

from seqgans.data.worlds import WORLDS, World
from seqgans.randomness import generator_for
from seqgans.verbs.sample import sample

COUNT = 2_000
HEAD = "| samples of | possible | different, of those | distance of lengths |\n| --- | --- | --- | --- |"


def row(name: str, world: World, tokens: Tensor) -> str:
    """One row of the table."""
    possible = tokens[world.log_probs(tokens).sum(1).isfinite()]
    real = world.sample(100_000, generator_for(0, "real"))
    lengths = [torch.bincount((part != 0).sum(1), minlength=world.length + 1).double() for part in (tokens, real)]
    distance = 0.5 * (lengths[0] / lengths[0].sum() - lengths[1] / lengths[1].sum()).abs().sum().item()
    different = len(possible.unique(dim=0)) / max(1, len(possible))
    return f"| {name} | {len(possible) / len(tokens):.3f} | {different:.3f} | {distance:.3f} |"


def main(folders: list[str]) -> None:
    """The table of all runs, which share a world."""
    world = WORLDS["arithmetic"]
    print(HEAD)
    for folder in folders:
        for checkpoint in ("pretrained", "latest"):
            drawn = sample(Path(folder), COUNT, checkpoint=checkpoint)
            print(row(f"{Path(folder).name}, {checkpoint}", world, torch.tensor([each.ids for each in drawn])))
    print(row("world", world, world.sample(COUNT, generator_for(1, "real"))))


if __name__ == "__main__":
    main(sys.argv[1:])
