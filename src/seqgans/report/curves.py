"""From sweeps to the plane of quality and diversity: a curve a system, a point a setting of decoding."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqgans.evaluation import METRICS
from seqgans.evaluation.regions import LEVEL, half_width, region
from seqgans.report.charts import Axis, Dot, Line, axis, chart, reading
from seqgans.report.figures import better, error, mean_of, metric_of, with_errors, written

Plain = Mapping[str, Any]

PLANES = (("nll_oracle", "nll_gen"), ("bleu_5", "self_bleu_5"), ("bleu_4", "self_bleu_4"), ("lm_kn", "reverse_lm_kn"))
REACH = 4.0  # how far above the lowest point a plane reaches, in distances of the median: the rest would flatten it
ABSURD = 12.0, 3.0  # in distances and in medians: a system is shown where it stands as it is, unless beyond both
BOUNDED = "0 to 1"  # the unit of figures of which nothing is absurd
LISTED = 8  # points outside a plane that are named
FEW = 2  # seeds that make a region
AS_IT_IS = (1.0, math.inf, 1.0)  # temperature, top-k, top-p
HINT = "lower left is better"  # where quality rises its axis runs backwards
BETTER = "← better"


@dataclass(frozen=True)
class Plane:
    """Curves between two axes.

    Attributes:
        x: quality.
        y: diversity.
        lines: a curve a system; what lies outside of the axes is cut off.
    """

    x: Axis
    y: Axis
    lines: Sequence[Line]

    def holds(self, dot: Dot) -> bool:
        """Whether a point lies between the axes."""
        return 0 <= self.x.share(dot.x) <= 1 and 0 <= self.y.share(dot.y) <= 1

    @property
    def seen(self) -> dict[int, str]:
        """The curves of which a point is drawn: names by the number of their colour."""
        return {line.hue: line.name for line in self.lines if any(map(self.holds, line.dots))}

    def outside(self) -> list[str]:
        """How many points are cut off and, line by line, which and where they lie; nothing where none is."""
        far = [f"{line.name}, {dot.read}" for line in self.lines for dot in line.dots if not self.holds(dot)]
        if len(far) < 2:
            return [f"1 point lies outside: {one}" for one in far]
        more = [f"and {len(far) - LISTED} more"] if len(far) > LISTED else []
        return [f"{len(far)} points lie outside", *far[:LISTED], *more]


def plane(systems: Sequence[Plain], axes: Mapping[str, str] | None = None, baseline: str | None = None) -> str:
    """The quality-diversity plane as a drawing; empty where there is no sweep. Arguments as of `plane_of`."""
    found = plane_of(systems, axes, baseline)
    return "" if found is None else drawing(found)


def drawing(plane: Plane) -> str:
    """A plane as a figure element."""
    about = "each point is one setting, the ring is temperature 1"
    title = f"{plane.y.name} against {plane.x.name.removesuffix(BETTER).rstrip()}"
    return chart(title, plane.x, plane.y, plane.lines, hint=HINT, about=about, outside=plane.outside())


def plane_of(
    systems: Sequence[Plain], axes: Mapping[str, str] | None = None, baseline: str | None = None
) -> Plane | None:
    """The quality-diversity plane: a curve a system, a point a setting; None where there is no sweep.

    Args:
        systems: as `report.page` describes them.
        axes: figures of both axes; found from what the sweeps hold where missing.
        baseline: the system that regions of confidence are paired with, seed by seed.
    """
    rows = [row for system in systems for row in system.get("sweep", ())]
    known = [pair for pair in PLANES if any(pair[0] in row and pair[1] in row for row in rows)]
    if axes is not None:
        across, up = axes["x"], axes["y"]
    elif known:
        across, up = known[0]
    else:
        return None
    lines, fixed = [], anchors(systems, baseline, across, up)
    for hue, system in enumerate(systems):
        dots = [
            swept(row, across, up, by_seed(system, knobs(row), across, up, fixed), errors)
            for row, errors in sorted(with_errors(system), key=lambda pair: knobs(pair[0]))
        ]
        if present := [dot for dot in dots if dot is not None]:
            lines.append(Line(name=system["name"], hue=hue, dots=present))
    if not lines:
        return None
    backwards = better(across) == "higher"
    name = f"{written(across)} {BETTER}" if backwards else written(across)
    usual = [as_it_is(line) for line in lines]
    far_x = reach(across, [[dot.x for dot in line.dots] for line in lines], [dot.x for dot in usual])
    far_y = reach(up, [[dot.y for dot in line.dots] for line in lines], [dot.y for dot in usual])
    every = [dot for line in lines for dot in line.dots]
    near = [dot for dot in every if dot.x <= far_x and dot.y <= far_y] or every
    return Plane(axis(name, [dot.x for dot in near], backwards), axis(written(up), [dot.y for dot in near]), lines)


def knobs(row: Plain) -> tuple[float, float, float]:
    """How a point was drawn: temperature, top-k, top-p."""
    return float(row["temperature"]), float(row.get("top_k") or math.inf), float(row.get("top_p", 1.0))


def setting_in_words(row: Plain) -> str:
    """The same for people.

    >>> setting_in_words({"temperature": 1.0, "top_k": 5})
    'temperature 1, top-k 5'
    """
    further = [f"{name.replace('_', '-')} {row[name]:g}" for name in ("top_k", "top_p") if name in row]
    return ", ".join([f"temperature {row['temperature']:.3g}", *further])


def shares_seeds(systems: Sequence[Plain], baseline: str | None) -> bool:
    """Whether every system with several swept seeds has at least two of them in common with the baseline."""
    seeds = {
        system["name"]: {run.get("seed") for run in system.get("runs", ()) if run.get("sweep")} for system in systems
    }
    several = [found for found in seeds.values() if len(found) >= FEW]
    return bool(several) and all(len(found & seeds.get(baseline or "", set())) >= FEW for found in several)


def anchors(systems: Sequence[Plain], baseline: str | None, across: str, up: str) -> dict[int, tuple[float, float]]:
    """Where each seed of the baseline stands as it is; empty where there is nothing to pair with."""
    if not shares_seeds(systems, baseline):
        return {}
    there = next(system for system in systems if system["name"] == baseline)
    return by_seed(there, AS_IT_IS, across, up)


def by_seed(
    system: Plain,
    setting: tuple[float, float, float],
    across: str,
    up: str,
    fixed: Mapping[int, tuple[float, float]] | None = None,
) -> dict[int, tuple[float, float]]:
    """Both figures of each seed of a system at a setting, where they are finite.

    Args:
        system: as `report.page` describes it.
        setting: temperature, top-k, top-p.
        across: one figure.
        up: the other.
        fixed: what is taken off each seed, of those that it names; nothing where it is empty.
    """
    found = {}
    for run in system.get("runs", ()):
        seed = run.get("seed")
        if fixed and seed not in fixed:
            continue
        away = fixed[seed] if fixed else (0.0, 0.0)
        for row in run.get("sweep", ()):
            x, y = mean_of(row.get(across)), mean_of(row.get(up))
            same = all(math.isclose(*pair, rel_tol=1e-6) for pair in zip(knobs(row), setting, strict=True))
            if same and x is not None and y is not None:
                found[seed] = (x - away[0], y - away[1])
    return found


def swept(
    row: Plain, across: str, up: str, seeds: Mapping[int, tuple[float, float]], errors: Plain | None = None
) -> Dot | None:
    """A point of a sweep, where it has both figures, and the region of confidence that its seeds allow around it.

    Standard errors of its samples, where they are known, are only told.
    """
    x, y, where = mean_of(row.get(across)), mean_of(row.get(up)), setting_in_words(row)
    if x is None or y is None:
        return None
    shown, ring = [reading(written(across), x), reading(written(up), y)], knobs(row) == AS_IT_IS
    if len(seeds) < FEW:
        known = [(errors or {}).get(name) for name in (across, up)]
        texts = [
            text if spread is None else f"{text} ± {error(spread) or 0}"
            for text, spread in zip(shown, known, strict=True)
        ]
        return Dot(x=x, y=y, read=f"{where}: {', '.join(texts)}", ring=ring)
    xs, ys = zip(*seeds.values(), strict=True)
    widths = [half_width(statistics.stdev(column), len(seeds)) for column in (xs, ys)]
    words = ", ".join(f"{text} ± {error(width) or 0}" for text, width in zip(shown, widths, strict=True))
    middle = statistics.mean(xs), statistics.mean(ys)
    around = [(x + float(one) - middle[0], y + float(other) - middle[1]) for one, other in region(xs, ys)]
    read = f"{where}: {words} ({LEVEL:.0%}, {len(seeds)} seeds)"
    return Dot(x=x, y=y, read=read, ring=ring, around=around)


def reach(name: str, values: Sequence[Sequence[float]], as_they_are: Sequence[float]) -> float:
    """How far a readable axis goes: a few values far above the median are left out, but no system as it is.

    Args:
        name: of the figure; one between 0 and 1 is shown whole.
        values: of each system.
        as_they_are: of each system one, at temperature 1 where it was drawn there.
    """
    every = [value for those in values for value in those]
    metric = metric_of(name)
    if metric is not None and METRICS[metric].unit == BOUNDED:
        return max(every)
    low, middle = min(every), statistics.median(every)
    edge = max(low + ABSURD[0] * (middle - low), ABSURD[1] * abs(middle))
    return max([low + REACH * (middle - low), *(value for value in as_they_are if value <= edge)])


def as_it_is(line: Line) -> Dot:
    """The point of a curve at temperature 1, where there is none one in its middle."""
    return next((dot for dot in line.dots if dot.ring), line.dots[len(line.dots) // 2])
