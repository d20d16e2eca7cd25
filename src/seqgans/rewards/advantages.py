"""From the word on a whole answer to what each of its tokens is worth beyond what was expected; never any gradient."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from seqgans.errors import BadInput
from seqgans.rewards.returns import reward_to_go


def at_the_end(terminal: Float[Tensor, " batch"], mask: Bool[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
    """The reward of each sequence at its last real token, the end token where there is one, and 0 elsewhere.

    >>> at_the_end(torch.tensor([3.0]), torch.tensor([[True, True, False]]))
    tensor([[0., 3., 0.]])
    """
    places = torch.arange(mask.shape[1], device=mask.device) == mask.sum(1, keepdim=True) - 1
    return places * terminal[:, None]


def against_the_others(
    returns: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"], group: int
) -> Float[Tensor, "batch time"]:
    """Returns less what the other answers of the group got in all.

        A_bt = Q_bt − (1/(k − 1)) Σ_{i ≠ b, same group} Q_i1

    A sequence has no part in what is subtracted from it, so the expected gradient is unchanged.

    Args:
        returns: Q, reward to go.
        mask: True where a token is real.
        group: k, rows that answer the same, one after another.

    Returns:
        A, 0 where the mask is False.

    Raises:
        BadInput: the rows cannot be divided into groups of at least 2.

    References:
        Ahmadian et al. (2024), arXiv:2402.14740 (RLOO); Kool, van Hoof and Welling (2019).

    >>> against_the_others(torch.tensor([[1.0], [3.0], [8.0]]), torch.ones(3, 1, dtype=torch.bool), 3)
    tensor([[-4.5000],
            [-1.5000],
            [ 6.0000]])
    """
    check_groups(len(returns), group)
    totals = returns[:, 0].masked_fill(~mask[:, 0], 0.0).view(-1, group)
    others = (totals.sum(1, keepdim=True) - totals) / (group - 1)
    return (returns - others.reshape(-1, 1)).masked_fill(~mask, 0.0)


def gained(scores: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
    """By how much each token raised the score of what stands so far; the first token's is its score.

        r_t = s(Y_1:t) − s(Y_1:t−1)

    Sums telescope to the score of the whole, so this pays for the same answers as that does, but at once: the score of
    a prefix is what is expected of it.

    References:
        Ng, Harada and Russell (1999), potential-based shaping.

    >>> gained(torch.tensor([[1.0, 3.0, 2.0]]), torch.tensor([[True, True, False]]))
    tensor([[1., 2., 0.]])
    """
    return torch.diff(scores, dim=1, prepend=torch.zeros_like(scores[:, :1])).masked_fill(~mask, 0.0)


def against_their_place(
    returns: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"], group: int
) -> Float[Tensor, "batch time"]:
    """Returns less the mean at the same place over the other answers of the group that are as long.

    Where none is, nothing is subtracted: that depends on the others alone, so the expected gradient is left as it is.

    Args:
        returns: Q, one a token.
        mask: True where a token is real.
        group: k, rows that answer the same, one after another.

    Returns:
        A, 0 where the mask is False.

    Raises:
        BadInput: the rows cannot be divided into groups of at least 2.
    """
    check_groups(len(returns), group)
    groups, real = returns.masked_fill(~mask, 0.0).unflatten(0, (-1, group)), mask.unflatten(0, (-1, group))
    others = real.sum(1, keepdim=True) - real.int()
    mean = (groups.sum(1, keepdim=True) - groups) / others.clamp(min=1)
    return (groups - mean).masked_fill(~real, 0.0).flatten(0, 1)


def check_groups(count: int, group: int) -> None:
    """Refuse rows that do not make whole groups of at least 2.

    Raises:
        BadInput: they do not.
    """
    if group < 2 or count % group:
        raise BadInput(f"{count} answers must make whole groups of at least 2, got groups of {group}")


def generalised_advantages(
    rewards: Float[Tensor, "batch time"],
    values: Float[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    discount: float = 1.0,
    decay: float = 0.95,
) -> tuple[Float[Tensor, "batch time"], Float[Tensor, "batch time"]]:
    """What came beyond what was expected, short and long looks mixed.

        δ_t = r_t + γ V_{t+1} − V_t,   A_t = Σ_l (γ λ)^l δ_{t+l},   R̂_t = A_t + V_t

    Nothing is expected after the last real token.

    Args:
        rewards: r, what each token earned on its own.
        values: V, what was expected before each token.
        mask: True where a token is real.
        discount: γ, in [0, 1].
        decay: λ, in [0, 1]; 1 is the return less the value, 0 looks one token ahead.

    Returns:
        A and R̂, 0 where the mask is False.

    References:
        Schulman et al. (2016), arXiv:1506.02438, Eq. 16.

    >>> row = torch.ones(1, 2, dtype=torch.bool)
    >>> generalised_advantages(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, 0.25]]), row, 1.0, 0.0)[0]
    tensor([[-0.2500,  0.7500]])
    """
    known = values.masked_fill(~mask, 0.0)
    following = torch.nn.functional.pad(known[:, 1:], (0, 1))
    surprise = (rewards + discount * following - known).masked_fill(~mask, 0.0)
    advantages = torch.zeros_like(surprise)
    after = torch.zeros_like(surprise[:, 0])
    for time in range(surprise.shape[1] - 1, -1, -1):
        after = surprise[:, time] + discount * decay * after
        advantages[:, time] = after
    advantages = advantages.masked_fill(~mask, 0.0)
    return advantages, advantages + known


def compared(
    rewards: Float[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    group: int | None,
    ahead: float,
    placed: bool,
) -> Float[Tensor, "batch time"]:
    """Returns of a whole batch, each against the other answers of its group, or as they are where there are none.

    Args:
        rewards: r, what each token earned on its own.
        mask: True where a token is real.
        group: k, rows that answer the same, one after another; None leaves the returns as they are.
        ahead: how much of what comes after a token it answers for, in [0, 1].
        placed: compare tokens with those at their place, instead of with whole answers.
    """
    returns = reward_to_go(rewards, mask, ahead)
    if group is None:
        return returns
    return (against_their_place if placed else against_the_others)(returns, mask, group)
