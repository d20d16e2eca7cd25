"""The planes of quality and diversity: curves, how to read them, and how far they lie from the baseline's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from seqgans.evaluation.regions import LEVEL
from seqgans.report.charts import HUES, legend
from seqgans.report.curves import drawing, plane_of, shares_seeds
from seqgans.report.figures import number, written
from seqgans.report.sections import section

Plain = Mapping[str, Any]


def plane_section(systems: Sequence[Plain], planes: Sequence[Plain], baseline: str | None = None) -> str:
    """Each plane with a legend of what is drawn, and below it a table of areas and of diversity at matched quality.

    Args:
        systems: as `report.page` describes them.
        planes: as there; where there are none, the axes are found from what the sweeps hold.
        baseline: whose curve the others are compared with.
    """
    hues = {system["name"]: hue for hue, system in enumerate(systems)}
    found = [(plane_of(systems, axes or None, baseline), axes) for axes in planes or [{}]]
    about = (
        "One curve a system, one point a setting of decoding, the ring at temperature 1. Any generator can be moved "
        "along its own curve by its temperature alone; a system is better where its whole curve lies lower and further "
        f"left. {regions_in_words(systems, baseline)}"
    )
    body = "".join(
        f'<div class="plane">{legend(plane.seen)}{drawing(plane)}</div>{distances(axes, baseline, hues)}'
        for plane, axes in found
        if plane is not None
    )
    return section("plane", "Quality and diversity", body, about)


def distances(plane: Plain, baseline: str | None, hues: Mapping[str, int]) -> str:
    """A table: the area between each curve and the baseline's, and diversity at the quality the baseline has."""
    areas, matched = plane.get("areas", {}), plane.get("matched", {})
    there = plane.get("at") or next((found for found in matched.values() if found), None)
    known = [name for name in areas if there or areas[name] is not None]
    if not known:
        return ""
    quality, diversity = written(plane["x"]), written(plane["y"])
    at = f"{diversity} where {quality} is {number(there['quality'])}" if there else f"{diversity} at matched quality"
    beside = f" ({baseline}: {number(there['baseline'])})" if there else ""
    heads = ("system", f"area to the curve of {baseline}", at + beside)
    rows = "".join(
        f'<tr><th scope="row"><span class="swatch hue-{hues.get(name, 0) % HUES}"></span>{escape(name)}</th>'
        f"<td>{area_in_words(areas[name])}</td><td>{at_matched(matched.get(name), there)}</td></tr>"
        for name in known
    )
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    return (
        '<div class="wide distances" tabindex="0" role="region" aria-label="Distances of curves">'
        f'<table class="settings"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def at_matched(found: Plain | None, there: Plain | None) -> str:
    """Diversity at matched quality, read between points of a curve alone.

    >>> at_matched({"diversity": 4.2}, {}), at_matched(None, {"quality": 5.0}), at_matched(None, None)
    ('4.200', 'outside the curve', '–')
    """
    return number(found["diversity"]) if found else "outside the curve" if there else "–"


def area_in_words(area: float | None) -> str:
    """A signed area and where the curve lies.

    >>> area_in_words(-0.25), area_in_words(None)
    ('−0.25, below', '–')
    """
    if area is None:
        return "–"
    return f"{area:+.3g}, {'below' if area < 0 else 'above'}".replace("-", "−")


def regions_in_words(systems: Sequence[Plain], baseline: str | None = None) -> str:
    """What the regions of the plane say, and who has none."""
    seeds = {str(system["name"]): sum(1 for run in system.get("runs", ()) if run.get("sweep")) for system in systems}
    alone = [name for name, count in seeds.items() if count == 1]
    fewer = [name for name, count in seeds.items() if count < 2]
    if len(fewer) == len(seeds):
        return "One seed says nothing of the next: no regions of confidence."
    without = f" None for {escape(', '.join(alone))}, with one seed." if alone else ""
    of = "the mean over seeds"
    if shares_seeds(systems, baseline):
        of = f"the mean difference to {escape(str(baseline))} at temperature 1, seed by seed"
    return (
        f"The shadow of an ellipse on either axis is the {LEVEL:.0%} confidence interval of {of} (Student's t); of two "
        f"seeds it is a line.{without}"
    )
