"""Losses that look across a whole minibatch cannot be computed in parts of it, one after another or side by side."""

from __future__ import annotations

from typing import Any

from seqgans.errors import BadInput
from seqgans.objectives.adversarial import ACROSS

LOSSES = ("discriminator_loss", "objective")  # settings that name what both players minimise


def check_parts(settings: Any, accumulate: int, processes: int) -> None:
    """Refuse a loss that would be another one in parts of a minibatch. CatGAN's, which is so by its page, passes.

    Args:
        settings: of an algorithm.
        accumulate: parts that follow each other.
        processes: parts that go on side by side.

    Raises:
        BadInput: there are several parts, and a loss that compares each score with a mean over all.
    """
    for name in LOSSES:
        value = getattr(settings, name, None)
        if value in ACROSS and accumulate * processes > 1:
            raise BadInput(
                f"algorithm.{name} {value} compares with means over the whole minibatch, which parts of it do not know "
                f"(run.accumulate {accumulate}, {processes} processes); take another loss, or one part and one process"
            )
