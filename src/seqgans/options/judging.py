"""Terms more in what a discriminator minimises: a gradient penalty, smoothed targets."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable

from torch import Tensor, nn

from seqgans.algorithms.base import LossFunction, Play, Players, Schedule, Update
from seqgans.discriminators.pairs import beside
from seqgans.errors import BadInput
from seqgans.objectives.gradient_penalty import gradient_penalty, slopes_between
from seqgans.options.phases import every_judging, judges, judging_phases, updates_of
from seqgans.sequences import Loss


def penalised(schedule: Schedule, weight: float) -> Schedule:
    """The same game, its discriminator with a gradient penalty wherever it compares real with generated sequences.

    Raises:
        BadInput: it compares something else.
    """

    def changed(update: Update) -> Update:
        return dataclasses.replace(update, loss=functools.partial(with_penalty, loss=update.loss, weight=weight))

    if any(phase.holds == "own" for phase in judging_phases(schedule)):
        raise BadInput(
            "options.gradient_penalty needs a discriminator that compares real with generated sequences alone, got one "
            "that compares something else; leave it out"
        )
    return every_judging(schedule, changed)


def with_penalty(players: Players, play: Play, loss: LossFunction, weight: float) -> Loss:
    """A discriminator's loss and `weight` times the penalty of slopes other than 1, between real and generated rows.

    L + λ mean (‖∇D(x̂)‖ − 1)²,  x̂ = u x + (1 − u) x̃,  u uniform in [0, 1) for each pair

    Where sequences answer something, all points of a pair are judged as answers to what the real one answers: the slope
    is that of the responses.

    Raises:
        BadInput: real and generated sequences are not given row by row, or are read with blanks.
    """
    found = loss(players, play)
    rows = generated(play, players.discriminator.vocabulary_size)
    if rows is None:
        return found
    if play.real is None or play.random is None or play.source is not None:
        raise BadInput("options.gradient_penalty needs real and generated sequences alone; leave it out")
    if len(play.real) != len(rows[1]):
        raise BadInput("options.gradient_penalty needs as many generated sequences as real ones; leave it out")
    judge, (weights, mask) = beside(players.discriminator, play.real.source), rows
    share = play.random.uniform(len(mask)).to(mask.device)
    steep = slopes_between(judge.scores, (play.real.tokens, play.real.mask), (weights, mask), share)
    figures = {**found.figures, "slope": steep.detach().mean().item()}
    return dataclasses.replace(found, value=found.value + weight * gradient_penalty(steep), figures=figures)


def generated(play: Play, vocabulary_size: int) -> tuple[Tensor, Tensor] | None:
    """Rows of weights of the generated sequences and their mask; None where a play has only real ones.

    Raises:
        BadInput: it has something else.
    """
    if "weights" in play.extras:
        return play.extras["weights"], play.extras["mask"]
    if play.fake is not None:
        return nn.functional.one_hot(play.fake.tokens, vocabulary_size).float(), play.fake.mask
    if play.extras:
        raise BadInput("options.gradient_penalty needs sequences to compare, got other tensors; leave it out")
    return None


def smoothed(schedule: Schedule, smoothing: float) -> Schedule:
    """The same game, the target of real sequences below 1.

    The equation stands where the loss does (`objectives.adversarial.discriminator_loss`); a loss that can be smoothed
    says so by a parameter of that name.

    Raises:
        BadInput: a loss of the discriminator knows no targets, or is smoothed already by the algorithm's own setting.
    """

    def changed(update: Update) -> Update:
        known = inspect.signature(update.loss).parameters.get("smoothing")
        if known is None:
            return update
        if known.default:
            raise BadInput(
                f"smoothing is set twice, algorithm.smoothing {known.default} and options.smoothing {smoothing}; "
                "leave one out"
            )
        loss: Callable[..., Loss] = update.loss
        return dataclasses.replace(update, loss=functools.partial(loss, smoothing=smoothing))

    losses = [update.loss for phase in schedule.round for update in updates_of(phase) if judges(update)]
    if not all("smoothing" in inspect.signature(loss).parameters for loss in losses):
        raise BadInput(
            "options.smoothing needs a discriminator that learns by cross-entropy of real against generated, got one "
            "with another objective; leave it out"
        )
    return every_judging(schedule, changed)
