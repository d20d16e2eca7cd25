"""When to stop: the figure against an independent computation, patience, the generator that remains.

Mutants killed: the last generator kept for the best, patience counted from the first round, a figure that grows where
the two come closer, n-grams across the border of two sequences, a game that plays or idles on, the start not counted,
an end in the wrong round, a draw that counts as progress, another number of samples than asked for, answers to other
sources, tokens paired across rows or with padding.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from seqgans.algorithms.base import Phase, Play, Players, Scene, Schedule
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.vocabulary import Vocabulary
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.options import stopping as module
from seqgans.options.stopping import Referee, ngram_divergence, stopping
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Samples, Sequences
from seqgans.training.loop import Training
from seqgans.training.place import Event
from seqgans.training.team import Team


def test_the_divergence_is_that_of_shares_counted_by_hand() -> None:
    random = np.random.default_rng(0)
    sides = [[random.integers(4, size=random.integers(0, 6)).tolist() for _ in range(20)] for _ in range(2)]
    for order in (1, 2, 3):
        counts = [
            Counter(tuple(row[at : at + order]) for row in side for at in range(len(row) - order + 1)) for side in sides
        ]
        p, q = ({gram: number / sum(count.values()) for gram, number in count.items()} for count in counts)
        middle = {gram: (p.get(gram, 0) + q.get(gram, 0)) / 2 for gram in p.keys() | q.keys()}
        expected = sum(0.5 * share * math.log(share / middle[gram]) for side in (p, q) for gram, share in side.items())
        assert ngram_divergence(sides[0], sides[1], order) == pytest.approx(expected, abs=1e-12)
        assert ngram_divergence(sides[0], sides[0], order) == pytest.approx(0, abs=1e-12)
    assert ngram_divergence([[1, 2]], [[2, 1]], 2) == pytest.approx(math.log(2))
    assert ngram_divergence([[1, 2]], [[1], [2]], 2) == pytest.approx(math.log(2))  # no bigram on one side


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return oracle_corpus(fresh_oracle(9, 0), CorpusSettings(length=4, sequences=10), 0)


@dataclass(frozen=True)
class Game:
    """A game whose only rule is its schedule."""

    generator: ClassVar[str] = "lstm"
    discriminator: ClassVar[str | None] = "cnn"
    paper: ClassVar[str] = ""

    rules: Schedule

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        return {}

    def schedule(self) -> Schedule:
        return self.rules


def learner(corpus: Corpus, rounds: list[int], number: int, patience: int) -> Training:
    """A game of so many rounds, in which the bias of the generator becomes the number of the round."""
    generator = LSTM(embedding=2, hidden=2).build(9, 0, None, generator_for(0))
    players = Players({"generator": generator, "referee": Referee(generator)})

    def game(players: Players, scene: Scene) -> Play:
        rounds.append(scene.round)
        with torch.no_grad():
            players.generator.output.bias.fill_(float(scene.round))
        return Play(real=scene.corpus.train[:0])

    with torch.no_grad():
        generator.output.bias.fill_(0.0)
    plain = Schedule(round=(Phase(name="game", gather=game),), rounds=number)
    return Training(Game(stopping(plain, patience, "bigrams", 10)), players, corpus, 0, Team("cpu"))


def play_out(corpus: Corpus, monkeypatch: pytest.MonkeyPatch, values: list[float], patience: int) -> tuple[int, float]:
    """Rounds that were played, and what remains of a generator whose bias is the number of the round.

    Once the game is over there is no event but its end, which tells the last round that was played; a training that
    goes on from any event, with the figures that are left, ends as this one.
    """
    rounds: list[int] = []
    left = iter(values)
    monkeypatch.setattr(
        module, "bigram_divergence", lambda players, scene, samples: next(left) if samples == 10 else -1
    )
    training = learner(corpus, rounds, len(values) - 1, patience)
    states, events = [], list[Event]()
    for event in training.events():
        tensors, facts = training.state()
        states.append(({name: tensor.clone() for name, tensor in tensors.items()}, facts))
        events.append(event)
    assert [(event.kind, event.round) for event in events[-2:]] == [("round", len(rounds)), ("end", len(rounds))]
    assert sum(event.kind == "gathering" for event in events) == 2 * len(rounds) + 1  # the start is judged too
    again = learner(corpus, [], len(values) - 1, patience)
    again.restore(*states[-2])
    assert [event.kind for event in again.events()] == ["end"]
    again.restore(*states[-1])
    assert list(again.events()) == []
    return len(rounds), training.players.generator.output.bias.detach().unique().item()


@pytest.mark.parametrize(
    ("values", "patience", "expected"),
    [
        ([5.0, 4.0, 3.0, 3.5, 3.2, 1.0], 2, (4, 2.0)),  # two worse in a row: the fifth round is not played
        ([5.0, 4.0, 3.0, 3.5, 2.0, 2.5], 2, (5, 4.0)),  # patience begins anew
        ([5.0, 4.0, 4.0, 4.0, 1.0], 2, (3, 1.0)),  # as good is not better
        ([5.0, 6.0, 7.0, 8.0], 9, (3, 0.0)),  # the start was best
        ([5.0, 4.0, 3.0, 2.0], 1, (3, 3.0)),  # always better: all rounds
    ],
)
def test_the_best_round_remains(
    corpus: Corpus,
    monkeypatch: pytest.MonkeyPatch,
    values: list[float],
    patience: int,
    expected: tuple[int, float],
) -> None:
    assert play_out(corpus, monkeypatch, values, patience) == expected


def test_samples_of_the_law_itself_are_closest(corpus: Corpus) -> None:
    oracle = fresh_oracle(9, 0)
    other = LSTM(embedding=2, hidden=2).build(9, 0, None, generator_for(5))
    scene = Scene(corpus, Stream(generator_for(1)))
    same, different = (module.bigram_divergence(Players({"generator": one}), scene, 500) for one in (oracle, other))
    assert 0 < same < different / 2 < math.log(2)


@dataclass(frozen=True)
class Answering:
    """Writes its source in reverse, each symbol so many further on."""

    source: Sequences
    further: int

    def sample(self, count: int, length: int, random: Stream) -> Samples:
        said = (self.source.tokens[:, :length].flip(1) - 1 + self.further) % 4 + 1
        assert len(said) == count
        return Samples(said, torch.ones_like(said, dtype=torch.bool), torch.zeros(said.shape))


@pytest.fixture(scope="module")
def pairs() -> Corpus:
    """Every word of two of four symbols, answered in reverse."""
    every = torch.tensor(list(itertools.product(range(1, 5), repeat=2)))
    source = Sequences.of(torch.nn.functional.pad(every, (0, 1)), end=0)
    rows = dataclasses.replace(Sequences.of(every.flip(1)), source=source)
    return Corpus("reverse", rows, rows, rows[:0], Vocabulary.of_ids(5), 2, {})


def test_answers_are_compared_beside_their_sources(pairs: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """All words occur equally often whatever the symbols are turned into: only beside their sources are they wrong."""
    players, figures = Players({"generator": LSTM(embedding=2, hidden=2).build(5, 0, None, generator_for(0))}), []
    for further in (0, 1):
        monkeypatch.setattr(module, "given", lambda _, source, further=further: Answering(source, further))
        figures.append(module.bigram_divergence(players, Scene(pairs, Stream(generator_for(0))), 32))
    assert figures[0] == pytest.approx(0, abs=1e-12)
    words = [(x, y) for x in pairs.valid.source.lists(0) for y in [x[::-1]]]  # pyright: ignore[reportOptionalMemberAccess]
    turned = [(x, [symbol % 4 + 1 for symbol in y]) for x, y in words]
    counts = [Counter(pair for x, y in side for pair in itertools.product([*x, 0], y)) for side in (words, turned)]
    p, q = ({pair: number / count.total() for pair, number in count.items()} for count in counts)
    middle = {pair: (p.get(pair, 0) + q.get(pair, 0)) / 2 for pair in p.keys() | q.keys()}
    across = sum(0.5 * share * math.log(share / middle[pair]) for side in (p, q) for pair, share in side.items())
    assert figures[1] == pytest.approx(across / 2, abs=1e-12)
    assert across > 0.05


def test_two_processes_answer_what_one_does(pairs: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    players = Players({"generator": LSTM(embedding=2, hidden=2).build(5, 0, None, generator_for(0))})
    asked: list[Sequences] = []
    monkeypatch.setattr(module, "given", lambda _, source: asked.append(source) or Answering(source, 1))
    for rank in range(2):
        scene = Scene(pairs, Stream(generator_for(0)), rank, 2, gather=lambda part: part.repeat_interleave(2, 0))
        module.bigram_divergence(players, scene, 10)
    assert pairs.valid.source is not None
    for rank in range(2):
        assert torch.equal(asked[rank].tokens, pairs.valid.source.tokens[:10][rank::2])
