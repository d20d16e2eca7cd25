"""Where a training stands, and what it says as it goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor, nn


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        kind: an update of a player; a gathering used up (an epoch, a g-step, a d-step); the end of a phase that
            runs once; the end of a round; the end of the schedule or, in an earlier round, of a game that is over.
        step: updates so far.
        round: number of the round, from 1; 0 before the first.
        phase: name of the phase.
        gathering: gatherings of this phase used up so far (in this round).
        player: who was moved, for an update.
        loss: what it minimised, for an update.
        figures: named numbers, those of the loss for an update, those of the play for a gathering.
        whole: False for an update of a minibatch that moved further players, of whom the next events tell.
    """

    kind: Literal["update", "gathering", "phase", "round", "end"]
    step: int
    round: int
    phase: str = ""
    gathering: int = 0
    player: str = ""
    loss: float = math.nan
    figures: dict[str, float] = field(default_factory=dict)
    whole: bool = True


@dataclass
class Place:
    """Where in the schedule the training stands."""

    step: int = 0
    round: int = 0
    phase: int = 0
    gathering: int = 0
    passes: int = 0
    batch: int = 0
    lowered: int = 0
    done: bool = False


@dataclass
class Best:
    """The best figure of the running phase, for early stopping."""

    value: float = math.inf
    since: int = 0
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def restore(self, players: nn.Module) -> None:
        """Give players what they had at the best figure, where that was kept."""
        if self.tensors:
            players.load_state_dict(self.tensors, strict=False)
