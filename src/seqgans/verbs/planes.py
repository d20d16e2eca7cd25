"""Curves in a plane of quality and diversity: the area between two of them, and diversity at matched quality."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from seqgans.evaluation import Figure
from seqgans.evaluation.sweep import Curve, Point, area_between

Rows = Sequence[Mapping[str, float]]
"""A sweep: one row a setting, with `temperature`, where they are used `top_k` and `top_p`, and figures."""

PLANES = (
    {"x": "nll_oracle", "y": "nll_gen"},
    {"x": "bleu_5", "y": "self_bleu_5"},
    {"x": "lm_kn", "y": "reverse_lm_kn"},
)
RISING = ("bleu_5",)  # qualities of a plane that rise


def beside(axes: Mapping[str, str], sweeps: Mapping[str, Rows], baseline: str) -> dict[str, Any]:
    """A plane, with what tells the other curves in it from the baseline's."""
    others = {name: rows for name, rows in sweeps.items() if name != baseline and has_axes(rows, axes)}
    plain = plain_of(sweeps[baseline], axes)
    return {
        **axes,
        "at": None if plain is None else {"quality": plain[axes["x"]], "baseline": plain[axes["y"]]},
        "areas": {name: area(rows, sweeps[baseline], axes) for name, rows in others.items()},
        "matched": {name: matched(rows, sweeps[baseline], axes) for name, rows in others.items()},
    }


def has_axes(rows: Rows, axes: Mapping[str, str]) -> bool:
    """Whether a sweep has both axes."""
    return any(axes["x"] in row and axes["y"] in row for row in rows)


def curve_of(rows: Rows, axes: Mapping[str, str]) -> Curve:
    """The points of a sweep that have both axes, by quality."""
    usable = [row for row in rows if math.isfinite(row.get(axes["x"], math.nan) + row.get(axes["y"], math.nan))]
    points = [
        Point(
            inverse_temperature=1 / row["temperature"] if row["temperature"] else math.inf,
            figures={name: Figure(value=row[name]) for name in axes.values()},
        )
        for row in usable
    ]
    return Curve.of(points, axes["x"], axes["y"], higher_is_better=axes["x"] in RISING)


def area(rows: Rows, baseline: Rows, axes: Mapping[str, str]) -> float | None:
    """Area between two curves in a plane, negative where the first lies below; None where they share no quality."""
    return area_between(curve_of(rows, axes), curve_of(baseline, axes))


def matched(rows: Rows, baseline: Rows, axes: Mapping[str, str]) -> dict[str, float] | None:
    """Diversity of a sweep at the quality that the baseline has as it is, at temperature 1 and without truncation.

    It is read between points of the sweep, never beyond the best and the worst of them: nobody knows how diverse a
    system would be at a quality that it was not seen at. Where a better point is more diverse as well, that one counts.

    Returns:
        That quality, the diversity there (`diversity`) and the baseline's (`baseline`); None where the baseline was not
        drawn from as it is, or the quality lies outside of the curve.

    >>> swept = [{"temperature": t, "q": 3.0 + t, "d": 2.0 - t} for t in (0.5, 1.5)]
    >>> matched(swept, [{"temperature": 1.0, "q": 4.0, "d": 1.8}], {"x": "q", "y": "d"})
    {'quality': 4.0, 'diversity': 1.0, 'baseline': 1.8}
    """
    plain = plain_of(baseline, axes)
    if plain is None:
        return None
    quality = plain[axes["x"]]
    seen = [row[axes["x"]] for row in rows if has_axes([row], axes) and math.isfinite(row[axes["x"]])]
    curve = curve_of(rows, axes)
    if not len(curve.quality) or not min(seen) <= quality <= max(seen):
        return None
    signed = -quality if axes["x"] in RISING else quality
    found = curve.diversity_at(min(signed, float(curve.quality[-1])))
    return None if found is None else {"quality": quality, "diversity": found, "baseline": plain[axes["y"]]}


def plain_of(rows: Rows, axes: Mapping[str, str]) -> Mapping[str, float] | None:
    """The point of a sweep that was drawn from the law as it is, where it has both figures."""
    return next((row for row in rows if is_plain(row) and has_axes([row], axes)), None)


def is_plain(row: Mapping[str, float]) -> bool:
    """Whether a point was drawn from the law as it is."""
    return math.isclose(row["temperature"], 1.0) and not {"top_k", "top_p"} & row.keys()
