"""The test of laws that other tests use tells one law from another."""

from __future__ import annotations

import torch

from tests.goodness import pvalue


def test_it_tells_a_law_from_another():
    counts = torch.tensor([250, 260, 490])
    assert pvalue(counts, torch.tensor([0.25, 0.25, 0.5])) > 0.5
    assert pvalue(counts, torch.tensor([0.3, 0.2, 0.5])) < 1e-3
