"""The loop: order of what happens, minibatches in parts, early stopping, losses that are not numbers.

Mutants killed: a step on a gradient that is not finite, players changed before the check, the last epoch kept for the
best, patience counted from the first epoch, parts weighed alike whatever they hold, other dropout in each part, an
empty play that moves players or draws an order, a minibatch left out, gradients of earlier updates kept.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update
from seqgans.algorithms.likelihood import Likelihood, teacher_forcing
from seqgans.algorithms.seqgan import SeqGAN
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.discriminators.convolutional import CNN
from seqgans.errors import BadInput, Failed
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Loss
from seqgans.training.loop import Training
from seqgans.training.place import Event
from seqgans.training.team import Team


@dataclass(frozen=True)
class Given:
    """An algorithm that is only a schedule."""

    generator: ClassVar[str] = "lstm"
    discriminator: ClassVar[str | None] = "cnn"
    paper: ClassVar[str] = "none"

    plan: Schedule = field(default_factory=Schedule)

    def schedule(self) -> Schedule:
        return self.plan

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        return {}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    whole = oracle_corpus(fresh_oracle(9, 0), CorpusSettings(length=4, sequences=10), 0)
    return dataclasses.replace(whole, valid=whole.valid[:5])


def players() -> Players:
    return Players(
        {
            "generator": LSTM(embedding=3, hidden=4).build(9, 0, None, generator_for(0)),
            "discriminator": CNN(embedding=3, widths=(1, 2), maps=(3, 3), dropout=0.4).build(9, 4, generator_for(1)),
        }
    )


def copied(of: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in of.state_dict().items()}


def assert_close(one: dict[str, Tensor], other: dict[str, Tensor], tolerance: float = 0.0) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, other[name], rtol=0, atol=tolerance, msg=name)


def all_real(players: Players, scene: Scene) -> Play:
    return Play(real=scene.corpus.train)


def training(corpus: Corpus, phase: Phase, accumulate: int = 1, rounds: int = 0) -> Training:
    plan = Schedule(before=() if rounds else (phase,), round=(phase,) if rounds else (), rounds=rounds)
    return Training(Given(plan), players(), corpus, 0, Team("cpu"), accumulate)


def update(loss: Any, clip: float = math.inf, player: str = "generator", rate: float = 0.01) -> Update:
    return Update(player, loss, Optimizer(name=f"{player} {rate}", rate=rate, clip=clip))


def test_events_come_in_order(corpus: Corpus) -> None:
    phase = Phase(name="likelihood", gather=all_real, updates=(update(teacher_forcing),), gathers=2, passes=2, batch=4)
    events = list(training(corpus, phase).events())
    kinds = [event.kind for event in events]
    assert kinds == [*(["update"] * 6 + ["gathering"]) * 2, "phase", "end"]
    assert [event.step for event in events if event.kind == "update"] == list(range(1, 13))
    assert [event.gathering for event in events if event.kind == "gathering"] == [1, 2]
    learner = training(corpus, phase, rounds=3)
    assert learner.progress == 0.0
    seen: list[tuple[Event, float]] = [(event, learner.progress) for event in learner.events()]
    assert [(event.round, progress) for event, progress in seen if event.kind == "round"] == [
        (1, 0.0),
        (2, 0.5),
        (3, 1.0),
    ]


def test_every_row_is_seen_once_a_pass_in_a_fresh_order(corpus: Corpus) -> None:
    chosen: list[list[int]] = []

    def seen(players: Players, play: Play) -> Loss:
        chosen.append(play.extras["row"].tolist())
        return Loss(players.generator.output.bias.sum())

    def rows(players: Players, scene: Scene) -> Play:
        return Play(extras={"row": torch.arange(10)})

    list(training(corpus, Phase(name="p", gather=rows, updates=(update(seen),), passes=3, batch=4)).events())
    assert [len(part) for part in chosen] == [4, 4, 2] * 3
    passes = [[row for part in chosen[first : first + 3] for row in part] for first in (0, 3, 6)]
    assert all(sorted(order) == list(range(10)) for order in passes)
    assert len({tuple(order) for order in passes}) == 3


@pytest.mark.parametrize("clip", [5.0, math.inf])
@pytest.mark.parametrize("what", ["loss", "gradient", "infinity"])
def test_a_step_that_is_not_finite_is_refused(corpus: Corpus, what: str, clip: float) -> None:
    """The root of 0 has no finite gradient, though its value is finite."""
    counted = []

    def broken(players: Players, play: Play) -> Loss:
        counted.append(1)
        value = players.generator.output.bias.sum()
        if len(counted) < 3:
            return Loss(value)
        return Loss({"loss": value * math.nan, "gradient": (value * 0).sqrt(), "infinity": value * math.inf}[what])

    learner = training(corpus, Phase(name="p", gather=all_real, updates=(update(broken, clip),), batch=2))
    steps = learner.events()
    next(steps)
    next(steps)
    before, facts = copied(learner.players), learner.state()[1]
    with pytest.raises(Failed, match=r"the loss of the generator is .* at update 3; lower its learning rate \(0\.01\)"):
        next(steps)
    assert_close(copied(learner.players), before)
    assert learner.state()[1]["place"] == facts["place"]
    assert all(parameter.requires_grad for parameter in learner.players.parameters())


def validated(figures: list[float], patience: int, keep_best: bool) -> tuple[Phase, list[dict[str, Tensor]]]:
    """A phase whose validation gives these figures, and the parameters at each of them."""
    left, seen = iter(figures), []

    def validate(players: Players, scene: Scene) -> float:
        seen.append(copied(players))
        return next(left)

    phase = Phase(
        name="likelihood", gather=all_real, updates=(update(teacher_forcing),), gathers=len(figures), batch=5,
        validate=validate, patience=patience, keep_best=keep_best,
    )  # fmt: skip
    return phase, seen


@pytest.mark.parametrize(
    ("patience", "keep_best", "epochs", "kept"),
    [(0, False, 6, 5), (0, True, 6, 4), (2, True, 4, 1), (2, False, 4, 3), (3, True, 6, 4), (1, True, 3, 1)],
)
def test_early_stopping(corpus: Corpus, patience: int, keep_best: bool, epochs: int, kept: int) -> None:
    """The best figure is the fifth, but with a patience of two it is never seen."""
    phase, seen = validated([3.0, 2.0, 2.5, 2.0, 1.0, 7.0], patience, keep_best)
    learner = training(corpus, phase)
    events = list(learner.events())
    gatherings = [event for event in events if event.kind == "gathering"]
    assert len(gatherings) == len(seen) == epochs
    assert [event.figures["validation"] for event in gatherings] == [3.0, 2.0, 2.5, 2.0, 1.0, 7.0][:epochs]
    assert_close(copied(learner.players), seen[kept])


@pytest.mark.parametrize("stop_after", [None, 2, 3, 4])
def test_out_of_patience_goes_on_from_the_best_at_a_tenth_of_the_rate(corpus: Corpus, stop_after: int | None) -> None:
    """The third epoch is no better than the second, nor the fifth than the fourth; stopped and resumed anywhere."""
    figures = [3.0, 2.0, 2.5, 1.5, 1.5, 0.0]
    phase, seen = validated(figures, patience=1, keep_best=True)
    phase = dataclasses.replace(phase, lowerings=1)
    learner, epochs, slow = training(corpus, phase), 0, 0
    run = learner.events()
    while event := next(run, None):
        slow += event.kind == "update" and learner.place.lowered
        epochs += event.kind == "gathering"
        if event.kind == "gathering" and epochs == stop_after:
            other = training(corpus, phase)
            other.restore(*learner.state())
            learner, run = other, other.events()
        if event.kind == "gathering" and epochs == 3:
            assert not learner.out_of_patience(phase)
            assert not learner.out_of_patience(phase)  # once is enough
            assert_close(copied(learner.players), seen[1])
    assert (len(seen), slow) == (5, 2 * (len(corpus.train) // 5))
    assert_close(copied(learner.players), seen[3])
    held = [
        learner.optimizers["generator", name].state_dict() for name in ("generator 0.01", "generator 0.01 slowed 1")
    ]
    assert [one["param_groups"][0]["lr"] for one in held] == [0.01, pytest.approx(0.001)]
    assert {int(moments["step"]) for moments in held[1]["state"].values()} == {slow}
    assert learner.place.lowered == 0


def test_early_stopping_needs_validation_sequences(corpus: Corpus) -> None:
    without = dataclasses.replace(corpus, valid=corpus.valid[:0])
    learner = Training(Likelihood(pretrain_epochs=1), players(), without, 0, Team("cpu"))
    with pytest.raises(BadInput, match="early stopping needs validation sequences"):
        list(learner.events())


@pytest.mark.parametrize("accumulate", [2, 3, 64])
def test_parts_of_a_minibatch_give_what_the_whole_gives(corpus: Corpus, accumulate: int) -> None:
    """With roll-outs and dropout; 64 parts are more than there are rows."""
    finals = []
    for parts in (1, accumulate):
        algorithm = SeqGAN(
            pretrain_epochs=1, discriminator_pretrain_steps=1, rounds=2, discriminator_steps=1, discriminator_epochs=1,
            rollouts=2, batch=6, discriminator_batch=6, baseline="batch_mean",
        )  # fmt: skip
        learner = Training(algorithm, players(), corpus, 0, Team("cpu"), parts)
        losses = [event.loss for event in learner.events() if event.kind == "update"]
        finals.append((copied(learner.players), losses))
    assert_close(finals[0][0], finals[1][0], 2e-6)
    assert finals[0][1] == pytest.approx(finals[1][1], abs=2e-6)


def test_parts_count_by_what_their_loss_is_a_mean_over(corpus: Corpus) -> None:
    """A mean over real tokens of two halves, one of which has few, is not the mean of their means."""
    train = corpus.train
    mask = torch.arange(4) < torch.tensor([4, 4, 4, 4, 4, 1, 1, 1, 1, 1])[:, None]
    ragged = dataclasses.replace(corpus, train=dataclasses.replace(train, mask=mask))
    phase = Phase(name="likelihood", gather=all_real, updates=(update(teacher_forcing),), gathers=2)
    finals = []
    for parts in (1, 2):
        learner = training(ragged, phase, parts)
        found = [(event.loss, event.figures["nll"]) for event in learner.events() if event.kind == "update"]
        assert [nll for _, nll in found] == pytest.approx([value for value, _ in found])  # figures count alike
        finals.append((copied(learner.players), [value for value, _ in found]))
    assert_close(finals[0][0], finals[1][0], 1e-6)
    assert finals[0][1] == pytest.approx(finals[1][1], abs=1e-6)


def test_an_empty_play_is_passed_over(corpus: Corpus) -> None:
    def nothing(players: Players, scene: Scene) -> Play:
        return Play(real=scene.corpus.train[:0])

    for batch in (None, 4):
        learner = training(
            corpus, Phase(name="p", gather=nothing, updates=(update(teacher_forcing),), gathers=2, batch=batch)
        )
        before = copied(learner.players)
        assert [event.kind for event in learner.events()] == ["gathering", "gathering", "phase", "end"]
        assert_close(copied(learner.players), before)


def test_updates_of_a_phase_share_minibatches_and_optimisers_by_name(corpus: Corpus) -> None:
    seen: dict[str, list[Tensor]] = {"generator": [], "discriminator": []}

    def loss_of(player: str) -> Any:
        def loss(players: Players, play: Play) -> Loss:
            assert play.real is not None
            seen[player].append(play.real.tokens)
            return Loss(
                sum((part.square().sum() for part in players.get_submodule(player).parameters()), torch.zeros(()))
            )

        return loss

    updates = tuple(update(loss_of(player), player=player) for player in seen)
    again = Phase(name="again", gather=all_real, updates=updates, batch=4)
    first = dataclasses.replace(again, name="first")
    learner = Training(Given(Schedule(before=(first, again))), players(), corpus, 0, Team("cpu"))
    assert len(learner.optimizers) == 2
    events = list(learner.events())
    assert [event.player for event in events if event.kind == "update"] == ["generator", "discriminator"] * 6
    for one, other in zip(seen["generator"], seen["discriminator"], strict=True):
        assert torch.equal(one, other)
    assert learner.place.step == 6


def test_an_unknown_player_is_said_at_once(corpus: Corpus) -> None:
    phase = Phase(name="p", gather=all_real, updates=(update(teacher_forcing, player="critic"),))
    with pytest.raises(Failed, match="'critic' has no parameters to learn; the players are"):
        training(corpus, phase)


def test_the_clip_bounds_the_whole_gradient(corpus: Corpus) -> None:
    norms = []

    def steep(players: Players, play: Play) -> Loss:
        return Loss(1000 * players.generator.output.bias.sum())

    for clip in (0.5, math.inf):
        learner = training(corpus, Phase(name="p", gather=all_real, updates=(update(steep, clip),)))
        list(learner.events())
        grads = [part.grad for part in learner.players.parameters() if part.grad is not None]
        norms.append(float(torch.stack([grad.norm() for grad in grads]).norm()))
    assert norms == pytest.approx([0.5, 3000.0], rel=1e-4)


def test_a_batch_must_be_shared_equally(corpus: Corpus) -> None:
    with pytest.raises(BadInput, match="a batch of 5 must be a multiple of the 2 processes"):
        Scene(corpus, Stream(generator_for(0)), rank=0, processes=2).share(5)


def test_patience_survives_a_resume(corpus: Corpus) -> None:
    """Mutant killed: a training that goes on from the gathering at which patience ended gathers once more."""
    learner = training(corpus, validated([1.0, 2.0, 3.0, 0.5], 2, True)[0])
    events = learner.events()
    while next(events).gathering < 3:
        pass
    tensors, facts = learner.state()
    assert facts["best"] == {"value": 1.0, "since": 2}
    again = training(corpus, validated([0.1] * 4, 2, True)[0])
    again.restore({name: tensor.clone() for name, tensor in tensors.items()}, facts)
    assert [event.kind for event in again.events()] == ["phase", "end"]
    assert [event.kind for event in events] == ["phase", "end"]
    assert_close(copied(again.players), copied(learner.players))


@pytest.mark.parametrize("parts", [1, 2])
def test_half_precision_learns_about_the_same(corpus: Corpus, parts: int) -> None:
    """Mutants killed: a precision that reaches nothing, parameters or moments kept in it."""
    finals = []
    for precision in ("float32", "bfloat16"):
        algorithm = SeqGAN(
            pretrain_epochs=1, discriminator_pretrain_steps=1, rounds=2, discriminator_steps=1, discriminator_epochs=1,
            rollouts=2, batch=6, discriminator_batch=6, baseline="batch_mean",
        )  # fmt: skip
        learner = Training(algorithm, players(), corpus, 0, Team("cpu", precision), parts)
        losses = [event.loss for event in learner.events() if event.kind == "update"]
        tensors = learner.state()[0]
        floats = [tensor for tensor in tensors.values() if tensor.is_floating_point()]
        assert {tensor.dtype for tensor in floats} == {torch.float32}
        finals.append(losses)
    assert finals[0] != finals[1]
    assert finals[0][0] == pytest.approx(finals[1][0], rel=0.01)  # before samples can differ; bfloat16 has 8 bits
    assert all(math.isfinite(loss) for loss in finals[1])
