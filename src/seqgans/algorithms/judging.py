"""How the discriminator of a fine-tuning learns: the newest answers and some old ones, each beside the real one."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.pairs import beside
from seqgans.objectives.adversarial import ADVERSARIAL, CROSS_ENTROPIES, accuracy, pair_accuracy
from seqgans.rewards.answers import PastAnswers, distinct
from seqgans.rewards.prefixes import step_scorer
from seqgans.sequences import Loss, Sequences, last_of

PAIRED = "relativistic"  # the loss that asks which of a pair is real
SMOOTHED = (PAIRED, "standard")
BETWEEN = {**dict.fromkeys(CROSS_ENTROPIES, 0.0), "hinge": 0.0, "least_squares": 0.5}
"""Where a loss draws the line between real and written; the others compare scores with each other."""


def to_tell_apart(
    players: Players,
    scene: Scene,
    *,
    batch: int,
    objective: str,
    replay: float,
    gate: float = 1.0,
    gate_rounds: int = 1,
) -> Play:
    """The newest answers, some old ones among them, each beside the real answer to the same prompt.

    Where the discriminator already tells the newest apart well enough there is nothing to learn, and it waits.

    Args:
        players: with a "memory".
        scene: where old answers are chosen from.
        batch: answers, and as many real ones.
        objective: the discriminator's loss, in whose sense it is right.
        replay: share of old ones.
        gate: the accuracy on the newest answers above which it waits; 1 for never.
        gate_rounds: it waits for at most so many rounds in a row.
    """
    memory = PastAnswers.among(players)
    places = memory.samples.latest(batch).flip(0)
    figures = {"waits": 0.0} if gate < 1 else {}
    if gate < 1:
        pairs = beside_real(scene, memory, places)
        whole = [
            scene.gather(beside(players.discriminator, part.source).scores(part.tokens, part.mask)) for part in pairs
        ]
        figures["seen_through"] = right(objective, *whole)
        if figures["seen_through"] > gate and scene.round % gate_rounds:
            return Play(real=scene.corpus.train[:0], figures={**figures, "waits": 1.0})
    old = scene.random.permutation(batch)[: round(replay * batch)].to(places.device)
    if len(old):
        places[old] = memory.samples.drawn(len(old), scene.random)
    real, fake = beside_real(scene, memory, places)
    return Play(real=real, fake=fake, figures=figures)


def beside_real(scene: Scene, memory: PastAnswers, places: Int[Tensor, " batch"]) -> tuple[Sequences, Sequences]:
    """This process's part of the real answers, and of the remembered ones, each knowing what it answers."""
    own, width = slice(scene.rank, None, scene.processes), scene.corpus.length
    real, fake = scene.corpus.train[memory.rows[places][own]], memory.samples.at(places)[own]
    return real, Sequences(fake.tokens[:, :width], fake.mask[:, :width], source=real.source)


def judge_loss(
    players: Players, play: Play, *, objective: str, smoothing: float, score_penalty: float, each_token: bool
) -> Loss:
    """The discriminator's side, with a share of wrong labels and a weight on large scores.

    Args:
        players: whose discriminator.
        play: real answers and written ones, pair by pair.
        objective: its loss, by its name in `ADVERSARIAL`.
        smoothing: share of wrong labels.
        score_penalty: weight of the mean square of scores.
        each_token: learn to tell apart after every token, not only at the end.
    """
    real, fake = play.real, play.fake
    if real is None or fake is None:
        raise ValueError("a discriminator needs real and written answers, got a play without one of them")
    judge = beside(players.discriminator, real.source)
    if each_token:
        theirs, ours = aligned(players.discriminator, real, fake)
    else:
        theirs = judge.scores(real.tokens, real.mask, random=play.random)
        ours = judge.scores(fake.tokens, fake.mask, random=play.random)
    value = ADVERSARIAL[objective](theirs, ours)[0]
    if smoothing:  # softplus(s) = softplus(−s) + s
        value = value + smoothing * (theirs - ours if objective == PAIRED else theirs).mean()
    value = value + score_penalty * 0.5 * (theirs.square().mean() + ours.square().mean())
    figures = {"loss": value.item(), "accuracy": right(objective, theirs, ours)}
    return Loss(value + players.discriminator.penalty(), figures, weight=float(len(theirs)))


def right(objective: str, real_scores: Tensor, fake_scores: Tensor) -> float:
    """Share told apart, in the sense of the loss."""
    if objective == "relativistic_average":  # compares with the mean of the other side
        return accuracy(real_scores - fake_scores.mean(), fake_scores - real_scores.mean())
    if objective not in BETWEEN:
        return pair_accuracy(real_scores, fake_scores)
    return accuracy(real_scores - BETWEEN[objective], fake_scores - BETWEEN[objective])


def aligned(judge: Discriminator, real: Sequences, fake: Sequences) -> tuple[Tensor, Tensor]:
    """Scores of real and written answers after each token, pair by pair; whichever has ended keeps its last score.

    Returns:
        Scores at all places where either of a pair is real.
    """
    either = real.mask | fake.mask
    return after_each_token(judge, real)[either], after_each_token(judge, fake)[either]


def after_each_token(judge: Discriminator, answers: Sequences) -> Float[Tensor, "batch time"]:
    """Scores of answers to their prompts after each token, those that occur several times read once."""
    once, which = distinct(answers)  # answers to one prompt stand beside the same real one
    return kept_on(step_scorer(beside(judge, once.source)).step_scores(once.tokens, once.mask)[which], answers.mask)


def kept_on(steps: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
    """Scores after each token; behind the last one its score stays."""
    return torch.where(mask, steps, last_of(steps, mask)[:, None])
