"""Random tokens: the lower end of every table.

Paper                     Code                                  Shape, equation
y_t ~ Unif(V)             generator "uniform"                   NLL of any sequence: log V a token

Nothing is learnt, so there is no phase.

Departures: none. The paper's figure of 10.310 is not that of uniform tokens under its own oracle file (11.43); it lies
near an ideal unigram model (10.28).

References: Yu, Zhang, Wang and Yu (2017), arXiv:1609.05473, Table 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from seqgans.algorithms.base import Players, Schedule


@dataclass(frozen=True, kw_only=True)
class Random:
    """Settings of the random baseline: it has none."""

    generator: ClassVar[str] = "uniform"
    discriminator: ClassVar[str | None] = None
    paper: ClassVar[str] = "baseline of Yu, Zhang, Wang and Yu 2017"

    def schedule(self) -> Schedule:
        """Nothing happens."""
        return Schedule()

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """No further players."""
        return {}
