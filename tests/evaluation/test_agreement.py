"""Krippendorff's α against his own example, against the library, and at its limits.

Mutants killed: m_u instead of m_u − 1 (the example), n instead of n − 1 (the library), lone answers counted (padding).
"""

from __future__ import annotations

import random

import pytest

from seqgans.evaluation.agreement import krippendorff_alpha

OBSERVERS = (  # Krippendorff (2011), example C: four observers, twelve units, None where one did not answer
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)


def units(observers):
    return [[answer for answer in column if answer is not None] for column in zip(*observers, strict=True)]


def test_the_published_example():
    assert krippendorff_alpha(units(OBSERVERS)) == pytest.approx(0.743, abs=0.0005)


@pytest.mark.parametrize("seed", range(5))
def test_against_the_library(seed: int):
    krippendorff = pytest.importorskip("krippendorff", reason="krippendorff (of the extra [dev]) is not installed")
    chance = random.Random(seed)
    table = [[chance.choice((0, 1, 1, None)) for _ in range(20)] for _ in range(5)]
    numbers = [[float("nan") if answer is None else answer for answer in row] for row in table]
    expected = krippendorff.alpha(reliability_data=numbers, level_of_measurement="nominal")
    assert krippendorff_alpha(units(table)) == pytest.approx(expected, abs=1e-12)


def test_its_limits():
    assert krippendorff_alpha([[0, 0, 0], [1, 1]]) == 1
    contradiction = krippendorff_alpha([[0, 1]] * 10)
    assert contradiction is not None
    assert contradiction < 0
    assert krippendorff_alpha([[1, 1], [1, 1]]) is None  # nothing to tell apart
    assert krippendorff_alpha([[0], [1], []]) is None  # nobody to agree with
    assert krippendorff_alpha([[0, 0], [1, 0], [1], [0]]) == krippendorff_alpha([[0, 0], [1, 0]])
