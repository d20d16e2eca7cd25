"""Figures as aligned plain text, for the terminal."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from seqgans.report.figures import (
    ARROWS,
    MISSING,
    OUTSIDE,
    apart,
    best_of,
    better,
    direction_of,
    error,
    is_of_samples,
    legend_of_marks,
    marks,
    mean_of,
    number,
    ordered,
    over_seeds,
    p_of,
    shown_of,
    spread_of,
    written,
)

BARS = "▁▂▃▄▅▆▇█"


def table(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    """Columns of equal width, the first to the left and the others to the right, two spaces between them.

    >>> print(table([["a", "1.00"], ["long", "10"]], ["name", "value"]))
    name  value
    ────  ─────
    a      1.00
    long     10
    """
    lines = [list(heads), *map(list, rows)]
    widths = [max(width(line[column]) for line in lines) for column in range(len(heads))]
    lines.insert(1, ["─" * wide for wide in widths])
    return "\n".join(
        "  ".join(
            padded(cell, wide, left=not column) for column, (cell, wide) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def comparison_table(comparison: Mapping[str, Any]) -> str:
    """Figures of systems side by side: mean ± spread over seeds, stars of the p-value, the best in [brackets].

    Of single runs the best is in brackets only where it is best by more than twice the error of the difference.

    Args:
        comparison: as `report.page` describes it.
    """
    systems = comparison["systems"]
    baseline = comparison.get("baseline")
    most = over_seeds(systems)
    rows = []
    for name in ordered([system.get("figures", {}) for system in systems], comparison.get("figures_order", ())):
        figures = {system["name"]: system.get("figures", {}).get(name) for system in systems}
        direction = direction_of(name, figures.values())
        best = best_of(figures, direction, most > 1)
        cells = [compared(figure, best=system == best, seeds=most > 1) for system, figure in figures.items()]
        rows.append([f"{written(name)} {ARROWS[direction]}".rstrip(), *cells])
    names = [f"{system['name']} (baseline)" if system["name"] == baseline else system["name"] for system in systems]
    cells = [cell for row in rows for cell in row[1:]]
    notes = ["[best of the row]"] if any("[" in cell for cell in cells) else []
    if any("±" in cell for cell in cells):
        notes.append(f"± spread over {most} seeds" if most > 1 else "± standard error")
    notes += [OUTSIDE] if any("(±" in cell for cell in cells) else []
    if any(marks(p_of(figure)) for system in systems for figure in system.get("figures", {}).values() if figure):
        notes += legend_of_marks(systems, baseline)
    notes += [MISSING] if any(cell.strip() == "–" for cell in cells) else []
    return "\n\n".join((table(rows, ["", *names]), *(["; ".join(notes)] if notes else [])))


def compared(figure: Mapping[str, Any] | None, best: bool, seeds: bool = False) -> str:
    """One cell of a comparison; errors of samples beside spreads over seeds are in parentheses.

    Its last columns are kept for brackets and signs, so that the numbers align.
    """
    value = shown_of(figure)
    if figure is None or value is None:
        return "–    "
    stars = marks(p_of(figure), figure.get("kind"))
    text = with_error(value, spread_of(figure))
    if seeds and is_of_samples(figure) and math.isfinite(value):
        text = text.replace("± ", "(± ") + ")"
    return f"{f'[{text}]' if best else f'{text} '}{stars:<3}"


def before_after(
    columns: Mapping[str, Mapping[str, Any]], order: Sequence[str] = (), marked: tuple[str, str] | None = None
) -> str:
    """Figures of a few moments or systems, one column each, and whether the last is better than the first.

    Args:
        columns: figures by heading: {"maximum likelihood": …, "after the game": …}.
        order: figures to show, in this order; empty for all.
        marked: headings of the columns that the last column of words compares; the first and last where missing.
    """
    heads = list(columns)
    first, last = marked or (heads[0], heads[-1])
    rows = []
    for name in ordered(columns.values(), order):
        direction = better(name)
        cells = [with_error(shown_of(columns[head].get(name)), spread_of(columns[head].get(name))) for head in heads]
        words = verdict(columns[first].get(name), columns[last].get(name), direction) if first != last else ""
        rows.append([f"{written(name)} {ARROWS[direction]}".rstrip(), *cells, words])
    missing = any("–" in row[1:-1] for row in rows)
    return table(rows, ["", *heads, ""]) + (f"\n\n{MISSING}" if missing else "")


def verdict(before: Any, after: Any, direction: str | None) -> str:
    """Whether a figure got better or worse by more than twice the error of the difference; blank without errors."""
    old, new = mean_of(before), mean_of(after)
    if direction is None or old is None or new is None or old == new:
        return ""
    if spread_of(before) is None or spread_of(after) is None:
        return ""
    if not apart(before, after):
        return "within error"
    return "better" if (new < old) == (direction == "lower") else "worse"


def figures_table(figures: Mapping[str, Any], order: Sequence[str] = ()) -> str:
    """Figures of one thing: name, direction, mean ± error."""
    rows = [
        [
            f"{written(name)} {ARROWS[better(name)]}".rstrip(),
            with_error(shown_of(figures[name]), spread_of(figures[name])),
        ]
        for name in ordered([figures], order)
    ]
    return table(rows, ["", "value"])


def with_error(value: float | None, spread: float | None) -> str:
    """A number and its error, where it has one.

    >>> with_error(9.0371, 0.0213), with_error(0.25, None), with_error(None, None)
    ('9.037 ± 0.021', '0.2500', '–')
    """
    text = number(value, spread)
    return f"{text} ± {error(spread)}" if value is not None and math.isfinite(value) and error(spread) else text


def sparkline(values: Sequence[float]) -> str:
    """A curve in one line of text.

    >>> sparkline([3.0, 2.0, 1.0, 1.5])
    '█▅▁▃'
    """
    if not values:
        return ""
    low, high = min(values), max(values)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((value - low) * scale)] for value in values)


def width(text: str) -> int:
    """Columns a text takes in a terminal: two for a wide character, none for one that joins the last."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def padded(text: str, wide: int, left: bool) -> str:
    """A text filled up with spaces."""
    space = " " * (wide - width(text))
    return f"{text}{space}" if left else f"{space}{text}"
