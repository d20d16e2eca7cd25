"""Sequences that break off somewhere: what a discriminator of unfinished sequences learns from."""

from __future__ import annotations

import dataclasses

import torch

from seqgans.randomness import Stream
from seqgans.sequences import Sequences


def broken_off(whole: Sequences, random: Stream) -> Sequences:
    """One prefix of each sequence, of any length from one token to all, each equally likely.

    Args:
        whole: sequences; what stands in their tokens behind the prefix is not read any more.
        random: where they break off.
    """
    lengths = whole.mask.sum(1)  # (batch,)
    draws = random.uniform(len(whole)).to(lengths.device)
    ends = (draws * lengths).long() + 1  # from 1 to the length, as draws stay below 1
    known = torch.arange(whole.mask.shape[1], device=lengths.device) < ends[:, None]
    return dataclasses.replace(whole, mask=whole.mask & known)
