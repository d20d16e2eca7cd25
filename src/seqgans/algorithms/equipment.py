"""The players of a fine-tuning besides the two: what must outlive a checkpoint."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from torch import nn

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.errors import BadInput
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
        BadInput: tokens are to be paid one by one and the discriminator has no score per step, or answers are to end
            and have no end token.
    """
    if settings.missing_eos_penalty and players.generator.end is None:
        raise BadInput(
            "algorithm.missing_eos_penalty needs answers that end, and these have no end token; set --corpus.end yes, "
            "or the penalty to 0"
        )
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


def follow(players: Players, scene: Scene, *, every: int, mixup: float) -> Play:
    """The reference moves towards the generator, π_ref ← α π + (1 − α) π_ref, parameter by parameter; no rows.

    Of adapters it is their matrices that are mixed; what the two share stays.

    Args:
        players: with a "reference".
        scene: which round it is.
        every: rounds between two moves.
        mixup: α, in (0, 1].

    References:
        Gorbatovski et al. (2024), arXiv:2404.09656 (TR-DPO).
    """
    if scene.round % every == 0:
        reference = players.get_submodule("reference")
        for ours, theirs in zip(players.generator.parameters(), reference.parameters(), strict=True):
            if theirs is not ours:  # each once, those that are tied as well
                theirs.lerp_(ours, mixup)
        for ours, theirs in zip(players.generator.buffers(), reference.buffers(), strict=True):
            theirs.copy_(ours)
    return Play(real=scene.corpus.train[:0])


def scale_of(players: Players) -> RunningScale | None:
    """The usual size of rewards, None where they are taken as they are."""
    found = dict(players.named_children()).get("scale")
    return found if isinstance(found, RunningScale) else None
