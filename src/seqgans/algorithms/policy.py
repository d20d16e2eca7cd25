"""The samples of a policy gradient and what each of their tokens earned, as SeqGAN and REGS gather them."""

from __future__ import annotations

from torch import Tensor

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.rewards.baselines import BASELINES
from seqgans.rewards.control import shuffled_over_batch
from seqgans.rewards.steps import Way, reward_figures, token_rewards


def policy_play(
    players: Players, scene: Scene, *, reward: Way, batch: int, rollouts: int, baseline: str, shuffled: bool
) -> Play:
    """Sample, and ask the discriminator what each token earned.

    Args:
        players: a generator, a discriminator and, for a moving baseline, its averages as "baseline".
        scene: what a gathering may look at.
        reward: the way to a reward a token.
        batch: sequences, over all processes.
        rollouts: completions of each prefix, where there are any.
        baseline: what is subtracted from the rewards.
        shuffled: the control arm: rewards are handed to other sequences of the batch.
    """
    fake = players.generator.sample(scene.share(batch), scene.corpus.length, random=scene.random)
    rewards = token_rewards(reward, players.generator, players.discriminator, fake, rollouts, scene.random)
    figures = reward_figures(rewards, fake)
    if shuffled:
        rewards = scene.over_batch(lambda every: shuffled_over_batch(every, scene.random), rewards)
    mask = scene.gather(fake.mask)

    def centred(every: Tensor) -> Tensor:
        if baseline == "moving_average":
            return players.get_submodule("baseline")(every, mask)
        return BASELINES[baseline](every, mask)

    return Play(fake=fake.sequences, rewards=scene.over_batch(centred, rewards), figures=figures)
