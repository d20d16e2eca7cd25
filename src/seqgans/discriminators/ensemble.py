"""Several discriminators that judge together: the score of a sequence is the mean of theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seqgans.discriminators import no_step_scores
from seqgans.discriminators.base import Discriminator
from seqgans.errors import BadInput
from seqgans.randomness import Stream


class Ensemble(Discriminator):
    """score(Y) = (1/k) Σ_i score_i(Y); every way of looking of every member is a way of the ensemble.

    A mean of logits is the logit of the members' normalised geometric mean.

    Args:
        members: k discriminators of the same kind.
        shared: they have one table of symbols, that of the first.

    References:
        Durugkar, Gemp and Mahadevan (2017), arXiv:1611.01673.
    """

    def __init__(self, members: Sequence[Discriminator], shared: bool = False) -> None:
        super().__init__(members[0].vocabulary_size)
        self.members = nn.ModuleList(members)
        for name in members[0].tables() if shared else ():
            path, _, leaf = name.rpartition(".")
            for member in members[1:]:
                setattr(member.get_submodule(path), leaf, members[0].get_parameter(name))

    def mean(self, score: Callable[[Discriminator], Tensor]) -> Tensor:
        """The mean over members of anything that each can say."""
        return torch.stack([score(member) for member in self.members]).mean(0)  # pyright: ignore[reportArgumentType]

    def tables(self) -> list[str]:
        """Those of all members."""
        mine = dict(self.named_parameters())
        names = (
            f"members.{place}.{name}"
            for place, member in enumerate(self.members)
            for name in member.tables()  # pyright: ignore
        )
        return [name for name in names if name in mine]  # a shared one goes by its first name

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Mean logit; members draw dropout one after another."""
        return self.mean(lambda member: member.scores(tokens, mask, random=random))

    def view_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch views"]:
        """All views of all members, so that a mean over views is a mean over members."""
        views = [member.view_scores(tokens, mask, random=random) for member in self.members]  # pyright: ignore
        return torch.cat(views, 1)

    def step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """Mean logit after each token.

        Raises:
            BadInput: the members have no score per step.
        """
        if not hasattr(self.members[0], "step_scores"):
            raise BadInput(no_step_scores(f"an ensemble of {type(self.members[0]).__name__}"))
        return self.mean(lambda member: member.step_scores(tokens, mask, random=random))  # pyright: ignore

    def completion_scores(
        self,
        tokens: Int[Tensor, "prefixes rollouts batch time"],
        mask: Bool[Tensor, "prefixes rollouts batch time"],
        lengths: Sequence[int],
    ) -> Float[Tensor, "prefixes rollouts batch"]:
        """Mean logit of each roll-out."""
        return self.mean(lambda member: member.completion_scores(tokens, mask, lengths))

    def lacking(self, what: str, instead: str) -> BadInput:
        """Several together are asked for scores and nothing else."""
        return BadInput(
            f"{what}, got {len(self.members)} at once, which give scores alone; leave options.discriminators out"
        )

    def penalty(self) -> Tensor:
        """The sum of the members' own penalties."""
        return torch.stack([member.penalty() for member in self.members]).sum()  # pyright: ignore
