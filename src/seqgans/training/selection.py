"""Selection: each of several updates moves a copy of the players, and the fittest copy takes their place.

All start from the same parameters, moments and random numbers and are judged on the same random numbers, so that they
differ by nothing but themselves. All of it happens within one step of the loop, so a checkpoint never sees a loser.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from seqgans.algorithms.base import Phase, Play, Scene
from seqgans.errors import Diverged
from seqgans.randomness import Stream

if TYPE_CHECKING:
    from seqgans.training.loop import Training

Moments = Mapping[int, Mapping[str, Tensor]]


@dataclass(frozen=True)
class Copy:
    """Everything that a variant can change.

    Attributes:
        players: parameters and buffers by name.
        moments: those of the optimisers that variants use.
    """

    players: Mapping[str, Tensor]
    moments: Mapping[tuple[str, str], Moments]

    @classmethod
    def of(cls, training: Training, phase: Phase) -> Copy:
        """A copy of what is there now."""
        keys = {(variant.update.player, variant.update.optimizer.name) for variant in phase.variants}
        return cls(
            {name: tensor.clone() for name, tensor in training.players.state_dict().items()},
            {key: cloned(training.optimizers[key].state_dict()["state"]) for key in keys},
        )

    def put_back(self, training: Training) -> None:
        """Stand where the copy was taken."""
        training.players.load_state_dict(self.players)
        for key, moments in self.moments.items():
            optimizer = training.optimizers[key]
            optimizer.load_state_dict({**optimizer.state_dict(), "state": cloned(moments)})


def cloned(moments: Moments) -> dict[int, dict[str, Tensor]]:
    """The same in memory of its own."""
    return {index: {slot: tensor.clone() for slot, tensor in slots.items()} for index, slots in moments.items()}


def fittest(training: Training, phase: Phase, play: Play, chosen: Tensor) -> tuple[str, float, dict[str, float]]:
    """Try every variant of a phase on a minibatch and leave the players as the fittest made them; the first of equals.

    Where there is only one, there is nothing to judge.

    Args:
        training: whose players.
        phase: its variants and their fitness.
        play: what was gathered.
        chosen: rows of the minibatch.

    Returns:
        The player that was moved, the loss, and its figures: beside those of the loss the `fitness`, by how much the
        least fit was worse (`fitness_range`), and for every variant whether it stays (`won.NAME`).

    Raises:
        Diverged: a loss or a gradient is not a finite number; the players stand as before.
    """
    stream = training.streams["update"]
    seed = int(stream.integers(1 << 62, ())) if len(phase.variants) > 1 else 0
    numbers = stream.random.get_state()
    before, best, results = Copy.of(training, phase), None, list[float]()
    for place, variant in enumerate(phase.variants):
        if place:
            before.put_back(training)
            stream.random.set_state(numbers)
        variant.prepare(training.players, play.progress)
        try:
            loss, figures = training.moved(variant.update, play, chosen)
        except Diverged:
            before.put_back(training)
            raise
        if len(phase.variants) == 1:
            return variant.update.player, loss, figures
        results.append(judged(training, phase, play.rows(chosen), seed))
        if best is None or results[-1] > results[best[0]]:
            best = place, loss, figures, Copy.of(training, phase)
    if best is None:
        raise ValueError(f"phase {phase.name} must have a variant to choose, got none")
    place, loss, figures, survivor = best
    survivor.put_back(training)
    won = {f"won.{variant.name}": float(number == place) for number, variant in enumerate(phase.variants)}
    figures = {**figures, "fitness": results[place], "fitness_range": results[place] - min(results), **won}
    return phase.variants[place].update.player, loss, figures


@torch.no_grad()
def judged(training: Training, phase: Phase, play: Play, seed: int) -> float:
    """The fitness of the players as they are, equal on all processes."""
    if phase.fitness is None:
        raise ValueError(f"phase {phase.name} must have a fitness to choose among variants, got none")
    rank, processes = training.team.rank, training.team.processes
    stream = Stream(torch.Generator().manual_seed(seed))
    scene = Scene(
        training.corpus, stream, rank, processes, training.progress, training.place.round, gather=training.team.gather
    )
    with training.team.autocast(), stream.share(rank, rank + 1, processes):
        return phase.fitness(training.players, play, scene)
