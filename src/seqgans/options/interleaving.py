"""Maximum likelihood between the rounds: a few minibatches that pull the generator back to the corpus.

References: Guo et al. (2018), arXiv:1709.08624, an epoch every few rounds; Li et al. (2017), arXiv:1701.06547, a
minibatch after each step of the game ("teacher forcing").
"""

from __future__ import annotations

import dataclasses
import functools

from seqgans.algorithms.base import Play, Players, Scene, Schedule
from seqgans.algorithms.likelihood import epoch, pretraining
from seqgans.errors import BadInput

RATE, BATCH, CLIP = 0.01, 64, 5.0  # of the published pre-training, for a game that has none


def interleaved(schedule: Schedule, steps: int) -> Schedule:
    """The same game with `steps` minibatches of maximum likelihood at the end of each round.

    They use the rate, clip, minibatch and optimiser of the game's own pre-training.

    Raises:
        BadInput: the game learns likelihood from something else than training sequences as they are.
    """
    own = next((phase for phase in schedule.before if phase.name == "likelihood"), None)
    own = own or pretraining(0, RATE, BATCH, CLIP)
    if own.gather is not epoch:
        raise BadInput("options.interleave needs a generator that learns whole sequences, got one that fills blanks")
    size = own.batch or BATCH
    phase = dataclasses.replace(
        own,
        name="interleaved steps",
        gather=functools.partial(some, count=size),
        gathers=steps,
        validate=None,
        patience=0,
        keep_best=False,
    )
    return dataclasses.replace(schedule, round=(*schedule.round, phase))


def some(players: Players, scene: Scene, count: int) -> Play:
    """A minibatch of training sequences, drawn afresh."""
    return Play(real=scene.real(max(scene.processes, count - count % scene.processes)))
