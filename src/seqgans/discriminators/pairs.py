"""Judging pairs: is this response real, beside what it answers?

`beside(discriminator, source)` is a discriminator of responses on the whole contract, as `given(generator, source)` is
a law of responses, so that rewards and losses are the code they are without sources. A discriminator that reads a
context takes the source as that; any other reads source and response as one sequence, one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seqgans.data.sources import in_one
from seqgans.discriminators import no_step_scores
from seqgans.discriminators.base import SCORING_ROWS, Discriminator
from seqgans.errors import BadInput
from seqgans.randomness import Stream
from seqgans.sequences import Sequences


@runtime_checkable
class PairReader(Protocol):
    """A discriminator with a way of its own to read what a response answers."""

    def pair_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], source: Sequences, *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of each response being real, its source known."""
        ...

    def pair_step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], source: Sequences, *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """One logit a token; entry t has seen the source and the response up to t."""
        ...


def beside(discriminator: Discriminator, source: Sequences | None) -> Discriminator:
    """The judge of what answers a source; where there is none, the discriminator itself."""
    return discriminator if source is None else Beside(discriminator, source)


class Beside(Discriminator):
    """A discriminator whose sources are known; it shares all parameters.

    Args:
        whole: reads source and response.
        source: one row a response.
    """

    def __init__(self, whole: Discriminator, source: Sequences) -> None:
        super().__init__(whole.vocabulary_size)
        self.whole = whole
        self.source = source

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of each response being real."""
        if isinstance(self.whole, PairReader):
            return self.whole.pair_scores(tokens, mask, self.source, random=random)
        both, real, _ = in_one(self.source, tokens, mask)
        return self.whole.scores(both, real, random=random)

    def step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """One logit a token of the response; entry t has seen the source and the tokens up to t.

        Raises:
            BadInput: the discriminator has no score per step.
        """
        if isinstance(self.whole, PairReader):
            return self.whole.pair_step_scores(tokens, mask, self.source, random=random)
        if not hasattr(self.whole, "step_scores"):
            raise BadInput(no_step_scores(type(self.whole).__name__))
        both, real, places = in_one(self.source, tokens, mask)
        return self.whole.step_scores(both, real, random=random).gather(1, places)  # pyright: ignore

    def prefix_scores(
        self, tokens: Int[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """Logit of each prefix of each response, the rest read as padding, without dropout."""
        lengths = range(1, tokens.shape[1] + 1)
        ends = torch.tensor(lengths, device=tokens.device)[:, None, None]
        known = mask & (torch.arange(tokens.shape[1], device=tokens.device) < ends)  # (prefix, batch, time)
        return self.completion_scores(tokens.expand_as(known)[:, None], known[:, None], lengths)[:, 0].t()

    @torch.no_grad()
    def completion_scores(
        self,
        tokens: Int[Tensor, "prefixes rollouts batch time"],
        mask: Bool[Tensor, "prefixes rollouts batch time"],
        lengths: Sequence[int],
    ) -> Float[Tensor, "prefixes rollouts batch"]:
        """Scores of roll-outs, without dropout."""
        shape, count = tokens.shape[:3], len(self.source)
        flat, real = tokens.flatten(0, 2), mask.flatten(0, 2)
        rows = torch.arange(len(flat), device=flat.device) % count  # which source each answers
        if not isinstance(self.whole, PairReader):
            both, real, places = in_one(self.source[rows], flat, real)
            shared = int(places[:, 0].min())  # tokens of the shortest source, which all completions of a row share
            axes = (*shape, both.shape[1])
            return self.whole.completion_scores(both.view(axes), real.view(axes), [shared + size for size in lengths])
        parts = [
            self.whole.pair_scores(flat[part], real[part], self.source[rows[part]])
            for part in torch.arange(len(flat), device=flat.device).split(SCORING_ROWS)
        ]
        return torch.cat(parts).view(shape)

    def penalty(self) -> Tensor:
        """That of the discriminator."""
        return self.whole.penalty()
