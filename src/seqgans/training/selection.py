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
from seqgans.algorithms.population import Moments, Parent, population_of
from seqgans.errors import Diverged
from seqgans.randomness import Stream

if TYPE_CHECKING:
    from seqgans.training.loop import Training


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

    def parent(self) -> Parent:
        """What the copy is as a parent."""
        (moments,) = self.moments.values()
        return Parent(self.players, moments)

    def as_parent(self, parent: Parent) -> Copy:
        """The same copy, played by another parent."""
        (key,) = self.moments
        return Copy({**self.players, **parent.players}, {key: parent.moments})


def cloned(moments: Moments) -> dict[int, dict[str, Tensor]]:
    """The same in memory of its own."""
    return {index: {slot: tensor.clone() for slot, tensor in slots.items()} for index, slots in moments.items()}


@dataclass(frozen=True)
class Child:
    """What became of one parent by one variant.

    Attributes:
        parent: number of the parent, 0 for the one that played.
        place: number of the variant.
        fitness: how good it is.
        loss: of its update.
        figures: of its loss.
        copy: all of it.
    """

    parent: int
    place: int
    fitness: float
    loss: float
    figures: dict[str, float]
    copy: Copy


def fittest(training: Training, phase: Phase, play: Play, chosen: Tensor) -> tuple[str, float, dict[str, float]]:
    """Try every variant of a phase on a minibatch and leave the players as the fittest made them; the first of equals.

    Where there is only one, there is nothing to judge. Where several parents are kept, every variant is tried on each
    of them, of every parent and family the fittest child goes on, and the best of these are the parents of the next
    minibatch; the fittest of all plays.

    Args:
        training: whose players.
        phase: its variants and their fitness.
        play: what was gathered.
        chosen: rows of the minibatch.

    Returns:
        The player that was moved, the loss, and its figures: beside those of the loss the `fitness`, by how much the
        least fit was worse (`fitness_range`), and for every variant whether it stays (`won.NAME`); with several parents
        how many there are now (`parents`) and whether the fittest is no child of the one that played (`overtaken`).

    Raises:
        Diverged: a loss or a gradient is not a finite number; the players stand as before.
    """
    if not phase.variants:
        raise ValueError(f"phase {phase.name} must have a variant to choose, got none")
    stream = training.streams["update"]
    alone = len(phase.variants) == 1
    seed = 0 if alone else int(stream.integers(1 << 62, ()))
    numbers = stream.random.get_state()
    before = Copy.of(training, phase)
    population = population_of(training.players) if phase.parents > 1 else None
    others = [population.parent(place) for place in range(len(population))] if population is not None else []
    children, results = dict[tuple[int, str], Child](), list[float]()
    for number, parent in enumerate((before, *map(before.as_parent, others))):
        for place, variant in enumerate(phase.variants):
            if results:
                parent.put_back(training)
                stream.random.set_state(numbers)
            variant.prepare(training.players, play.progress)
            try:
                loss, figures = training.moved(variant.update, play, chosen)
            except Diverged:
                before.put_back(training)
                raise
            if alone:
                return variant.update.player, loss, figures
            results.append(judged(training, phase, play.rows(chosen), seed))
            rival = children.get((number, variant.family))
            if rival is None or results[-1] > rival.fitness:
                copy = Copy.of(training, phase)
                children[number, variant.family] = Child(number, place, results[-1], loss, figures, copy)
    first, *rest = sorted(children.values(), key=lambda child: (-child.fitness, child.parent, child.place))
    first.copy.put_back(training)
    figures = {**first.figures, "fitness": first.fitness, "fitness_range": first.fitness - min(results)}
    figures |= {f"won.{variant.name}": float(place == first.place) for place, variant in enumerate(phase.variants)}
    if population is not None:
        population.take([child.copy.parent() for child in rest[: phase.parents - 1]])
        figures |= {"parents": 1.0 + len(population), "overtaken": float(first.parent > 0)}
    return phase.variants[first.place].update.player, first.loss, figures


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
