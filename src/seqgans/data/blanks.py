"""Blanks: which tokens of a sequence are kept and which are to be filled in.

A sequence with blanks is `Sequences` whose missing tokens are one further id, behind those of the vocabulary. Its mask
shows how long the sequence is, unless nothing at all is kept: then every position may hold a token.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool
from torch import Tensor

from seqgans.randomness import Stream
from seqgans.sequences import Sequences

Missing = Literal["block", "scattered"]
"""Where blanks stand: side by side, or each on its own."""


def kept_tokens(
    real: Sequences,
    end: int | None,
    random: Stream,
    *,
    present: float = 0.5,
    missing: Missing = "block",
    whole: float = 0,
) -> Bool[Tensor, "batch time"]:
    """Choose what is kept of each sequence of n tokens.

        block: one of ⌊(1 − p) n⌋ − 1 tokens, but at least 1, is missing, uniform over the places that leave the first
        scattered: each token is missing with probability 1 − p

    Args:
        real: sequences; the end token and what follows it are no tokens, and kept.
        end: id of the end token, or None.
        random: where the choice comes from.
        present: p, in [0, 1]; 1 keeps everything, 0 nothing at all.
        missing: how blanks lie.
        whole: share of the sequences of which nothing is kept, not even the length.

    Returns:
        True where the token is kept. A sequence of one token keeps it when a block is missing.

    References:
        Fedus, Goodfellow and Dai (2018), arXiv:1801.07736, and its code.
    """
    own = real.mask if end is None else real.mask & (real.tokens != end)
    rows, time = own.shape
    uniforms = random.uniform(rows, time + 1).to(own.device)
    if missing == "block":
        size = own.sum(1, keepdim=True)  # n
        length = (((1 - present) * size + 1e-6).floor().long() - 1).clamp(min=int(present < 1)).clamp(max=size - 1)
        first = 1 + (uniforms[:, :1] * (size - length)).long()
        places = torch.arange(time, device=own.device)
        kept = (places < first) | (places >= first + length)
    else:
        kept = ~own | (uniforms[:, :-1] < present)
    return kept & (uniforms[:, -1:] >= (1.0 if present == 0 else whole))


def blanked(real: Sequences, kept: Bool[Tensor, "batch time"], blank: int) -> Sequences:
    """The sequences with a blank in the place of each token that is not kept.

    >>> real = Sequences.of(torch.tensor([[5, 6, 0, 0], [5, 6, 0, 0]]), end=0)
    >>> found = blanked(real, torch.tensor([[True, False, True, True], [False] * 4]), blank=9)
    >>> found.tokens
    tensor([[5, 9, 0, 0],
            [9, 9, 9, 9]])
    >>> found.mask
    tensor([[ True,  True,  True, False],
            [ True,  True,  True,  True]])
    """
    return Sequences(real.tokens.masked_fill(~kept, blank), real.mask | ~kept.any(1, keepdim=True))
