"""What errors say: one short line from what a library said at length."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from seqgans.errors import misfit


def said_of(state: dict[str, torch.Tensor]) -> str:
    """What `misfit` makes of the error when a linear layer of 2 × 3 takes this state."""
    with pytest.raises(RuntimeError) as refused:
        nn.Linear(3, 2).load_state_dict(state)
    return misfit(refused.value)


def test_parameters_that_do_not_fit_are_named() -> None:
    """Mutants killed: the two shapes exchanged; missing and unexpected exchanged; the whole message of torch."""
    weight, bias = torch.zeros(2, 3), torch.zeros(2)
    assert said_of({"weight": torch.zeros(2, 5), "bias": bias}) == "weight has the shape [2, 5] there and [2, 3] here"
    assert said_of({"weight": weight}) == "bias is missing there"
    assert said_of({"weight": weight, "bias": bias, "scale": bias}) == "scale is not known here"


def test_other_words_are_kept_and_cut_where_they_are_long() -> None:
    """Mutants killed: line ends kept; no mark where something was cut off."""
    assert misfit(ValueError("two\nlines")) == "two lines"
    assert misfit(ValueError("word " * 9), at_most=12) == "word word w…"
