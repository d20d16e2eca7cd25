"""Learning from samples that a more cautious law drew: what each is worth, and how much it counts."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from seqgans.algorithms.answering import asked, chosen, remember
from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.policy import centred
from seqgans.discriminators.pairs import beside
from seqgans.generators.behaviour import Behaviour
from seqgans.generators.conditional import given
from seqgans.objectives.proximal import clipped_share, clipped_surrogate
from seqgans.rewards.importance import WEIGHTS, effective_share, log_weights
from seqgans.sequences import Loss, Sequences

Baseline = Literal["moving_average", "greedy", "leave_one_out", "none"]
Weighing = Literal["truncated", "full", "normalised", "none"]


def off_policy_play(
    players: Players,
    scene: Scene,
    *,
    behaviour: Behaviour,
    batch: int,
    answers: int,
    weighing: Weighing,
    weight_limit: float,
    baseline: Baseline,
    shuffled: bool,
) -> Play:
    """Sample cautiously, remember, and weigh what the discriminator says: w (R − b) at every token.

    Args:
        players: a generator, a discriminator, a "memory" and, for a moving baseline, its averages as "baseline".
        scene: what a gathering may look at.
        behaviour: draws.
        batch: sequences, over all processes.
        answers: sequences to each source.
        weighing: what becomes of importance weights.
        weight_limit: c, where they are truncated.
        baseline: b: a moving average, the reward of what the generator is most likely to write, the mean of the other
            samples, or 0.
        shuffled: the control arm: rewards are handed to other sequences of the batch.
    """
    rows = chosen(scene, batch, answers)
    real = asked(scene, rows)
    law, length = given(players.generator, real.source), scene.corpus.length
    fake, density = behaviour.draw(law, len(real), length, scene.random)
    remember(players, scene, fake, rows)
    old = law.log_probs(fake.tokens).masked_fill(~fake.mask, 0.0)  # log π of the generator itself
    judge = beside(players.discriminator, real.source)
    scores = judge.scores(fake.tokens, fake.mask)
    rewards = scores.sigmoid()
    figures = {"reward": rewards.mean().item(), "reward_spread": rewards.std().item() if len(rewards) > 1 else 0.0}
    ways = log_weights(old.sum(1), density)
    weights = scene.over_batch(lambda every: WEIGHTS[weighing](every.exp(), weight_limit), ways)
    figures |= {
        "log_weight": ways.mean().item(),
        "effective_share": effective_share(scene.gather(weights)),
        "surprise": -(old.sum() / fake.mask.sum()).item(),
        "length": fake.mask.sum(1).float().mean().item(),
    }
    extras = {"drawn": old, "score": scores, "reward": rewards}
    if baseline == "greedy":
        best, _ = Behaviour(kind="cold", temperature=0.0).draw(law, len(real), length, scene.random)
        rewards = rewards - judge.scores(best.tokens, best.mask).sigmoid()
    earned = rewards[:, None] * fake.mask  # the whole reward at every token
    kind = "none" if baseline == "greedy" else baseline
    advantages = centred(players, scene, earned, fake.mask, kind, shuffled) * weights[:, None]
    written = Sequences(fake.tokens, fake.mask, source=real.source)
    return Play(real=real, fake=written, rewards=advantages, extras=extras, figures=figures)


def off_policy_loss(players: Players, play: Play, *, clip_ratio: float) -> Loss:
    """The clipped surrogate around the generator that weighed the batch; at the first step, the weighted gradient.

    ∇J = E_π̂[w (R − b) Σ_t ∇log π(y_t | y_<t, x)]
    """
    if play.fake is None or play.rewards is None:
        raise ValueError("a step off the policy needs samples and rewards, got a play without one of them")
    mask, drawn = play.fake.mask, play.extras["drawn"]
    log_probs: Tensor = given(players.generator, play.fake.source).log_probs(play.fake.tokens)
    value = clipped_surrogate(log_probs, drawn, play.rewards, mask, clip_ratio)
    return Loss(value, {"clipped": clipped_share(log_probs, drawn, mask, clip_ratio)})
