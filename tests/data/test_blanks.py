"""Blanks: how long a block is, where it stands, what is never missing.

Mutants killed: a block one longer or shorter, one that may cover the first token or leaves out the last place, an end
token or padding that can be missing, a sequence of which nothing is kept that still shows its length.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from seqgans.data.blanks import blanked, kept_tokens
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences

END = 0


def stream(seed: int = 0) -> Stream:
    return Stream(generator_for(seed, "blanks"))


def plain(rows: int, time: int) -> Sequences:
    """Sequences of one length; no token is the end."""
    return Sequences.of(torch.randint(1, 9, (rows, time), generator=generator_for(1)))


@pytest.mark.parametrize(
    ("time", "present", "length"), [(20, 0.5, 9), (20, 0.7, 5), (6, 0.5, 2), (3, 0.5, 1), (10, 0.9, 1), (20, 1.0, 0)]
)
def test_a_block_has_the_stated_length_and_leaves_the_first_token(time: int, present: float, length: int) -> None:
    real = plain(4000, time)
    missing = ~kept_tokens(real, None, stream(), present=present)
    assert missing.sum(1).unique().tolist() == [length]
    assert not missing[:, 0].any()
    starts = missing.int().argmax(1)
    assert torch.equal(
        missing, (torch.arange(time) >= starts[:, None]) & (torch.arange(time) < starts[:, None] + length)
    )
    if length:  # every place is as likely as any other
        counts = torch.bincount(starts, minlength=time)[1 : time - length + 1]
        expected = 4000 / (time - length)
        assert bool(((counts - expected).abs() < 5 * expected**0.5).all())
        assert int(counts.sum()) == 4000


def test_scattered_blanks_are_as_frequent_as_asked() -> None:
    missing = ~kept_tokens(plain(4000, 10), None, stream(), present=0.7, missing="scattered")
    torch.testing.assert_close(missing.float().mean(0), torch.full((10,), 0.3), rtol=0, atol=0.035)  # 5 deviations


@pytest.mark.parametrize("missing", ["block", "scattered"])
def test_ends_and_padding_are_kept(missing) -> None:
    tokens = torch.tensor([[5, 6, 7, 8, 5, END], [5, 6, 7, END, END, END], [5, END, END, END, END, END]]).repeat(300, 1)
    real = Sequences.of(tokens, END)
    kept = kept_tokens(real, END, stream(), present=0.3, missing=missing)
    assert bool(kept[tokens == END].all())
    lengths = (~kept).sum(1).view(300, 3)
    if missing == "block":  # ⌊0.7 · 5⌋ − 1, ⌊0.7 · 3⌋ − 1, and the only token stays
        assert lengths.unique(dim=0).tolist() == [[2, 1, 0]]
    found = blanked(real, kept, 9)
    assert torch.equal(found.mask, real.mask)
    assert torch.equal(found.tokens == 9, ~kept)
    assert torch.equal(found.tokens[kept], tokens[kept])


def test_what_is_wholly_blank_says_nothing() -> None:
    tokens = torch.tensor([[5, 6, END, END], [7, END, END, END]])
    real = Sequences.of(tokens, END)
    wholly: list[dict[str, Any]] = [{"present": 0.0}, {"whole": 1.0}, {"present": 0.0, "missing": "scattered"}]
    for settings in wholly:
        kept = kept_tokens(real, END, stream(), **settings)
        assert not kept.any()
        found = blanked(real, kept, 9)
        assert bool((found.tokens == 9).all())
        assert bool(found.mask.all())
    kept = kept_tokens(Sequences.of(tokens.repeat(1000, 1), END), END, stream(), whole=0.25)
    assert (~kept).all(1).float().mean().item() == pytest.approx(0.25, abs=0.05)
