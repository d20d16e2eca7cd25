"""Each detector fires once on a stream made for it, and none on a healthy game.

Mutants killed: `<` for `>` in any threshold; speaking at every event; looking at a single gathering; looking at the
pre-training of the discriminator; ignoring the coverage when entropy falls; ignoring the rewards when accuracy is 1;
forgetting what was said before a resume; a missing figure read as 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pytest

from seqgans.training.detectors import BLIND, LAST, OVERFITTED, Detectors, Finding

Line = dict[str, Any]


def heard(lines: Iterable[Line], detectors: Detectors | None = None) -> list[Finding]:
    detectors = detectors or Detectors()
    return [finding for line in lines for finding in detectors.watch(line)]


def gathering(step: int, round: int, phase: str, number: int = 1, **figures: float) -> Line:
    named = {name.replace("__", "."): value for name, value in figures.items()}
    return {
        "kind": "gathering",
        "step": step,
        "round": round,
        "phase": phase,
        "gathering": number,
        "figures": named,
    }


def evaluation(step: int, stage: str, **figures: float) -> Line:
    means = {name: {"mean": value, "error": None} for name, value in figures.items()}
    return {"kind": "evaluation", "step": step, "round": 1, "phase": "", "stage": stage, "figures": means}


def pretraining(epochs: int = 20) -> list[Line]:
    return [
        gathering(epoch, 0, "likelihood", epoch, generator__nll=5 - 0.05 * epoch, validation=5.1 - 0.04 * epoch)
        for epoch in range(1, epochs + 1)
    ]


def game(
    rounds: int = 40, accuracy: float = 0.75, reward: float = 0.3, spread: float = 0.2, entropy: float = 4.0
) -> list[Line]:
    lines = []
    for round in range(1, rounds + 1):
        lines.append(gathering(100 + round, round, "generator", reward=reward, reward_spread=spread, entropy=entropy))
        lines.append(gathering(100 + round, round, "discriminator", discriminator__accuracy=accuracy))
    return lines


START = {"nll_div": 4.0, "nll_gen_test": 4.2, "duplicates": 0.01, "distinct_2": 0.5, "real_distinct_2": 0.6}


def test_a_healthy_run_hears_nothing() -> None:
    won_before_the_game = [
        gathering(50, 0, "discriminator pre-training", number, discriminator__accuracy=1.0) for number in range(20)
    ]
    blind_before_the_game = [
        gathering(50, 0, "discriminator pre-training", number, discriminator__accuracy=0.5) for number in range(20)
    ]
    healthy = [
        *pretraining(),
        *blind_before_the_game,
        *won_before_the_game,
        evaluation(100, "pretrained", **START),
        *game(),
        evaluation(140, "game", **{**START, "nll_div": 3.7, "duplicates": 0.05}),
        evaluation(150, "final", **{**START, "nll_div": 3.6, "duplicates": 0.06}),
        {"kind": "end", "step": 150, "round": 40, "phase": ""},
    ]
    assert heard(healthy) == []


def test_a_fall_of_the_entropy_is_a_collapse_and_is_said_once() -> None:
    falling = [line for entropy in (4.0, 3.0, 1.5, 0.5) for line in game(10, entropy=entropy)]
    found = heard([*pretraining(), *falling])
    assert [finding.detector for finding in found] == ["mode collapse"]
    assert "from 4 to 1.5" in found[0].saw
    assert found[0].step == 100 + LAST  # in the third block, once all of the last gatherings lie below half


def test_one_low_gathering_is_not_a_collapse() -> None:
    assert heard([*pretraining(), *game(10), *game(1, entropy=0.5), *game(10)]) == []


def test_entropy_may_fall_from_an_untrained_start_but_not_to_nothing() -> None:
    learning = [line for entropy in (8.0, 5.0, 3.0) for line in game(10, entropy=entropy)]
    assert heard(learning) == []
    found = heard([*learning, *game(LAST, entropy=0.01)])
    assert [finding.detector for finding in found] == ["mode collapse"]


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({"nll_div": 1.9, "nll_gen_test": 5.0}, "NLL_div fell from 4 to 1.9"),
        ({"duplicates": 0.35}, "35% of the samples"),
        ({"distinct_2": 0.2}, "distinct-2 fell from 0.5 to 0.2"),
    ],
)
def test_an_evaluation_shows_a_collapse(now: dict[str, float], words: str) -> None:
    found = heard(
        [
            *pretraining(),
            evaluation(1, "pretrained", **START),
            evaluation(2, "game", **{**START, **now}),
            evaluation(3, "final", **{**START, **now}),
        ]
    )
    assert [(finding.detector, finding.step) for finding in found] == [("mode collapse", 2)]
    assert words in found[0].saw


@pytest.mark.parametrize(
    "now",
    [
        {"nll_div": 1.9, "nll_gen_test": 2.0},  # nearer to a corpus of low entropy
        {"duplicates": 0.35, "real_duplicates": 0.3},  # as many as in the corpus
        {"distinct_2": 0.2, "real_distinct_2": 0.22},
    ],
)
def test_coming_nearer_to_the_corpus_is_not_a_collapse(now: dict[str, float]) -> None:
    lines = [*pretraining(), evaluation(1, "pretrained", **START), evaluation(2, "final", **{**START, **now})]
    assert heard(lines) == []


def test_a_discriminator_that_won() -> None:
    found = heard([*game(20), *game(20, accuracy=0.999, reward=0.001, spread=0.001)])
    assert [finding.detector for finding in found] == ["discriminator has won"]
    assert "0.999" in found[0].saw
    assert found[0].step == 100 + LAST


def test_a_winner_without_rewards_in_the_events_is_noticed_too() -> None:
    lines = [gathering(round, round, "both", discriminator__accuracy=1.0) for round in range(1, LAST + 1)]
    assert [finding.detector for finding in heard(lines)] == ["discriminator has won"]
    assert heard(lines[:-1]) == []


@pytest.mark.parametrize("signal", [{"reward": 0.3, "spread": 0.001}, {"reward": 0.01, "spread": 0.2}])
def test_certain_but_still_telling_samples_apart_is_no_win(signal: dict[str, float]) -> None:
    assert heard(game(20, accuracy=0.999, **signal)) == []


def test_a_discriminator_that_guesses() -> None:
    found = heard([*game(BLIND - 1, accuracy=0.51), *game(BLIND, accuracy=0.7), *game(BLIND, accuracy=0.49)])
    assert [finding.detector for finding in found] == ["discriminator learns nothing"]
    assert found[0].step == 100 + BLIND


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite(value: float) -> None:
    found = heard([gathering(7, 1, "generator", generator__loss=value, reward=0.5)] * 3)
    assert [(finding.detector, finding.step) for finding in found] == [("not a finite number", 7)]
    assert found[0].saw == f"generator.loss is {value} in generator"


def test_a_run_that_failed_of_it() -> None:
    message = "the loss of the generator is nan (gradient norm inf) at update 3; lower its learning rate (0.1)"
    found = heard([{"kind": "failed", "step": 3, "message": message}])
    assert [finding.saw for finding in found] == [message]
    assert heard([{"kind": "failed", "step": 3, "message": "cannot write: information is missing"}]) == []


def overfitted(epochs: int, train_falls: bool = True) -> list[Line]:
    sign = -1 if train_falls else 1
    return [
        gathering(e, 0, "likelihood", e, generator__nll=5 + sign * 0.05 * e, validation=5 + 0.02 * abs(e - 10))
        for e in range(1, epochs + 1)
    ]


def test_over_fitting() -> None:
    assert heard(overfitted(10 + OVERFITTED - 1)) == []
    found = heard(overfitted(60))
    assert [(finding.detector, finding.step) for finding in found] == [("over-fitting", 10 + OVERFITTED)]
    assert "5.000 (epoch 10) to 5.300 (epoch 25)" in found[0].saw


def test_a_plateau_or_a_worse_training_loss_is_not_over_fitting() -> None:
    flat = [
        gathering(e, 0, "likelihood", e, generator__nll=5 - 0.01 * e, validation=4.9 if e == 5 else 4.901)
        for e in range(1, 60)
    ]
    assert heard(flat) == []
    assert heard(overfitted(60, train_falls=False)) == []


def test_over_fitting_is_seen_in_evaluations_where_epochs_are_not_validated() -> None:
    lines: list[Line] = []
    for e in range(1, 61):
        lines.append(gathering(e, 0, "likelihood", e, generator__nll=5 - 0.05 * e))
        if e % 5 == 0:
            line = evaluation(e, "pretraining", nll_valid=5 + 0.02 * abs(e - 10))
            lines.append({**line, "round": 0, "phase": "likelihood", "gathering": e})
    assert [(finding.detector, finding.step) for finding in heard(lines)] == [("over-fitting", 25)]


@pytest.mark.parametrize("stop", [5, 30, 61, 75])
def test_replaying_the_events_goes_on_where_it_stopped(stop: int) -> None:
    lines = [*pretraining(), *game(20), *game(20, accuracy=1.0, reward=0.0, spread=0.0, entropy=1.0)]
    whole = heard(lines)
    assert {finding.detector for finding in whole} == {"mode collapse", "discriminator has won"}
    again = Detectors()
    before = heard(lines[:stop], again)
    resumed = Detectors()
    heard(lines[:stop], resumed)
    assert before + heard(lines[stop:], resumed) == whole


def test_what_a_line_says_was_found_is_not_found_again() -> None:
    detectors = Detectors()
    said: Line = {"kind": "finding", "step": 1, "detector": "discriminator has won", "saw": "", "try": ""}
    assert detectors.watch(said) == []
    assert heard(game(20, accuracy=1.0, reward=0.0, spread=0.0), detectors) == []
