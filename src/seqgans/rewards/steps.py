"""The ways to a reward for every token from a discriminator: one option of every system that has the choice.

    rollouts     what completions of each prefix are worth            Q_t = (1/N) Σ_n D(Yⁿ)
    prefix       what the prefix itself is worth, padded              Q_t = D(Y_1:t)
    step         the discriminator's word after each token, to come   Q_t = Σ_{s≥t} D(y_s | Y_1:s−1)
    gain         by how much the token alone raised the score         Q_t = s(Y_1:t) − s(Y_1:t−1)
    gain_to_go   by how much all tokens from there on did             Q_t = s(Y) − s(Y_1:t−1)

The first needs a discriminator of whole sequences, the second one that has seen prefixes, the last three one that reads
in order and has learnt to judge after every token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from seqgans.discriminators.base import Discriminator
from seqgans.errors import BadInput
from seqgans.generators.base import Generator
from seqgans.randomness import Stream
from seqgans.rewards.prefixes import gains, prefix_values, step_rewards
from seqgans.rewards.returns import reward_to_go
from seqgans.rewards.rollouts import rollout_values
from seqgans.sequences import Samples

Way = Literal["rollouts", "prefix", "step", "gain", "gain_to_go"]
OfWhole = Literal["rollouts", "prefix"]
"""The ways open to a system whose discriminator judges whole sequences only."""
EACH_STEP: tuple[Way, ...] = ("step", "gain", "gain_to_go")
"""The ways that need a discriminator with a score per step, trained after every token."""


@torch.no_grad()
def token_rewards(
    way: Way,
    generator: Generator,
    discriminator: Discriminator,
    samples: Samples,
    rollouts: int,
    random: Stream,
    worth: Callable[[Tensor], Tensor] = torch.sigmoid,
) -> Float[Tensor, "batch time"]:
    """What choosing each token earned, by one of the ways above.

    Args:
        way: which.
        generator: who drew the samples, and completes their prefixes where roll-outs are asked for.
        discriminator: scores sequences, without dropout.
        samples: what the generator drew.
        rollouts: N, completions of each prefix; of no account without roll-outs.
        random: where the completions come from.
        worth: from a score to what it is worth, as a rule D = σ(s); of no account for gains.

    Returns:
        Q, 0 where the mask of the samples is False.

    Raises:
        BadInput: the discriminator has no score per step and one is needed.
    """
    tokens, mask = samples.tokens, samples.mask
    if way in ("rollouts", "prefix"):
        return token_values(way, generator, discriminator, samples, rollouts, random, worth) * mask
    if way == "step":
        return reward_to_go(step_rewards(discriminator, tokens, mask, worth), mask)
    earned = gains(discriminator, tokens, mask)
    return earned if way == "gain" else reward_to_go(earned, mask)


@torch.no_grad()
def token_values(
    way: OfWhole,
    generator: Generator,
    discriminator: Discriminator,
    samples: Samples,
    rollouts: int,
    random: Stream,
    worth: Callable[[Tensor], Tensor] = torch.sigmoid,
) -> Float[Tensor, "batch time"]:
    """What each prefix is worth to a discriminator of whole sequences; behind the last token, what the whole one is.

    Args:
        way: by roll-outs, or the padded prefix itself.
        generator: as in `token_rewards`.
        discriminator: as there.
        samples: as there.
        rollouts: as there.
        random: as there.
        worth: as there.

    Raises:
        BadInput: it is another way.
    """
    check_of_whole(way)
    if way == "prefix":
        return prefix_values(discriminator, samples.tokens, samples.mask, worth)
    return rollout_values(generator, discriminator, samples.tokens, samples.mask, rollouts, random, worth)


def check_of_whole(way: str) -> None:
    """Refuse a way that a discriminator of whole sequences cannot serve.

    Raises:
        BadInput: it needs a score per step.
    """
    if way not in get_args(OfWhole):
        raise BadInput(
            f"reward must be one of {', '.join(get_args(OfWhole))} where whole sequences are judged, got {way!r}"
        )


def reward_figures(rewards: Float[Tensor, "batch time"], samples: Samples) -> dict[str, float]:
    """What is shown of rewards before anything is subtracted: their mean and spread, and the samples' entropy.

    Args:
        rewards: Q, one a token.
        samples: what earned them.

    Returns:
        `reward`: mean over tokens; `reward_spread`: deviation over the batch of what the last token of each sequence
        earned; `entropy`: −log G per token, nats.
    """
    last = rewards.gather(1, samples.mask.sum(1, keepdim=True) - 1)  # (batch, 1)
    return {
        "reward": rewards.masked_select(samples.mask).mean().item(),
        "reward_spread": last.std().item() if len(last) > 1 else 0.0,
        "entropy": -(samples.log_probs.sum() / samples.mask.sum()).item(),
    }
