"""How both players move where samples carry gradient: relaxed samples, scored as real sequences are.

The samples of a generator step need gradient, so its loss draws them; those of a discriminator step are gathered.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor, nn

from seqgans.algorithms.base import LossFunction, Play, Players, Scene
from seqgans.objectives.adversarial import ADVERSARIAL, CROSS_ENTROPIES, pair_accuracy
from seqgans.randomness import Stream
from seqgans.sequences import Loss, Relaxed, Sequences

Relax = Callable[[Players, int, int, Stream, float], Relaxed]
"""Draws so many samples of so many tokens; the last two say where the noise comes from and how far the game is."""


def real_and_relaxed(players: Players, scene: Scene, batch: int, relax: Relax) -> Play:
    """Training sequences and as many relaxed samples of the generator."""
    relaxed = relax(players, scene.share(batch), scene.corpus.length, scene.random, scene.progress)
    return Play(real=scene.real(batch), extras={"weights": relaxed.weights, "mask": relaxed.mask})


def relaxed_generator_loss(
    players: Players, play: Play, relax: Relax, objective: str, cut_gradient: bool = False
) -> Loss:
    """What the generator minimises on fresh relaxed samples, through which its gradient flows.

    Args:
        players: a generator and a discriminator.
        play: real sequences, where the objective compares with them, and random numbers.
        relax: how samples are drawn.
        objective: a key of `ADVERSARIAL`.
        cut_gradient: the control arm: the samples carry no gradient, so the generator stays where it is.
    """
    return compared_generator_loss(players, play, relax, ADVERSARIAL[objective], cut_gradient)


def compared_generator_loss(
    players: Players,
    play: Play,
    relax: Relax,
    losses: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    cut_gradient: bool = False,
) -> Loss:
    """As `relaxed_generator_loss`, for any losses made of real and generated scores, row by row and view by view."""
    if play.real is None or play.random is None:
        raise ValueError("a generator step needs real sequences and random numbers, got a play without one of them")
    count, length = play.real.tokens.shape
    relaxed = relax(players, count, length, play.random, play.progress)
    weights = relaxed.weights.detach() if cut_gradient else relaxed.weights  # (batch, time, vocab)
    with torch.no_grad():
        real_scores = players.discriminator.view_scores(play.real.tokens, play.real.mask, random=play.random)
    fake_scores = players.discriminator.view_scores(weights, relaxed.mask, random=play.random)  # (batch, views)
    _, value = losses(real_scores, fake_scores)
    if cut_gradient:
        value = value + 0.0 * relaxed.weights.sum()
    return Loss(value, {"largest_weight": weights.detach().amax(2).mean().item()})


def relaxed_judging(objective: str) -> LossFunction:
    """What the discriminator minimises on real and relaxed sequences, by the name of its loss.

    Where that is a cross-entropy of real against generated, the target of real sequences can be smoothed.
    """
    loss = smoothed_discriminator_loss if objective in CROSS_ENTROPIES else relaxed_discriminator_loss
    return functools.partial(loss, objective=objective)


def smoothed_discriminator_loss(players: Players, play: Play, objective: str, smoothing: float = 0.0) -> Loss:
    """The same with targets of 1 − s for real sequences: s times their mean score more."""

    def losses(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        ours, theirs = ADVERSARIAL[objective](real, fake)
        return ours + smoothing * real.mean(), theirs  # softplus(r) = softplus(−r) + r

    return compared_discriminator_loss(players, play, losses)


def relaxed_discriminator_loss(players: Players, play: Play, objective: str) -> Loss:
    """What the discriminator minimises on real and relaxed sequences, plus its own penalty."""
    return compared_discriminator_loss(players, play, ADVERSARIAL[objective])


def compared_discriminator_loss(
    players: Players, play: Play, losses: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
) -> Loss:
    """As `relaxed_discriminator_loss`, for any losses made of real and generated scores."""
    real, weights, mask = real_and_weights(play)
    real_scores = players.discriminator.view_scores(real.tokens, real.mask, random=play.random)  # (batch, views)
    fake_scores = players.discriminator.view_scores(weights, mask, random=play.random)
    value, _ = losses(real_scores, fake_scores)
    figures = {
        "accuracy": pair_accuracy(real_scores, fake_scores),
        "margin": (real_scores - fake_scores).detach().mean().item(),
    }
    return Loss(value + players.discriminator.penalty(), figures)


def real_and_weights(play: Play) -> tuple[Sequences, torch.Tensor, torch.Tensor]:
    """The real sequences of a play, and weights and mask of its relaxed ones."""
    if play.real is None or "weights" not in play.extras:
        raise ValueError("a discriminator step needs real and relaxed sequences, got a play without one of them")
    return play.real, play.extras["weights"], play.extras["mask"]


class Temperature(nn.Module):
    """An inverse temperature that is chosen on the way and so outlives a checkpoint: a player called "temperature"."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("inverse", torch.ones(()))


def temperature_of(players: Players) -> Tensor:
    """The buffer that holds it."""
    return players.get_buffer("temperature.inverse")
