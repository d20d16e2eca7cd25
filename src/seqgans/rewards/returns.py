"""From what tokens earned to what came from there on; never any gradient."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor


def reward_to_go(
    rewards: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"], discount: float = 1.0
) -> Float[Tensor, "batch time"]:
    """What came from each token on.

        Q_t = Σ_{s≥t} γ^{s−t} · m_s · r_s

    Args:
        rewards: r, what each token earned on its own.
        mask: True where a token is real.
        discount: γ, in [0, 1]; 0 leaves the rewards as they are, 1 is the plain sum.

    Returns:
        Q, 0 where the mask is False.

    >>> import torch
    >>> reward_to_go(torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([[True, True, False]]), discount=0.5)
    tensor([[2., 2., 0.]])
    """
    if not 0 <= discount <= 1:
        raise ValueError(f"discount must be at least 0 and at most 1, got {discount}")
    returns = rewards.masked_fill(~mask, 0.0)
    for time in range(rewards.shape[1] - 2, -1, -1):
        returns[:, time] += discount * returns[:, time + 1]
    return returns.masked_fill(~mask, 0.0)


def spread(terminal: Float[Tensor, " batch"], mask: Bool[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
    """The reward of the whole sequence at each of its tokens, 0 where the mask is False.

    >>> import torch
    >>> spread(torch.tensor([3.0]), torch.tensor([[True, False]]))
    tensor([[3., 0.]])
    """
    return terminal[:, None] * mask
