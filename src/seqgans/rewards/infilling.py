"""What filling in a blank earned, and the critic it is compared with; never any gradient in a reward."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.discriminators.base import Discriminator
from seqgans.generators.base import Generator
from seqgans.randomness import Stream
from seqgans.rewards.returns import reward_to_go
from seqgans.sequences import Sequences

SMALLEST = 1e-7  # added to probabilities, so that no reward is below −16.1


@runtime_checkable
class ContextReader(Protocol):
    """A discriminator that judges each token beside what its generator was given."""

    @property
    def width(self) -> int:
        """Numbers of a state."""
        ...

    def step_scores(
        self,
        tokens: Tensor,
        mask: Bool[Tensor, "batch time"],
        *,
        context: Sequences | None = None,
        random: Stream | None = None,
    ) -> Float[Tensor, "batch time"]:
        """One logit a token; entry t has seen the context and the tokens up to t."""
        ...

    def states_before(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, context: Sequences | None = None
    ) -> Float[Tensor, "batch time width"]:
        """What is known before each token."""
        ...

    def start_from(self, generator: Generator) -> None:
        """Take over what a language model has learnt, where it fits."""
        ...


def context_reader(discriminator: Discriminator) -> ContextReader:
    """The same discriminator, known to read a context.

    Raises:
        BadInput: it reads none.
    """
    if not isinstance(discriminator, ContextReader):
        raise discriminator.lacking("this needs a discriminator that reads a context", "--discriminator.name seq2seq")
    return discriminator


@torch.no_grad()
def fill_rewards(
    discriminator: Discriminator, fake: Sequences, source: Sequences, missing: Bool[Tensor, "batch time"]
) -> Float[Tensor, "batch time"]:
    """How real each token that was filled in looks.

        r_t = log(D(ỹ_t | ỹ_1:t, m(x)) + 10⁻⁷)

    Args:
        discriminator: one that reads a context, used without dropout.
        fake: filled-in sequences.
        source: the same with their blanks, m(x).
        missing: True where a token was filled in.

    Returns:
        Nats, from −16.1 to 0; 0 where nothing was filled in.

    Raises:
        BadInput: the discriminator reads no context.
    """
    scores = context_reader(discriminator).step_scores(fake.tokens, fake.mask, context=source)
    return (scores.float().sigmoid() + SMALLEST).log() * missing


def fill_returns(
    rewards: Float[Tensor, "batch time"], missing: Bool[Tensor, "batch time"], discount: float
) -> Float[Tensor, "batch time"]:
    """What came from each filled-in token on: R_t = r_t + γ R_t+1, kept tokens earning nothing; 0 at those.

    >>> fill_returns(torch.tensor([[1.0, 8.0, 4.0]]), torch.tensor([[True, False, True]]), 0.5)
    tensor([[2., 0., 4.]])
    """
    return reward_to_go(rewards, missing, discount)


@torch.no_grad()
def advantages(
    returns: Float[Tensor, "batch time"],
    values: Float[Tensor, "batch time"],
    missing: Bool[Tensor, "batch time"],
    limit: float = 5.0,
) -> Float[Tensor, "batch time"]:
    """By how much a token did better than the critic expected: R − b, within ±limit, 0 where nothing was filled in."""
    return (returns - values).clamp(-limit, limit) * missing


class Critic(nn.Module):
    """b_t = w · s_t + b: what is still to come, from the discriminator's state before token t.

    It is a player, a head on the discriminator moved by a loss of its own, which leaves the discriminator alone.

    Args:
        width: numbers of a state.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.head = nn.Linear(width, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, states: Float[Tensor, "batch time width"]) -> Float[Tensor, "batch time"]:
        """One value before each token."""
        return self.head(states)[:, :, 0]
