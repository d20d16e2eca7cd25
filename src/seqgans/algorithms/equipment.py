"""The players of a fine-tuning besides the two: what must outlive a checkpoint."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from torch import nn

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.generators.base import Generator
from seqgans.rewards.answers import PastAnswers, Value
from seqgans.rewards.baselines import MovingAverage
from seqgans.rewards.prefixes import step_scorer
from seqgans.rewards.scale import Leash, RunningScale

if TYPE_CHECKING:
    from seqgans.algorithms.rlgaf import RLGAF

OF_ONE_TUNING = ("memory", "leash")
"""Players that belong to one fine-tuning: answers to rows of its training split, and what its settings say of β."""


def tuning_players(settings: RLGAF, players: Players) -> dict[str, nn.Module]:
    """Past answers; and, where they are asked for, the reference and its cost, a scale, values, a moving baseline.

    Raises:
        BadInput: tokens are to be paid one by one and the discriminator has no score per step.
    """
    if settings.credit == "token":
        step_scorer(players.discriminator)
    found: dict[str, nn.Module] = {"memory": PastAnswers(settings.memory, players.length)}
    if settings.leash:
        found["reference"] = frozen_copy(players.generator)
        found["leash"] = Leash(settings.leash, settings.kl_target)
    if settings.scaled:
        found["scale"] = RunningScale()
    if settings.compared_with == "value":
        found["value"] = Value(players.generator.output.in_features)
    if settings.compared_with == "moving_average":
        found["baseline"] = MovingAverage()
    return found


def frozen_copy(generator: Generator) -> Generator:
    """The generator as it stands, moved by nothing; what does not learn in the original is shared with it."""
    shared = {id(part): part for part in generator.parameters() if not part.requires_grad}
    return copy.deepcopy(generator, shared).requires_grad_(False)


def settle(players: Players, scene: Scene) -> Play:
    """The reference becomes the generator as it stands; no rows to learn from."""
    players.get_submodule("reference").load_state_dict(players.generator.state_dict())
    return Play(real=scene.corpus.train[:0])


def scale_of(players: Players) -> RunningScale | None:
    """The usual size of rewards, None where they are taken as they are."""
    found = dict(players.named_children()).get("scale")
    return found if isinstance(found, RunningScale) else None
