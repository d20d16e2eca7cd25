"""Regions of confidence: where the mean over seeds may lie, on two figures at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from seqgans.errors import BadInput

LEVEL = 0.95
CORNERS = 48  # of the outline


def half_width(deviation: float, count: int, level: float = LEVEL) -> float:
    """Half of Student's confidence interval of a mean: t_{n−1} · s / √n.

    Args:
        deviation: s, the standard deviation of the values, n − 1 in its denominator.
        count: n, at least two.
        level: how often such an interval holds the true mean, between 0 and 1.

    >>> round(half_width(1.0, 3), 3)  # t₂ = 4.303
    2.484
    """
    from scipy.special import stdtrit

    return float(stdtrit(count - 1, 0.5 + level / 2)) * deviation / math.sqrt(count)


def region(across: Sequence[float], up: Sequence[float], level: float = LEVEL) -> Float[np.ndarray, "corners 2"]:
    """Outline of the ellipse whose shadow on either axis is the confidence interval of the mean on that axis.

        m + t_{n−1} / √n · S^½ u,   |u| = 1

    m is the mean and S the covariance over seeds. Each interval holds its mean at the level, the ellipse both at once
    less often. (One that holds both at the level, by Hotelling's T², needs three seeds and is six times as wide there.)

    Args:
        across: a figure of each seed, at least two.
        up: another figure of the same seeds.
        level: of the intervals.

    Raises:
        BadInput: there are fewer than two seeds, or not equally many values on both axes.
    """
    if len(across) != len(up) or len(across) < 2:
        raise BadInput(f"a region needs both figures of at least two seeds, got {len(across)} and {len(up)}")
    values = np.array([across, up], float)
    scales, directions = np.linalg.eigh(np.cov(values))
    root = (directions * np.sqrt(np.maximum(scales, 0.0))) @ directions.T
    turns = np.linspace(0.0, 2 * np.pi, CORNERS, endpoint=False)
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return values.mean(1) + half_width(1.0, len(across), level) * circle @ root
