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


def test_nothing_is_read_beyond_a_curve() -> None:
    """Human sentences have one quality, which no generator has: whatever is said of them at another one is made up.

    Mutants killed: the most diverse point where the quality lies behind it, the best one where it lies before it; a
    quality that was seen, at a point that a better one beats, taken for one that was not.
    """

    def curve(*pairs: tuple[float, float]) -> list[dict[str, float]]:
        rows = zip((0.5, 1.0, 1.5), pairs, strict=False)
        return [{"temperature": t, "lm_kn": quality, "reverse_lm_kn": diversity} for t, (quality, diversity) in rows]

    base, better = curve((4.3, 5.6), (5.3, 5.5), (6.4, 5.9)), curve((4.0, 5.4), (5.0, 5.2), (6.0, 5.6))
    axes = {"x": "lm_kn", "y": "reverse_lm_kn"}
    assert matched(better, base, axes) == pytest.approx({"quality": 5.3, "diversity": 5.2, "baseline": 5.5})  # as at 5
    assert matched(better[:2], base, axes) is None  # at 5.3 it was never seen
    assert matched(base, better, axes) == pytest.approx({"quality": 5.0, "diversity": 5.53, "baseline": 5.2})
    assert matched(curve((5.6, 5.4), (5.8, 5.2), (6.0, 5.6)), base, axes) is None
    people, model = (
        [{"temperature": 1.0, "bleu_5": quality, "self_bleu_5": diversity}]
        for quality, diversity in ((0.53, 0.44), (0.27, 0.30))
    )
    assert matched(people, model, BLEU) is None


def test_a_plane_holds_what_tells_the_others_from_the_baseline() -> None:
    found = beside(AXES, {"one": sweep(0.0), "two": sweep(1.0)}, "one")
    assert found["areas"] == {"two": pytest.approx(1.0)}
    assert found["matched"]["two"] == pytest.approx({"quality": 1.0, "diversity": 3.0, "baseline": 2.0})
    assert (found["x"], found["y"]) == ("q", "d")
    assert found["at"] == {"quality": 1.0, "baseline": 2.0}
    assert beside(AXES, {"one": [], "two": sweep(1.0), "none": []}, "two")["areas"] == {}
