"""Histograms of tunes by counting, and what they see: other keys, other steps, other rhythms."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise

import numpy as np
import pytest
from scipy.spatial.distance import cityblock

from seqgans.evaluation import Evidence, measure
from seqgans.evaluation.melody import durations_of, histograms, intervals_of, total_variation

NAMES = ["music_pitch", "music_interval", "music_duration"]


def tunes(seed: int, rows: int, held: int = 3) -> list[list[int]]:
    random = np.random.default_rng(seed)
    found = []
    for _ in range(rows):
        notes = 40 + np.cumsum(random.choice([-2, -1, 1, 2, 4], 32))
        found.append(np.repeat(notes, random.integers(1, held + 1, 32))[:32].tolist())
    return found


def test_against_counting() -> None:
    """Kills: intervals of held notes, runs across tunes, the last run left out, frequencies of one side only."""
    one, other = tunes(0, 20), tunes(1, 30, 4)
    found = histograms(one, other)
    for name, kinds in {
        "music_pitch": lambda row: row,
        "music_interval": lambda row: [b - a for a, b in pairwise(row) if a != b],
        "music_duration": lambda row: [len(list(run)) for _, run in groupby(row)],
    }.items():
        counts = [Counter(value for row in side for value in kinds(row)) for side in (one, other)]
        keys = sorted(set(counts[0]) | set(counts[1]))
        laws = [np.array([count[key] for key in keys]) / count.total() for count in counts]
        assert found[name].value == pytest.approx(cityblock(*laws) / 2)
        assert found[name].details["values"] == counts[0].total()


def test_each_sees_what_it_is_called_after() -> None:
    real = tunes(2, 200)
    higher = [[pitch + 99 for pitch in row] for row in real]
    found = histograms(higher, real)
    assert [round(found[name].value, 3) for name in NAMES] == [1, 0, 0]
    slower = histograms([[pitch for pitch in row[:16] for _ in range(2)] for row in real], real)
    assert slower["music_duration"].value > 0.5
    assert slower["music_interval"].value < 0.1


def test_edges() -> None:
    assert durations_of([]).tolist() == intervals_of([5]).tolist() == []
    assert durations_of([5]).tolist() == [1]
    assert total_variation(np.array([]), np.array([])) == 0
    assert total_variation(np.array([]), np.array([1])) == 1


def test_real_tunes_stand_beside() -> None:
    for train in (tunes(5, 60), None):
        evidence = Evidence(samples=tunes(3, 60, 6), references=tunes(4, 60), train=train, notes=range(21, 200))
        found = measure(evidence, NAMES).flat()
        assert set(found) == {*NAMES, *(f"real_{name}" for name in NAMES)}
        assert found["music_duration"].value > 2 * found["real_music_duration"].value
