"""Generators that survived a selection beside the one that plays: further parents of the next generation.

The fittest is the generator of the game and needs no place here. A population is a player, so that all it holds (whole
parents: parameters, buffers, moments of their optimiser) outlives a checkpoint and is the same on every process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqgans.algorithms.base import Gathering, Play, Players, Scene

POPULATION = "population"  # name of the player
SLOTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam remembers of a parameter

Moments = Mapping[int, Mapping[str, Tensor]]


@dataclass(frozen=True)
class Parent:
    """What one generator is.

    Attributes:
        players: parameters and buffers by name.
        moments: of each parameter of the generator that has moved, by its number.
    """

    players: Mapping[str, Tensor]
    moments: Moments


class Population(nn.Module):
    """Room for further parents; in the beginning there are none.

    Args:
        bred: the players that make up a parent, by name; a generator among them.
        places: how many parents there is room for.
    """

    living: Tensor

    def __init__(self, bred: Mapping[str, nn.Module], places: int) -> None:
        super().__init__()
        self.places, self.prefixes = places, tuple(f"{name}." for name in bred)
        self.register_buffer("living", torch.zeros((), dtype=torch.long))
        learnt = [part for part in bred["generator"].parameters() if part.requires_grad]
        for place in range(places):
            for name, player in bred.items():
                for key, tensor in player.state_dict(prefix=f"{name}.").items():
                    self.register_buffer(f"{place}/players/{key.replace('.', '/')}", tensor.detach().clone())
            for index, part in enumerate(learnt):
                for slot in SLOTS:
                    start = torch.zeros(()) if slot == "step" else torch.zeros_like(part, requires_grad=False)
                    self.register_buffer(f"{place}/moments/{index}/{slot}", start)

    def __len__(self) -> int:
        return int(self.living)

    def parent(self, place: int) -> Parent:
        """The parent at a place."""
        players, moments = dict[str, Tensor](), dict[int, dict[str, Tensor]]()
        for name, tensor in self.named_buffers():
            match name.split("/"):
                case [number, "players", *path] if number == str(place):
                    players[".".join(path)] = tensor
                case [number, "moments", index, slot] if number == str(place):
                    moments.setdefault(int(index), {})[slot] = tensor
        return Parent(players, {index: slots for index, slots in moments.items() if slots["step"] > 0})

    @torch.no_grad()
    def take(self, parents: Sequence[Parent]) -> None:
        """Let copies of these, at most as many as there are places, take the places of those that were there."""
        for name, tensor in self.named_buffers():
            if "/moments/" in name:
                tensor.zero_()
        for place, parent in enumerate(parents):
            for name, tensor in parent.players.items():
                if name.startswith(self.prefixes):
                    self.get_buffer(f"{place}/players/{name.replace('.', '/')}").copy_(tensor)
            for index, slots in parent.moments.items():
                for slot, tensor in slots.items():
                    self.get_buffer(f"{place}/moments/{index}/{slot}").copy_(tensor)
        self.living.fill_(len(parents))


def further_parents(bred: Mapping[str, nn.Module], parents: int) -> dict[str, nn.Module]:
    """The player that remembers them, where there are several."""
    return {POPULATION: Population(bred, parents - 1)} if parents > 1 else {}


def population_of(players: Players) -> Population | None:
    """The further parents of a game; None where it has only one."""
    found = dict(players.named_children()).get(POPULATION)
    return found if isinstance(found, Population) else None


@contextmanager
def played_by(players: Players, parent: Parent) -> Iterator[None]:
    """Let a parent play for a while."""
    before = {name: tensor.clone() for name, tensor in players.state_dict().items() if name in parent.players}
    players.load_state_dict(parent.players, strict=False)
    try:
        yield
    finally:
        players.load_state_dict(before, strict=False)


def facing_any(players: Players, scene: Scene, gather: Gathering) -> Play:
    """What `gather` finds while one of the parents plays, each as likely as any other."""
    population = population_of(players)
    chosen = int(scene.random.integers(1 + len(population), ())) if population else 0
    if population is None or not chosen:
        return gather(players, scene)
    with played_by(players, population.parent(chosen - 1)):
        return gather(players, scene)
