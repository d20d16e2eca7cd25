"""From the events of runs to charts: learning curves, what training showed."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seqgans.report.charts import Axis, Dot, Line, axis, chart, reading
from seqgans.report.figures import error, mean_of, meaning, number, written

Plain = Mapping[str, Any]

STEPS = "updates"
GAME = ("pretrained", "game", "final")  # stages whose values set the height of a learning curve
FEW, MANY = 2, 200  # points that make a curve; points beyond which neighbours are averaged


def learning_curves(systems: Sequence[Plain], order: Iterable[str] = ()) -> list[str]:
    """A chart for each figure of the evaluations: seeds thin, their mean thick; what was measured once is no curve.

    Args:
        systems: as `report.page` describes them.
        order: figures, the important ones first; those it leaves out follow.
    """
    names = dict.fromkeys(order)
    names |= dict.fromkeys(name for system in systems for line in evaluations(system) for name in line["figures"])
    charts = []
    for name in names:
        lines = [line for hue, system in enumerate(systems) for line in learning(system, name, hue)]
        if lines:
            x = axis(STEPS, [dot.x for line in lines for dot in line.dots])
            charts.append(chart(written(name), x, height(systems, name), lines, about=meaning(name)))
    return charts


def curved(systems: Sequence[Plain]) -> tuple[dict[int, str], list[str]]:
    """The systems that have a learning curve, by the number of their colour, and those that were measured only once."""
    judged = {hue: system for hue, system in enumerate(systems) if evaluations(system)}
    names = {
        hue: system["name"]
        for hue, system in judged.items()
        if any(learning(system, name, hue) for line in evaluations(system) for name in line["figures"])
    }
    return names, [system["name"] for hue, system in judged.items() if hue not in names]


def evaluations(system: Plain) -> list[Plain]:
    """The lines of all runs of a system that hold an evaluation."""
    return [
        line for run in system.get("runs", ()) for line in run.get("events", ()) if line.get("kind") == "evaluation"
    ]


def learning(system: Plain, name: str, hue: int) -> list[Line]:
    """The lines of one figure of one system."""
    runs = [curve for run in system.get("runs", ()) if (curve := track(run, name))]
    who = system["name"]
    if max(map(len, runs), default=0) < FEW:
        return []
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
    read = f"{written(name)} {number(mean)} ± {error(statistics.stdev(values)) or 0} (update {step:.0f})"
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
