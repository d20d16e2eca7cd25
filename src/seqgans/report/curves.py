"""From the events and sweeps of runs to charts: learning curves, the quality-diversity plane, what training showed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seqgans.evaluation.regions import LEVEL, half_width, region
from seqgans.report.charts import Axis, Dot, Line, axis, chart, reading
from seqgans.report.figures import better, error, mean_of, meaning, number, with_errors, written

Plain = Mapping[str, Any]

STEPS = "updates"
GAME = ("pretrained", "game", "final")  # stages whose values set the height of a learning curve
PLANES = (("nll_oracle", "nll_gen"), ("bleu_5", "self_bleu_5"), ("bleu_4", "self_bleu_4"), ("lm_kn", "reverse_lm_kn"))
REACH = 4.0  # how far above the lowest point a plane reaches, in distances of the median: the rest would flatten it
LISTED = 8  # points outside a plane that are named
FEW, MANY = 2, 200  # points that make a curve; points beyond which neighbours are averaged
AS_IT_IS = (1.0, math.inf, 1.0)  # temperature, top-k, top-p
HINT = "lower left is better"  # where quality rises its axis runs backwards


def learning_curves(systems: Sequence[Plain], order: Iterable[str] = ()) -> list[str]:
    """A chart for each figure of the evaluations: seeds thin, their mean thick.

    Args:
        systems: as `report.page` describes them.
        order: figures, the important ones first; those it leaves out follow.
    """
    names = dict.fromkeys(order)
    names |= dict.fromkeys(name for system in systems for line in evaluations(system) for name in line["figures"])
    charts = []
    for name in names:
        lines = [line for hue, system in enumerate(systems) for line in learning(system, name, hue)]
        if lines and max(len(line.dots) for line in lines) >= FEW:
            x = axis(STEPS, [dot.x for line in lines for dot in line.dots])
            charts.append(chart(written(name), x, height(systems, name), lines, about=meaning(name)))
    return charts


def evaluations(system: Plain) -> list[Plain]:
    """The lines of all runs of a system that hold an evaluation."""
    return [
        line for run in system.get("runs", ()) for line in run.get("events", ()) if line.get("kind") == "evaluation"
    ]


def learning(system: Plain, name: str, hue: int) -> list[Line]:
    """The lines of one figure of one system."""
    runs = [curve for run in system.get("runs", ()) if (curve := track(run, name))]
    who = system["name"]
    if len(runs) < 2:
        return [Line(name=who, hue=hue, dots=list(curve.values())) for curve in runs]
    thin = [
        Line(name=f"{who}, seed {run.get('seed', '?')}", hue=hue, dots=list(curve.values()), thin=True)
        for run, curve in zip((run for run in system["runs"] if track(run, name)), runs, strict=True)
    ]
    shared = [key for key in runs[0] if all(key in curve for curve in runs)]
    mean = [averaged([curve[key] for curve in runs], name) for key in shared]
    return [*thin, Line(name=f"{who}, mean of {len(runs)} seeds", hue=hue, dots=mean)]


def track(run: Plain, name: str) -> dict[tuple[Any, ...], Dot]:
    """The evaluations of a run by where in the schedule they were made, which is what runs share."""
    found = {}
    for line in run.get("events", ()):
        value = mean_of(line.get("figures", {}).get(name)) if line.get("kind") == "evaluation" else None
        if value is None:
            continue
        stage, round_, gathering = line.get("stage", ""), line.get("round", 0), line.get("gathering", 0)
        key = (stage, round_, gathering) if stage in ("pretraining", "game") else (stage,)
        where = f"{stage}{f', round {round_}' if round_ else ''}, update {line.get('step', 0)}"
        read = f"{reading(written(name), value)} ({where})"
        found[key] = Dot(x=float(line.get("step", 0)), y=value, read=read, ring=stage == "pretrained")
    return found


def averaged(dots: Sequence[Dot], name: str) -> Dot:
    """The mean of the same evaluation of several seeds."""
    values = [dot.y for dot in dots]
    step, mean = statistics.mean(dot.x for dot in dots), statistics.mean(values)
    read = f"{written(name)} {number(mean)} ± {error(statistics.stdev(values))} (update {step:.0f})"
    return Dot(x=step, y=mean, read=read, ring=dots[0].ring)


def height(systems: Sequence[Plain], name: str) -> Axis:
    """The vertical axis of a learning curve: the game fills it; of pre-training, what is near enough."""
    whole = [value for system in systems for line in evaluations(system) for value in values_of(line, name)]
    game = [
        value
        for system in systems
        for line in evaluations(system)
        if line.get("stage") in GAME
        for value in values_of(line, name)
    ]
    if not game or len(game) == len(whole):
        return axis(written(name), game or whole)
    span = max(max(game) - min(game), 0.02 * abs(max(game)))
    near = [value for value in whole if min(game) - span <= value <= max(game) + span]
    return axis(written(name), near)


def values_of(line: Plain, name: str) -> list[float]:
    """The value of a figure in an evaluation, in a list that is empty where it has none."""
    value = mean_of(line["figures"].get(name))
    return [] if value is None else [value]


def plane(systems: Sequence[Plain], axes: Mapping[str, str] | None = None, baseline: str | None = None) -> str:
    """The quality-diversity plane: a curve a system, a point a setting; empty where there is no sweep.

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
        return ""
    lines, fixed = [], anchors(systems, baseline, across, up)
    for hue, system in enumerate(systems):
        dots = [
            swept(row, across, up, by_seed(system, knobs(row), across, up, fixed), errors)
            for row, errors in sorted(with_errors(system), key=lambda pair: knobs(pair[0]))
        ]
        if present := [dot for dot in dots if dot is not None]:
            lines.append(Line(name=system["name"], hue=hue, dots=present))
    if not lines:
        return ""
    every = [dot for line in lines for dot in line.dots]
    far = reach([dot.x for dot in every]), reach([dot.y for dot in every])
    near = [dot for dot in every if dot.x <= far[0] and dot.y <= far[1]] or every
    backwards = better(across) == "higher"
    x = axis(f"{written(across)} {'← better' if backwards else ''}".rstrip(), [dot.x for dot in near], backwards)
    y = axis(written(up), [dot.y for dot in near])
    about = "each point is one setting, the ring is temperature 1"
    title = f"{written(up)} against {written(across)}"
    return chart(title, x, y, lines, hint=HINT, about=about, outside=cut_off(lines, x, y))


def cut_off(lines: Sequence[Line], x: Axis, y: Axis) -> str:
    """Which points a plane does not reach, and where they lie; empty where it reaches all."""
    far = [
        f"{line.name}, {dot.read}"
        for line in lines
        for dot in line.dots
        if not (0 <= x.share(dot.x) <= 1 and 0 <= y.share(dot.y) <= 1)
    ]
    if not far:
        return ""
    more = f"; and {len(far) - LISTED} more" if len(far) > LISTED else ""
    count = "1 point lies" if len(far) == 1 else f"{len(far)} points lie"
    return f"{count} outside: {'; '.join(far[:LISTED])}{more}"


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
        known = [error((errors or {}).get(name)) for name in (across, up)]
        texts = [f"{text} ± {spread}" if spread else text for text, spread in zip(shown, known, strict=True)]
        return Dot(x=x, y=y, read=f"{where}: {', '.join(texts)}", ring=ring)
    xs, ys = zip(*seeds.values(), strict=True)
    widths = [half_width(statistics.stdev(column), len(seeds)) for column in (xs, ys)]
    words = ", ".join(f"{text} ± {error(width)}" for text, width in zip(shown, widths, strict=True))
    middle = statistics.mean(xs), statistics.mean(ys)
    around = [(x + float(one) - middle[0], y + float(other) - middle[1]) for one, other in region(xs, ys)]
    read = f"{where}: {words} ({LEVEL:.0%}, {len(seeds)} seeds)"
    return Dot(x=x, y=y, read=read, ring=ring, around=around)


def reach(values: Sequence[float]) -> float:
    """How far a readable axis goes: a few values far above the median are left out."""
    low, middle = min(values), statistics.median(values)
    return low + REACH * (middle - low)


def training_curves(events: Iterable[Plain]) -> list[str]:
    """A chart for each figure of the gatherings of one run, a line a phase."""
    found: dict[str, dict[str, list[Dot]]] = {}
    phases: dict[str, int] = {}
    for line in events:
        if line.get("kind") != "gathering":
            continue
        phase = line.get("phase", "")
        phases.setdefault(phase, len(phases))
        for name, figure in line.get("figures", {}).items():
            value = mean_of(figure)
            if value is not None:
                dot = Dot(x=float(line.get("step", 0)), y=value, read=f"{number(value)} (update {line.get('step', 0)})")
                found.setdefault(name, {}).setdefault(phase, []).append(dot)
    charts = []
    for name, lines in found.items():
        drawn = [Line(name=phase, hue=phases[phase], dots=thinned(dots)) for phase, dots in lines.items()]
        if max(len(line.dots) for line in drawn) >= FEW:
            words = name.replace(".", ": ").replace("_", " ")
            every = [dot for line in drawn for dot in line.dots]
            x, y = axis(STEPS, [dot.x for dot in every]), axis(words, [dot.y for dot in every])
            charts.append(chart(words, x, y, drawn))
    return charts


def phases_of(events: Iterable[Plain]) -> list[str]:
    """The phases of a run in the order of their colours."""
    return list(dict.fromkeys(line.get("phase", "") for line in events if line.get("kind") == "gathering"))


def thinned(dots: Sequence[Dot]) -> list[Dot]:
    """At most so many points that a screen can show: means of as many neighbours as it takes."""
    step = -(-len(dots) // MANY)
    if step == 1:
        return list(dots)
    groups = [dots[first : first + step] for first in range(0, len(dots), step)]
    means = [(statistics.mean(dot.x for dot in group), statistics.mean(dot.y for dot in group)) for group in groups]
    return [Dot(x=x, y=y, read=f"{number(y)}, mean of {step} (update {x:.0f})") for x, y in means]
