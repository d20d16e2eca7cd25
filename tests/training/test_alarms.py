"""Alarms of a fine-tuning, each on a stream made for it, and none on a healthy game or on one that has learnt.

Mutants killed: `<` for `>` in any threshold, one gathering for several, pre-training taken for the game, real answers
left out of account.
"""

from __future__ import annotations

from typing import Any

import pytest

from seqgans.training.alarms import (
    LAST,
    LONG,
    STOPS,
    SUSTAINED,
    Adrift,
    Narrowing,
    OtherLength,
    Repetition,
    Speechless,
    Unscored,
)
from seqgans.training.detectors import Detectors

HEALTHY = {
    "length": 8.0,
    "real_length": 9.0,
    "repeated": 0.25,
    "real_repeated": 0.2,
    "entropy": 3.0,
    "real_nll": 3.2,
    "kl": 0.1,
}


def gathering(round: int, **figures: float) -> dict[str, Any]:
    return {"kind": "gathering", "round": round, "step": round, "phase": "generator", "figures": HEALTHY | figures}


def heard(rounds: list[dict[str, Any]]) -> list[str]:
    detectors = Detectors()
    return [finding.detector for line in rounds for finding in detectors.watch(line)]


def changed(before: int = 10, after: int = LAST, **figures: float) -> list[dict[str, Any]]:
    lines = [gathering(round + 1) for round in range(before)]
    return lines + [gathering(before + round + 1, **figures) for round in range(after)]


@pytest.mark.parametrize(
    ("figures", "name"),
    [
        ({"length": 1.2}, Speechless.name),
        ({"repeated": 0.7}, Repetition.name),
        ({"entropy": 1.0, "real_nll": 3.5}, Narrowing.name),
        ({"kl": 1.5}, Adrift.name),
        ({"length": 14.0}, OtherLength.name),
        ({"length": 5.0}, OtherLength.name),
    ],
)
def test_each_speaks_once_after_enough_gatherings(figures: dict[str, float], name: str) -> None:
    enough = SUSTAINED if name == Repetition.name else LAST
    assert heard(changed(after=enough, **figures)) == [name]
    assert heard(changed(after=enough - 1, **figures)) == []
    assert heard(changed(after=3 * LAST, **figures)).count(name) == 1
    assert heard([{**line, "round": 0} for line in changed(after=20, **figures)]) == []
    assert (name in STOPS) == (name not in (Adrift.name, OtherLength.name))


@pytest.mark.parametrize(
    "figures",
    [
        {},
        {"length": 1.2, "real_length": 1.5},  # real answers are as short
        {"length": 2.6, "real_length": 1.5},
        {"length": 13.0},
        {"length": 6.5},
        {"repeated": 0.7, "real_repeated": 0.5},
        {"repeated": 0.7, "real_nll": 2.0},  # on its way, as on the toy of one answer
        {"entropy": 0.01, "real_nll": 0.02},  # it has learnt: one right answer, and knows it
        {"entropy": 2.0, "real_nll": 4.0},
        {"kl": 0.9},
    ],
)
def test_none_speaks_of_a_healthy_game(figures: dict[str, float]) -> None:
    assert heard(changed(after=20, **figures)) == []


def test_answers_without_a_score_are_said_at_once() -> None:
    assert heard([gathering(1, unscored=0.25)] * 3) == [Unscored.name]
    assert heard([gathering(0, unscored=0.25)]) == []
    (finding,) = Detectors().watch(gathering(1, unscored=0.25))
    assert "score of 25% of the answers is no number" in str(finding)
    assert Unscored.name not in STOPS


def test_repetition_that_lasts_is_collapse_even_where_real_answers_became_likelier() -> None:
    assert heard(changed(after=LONG, repeated=0.7, real_nll=2.0)) == [Repetition.name]
    assert heard(changed(after=LONG - 1, repeated=0.7, real_nll=2.0)) == []


def test_answers_that_were_longer_before_the_game_are_no_news_of_it() -> None:
    assert heard([gathering(round + 1, length=30.0) for round in range(20)]) == []
    shrunk = [gathering(round + 1, length=30.0 if round < 10 else 8.0) for round in range(20)]
    assert heard(shrunk) == []


def test_answers_that_run_away_at_once_are_heard() -> None:
    grown = [gathering(round + 1, length=9.0 * min(3, round + 1)) for round in range(12)]
    assert heard(grown) == [OtherLength.name]
