"""A measured number with how far it can be trusted and what it was measured on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A mean over independent things, its standard error and how it came about.

    Attributes:
        value: the mean, in the unit of its metric.
        standard_error: estimated deviation of `value` over repetitions, None where it is not known.
        count: how many things `value` is the mean of.
        details: sample sizes, smoothing and whatever else another number must share to be comparable.
    """

    value: float
    standard_error: float | None = None
    count: int = 1
    details: Mapping[str, int | float | str] = field(default_factory=dict)

    @classmethod
    def of(cls, values: np.ndarray | Sequence[float], **details: int | float | str) -> Figure:
        """Mean of values that are independent of each other, with the standard error σ̂/√n.

        >>> print(Figure.of([1.0, 2.0, 3.0]))
        2 ± 0.58 (n = 3)
        """
        values = np.asarray(values, np.float64)
        return cls.ratio(values, np.ones_like(values), **details)

    @classmethod
    def ratio(cls, totals: np.ndarray, sizes: np.ndarray, **details: int | float | str) -> Figure:
        """Σ totals / Σ sizes over independent pairs: a mean per token of sequences that differ in length.

            SE = √( Σ_i (x_i − r n_i)² / (N (N − 1)) ) / n̄      (the delta method; σ̂/√N where all n_i are 1)

        Args:
            totals: x_i, what each sequence adds up to.
            sizes: n_i, what each is divided by.
            details: what the figure was measured on.
        """
        count, whole = len(totals), float(np.sum(sizes))
        if not count or not whole:
            return cls(value=math.nan, count=count, details=details)
        value = float(np.sum(totals)) / whole
        error = None
        if count > 1 and math.isfinite(value):
            squares = float(np.sum((totals - value * sizes) ** 2))
            error = math.sqrt(squares / (count * (count - 1))) / (whole / count)
        return cls(value=value, standard_error=error, count=count, details=details)

    @property
    def deviation(self) -> float | None:
        """Standard deviation of a single one of the things averaged: the spread over seeds, for instance."""
        return None if self.standard_error is None else self.standard_error * math.sqrt(self.count)

    def to_dict(self) -> dict[str, object]:
        """As plain facts."""
        return {"value": self.value, "standard_error": self.standard_error, "count": self.count, **self.details}

    def __str__(self) -> str:
        error = "" if self.standard_error is None else f" ± {self.standard_error:.2g}"
        return f"{self.value:.4g}{error} (n = {self.count})"
