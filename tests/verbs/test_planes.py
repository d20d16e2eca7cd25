"""Areas between curves and diversity at matched quality, on curves that are lines.

Mutants killed: the sign of an area; a rising quality not turned round; the quality of the system in the place of the
baseline's; a truncated point taken for the law as it is.
"""

from __future__ import annotations

import math

import pytest

from seqgans.verbs.planes import area, beside, matched

AXES = {"x": "q", "y": "d"}
BLEU = {"x": "bleu_5", "y": "self_bleu_5"}


def sweep(shift: float) -> list[dict[str, float]]:
    return [{"temperature": 1 / q, "q": q, "d": 3 - q + shift} for q in (1.0, 2.0)]


def test_a_curve_below_has_a_negative_area() -> None:
    assert area(sweep(-0.5), sweep(0.0), AXES) == pytest.approx(-0.5)
    assert area([], sweep(0.0), AXES) is None
    endless = [*sweep(-0.5), {"temperature": 3.0, "q": math.inf, "d": 0.0}]
    assert area(endless, sweep(0.0), AXES) == pytest.approx(-0.5)
    greedy = [*sweep(-0.5), {"temperature": 0.0, "q": 3.0, "d": -0.5}]
    assert area(greedy, sweep(0.0), AXES) == pytest.approx(-0.5)


def test_diversity_is_read_where_the_baseline_stands() -> None:
    rows = [
        {"temperature": 1.0, "bleu_5": 0.2, "self_bleu_5": 0.3},
        {"temperature": 0.5, "bleu_5": 0.6, "self_bleu_5": 0.7},
    ]
    base = [
        {"temperature": 1.0, "top_p": 0.5, "bleu_5": 0.5, "self_bleu_5": 0.9},
        {"temperature": 1.0, "bleu_5": 0.4, "self_bleu_5": 0.6},
    ]
    assert matched(rows, base, BLEU) == pytest.approx({"quality": 0.4, "diversity": 0.5, "baseline": 0.6})
    assert matched(rows, base[:1], BLEU) is None
    assert matched(rows[:1], base, BLEU) is None  # its one point has another quality
    assert matched(rows, base, AXES) is None


def test_a_plane_holds_what_tells_the_others_from_the_baseline() -> None:
    found = beside(AXES, {"one": sweep(0.0), "two": sweep(1.0)}, "one")
    assert found["areas"] == {"two": pytest.approx(1.0)}
    assert found["matched"]["two"] == pytest.approx({"quality": 1.0, "diversity": 3.0, "baseline": 2.0})
    assert (found["x"], found["y"]) == ("q", "d")
