"""Tested: the figures of systems against those of a baseline, and what a reader must know of the p-values.

p-values of a figure pair the seeds that both systems have; with one common seed or none, they compare the samples of
one run each, and say nothing about other seeds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from seqgans.evaluation import Figure
from seqgans.evaluation.significance import Comparison, holm, paired_t, welch_from
from seqgans.verbs.systems import System


def tested(system: System, baseline: System) -> list[dict[str, Any]]:
    """A test of every figure that both have, where no run of either is infinite."""
    found = []
    for name in system.figure_names():
        ours, theirs = system.by_seed(name), baseline.by_seed(name)
        seeds = sorted(seed for seed in set(ours) & set(theirs) if seed is not None)
        finite = all(math.isfinite(figure.value) for figure in (*ours.values(), *theirs.values()))
        outcome = outcome_of(ours, theirs, seeds) if finite else None
        if outcome is not None:
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
