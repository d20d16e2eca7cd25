"""What tunes are made of: how often each pitch, each interval and each duration occurs, beside real tunes.

A token is the key that sounds at one moment, so a note that is held is one pitch several times: durations are runs of a
pitch, in steps, and intervals lead from one run to the next. The runs at either end of a window may be cut.

References: Yang and Lerch (2020), "On the evaluation of generative models in music".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from seqgans.evaluation.base import Evidence, Lists, Metric
from seqgans.evaluation.figure import Figure


def pitches_of(row: Sequence[int]) -> np.ndarray:
    """The pitch at each step."""
    return np.asarray(row, np.int64)


def intervals_of(row: Sequence[int]) -> np.ndarray:
    """Semitones from each note to the next, upwards positive.

    >>> intervals_of([60, 60, 64, 62]).tolist()
    [4, -2]
    """
    steps = np.diff(pitches_of(row))
    return steps[steps != 0]


def durations_of(row: Sequence[int]) -> np.ndarray:
    """Steps that each note is held.

    >>> durations_of([60, 60, 64, 62]).tolist()
    [2, 1, 1]
    """
    changes = np.flatnonzero(np.diff(pitches_of(row))) + 1
    return np.diff(np.concatenate([[0], changes, [len(row)]])) if len(row) else np.zeros(0, np.int64)


KINDS: Mapping[str, Callable[[Sequence[int]], np.ndarray]] = {
    "pitch": pitches_of,
    "interval": intervals_of,
    "duration": durations_of,
}


def total_variation(one: np.ndarray, other: np.ndarray) -> float:
    """½ Σ_x |p(x) − q(x)| of the relative frequencies of two lists of whole numbers, in [0, 1].

    >>> total_variation(np.array([1, 1, 2, 2]), np.array([2, 3]))
    0.5

    Where one of them is empty and the other is not, it is 1.
    """
    values, places = np.unique(np.concatenate([one, other]), return_inverse=True)
    shares = [
        np.bincount(part, minlength=len(values)) / max(1, len(part))
        for part in (places[: len(one)], places[len(one) :])
    ]
    if not len(one) or not len(other):
        return float(bool(len(values)))
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def histograms(tunes: Lists, real: Lists) -> dict[str, Figure]:
    """Total variation of pitches, intervals and durations between two sets of tunes, in [0, 1]; lower is closer.

    Args:
        tunes: pitches in semitones, one step a number.
        real: the same of held-out tunes.
    """
    found = {}
    for name, values_of in KINDS.items():
        sides = [np.concatenate([np.zeros(0, np.int64), *map(values_of, side)]) for side in (tunes, real)]
        details = {"values": len(sides[0]), "references": len(real)}
        found[f"music_{name}"] = Figure(value=total_variation(*sides), count=len(tunes), details=details)
    return found


def of_evidence(evidence: Evidence) -> dict[str, Figure]:
    """Samples beside references; train beside references, or one half of these beside the other."""
    notes = np.asarray(evidence.notes)
    real = [notes[row].tolist() for row in evidence.part("references")[: evidence.count]]
    figures = histograms([notes[row].tolist() for row in evidence.drawn[: evidence.count]], real)
    train = [notes[row].tolist() for row in evidence.part("train")[: evidence.count]] if evidence.has("train") else None
    floor = histograms(real[::2], real[1::2]) if train is None else histograms(train, real)
    return {**figures, **{f"real_{name}": figure for name, figure in floor.items()}}


METRICS = tuple(
    Metric(
        name=f"music_{name}",
        description=f"how differently often each {name} occurs in samples and in real tunes (total variation)",
        paper="Yang and Lerch",
        year=2020,
        unit="0 to 1",
        better="lower",
        needs=frozenset({"samples", "references", "notes"}),
        sizes="the first `count` samples and references",
        by_size=True,
        floor=f"real_music_{name}, of train and references, else of two halves of these",
        compute=lambda evidence, name=name: {
            kind: figure
            for kind, figure in evidence.once("music", lambda: of_evidence(evidence)).items()
            if kind.endswith(f"music_{name}")
        },
    )
    for name in KINDS
)
