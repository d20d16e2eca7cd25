"""LeakGAN's rewards: roll-outs every few tokens, and ranks in the batch instead of values that fade."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seqgans.discriminators.base import Discriminator
from seqgans.generators.base import Generator
from seqgans.randomness import Stream
from seqgans.rewards.prefixes import of_prefixes
from seqgans.rewards.rollouts import complete
from seqgans.rewards.steps import OfWhole, check_of_whole
from seqgans.sequences import mask_until


@torch.no_grad()
def block_rewards(
    generator: Generator,
    discriminator: Discriminator,
    tokens: Int[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    rollouts: int,
    random: Stream,
    block: int,
    way: OfWhole = "rollouts",
) -> Float[Tensor, "batch time"]:
    """What each block of tokens led to: roll-outs only from where a block ends, or the prefix up to there, padded.

        rollouts   Q_t = (1/N) Σ_n D(Yⁿ), Yⁿ ∈ MC(Y_1:e; N), e = the end of the block of t;   D(Y) in the last block
        prefix     Q_t = D(Y_1:e)

    Args:
        generator: the roll-out policy.
        discriminator: scores finished sequences, without dropout.
        tokens: sequences drawn from the generator.
        mask: True where a token is real; a block that ends behind the end of a sequence led to D(Y).
        rollouts: N, at least 1.
        random: where the numbers come from.
        block: tokens of a block; the last may be shorter.
        way: which of the two.

    Returns:
        Q in [0, 1], the same for all tokens of a block.

    Raises:
        BadInput: there is no such way here.
    """
    check_of_whole(way)
    length = tokens.shape[1]
    ends = range(block, length, block)
    if way == "prefix":
        worth = of_prefixes(discriminator.scores, tokens, mask, [*ends, length]).sigmoid()
        return worth.repeat_interleave(block, 1)[:, :length]
    found = discriminator.scores(tokens, mask).sigmoid()[:, None]  # (batch, blocks)
    if ends:
        completed = complete(generator, tokens, rollouts, random, ends)
        ended = mask_until(completed.flatten(0, 2), generator.end).view(completed.shape)
        scores = discriminator.completion_scores(completed, ended, ends)  # (prefixes, rollouts, batch)
        found = torch.cat([scores.sigmoid().mean(1).t(), found], 1)
    return found.repeat_interleave(block, 1)[:, :length]


def rank_rescale(rewards: Float[Tensor, "batch time"], delta: float = 12.0) -> Float[Tensor, "batch time"]:
    """Bootstrapped rescaled activation: each reward replaced by a squashed rank within its column.

        R_it = σ(δ (½ − rank_t(i) / B)),   rank ½ for the highest of B rewards to B − ½ for the lowest

    The paper counts ranks from 1; half a rank less makes the mean of a column exactly ½. Equal rewards
    share the mean of their ranks, so that a column of equal rewards becomes ½.

    Args:
        rewards: one row a sequence; the whole batch, that of all processes.
        delta: δ, how far the best and the worst are pushed apart.

    Returns:
        Values in (0, 1) whose mean and spread do not depend on the size of the rewards.

    References:
        Guo et al. (2018), arXiv:1709.08624, Eq. 10.

    >>> rank_rescale(torch.tensor([[0.9], [0.1]]))  # σ(12 (½ − ¼)) and 1 less that
    tensor([[0.9526],
            [0.0474]])
    """
    columns = rewards.t().contiguous()  # (time, batch)
    ordered = columns.sort(1).values
    lower = torch.searchsorted(ordered, columns)  # how many are smaller
    not_higher = torch.searchsorted(ordered, columns, right=True)  # how many are smaller or equal
    rank = columns.shape[1] - 0.5 * (lower + not_higher)
    return (delta * (0.5 - rank / columns.shape[1])).sigmoid().t().contiguous()
