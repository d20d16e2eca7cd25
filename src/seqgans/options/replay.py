"""Replay: some of a discriminator's negatives are old ones, so that it does not forget what it has beaten.

Departure: the memory holds the newest negatives that were not shown when they were drawn, where the paper overwrites
places at random.

References: Shrivastava et al. (2017), arXiv:1612.07828, Section 2.3.
"""

from __future__ import annotations

import dataclasses
import functools

from seqgans.algorithms.base import Gathering, Phase, Play, Players, Scene, Schedule
from seqgans.errors import BadInput
from seqgans.options.phases import every_phase, judges, updates_of
from seqgans.rewards.self_play import as_past_samples
from seqgans.sequences import Sequences

MEMORY = "replay"  # name of the player that remembers


def replaying(schedule: Schedule, share: float) -> Schedule:
    """The same game, its discriminator shown old negatives among fresh ones.

    Raises:
        BadInput: a discriminator is not shown plain sequences; or a phase moves it and someone else by the same
            samples, whose rewards are theirs alone.
    """

    def changed(phase: Phase) -> Phase:
        moves = updates_of(phase)
        if not any(map(judges, moves)) or phase.holds == "real":
            return phase
        if phase.holds != "sequences":
            raise BadInput(
                "options.replay needs a discriminator that is shown plain sequences, got one that is shown "
                f"{'rows of weights' if phase.holds == 'weights' else 'something else'}; leave it out"
            )
        if not all(map(judges, moves)):
            players = ", ".join(sorted({update.player for update in moves}))
            raise BadInput(
                f"options.replay needs phases that move the discriminator alone, got {phase.name!r}, which moves "
                f"{players} by the same samples; leave it out"
            )
        return dataclasses.replace(phase, gather=functools.partial(with_old, gather=phase.gather, share=share))

    return every_phase(schedule, changed)


def with_old(players: Players, scene: Scene, gather: Gathering, share: float) -> Play:
    """What `gather` finds, a share of its negatives replaced by old ones; those that give way are remembered.

    Rows are chosen among those of all processes, and keep what they answer. While nothing is remembered, nothing is
    replaced.

    Args:
        players: with the memory.
        scene: where the choice comes from.
        gather: draws real sequences and negatives.
        share: of the negatives, rounded to whole sequences.

    Raises:
        BadInput: negatives are rows of weights, or belong to other tensors row by row.
    """
    play = gather(players, scene)
    if play.fake is None and not play.extras:  # only real sequences: nothing is told apart
        return play
    if play.fake is None or play.extras or play.source is not None or play.fake.categories is not None:
        raise BadInput("options.replay needs negatives that are plain sequences, got others; leave it out")
    memory = as_past_samples(players.get_submodule(MEMORY))
    fresh = scene.whole(play.fake)
    count = round(share * len(fresh))
    rows = scene.random.permutation(len(fresh))[:count].to(fresh.tokens.device)
    known = len(memory)
    old = memory.at(memory.drawn(count, scene.random)) if known else fresh[rows]
    memory.remember(fresh[rows], scene.round)
    remembered = old.tensors()
    shown = {name: tensor.index_copy(0, rows, remembered[name]) for name, tensor in fresh.tensors().items()}
    own = slice(scene.rank, None, scene.processes)
    figures = {**play.figures, "replayed": count / len(fresh) if known else 0.0}
    return dataclasses.replace(play, fake=Sequences.holding(shown)[own], figures=figures)
