"""Selection among variants: the fittest stays, bit for bit, and nothing of the others.

Mutants killed: the least fit kept, moments of a loser or none kept, buffers of a loser kept, other random numbers for a
later candidate, fitness on other numbers for each, a loser's update counted as a step, the last of equals kept, a
divergence that leaves traces; with several parents: children of the one that plays only, moments of another parent, two
children of one family, a survivor written over before it is read, parents that a checkpoint forgets.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, Variant
from seqgans.algorithms.population import Parent, facing_any, further_parents, population_of
from seqgans.algorithms.relaxed import Temperature, temperature_of
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.errors import Diverged
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.options.phases import updates_of
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Loss
from seqgans.training.loop import Training
from seqgans.training.selection import Copy
from seqgans.training.team import Team

OPTIMIZER = Optimizer(name="tried", rate=0.05)
SEEN: list[float] = []


def loss(sign: float) -> Callable[[Players, Play], Loss]:
    """Likelihood of half the rows, drawn by chance: up or down."""

    def value(players: Players, play: Play) -> Loss:
        assert play.real is not None
        assert play.random is not None
        kept = play.random.uniform(len(play.real)) < 0.5
        log_probs = players.generator.log_probs(play.real.tokens).sum(1)
        return Loss(sign * (log_probs * kept).sum() / len(kept), {"kept": kept.float().mean().item()})

    return value


def heat(inverse: float) -> Callable[[Players, float], None]:
    def heated(players: Players, progress: float) -> None:
        temperature_of(players).fill_(inverse)

    return heated


def likelihood(players: Players, play: Play, scene: Scene) -> float:
    assert play.real is not None
    SEEN.append(scene.random.uniform(1).item())
    return float(players.generator.log_probs(play.real.tokens).sum())


class Tried:
    """An algorithm that is one phase of variants."""

    generator, discriminator, paper = "lstm", None, "none"

    def __init__(self, signs: dict[str, float], fitness: Callable[[Players, Play, Scene], float] = likelihood) -> None:
        self.variants = tuple(
            Variant(name, Update("generator", loss(sign), OPTIMIZER), heat(2.0 + place))
            for place, (name, sign) in enumerate(signs.items())
        )
        self.fitness = fitness

    def schedule(self) -> Schedule:
        gather = lambda players, scene: Play(real=scene.real(8))  # noqa: E731
        return Schedule(
            round=(Phase(name="tried", gather=gather, variants=self.variants, fitness=self.fitness),), rounds=3
        )

    def extras(self, players: Players, random: torch.Generator) -> dict[str, object]:
        return {}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return oracle_corpus(fresh_oracle(5, 0), CorpusSettings(length=4, sequences=12, valid=0.0, test=0.0), 0)


def training(corpus: Corpus, algorithm: Tried) -> Training:
    generator = LSTM(embedding=3, hidden=4).build(5, 0, None, generator_for(0, "g"))
    players = Players({"generator": generator, "temperature": Temperature()})
    return Training(algorithm, players, corpus, 0, Team("cpu"))  # pyright: ignore[reportArgumentType]


def parameters(learner: Training) -> list[Tensor]:
    return [part.clone() for part in learner.players.parameters()]


def test_the_fittest_stays_as_if_it_had_been_alone(corpus: Corpus) -> None:
    SEEN.clear()
    chosen = training(corpus, Tried({"down": 1.0, "up": -1.0, "back": 0.5}))
    events = [event for event in chosen.events() if event.kind == "update"]
    assert len(events) == 3
    assert [event.step for event in events] == [1, 2, 3]
    for event in events:
        assert (event.figures["won.up"], event.figures["won.down"], event.figures["won.back"]) == (1.0, 0.0, 0.0)
        assert event.figures["fitness_range"] > 0
    assert temperature_of(chosen.players).item() == 3.0
    assert len(SEEN) == 9
    assert all(len(set(SEEN[first : first + 3])) == 1 for first in (0, 3, 6))  # common random numbers
    assert len(set(SEEN)) == 3


def test_of_equally_fit_ones_the_first_stays(corpus: Corpus) -> None:
    drawn = training(corpus, Tried({"up": -1.0, "down": 1.0}, lambda players, play, scene: 0.5))
    assert [event.figures["won.up"] for event in drawn.events() if event.kind == "update"] == [1.0, 1.0, 1.0]
    assert temperature_of(drawn.players).item() == 2.0


def test_one_candidate_is_a_plain_update(corpus: Corpus) -> None:
    alone = training(corpus, Tried({"up": -1.0}))
    list(alone.events())
    plain = training(corpus, Tried({"up": -1.0}))
    phase = plain.schedule.round[0]
    plain.schedule = Schedule(
        round=(Phase(name="tried", gather=phase.gather, updates=(updates_of(phase)[0],)),), rounds=3
    )
    list(plain.events())
    for ours, theirs in zip(parameters(alone), parameters(plain), strict=True):
        assert torch.equal(ours, theirs)


def test_moments_are_those_of_the_survivor_and_losers_leave_nothing(corpus: Corpus) -> None:
    """Whichever place the survivor has, parameters, moments and streams end up the same."""
    ends = []
    for order in (("up", "down"), ("down", "up")):
        signs = {name: {"up": -1.0, "down": 1.0}[name] for name in order}
        learner = training(corpus, Tried(signs))
        list(learner.events())
        temperature_of(learner.players).fill_(0.0)
        ends.append(learner.state()[0])
    assert ends[0].keys() == ends[1].keys()
    assert any("exp_avg" in name for name in ends[0])
    for name, tensor in ends[0].items():
        assert torch.equal(tensor, ends[1][name]), name


def test_a_divergence_leaves_the_players_as_before(corpus: Corpus) -> None:
    learner = training(corpus, Tried({"up": -1.0, "broken": float("nan")}))
    before = copy.deepcopy(learner.players.state_dict())
    with pytest.raises(Diverged):
        list(learner.events())
    for name, tensor in learner.players.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def bred(corpus: Corpus, parents: int, judgements: list[list[float]]) -> Training:
    """Three generations of "up" and "down", judged in that order, parent after parent, as the lists say."""
    values = iter(value for generation in judgements for value in generation)
    algorithm = Tried({"up": -1.0, "down": 1.0}, lambda *_: next(values))
    algorithm.variants = tuple(dataclasses.replace(one, family=one.name) for one in algorithm.variants)
    learner = training(corpus, algorithm)
    parts = {name: learner.players.get_submodule(name) for name in ("generator", "temperature")}
    for name, player in further_parents(parts, parents).items():
        learner.players.add_module(name, player)
    (phase,) = learner.schedule.round
    learner.schedule = dataclasses.replace(learner.schedule, round=(dataclasses.replace(phase, parents=parents),))
    return learner


def path(corpus: Corpus, choices: list[str]) -> Parent:
    """What a single parent becomes by these choices, one a generation."""
    learner = bred(corpus, 1, [[float(name == choice) for name in ("up", "down")] for choice in choices])
    list(learner.events())
    return Copy.of(learner, learner.schedule.round[0]).parent()


def assert_same(parent: Parent, other: Parent) -> None:
    for name, tensor in other.players.items():
        assert torch.equal(parent.players[name], tensor), name
    assert parent.moments.keys() == other.moments.keys()
    for index, slots in other.moments.items():
        for slot, tensor in slots.items():
            assert torch.equal(parent.moments[index][slot], tensor), (index, slot)


def test_of_several_parents_the_best_children_go_on(corpus: Corpus) -> None:
    """Parents, moments and temperatures are those of a line of single parents; one child a family and parent."""
    generations = [[2.0, 1.0], [0.0, 0.5, 3.0, 2.0], [1.0, 0.0, 0.5, 5.0]]
    learner = bred(corpus, 2, generations)
    events = [event for event in learner.events() if event.kind == "update"]
    assert [event.figures["overtaken"] for event in events] == [0.0, 1.0, 1.0]
    assert [event.figures["parents"] for event in events] == [2.0, 2.0, 2.0]
    assert [event.figures["fitness"] for event in events] == [2.0, 3.0, 5.0]
    assert_same(Copy.of(learner, learner.schedule.round[0]).parent(), path(corpus, ["down", "down", "down"]))
    population = population_of(learner.players)
    assert population is not None
    assert_same(population.parent(0), path(corpus, ["down", "up", "up"]))


def test_a_population_survives_a_checkpoint(corpus: Corpus) -> None:
    """Going on after each generation is not stopping."""
    generations = [[2.0, 1.0], [0.0, 0.5, 3.0, 2.0], [1.0, 0.0, 0.5, 5.0, 0.1, 0.2]]
    learner = bred(corpus, 3, generations)
    states = []
    for _ in learner.events():
        tensors, facts = learner.state()
        states.append(({name: tensor.clone() for name, tensor in tensors.items()}, facts))
    for tensors, facts in states[:-1]:
        judged = facts["place"]["step"]
        again = bred(corpus, 3, generations[judged:])
        again.restore(tensors, facts)
        assert list(again.events())
        ends = again.state()[0]
        assert ends.keys() == states[-1][0].keys()
        for name, tensor in ends.items():
            assert torch.equal(tensor, states[-1][0][name]), name


def test_a_discriminator_faces_every_parent(corpus: Corpus) -> None:
    learner = bred(corpus, 2, [[2.0, 1.0], [3.0, 2.0, 1.0, 0.0], [2.0, 0.0, 0.0, 1.0]])
    list(learner.events())
    players, population = learner.players, population_of(learner.players)
    assert population is not None
    mine, theirs = players.generator.output.bias.clone(), population.parent(0).players["generator.output.bias"]
    assert not torch.equal(mine, theirs)
    faced, scene = [], Scene(corpus, Stream(generator_for(0)))

    def gather(players: Players, scene: Scene) -> Play:
        bias = players.generator.output.bias
        assert torch.equal(bias, mine) or torch.equal(bias, theirs)
        faced.append(torch.equal(bias, mine))
        return Play(real=scene.corpus.train)

    for _ in range(40):
        facing_any(players, scene, gather)
        assert torch.equal(players.generator.output.bias, mine)
    assert 10 < sum(faced) < 30
