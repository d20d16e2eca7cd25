"""Whether counts follow a law, as the tests of every sampler ask."""

from __future__ import annotations

from scipy.stats import chisquare
from torch import Tensor


def pvalue(counts: Tensor, law: Tensor) -> float:
    """Of Pearson's test.

    Args:
        counts: how often each outcome came.
        law: its probability, up to a factor, above 0 everywhere.
    """
    expected = law.detach().double()
    expected = expected * (counts.sum().double() / expected.sum())
    return float(chisquare(counts.double().numpy(), expected.numpy()).pvalue)
