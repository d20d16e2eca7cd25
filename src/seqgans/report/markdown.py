"""Tables in Markdown, and means over runs as their cells."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, the first column to the left and the others to the right.

    >>> print(markdown(["system", "BLEU"], [["SeqGAN", "0.500"]]))
    | system | BLEU |
    | --- | ---: |
    | SeqGAN | 0.500 |
    """
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, rule, *rows))


def cell(values: Sequence[float | None], digits: int = 3) -> str:
    """Mean ± standard deviation, the one value, or nothing.

    >>> cell([1.0, 2.0]), cell([1.5]), cell([None])
    ('1.500 ± 0.707', '1.500', '')
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return f"{known[0]:.{digits}f}" if known else ""
    return f"{statistics.mean(known):.{digits}f} ± {statistics.stdev(known):.{digits}f}"
