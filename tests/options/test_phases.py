"""Options in phases that try variants of an update, of which the fittest stays.

Mutants killed: variants that an option passes over, a generator's variant changed as if it judged, variants that hide
a loss which cannot be smoothed, negatives of other players replaced, policy gradients of variants not found.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, ClassVar

import pytest
import torch

from seqgans.algorithms.adversaries import real_and_fake, telling_apart
from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, Variant
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.discriminators.convolutional import CNN
from seqgans.errors import BadInput
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.options.bounding import bounded
from seqgans.options.critic import CRITIC, POLICY_GRADIENT, Critic, criticised
from seqgans.options.interleaving import interleaved
from seqgans.options.judging import penalised, smoothed
from seqgans.options.phases import updates_of
from seqgans.options.replay import MEMORY, replaying
from seqgans.options.several import each_learning, together
from seqgans.options.stopping import REFEREE, Referee, stopping
from seqgans.randomness import generator_for
from seqgans.rewards.self_play import PastSamples
from seqgans.sequences import Loss
from seqgans.training.loop import Training
from seqgans.training.place import Event
from seqgans.training.team import Team

LEARNING = Optimizer(name="judge", rate=0.01)
JUDGING = tuple(
    Variant(name, Update("discriminator", functools.partial(telling_apart, smoothing=0.0), LEARNING))
    for name in ("one", "other")
)


def level(players: Players, play: Play, scene: Scene) -> float:
    """All are equally fit."""
    return 0.0


PLAIN = Schedule(
    round=(Phase(name="judged", gather=real_and_fake, variants=JUDGING, fitness=level, gathers=2),), rounds=3
)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return oracle_corpus(fresh_oracle(6, 0), CorpusSettings(length=4, sequences=20), 0)


def players(judges: int = 1) -> Players:
    generator = LSTM(embedding=2, hidden=2).build(6, 0, None, generator_for(0))
    settings = CNN(embedding=3, widths=(1, 2), maps=(3, 3))
    judge = together([settings.build(6, 4, generator_for(one, "judge")) for one in range(judges)], False)
    both = Players({"generator": generator, "discriminator": judge})
    both.add_module(MEMORY, PastSamples(8, 4))
    both.add_module(REFEREE, Referee(generator))
    both.add_module(CRITIC, Critic(6, generator_for(2)))
    return both


@dataclasses.dataclass(frozen=True)
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


def run(rules: Schedule, corpus: Corpus, judges: int = 1) -> tuple[Players, list[Event]]:
    both = players(judges)
    return both, list(Training(Game(rules), both, corpus, 0, Team("cpu")).events())


def moves(events: list[Event]) -> list[Event]:
    return [event for event in events if event.kind == "update" and event.player == "discriminator"]


def test_a_gradient_penalty_is_in_the_loss_of_every_variant(corpus: Corpus) -> None:
    (_, plain), (_, changed) = run(PLAIN, corpus), run(penalised(PLAIN, 5.0), corpus)
    assert len(moves(plain)) == len(moves(changed)) == 6
    assert all(event.figures["slope"] > 0 for event in moves(changed))
    assert all("slope" not in event.figures for event in moves(plain))
    assert moves(changed)[0].loss > moves(plain)[0].loss


def test_smoothing_reaches_every_variant_and_is_refused_where_one_has_no_targets(corpus: Corpus) -> None:
    schedule = smoothed(PLAIN, 0.2)
    assert [update.loss.keywords for update in updates_of(schedule.round[0])] == [{"smoothing": 0.2}] * 2  # pyright: ignore[reportFunctionMemberAccess]
    assert moves(run(schedule, corpus)[1])[0].loss != moves(run(PLAIN, corpus)[1])[0].loss

    def blind(players: Players, play: Play) -> Loss:
        return Loss(players.discriminator.penalty())

    other = dataclasses.replace(JUDGING[1], update=dataclasses.replace(JUDGING[1].update, loss=blind))
    mixed = dataclasses.replace(PLAIN.round[0], variants=(JUDGING[0], other))
    with pytest.raises(BadInput, match=r"^options.smoothing needs a discriminator that learns by cross-entropy"):
        smoothed(dataclasses.replace(PLAIN, round=(mixed,)), 0.2)


def test_layers_are_bounded_before_a_variant_moves_them(corpus: Corpus) -> None:
    both, _ = run(bounded(PLAIN, 0.1), corpus)
    weights = [
        weight for name, weight in both.discriminator.named_parameters() if "filters" in name and weight.ndim > 1
    ]
    stretch = [float(torch.linalg.matrix_norm(weight.detach(), 2)) for weight in weights]
    assert 0 < max(stretch) < 0.2  # the last update comes behind the last projection


def test_replay_is_for_phases_whose_variants_judge_alone(corpus: Corpus) -> None:
    both, events = run(replaying(PLAIN, 0.5), corpus)
    shares = [event.figures["replayed"] for event in events if event.kind == "gathering"]
    assert shares == [0.0, *[0.5] * 5]
    assert float(both.get_submodule(MEMORY).get_buffer("rounds").max()) == 3
    writing = Variant("writing", Update("generator", telling_apart, LEARNING))
    mixed = dataclasses.replace(PLAIN.round[0], variants=(*JUDGING, writing))
    with pytest.raises(
        BadInput, match=r"^options.replay needs phases that move the discriminator alone.* generator by"
    ):
        replaying(dataclasses.replace(PLAIN, round=(mixed,)), 0.5)


def test_every_member_learns_by_every_variant(corpus: Corpus) -> None:
    both, events = run(each_learning(PLAIN), corpus, judges=2)
    fresh = players(2)
    for name, parameter in both.discriminator.named_parameters():
        assert not torch.equal(parameter, fresh.get_parameter(f"discriminator.{name}")), name
    assert len(moves(events)) == 6


def test_rounds_with_variants_are_interleaved_and_stopped(corpus: Corpus) -> None:
    both, events = run(stopping(interleaved(PLAIN, 2), 1, "nll", 8), corpus)
    steps = [event.phase for event in events if event.kind == "gathering"]
    assert steps[:6] == ["validation", "judged", "judged", "interleaved steps", "interleaved steps", "validation"]
    assert both.get_submodule(REFEREE).over
    assert events[-1].kind == "end"


def test_a_variant_that_follows_rewards_is_criticised(corpus: Corpus) -> None:
    writing = Variant("writing", Update("generator", telling_apart, Optimizer(name=POLICY_GRADIENT, rate=0.01)))
    phase = dataclasses.replace(PLAIN.round[0], variants=(writing,))
    changed = criticised(dataclasses.replace(PLAIN, round=(phase,)), "baseline", 0.01)
    assert [update.player for update in changed.round[0].updates] == [CRITIC]
    with pytest.raises(BadInput, match=r"^options.critic needs a generator that learns by policy gradient"):
        criticised(PLAIN, "baseline", 0.01)


def test_a_generators_variants_stay_as_they_are() -> None:
    writing = Variant("writing", Update("generator", telling_apart, LEARNING))
    schedule = dataclasses.replace(PLAIN, round=(dataclasses.replace(PLAIN.round[0], variants=(writing,)),))
    for change in (lambda one: penalised(one, 1.0), each_learning):
        assert change(schedule).round[0].variants == (writing,)
