"""From a discriminator's word on prefixes and steps to rewards, without roll-outs; never any gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seqgans.discriminators import no_step_scores
from seqgans.discriminators.base import SCORING_ROWS, Discriminator
from seqgans.errors import BadInput
from seqgans.randomness import Stream


@runtime_checkable
class StepScorer(Protocol):
    """A discriminator that also says after each token how real the sequence looks so far."""

    def step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """One logit a token; entry t has seen the tokens up to t."""
        ...


@runtime_checkable
class PrefixScorer(Protocol):
    """A discriminator with a way of its own to score all prefixes, the rest read as padding."""

    def prefix_scores(
        self, tokens: Int[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """One logit a prefix."""
        ...


@torch.no_grad()
def of_prefixes(
    judge: Callable[[Tensor, Tensor], Tensor],
    tokens: Int[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    lengths: Sequence[int] | None = None,
) -> Float[Tensor, "batch prefixes *axes"]:
    """What a judge of whole sequences says of their prefixes, the rest read as padding.

    Args:
        judge: from ids and a mask to a number, or a tensor, for each row.
        tokens: the sequences.
        mask: True where a token is real; a prefix longer than its sequence is the sequence.
        lengths: of the prefixes, in tokens; None for all from 1 to the whole.
    """
    time = tokens.shape[1]
    ends = torch.tensor(range(1, time + 1) if lengths is None else lengths, device=tokens.device)
    seen = torch.arange(time, device=tokens.device) < ends[:, None]  # (prefix, time)
    rows = max(1, SCORING_ROWS // len(ends))
    found = []
    for part, real in zip(tokens.split(rows), mask.split(rows), strict=True):
        prefixes = part[:, None].expand(-1, len(ends), -1).reshape(-1, time)  # (batch · prefix, time)
        known = (real[:, None] & seen).reshape(-1, time)
        found.append(judge(prefixes, known).unflatten(0, (-1, len(ends))))
    return torch.cat(found)


@torch.no_grad()
def prefix_values(
    discriminator: Discriminator,
    tokens: Int[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    worth: Callable[[Tensor], Tensor] = torch.sigmoid,
) -> Float[Tensor, "batch time"]:
    """What each prefix is worth, the rest read as padding; behind the last token, what the whole sequence is.

    Args:
        discriminator: scores padded sequences (s), without dropout.
        tokens: sequences drawn from the generator.
        mask: True where a token is real.
        worth: f, from the score of a sequence to what it is worth.
    """
    if isinstance(discriminator, PrefixScorer):
        return worth(discriminator.prefix_scores(tokens, mask))
    return worth(of_prefixes(discriminator.scores, tokens, mask))


@torch.no_grad()
def prefix_rewards(
    discriminator: Discriminator,
    tokens: Int[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    worth: Callable[[Tensor], Tensor] = torch.sigmoid,
) -> Float[Tensor, "batch time"]:
    """The probability that each prefix is real, the rest read as padding.

        Q_t = f(s(Y_1:t)), the probability D(Y_1:t) for f = σ

    Args:
        discriminator: scores padded sequences (s), without dropout.
        tokens: sequences drawn from the generator.
        mask: True where a token is real.
        worth: f, from the score of a sequence to what it is worth.

    Returns:
        Q, 0 where the mask is False; a whole sequence earns D(Y).
    """
    return prefix_values(discriminator, tokens, mask, worth) * mask


@torch.no_grad()
def step_rewards(
    discriminator: Discriminator,
    tokens: Int[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    worth: Callable[[Tensor], Tensor] = torch.sigmoid,
) -> Float[Tensor, "batch time"]:
    """The probability of being real that a discriminator gives after each token, all in one pass.

    Args:
        discriminator: one with `step_scores`, used without dropout.
        tokens: sequences drawn from the generator.
        mask: True where a token is real.
        worth: from the score after a token to its reward.

    Returns:
        Rewards, probabilities as a rule, 0 where the mask is False.

    Raises:
        BadInput: the discriminator has no score per step.
    """
    return worth(step_scorer(discriminator).step_scores(tokens, mask)) * mask


@torch.no_grad()
def signed_step_rewards(
    discriminator: Discriminator, tokens: Int[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, "batch time"]:
    """How sure a discriminator is after each token that it is real, as a number on either side of 0.

        r_t = 2 D(y_t | Y_1:t−1) − 1

    Args:
        discriminator: one with `step_scores`, used without dropout.
        tokens: sequences drawn from the generator.
        mask: True where a token is real.

    Returns:
        Rewards in [−1, 1]: 0 where it cannot tell, and where the mask is False.

    Raises:
        BadInput: the discriminator has no score per step.

    References:
        de Masson d'Autume et al. (2019), arXiv:1905.09922.
    """
    return 2 * step_rewards(discriminator, tokens, mask) - mask.float()


@torch.no_grad()
def gains(
    discriminator: Discriminator, tokens: Int[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, "batch time"]:
    """By how much each token raised the discriminator's score of the sequence so far.

        gain_t = s(Y_1:t) − s(Y_1:t−1), s(Y_1:0) = 0;   Σ_t gain_t = s(Y)

    Where scores are log-ratios of real to generated prefixes, a gain is log p(y_t | Y_1:t−1) − log G(y_t | Y_1:t−1):
    what the token alone has earned, with far less variance than anything that looks ahead.

    Args:
        discriminator: one with `step_scores`, used without dropout.
        tokens: sequences drawn from the generator.
        mask: True where a token is real.

    Returns:
        Differences of logits, nats at the best discriminator; 0 where the mask is False.

    Raises:
        BadInput: the discriminator has no score per step.
    """
    scores = step_scorer(discriminator).step_scores(tokens, mask)
    return (scores - torch.nn.functional.pad(scores[:, :-1], (1, 0))) * mask


def step_scorer(discriminator: Discriminator) -> StepScorer:
    """The same discriminator, known to have a score per step.

    Raises:
        BadInput: it has none.
    """
    if not isinstance(discriminator, StepScorer):
        raise BadInput(no_step_scores(type(discriminator).__name__))
    return discriminator
