"""How a discriminator learns in every algorithm that trains it on finished sequences: one phase, one loss."""

from __future__ import annotations

import dataclasses
import functools

from torch import Tensor

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Update
from seqgans.data.prefixes import broken_off
from seqgans.data.swapping import with_two_swapped
from seqgans.discriminators.pairs import beside
from seqgans.generators.conditional import given
from seqgans.objectives.adversarial import accuracy, discriminator_loss
from seqgans.rewards.prefixes import step_scorer
from seqgans.sequences import Loss


def discriminator_phase(
    *,
    name: str,
    steps: int,
    epochs: int,
    rate: float,
    batch: int,
    examples: int | None,
    smoothing: float = 0.0,
    each_step: bool = False,
    one_prefix: bool = False,
) -> Phase:
    """Steps that each draw fresh negatives and go through them, and as many positives, a few times.

    Args:
        name: what the events call it.
        steps: d-steps, each with fresh negatives.
        epochs: k, passes over the examples of a step.
        rate: learning rate of Adam.
        batch: sequences of a minibatch, half of them real.
        examples: negatives of a step; None for as many as there are training sequences.
        smoothing: by how much the target of real sequences stays below 1.
        each_step: learn to tell apart after every token, not only at the end.
        one_prefix: learn from one prefix of each sequence, of any length, instead of the whole.
    """
    loss = telling_steps_apart if each_step else telling_apart
    return Phase(
        name=name,
        gather=functools.partial(real_and_fake, examples=examples, one_prefix=one_prefix),
        updates=(
            Update(
                "discriminator",
                functools.partial(loss, smoothing=smoothing),
                Optimizer(name="discriminator", rate=rate),
            ),
        ),
        gathers=steps,
        passes=epochs,
        batch=max(1, batch // 2),
    )


def real_and_fake(players: Players, scene: Scene, examples: int | None = None, one_prefix: bool = False) -> Play:
    """As many training sequences as fresh samples of the generator, whole or one prefix of each.

    Where the corpus has sources, samples answer those of training sequences, drawn apart from the real ones.
    """
    count = examples or len(scene.corpus.train)
    count = max(scene.processes, count - count % scene.processes)
    source = scene.source(count)
    law = given(players.generator, source)
    fake = law.sample(scene.share(count), scene.corpus.length, random=scene.random).sequences
    fake, real = dataclasses.replace(fake, source=source), scene.real(count)
    if one_prefix:
        real, fake = broken_off(real, scene.random), broken_off(fake, scene.random)
    return Play(real=real, fake=fake)


def real_and_swapped(players: Players, scene: Scene) -> Play:
    """All training sequences, and each with two words swapped: from these a discriminator learns that order matters."""
    count = len(scene.corpus.train) - len(scene.corpus.train) % scene.processes
    real = scene.real(count)
    return Play(real=real, fake=with_two_swapped(real, scene.random, scene.corpus.vocabulary.end))


def telling_apart(players: Players, play: Play, smoothing: float = 0.0) -> Loss:
    """SeqGAN Eq. 5: cross-entropy of real against generated, plus the discriminator's own penalty."""
    if play.real is None or play.fake is None:
        raise ValueError("a discriminator needs real and generated sequences, got a play without one of them")
    half, both = len(play.real), play.real.followed_by(play.fake)
    scores = beside(players.discriminator, both.source).scores(both.tokens, both.mask, random=play.random)
    real, fake = scores[:half], scores[half:]
    return judged(players, real, fake, discriminator_loss(real, fake, smoothing))


def telling_steps_apart(players: Players, play: Play, smoothing: float = 0.0) -> Loss:
    """Cross-entropy of real against generated after every token: a mean over all tokens that are no padding.

    In a part of a minibatch each side counts by its share of the tokens, beside the share of rows by which parts count.

    At its best, score t is log p(Y_1:t) − log G(Y_1:t), and its gain over score t − 1 the log-ratio of one token.
    """
    if play.real is None or play.fake is None:
        raise ValueError("a discriminator needs real and generated sequences, got a play without one of them")
    half, both = len(play.real), play.real.followed_by(play.fake)
    judge, mask = step_scorer(beside(players.discriminator, both.source)), both.mask
    scores = judge.step_scores(both.tokens, mask, random=play.random)  # (batch, time)
    real, fake = scores[:half][mask[:half]], scores[half:][mask[half:]]
    if play.among is None or play.among.real is None or play.among.fake is None:
        return judged(players, real, fake, discriminator_loss(real, fake, smoothing))
    pairs = (play.real, play.among.real), (play.fake, play.among.fake)
    shares = [(part.mask.sum() / whole.mask.sum() * (len(whole) / len(part))).item() for part, whole in pairs]
    return judged(players, real, fake, discriminator_loss(real, fake, smoothing, (shares[0], shares[1])))


def judged(players: Players, real: Tensor, fake: Tensor, value: Tensor) -> Loss:
    """A discriminator's loss with its penalty, and what is shown of it."""
    figures = {
        "loss": value.item(),
        "accuracy": accuracy(real, fake),
        "real_score": real.detach().sigmoid().mean().item(),
        "fake_score": fake.detach().sigmoid().mean().item(),
    }
    return Loss(value + players.discriminator.penalty(), figures)
