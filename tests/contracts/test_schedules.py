"""Settings of every algorithm in the table reach its schedule: rates, clips, counts, patience.

Mutants killed: a setting that no phase looks at, a rate of another player or of pre-training, a bound on no gradient,
moments of another length than a paper's, an optimiser that two updates share under one name with different settings,
of which the loop would take the first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from seqgans.algorithms import ALGORITHMS
from seqgans.algorithms.base import Optimizer, Phase, Schedule
from seqgans.options.phases import updates_of
from tests.contracts.small import mapping

COUNTS = ("_steps", "_epochs", "steps", "rounds", "patience", "anneal", "parents")
"""How settings end that say how often something happens."""
OF_LIKELIHOOD = ("likelihood", "autoencoding", "swapped words", "language model")
"""Optimisers of what comes before a game, or between its rounds."""
ALSO = {
    ("rankgan", "discriminator"): "ranker_rate",
    ("fmgan", "discriminator"): "extractor_rate",
    ("textgan", "reader"): "discriminator_rate",
    ("leakgan", "generator.manager"): "manager_rate",
    ("leakgan", "generator.worker"): "generator_rate",
}
"""Rates that go by another name than that of the player."""
MOMENTS = {
    ("sentigan", "penalty"): (0.0, 0.9),
    ("wgan", "adversarial"): (0.5, 0.9),
    ("scratchgan", "policy gradient"): (0.5, 0.999),
    ("scratchgan", "discriminator"): (0.5, 0.999),
}
"""Optimisers of which a paper says how much of the past they remember."""
GIVEN: dict[tuple[str, str], dict[str, Any]] = {
    ("rlgaf", "ppo_epochs"): {"variant": "ppo"},
    ("leakgan", "pretrain_epochs"): {"pretrain_rounds": 1},
}
"""What a setting needs to mean anything."""
ELSEWHERE = {"gate_rounds": "asked by a gathering", "pretrain_rounds": "LeakGAN's: pairs of phases"}
"""Counts that are not those of a phase."""


def fields(name: str) -> dict[str, Any]:
    """The settings of an algorithm and their defaults."""
    return {field.name: field.default for field in dataclasses.fields(ALGORITHMS[name])}  # pyright: ignore


def schedule(name: str, **changes: Any) -> Schedule:
    return ALGORITHMS[name](**changes).schedule()


def phases(whole: Schedule) -> tuple[Phase, ...]:
    return (*whole.before, *whole.round)


def optimizers(whole: Schedule) -> Iterator[tuple[str, Optimizer]]:
    """Whom each update moves, and by what, before any rate is lowered."""
    plain = (dataclasses.replace(phase, lowerings=0) for phase in phases(whole))
    return ((update.player, update.optimizer) for phase in plain for update in updates_of(phase))


def numbers(whole: Schedule) -> set[int]:
    """All counts of a schedule."""
    each = ((one.gathers, one.passes, one.patience, one.lowerings, one.parents) for one in phases(whole))
    return {whole.rounds, *(count for counts in each for count in counts)}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_count_is_one_of_the_schedule(name: str) -> None:
    for setting in fields(name):
        if setting.endswith(COUNTS) and setting not in ELSEWHERE:
            given = GIVEN.get((name, setting), {})
            assert 23 in numbers(schedule(name, **given, **{setting: 23})), setting


@pytest.mark.parametrize("name", ALGORITHMS)
def test_each_player_learns_at_its_own_rate(name: str) -> None:
    rates = {setting: 2.0 ** -(3 + place) for place, setting in enumerate(fields(name)) if setting.endswith("rate")}
    for player, optimizer in optimizers(schedule(name, **rates)):
        own = ALSO.get((name, player), f"{player}_rate")
        expected = "pretrain_rate" if optimizer.name in OF_LIKELIHOOD else own
        assert optimizer.rate == rates.get(expected, rates.get("rate")), (player, optimizer)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_generators_are_clipped_and_optimizers_remember_as_the_papers_say(name: str) -> None:
    settings = {"clip": 0.125} if "clip" in fields(name) else {}
    for player, optimizer in optimizers(schedule(name, **settings)):
        assert optimizer.betas == MOMENTS.get((name, optimizer.name), (0.9, 0.999)), (player, optimizer)
        if settings and player.startswith("generator") and optimizer.name not in OF_LIKELIHOOD:
            assert optimizer.clip == settings["clip"], (player, optimizer)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_one_name_is_one_optimizer(name: str) -> None:
    """The loop keeps one for each player and name."""
    known: dict[tuple[str, str], Optimizer] = {}
    for player, optimizer in optimizers(ALGORITHMS[name](**small(name)).schedule()):
        assert known.setdefault((player, optimizer.name), optimizer) == optimizer


def small(name: str) -> dict[str, Any]:
    """Settings of the small recipe, and whatever else moves a player more than once."""
    given = {key: value for key, value in mapping(name)["algorithm"].items() if key != "name"}
    more = {"likelihood_epochs": 2, "discriminator_likelihood": 2, "interleave": 1}
    return {**given, **{key: value for key, value in more.items() if key in fields(name)}}


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if "pretrain_best" in fields(name)])
def test_pretraining_stops_and_chooses_as_it_is_told(name: str) -> None:
    for patience, best in ((0, False), (3, False), (0, True)):
        whole = schedule(name, pretrain_patience=patience, pretrain_best=best)
        (found,) = (phase for phase in whole.before if phase.name == "likelihood")
        assert (found.patience, found.keep_best, found.validate is not None) == (patience, best, bool(patience or best))
