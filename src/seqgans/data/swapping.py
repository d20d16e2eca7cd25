"""Sequences with two words swapped: what a network must tell from real ones to learn that order matters."""

from __future__ import annotations

import torch

from seqgans.randomness import Stream
from seqgans.sequences import Sequences


def with_two_swapped(sequences: Sequences, random: Stream, end: int | None = None) -> Sequences:
    """A copy of each sequence in which two different places, each pair equally likely, have changed their tokens.

    The end token stays where it is. Sequences of fewer than two words, and those whose two tokens are equal, stay as
    they are.

    Args:
        sequences: what is copied.
        random: where the places come from.
        end: id of the end token, or None.
    """
    tokens, mask = sequences.tokens, sequences.mask
    words = mask.sum(1) if end is None else (mask & (tokens != end)).sum(1)  # they stand first in a row
    chance = random.uniform(len(tokens), 2).to(tokens.device)
    one = (chance[:, 0] * words).long().clamp(max=(words - 1).clamp(min=0))
    step = 1 + (chance[:, 1] * (words - 1)).long().clamp(min=0).minimum((words - 2).clamp(min=0))
    other = torch.where(words > 1, (one + step) % words.clamp(min=1), one)
    places = torch.stack([one, other], 1)
    return Sequences(tokens.scatter(1, places, tokens.gather(1, places.flip(1))), mask)
