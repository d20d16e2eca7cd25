"""Tested: the figures of systems against those of a baseline, and what a reader must know of the p-values.

p-values of a figure pair the seeds that both systems have; with one common seed or none, they compare the samples of
one run each, and say nothing about other seeds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from seqgans.evaluation import METRICS, Figure
from seqgans.evaluation.significance import Comparison, holm, paired_t, welch_from
from seqgans.report.figures import metric_of, written
from seqgans.verbs.systems import System


def tested(system: System, baseline: System) -> list[dict[str, Any]]:
    """A test of every figure that both have, where no run of either is infinite.

    Figures whose value depends on the number of samples are left out where that number differs.
    """
    found = []
    for name in system.figure_names():
        ours, theirs = system.by_seed(name), baseline.by_seed(name)
        seeds = sorted(seed for seed in set(ours) & set(theirs) if seed is not None)
        finite = all(math.isfinite(figure.value) for figure in (*ours.values(), *theirs.values()))
        outcome = outcome_of(ours, theirs, seeds) if finite else None
        if outcome is not None and len(sizes_of(system, name) | sizes_of(baseline, name)) < 2:
            found.append(
                {
                    "figure": name,
                    "system": system.name,
                    "baseline": baseline.name,
                    "test": outcome.test,
                    "kind": outcome.kind,
                    "difference": outcome.difference,
                    "p_value": outcome.p_value,
                    "seeds": seeds if outcome.kind == "between-run" else seeds[:1],
                }
            )
    return found


def sizes_of(system: System, name: str) -> set[int]:
    """How many samples a figure is of in the runs of a system; empty where its value does not depend on that."""
    metric = METRICS.get(metric_of(name.removeprefix("real_")) or "")
    if metric is None or not metric.by_size:
        return set()
    return {metric.compared(moment.size) for moment in system.moments if name in moment.figures}


def equal(systems: Sequence[System], short: tuple[int, str] | None) -> list[str]:
    """A line on the figures that see as few samples of everyone as the shortest file has."""
    if short is None:
        return []
    names = [name for system in systems for name in system.figure_names() if sizes_of(system, name)]
    metrics = dict.fromkeys(written(metric_of(name.removeprefix("real_")) or name) for name in names)
    count, file = short
    return [f"of {count} samples of each, as many as {file} has: {', '.join(metrics)}"] if metrics else []


def uneven(systems: Sequence[System], baseline: System) -> list[str]:
    """A line on the figures that cannot be compared with the baseline's, since they are of other numbers of samples."""
    found: dict[tuple[str, ...], dict[str, None]] = {}
    for name in baseline.figure_names():
        sizes = {system.name: sizes_of(system, name) for system in systems}
        if len(set().union(*sizes.values())) > 1 and sizes[baseline.name]:
            told = tuple(f"{who}: {', '.join(map(str, sorted(sizes[who])))}" for who in sizes if sizes[who])
            found.setdefault(told, {})[written(metric_of(name.removeprefix("real_")) or name)] = None
    return [
        f"not tested where the numbers of samples differ, on which they depend: {', '.join(names)} ({'; '.join(told)})"
        for told, names in found.items()
    ]


def outcome_of(
    ours: Mapping[int | None, Figure], theirs: Mapping[int | None, Figure], seeds: Sequence[int]
) -> Comparison | None:
    """Paired over common seeds; with fewer than two, of the samples of one run each; None if neither can be."""
    if len(seeds) > 1:
        return paired_t([ours[seed].value for seed in seeds], [theirs[seed].value for seed in seeds])
    if not ours or not theirs:
        return None
    one, other = (
        (ours[seeds[0]], theirs[seeds[0]]) if seeds else (next(iter(ours.values())), next(iter(theirs.values())))
    )
    if one.standard_error is None or other.standard_error is None or min(one.count, other.count) < 2:
        return None
    return welch_from(one, other)


def corrected(tests: Sequence[dict[str, Any]]) -> None:
    """Add Holm's p-value, over the systems that one figure compares with the baseline."""
    for name in {test["figure"] for test in tests}:
        group = [test for test in tests if test["figure"] == name]
        for test, p_value in zip(group, holm([test["p_value"] for test in group]), strict=True):
            test["p_holm"] = p_value


def notes(tests: Sequence[Mapping[str, Any]], baseline: System, plane: Mapping[str, str] | None) -> list[str]:
    """What a reader must know about the tests and curves."""
    kinds = {test["kind"] for test in tests}
    found = []
    if "between-run" in kinds:
        found.append(f"p-values against {baseline.name}: paired t-test over common seeds, Holm over systems.")
    if "within-run" in kinds:
        found.append(
            f"p-values against {baseline.name} from one run each: Welch's t-test on samples, Holm over systems. "
            "They say that two generators differ, not that two methods do: train more seeds."
        )
    if plane:
        found.append(
            "A system is better only where its whole curve lies below: any point can be reached by temperature."
        )
    return found
