"""What systems that learn by policy gradient share: samples and what each of their tokens earned, and the loss.

Where the corpus has sources, each sample answers that of a training sequence: G(y_t | Y_1:t−1, x) is sampled, rolled
out and moved, and the discriminator judges the pair, D(x, Y).
"""

from __future__ import annotations

import dataclasses

from jaxtyping import Bool, Float
from torch import Tensor

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.discriminators.pairs import beside
from seqgans.generators.conditional import given
from seqgans.objectives.policy_gradient import reinforce_loss
from seqgans.rewards.baselines import BASELINES
from seqgans.rewards.control import shuffled_over_batch
from seqgans.rewards.steps import Way, reward_figures, token_rewards
from seqgans.sequences import Loss


def policy_play(
    players: Players, scene: Scene, *, reward: Way, batch: int, rollouts: int, baseline: str, shuffled: bool
) -> Play:
    """Sample, given sources where there are any, and ask the discriminator what each token earned.

    Args:
        players: a generator, a discriminator and, for a moving baseline, its averages as "baseline".
        scene: what a gathering may look at.
        reward: the way to a reward a token.
        batch: sequences, over all processes.
        rollouts: completions of each prefix, where there are any.
        baseline: what is subtracted from the rewards.
        shuffled: the control arm: rewards are handed to other sequences of the batch.
    """
    source = scene.source(batch)
    law, judge = given(players.generator, source), beside(players.discriminator, source)
    fake = law.sample(scene.share(batch), scene.corpus.length, random=scene.random)
    rewards = token_rewards(reward, law, judge, fake, rollouts, scene.random)
    figures = reward_figures(rewards, fake)
    written = dataclasses.replace(fake.sequences, source=source)
    return Play(fake=written, rewards=centred(players, scene, rewards, fake.mask, baseline, shuffled), figures=figures)


def centred(
    players: Players,
    scene: Scene,
    rewards: Float[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    baseline: str,
    shuffled: bool,
) -> Float[Tensor, "batch time"]:
    """Rewards less a baseline over the batch of all processes; in the control arm those of other sequences.

    Args:
        players: for a moving baseline with its averages as "baseline".
        scene: joins the batch, and says where the control arm's order comes from.
        rewards: of this process's sequences.
        mask: True where their tokens are real.
        baseline: which.
        shuffled: whether this is the control arm.
    """
    if shuffled:
        rewards = scene.over_batch(lambda every: shuffled_over_batch(every, scene.random), rewards)
    whole = scene.gather(mask)
    moving = baseline == "moving_average"
    compared = players.get_submodule("baseline") if moving else BASELINES[baseline]
    return scene.over_batch(lambda every: compared(every, whole), rewards)


def policy_loss(players: Players, play: Play) -> Loss:
    """Policy gradient on the sampled tokens, given what they answer."""
    if play.fake is None or play.rewards is None:
        raise ValueError("the policy gradient needs samples and rewards, got a play without one of them")
    log_probs = given(players.generator, play.fake.source).log_probs(play.fake.tokens)  # (batch, time)
    return Loss(reinforce_loss(log_probs, play.rewards, play.fake.mask))
