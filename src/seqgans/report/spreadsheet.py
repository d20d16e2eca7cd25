"""Rows as CSV that a spreadsheet opens without taking text for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for one


def as_csv(heads: Sequence[str], rows: Iterable[Sequence[str | int | float | None]]) -> str:
    r"""Heads and rows; a text that a spreadsheet would take for a formula has an apostrophe before it.

    >>> as_csv(["figure", "mean"], [["=cmd", -0.5], ["jsd", None]])
    "figure,mean\n'=cmd,-0.5\njsd,\n"
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in (heads, *rows):
        writer.writerow([f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell for cell in row])
    return out.getvalue()
