"""Adam's moments: by name for checkpoints, and shared out among processes where their memory counts.

Every process holds all parameters, since samplers and evaluations look at any of them; of the two moments beside each
number it needs only those of the numbers that it moves itself. So of every parameter each process moves one piece and
tells the others (what ZeRO calls stage 1). To the loop and in a checkpoint it is Adam as ever: a run goes on with any
number of processes, with moments shared out or whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from seqgans.training.team import Team


class SharedAdam:
    """Adam, of whose moments this process holds its share.

    What calls `state_dict` must be called by all processes.

    Args:
        parameters: what is moved; all of them on every process, with equal gradients.
        team: the processes.
        settings: of `torch.optim.Adam`.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], team: Team, **settings: Any) -> None:
        self.parameters, self.team = list(parameters), team
        self.pieces = [nn.Parameter(self.piece(part.detach())) for part in self.parameters]
        self.adam = torch.optim.Adam(self.pieces, **settings)

    def piece(self, whole: Tensor) -> Tensor:
        """This process's piece of a tensor, all pieces of one size, copied."""
        flat = whole.reshape(-1)
        size = -(-flat.numel() // self.team.processes)
        first = self.team.rank * size
        own = flat.new_zeros(size)
        there = flat[first : first + size]
        own[: there.numel()] = there
        return own

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget gradients."""
        for part in (*self.parameters, *self.pieces):
            part.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient, each process its pieces."""
        moved = [pair for pair in zip(self.parameters, self.pieces, strict=True) if pair[0].grad is not None]
        for whole, piece in moved:
            piece.copy_(self.piece(whole))  # it may have been put elsewhere since: a checkpoint, the best epoch
            piece.grad = self.piece(whole.grad)  # pyright: ignore[reportArgumentType]
            whole.grad = None
        self.adam.step()
        joined = self.joined([(piece, whole) for whole, piece in moved])
        for (whole, _), new in zip(moved, joined, strict=True):
            whole.copy_(new)

    def joined(self, pieces: Sequence[tuple[Tensor, Tensor]]) -> list[Tensor]:
        """Whole tensors from the pieces of all processes, in one call.

        Args:
            pieces: each beside a tensor of the shape of the whole.
        """
        if not pieces:
            return []
        every = self.team.gathered(torch.cat([piece.detach() for piece, _ in pieces]))  # (processes, numbers)
        found, first = [], 0
        for piece, whole in pieces:
            numbers = every[:, first : first + piece.numel()].reshape(-1)[: whole.numel()]
            found.append(numbers.view_as(whole))
            first += piece.numel()
        return found

    def state_dict(self) -> dict[str, Any]:
        """As Adam's own, the moments whole."""
        found = self.adam.state_dict()
        held = [(index, slot, part) for index, slots in found["state"].items() for slot, part in slots.items()]
        apart = [(part, self.parameters[index]) for index, _, part in held if part.dim()]
        joined = iter(self.joined(apart))
        state: dict[int, dict[str, Tensor]] = {index: {} for index in found["state"]}
        for index, slot, part in held:
            state[index][slot] = next(joined) if part.dim() else part
        return {**found, "state": state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take whole moments, keep this process's share."""
        shares = {
            index: {slot: self.piece(part) if part.dim() else part for slot, part in slots.items()}
            for index, slots in state["state"].items()
        }
        self.adam.load_state_dict({**state, "state": shares})


Optimizer = torch.optim.Adam | SharedAdam


def adam_for(parameters: Sequence[nn.Parameter], team: Team, **settings: Any) -> Optimizer:
    """Adam, its moments shared out where the team does that."""
    return SharedAdam(parameters, team, **settings) if team.shares else torch.optim.Adam(parameters, **settings)


def moments_of(optimizers: Mapping[tuple[str, str], Optimizer]) -> dict[str, Tensor]:
    """All moments by name: optimizers/PLAYER/NAME/INDEX/SLOT."""
    return {
        f"optimizers/{player}/{name}/{index}/{slot}": tensor
        for (player, name), optimizer in optimizers.items()
        for index, slots in optimizer.state_dict()["state"].items()
        for slot, tensor in slots.items()
    }


@contextmanager
def led(team: Team, optimizers: Mapping[tuple[str, str], Optimizer]) -> Iterator[None]:
    """What the leading process does alone in here may need all moments; the others give theirs as often as it calls."""
    try:
        yield
    finally:
        if team.leads:
            team.called(False)
        else:
            while team.called(False):
                moments_of(optimizers)


def restore_moments(optimizers: Mapping[tuple[str, str], Optimizer], tensors: Mapping[str, Tensor]) -> None:
    """Take what `moments_of` gave."""
    for (player, name), optimizer in optimizers.items():
        slots: dict[int, dict[str, Tensor]] = {}
        inside = f"optimizers/{player}/{name}/"
        for key, tensor in tensors.items():
            if key.startswith(inside):
                index, slot = key.removeprefix(inside).split("/")
                slots.setdefault(int(index), {})[slot] = tensor.clone()
        optimizer.load_state_dict({**optimizer.state_dict(), "state": slots})
