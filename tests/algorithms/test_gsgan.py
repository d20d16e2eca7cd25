"""GSGAN's schedule, temperatures and gradients, exact where they can be.

Mutants killed: τ multiplied instead of divided, τ of the limit all the time, hard inputs, l_D and l_G swapped, the
generator moved first, the wrong player moved, samples of the control arm left with gradient, padding scored.
"""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from seqgans.algorithms.base import Algorithm, Play, Players, Scene
from seqgans.algorithms.gsgan import GSGAN
from seqgans.algorithms.relaxed import relaxed_judging
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.discriminators.recurrent import LSTMScorer
from seqgans.errors import BadInput
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.objectives.adversarial import ADVERSARIAL, standard
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Relaxed, Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team

LENGTH, VOCABULARY = 4, 5
SETTINGS = GSGAN(rounds=3, discriminator_steps=2, batch=6, temperature_start=4.0, temperature_end=0.25)


def players(end: int | None = None) -> Players:
    generator = LSTM(embedding=3, hidden=4, deviation=0.7).build(VOCABULARY, 0, end, generator_for(0, "g"))
    scorer = LSTMScorer(embedding=4, hidden=4, dropout=0.0)
    discriminator = scorer.build(VOCABULARY, LENGTH, generator_for(0, "d"))
    return Players({"generator": generator, "discriminator": discriminator}).double()


def corpus() -> Corpus:
    settings = CorpusSettings(length=LENGTH, sequences=12, valid=0.0, test=0.0)
    return oracle_corpus(fresh_oracle(VOCABULARY, 0), settings, 0)


def play(progress: float = 0.0) -> Play:
    real = Sequences.of(torch.randint(VOCABULARY, (6, LENGTH), generator=generator_for(0, "real")))
    return Play(real=real, random=Stream(generator_for(0, "noise")), progress=progress)


def expected_samples(both: Players, temperature: float, straight_through: bool = False, name: str = "noise") -> Relaxed:
    return both.generator.relax(
        6,
        LENGTH,
        random=generator_for(0, name),
        inverse_temperature=1 / temperature,
        straight_through=straight_through,
        soft_inputs=True,
    )


def gradients(value: Tensor, of: torch.nn.Module) -> list[Tensor | None]:
    return list(torch.autograd.grad(value, [*of.parameters()], retain_graph=True, allow_unused=True))


def test_the_discriminator_moves_before_the_generator() -> None:
    assert isinstance(SETTINGS, Algorithm)
    schedule = SETTINGS.schedule()
    assert [(phase.name, phase.gathers) for phase in schedule.before] == [("likelihood", 0)]
    assert [(phase.name, phase.gathers) for phase in schedule.round] == [("discriminator", 2), ("generator", 1)]
    assert schedule.rounds == 3
    for phase in schedule.round:
        (update,) = phase.updates
        assert update.player == phase.name
        assert (update.optimizer.rate, update.optimizer.clip) == (1e-3, 5.0)


def test_the_temperature_falls_to_its_end_and_stays_there() -> None:
    path = [SETTINGS.temperature(share / 10) for share in range(11)]
    assert path[0] == pytest.approx(4.0)
    assert path[4] == pytest.approx(1.0)  # halfway to 80 %, the geometric mean
    assert path[8:] == pytest.approx([0.25] * 3)
    assert all(before > after for before, after in pairwise(path[:9]))


@pytest.mark.parametrize("straight_through", [False, True])
@pytest.mark.parametrize("objective", ["standard", "minimax"])
def test_the_generator_loss_is_the_loss_of_samples_that_read_themselves(objective: str, straight_through: bool) -> None:
    both = players(end=0)
    algorithm = GSGAN(
        temperature_start=4.0, temperature_end=0.25, objective=objective, straight_through=straight_through
    )
    loss = algorithm.generator_loss(both, play(0.2))
    relaxed = expected_samples(both, 2.0, straight_through)
    assert not relaxed.mask.all()
    fake = both.discriminator.scores(relaxed.weights, relaxed.mask)
    expected = ADVERSARIAL[objective](torch.zeros_like(fake), fake)[1]
    torch.testing.assert_close(loss.value, expected)
    for ours, theirs in zip(gradients(loss.value, both.generator), gradients(expected, both.generator), strict=True):
        assert ours is not None
        assert theirs is not None
        torch.testing.assert_close(ours, theirs)
    assert loss.figures["temperature"] == pytest.approx(2.0)
    assert loss.figures["largest_weight"] == pytest.approx(relaxed.weights.amax(2).mean().item())


def test_a_small_generator_step_raises_the_scores_of_samples() -> None:
    both = players()
    before = GSGAN().generator_loss(both, play())
    with torch.no_grad():
        for parameter, gradient in zip(
            both.generator.parameters(), gradients(before.value, both.generator), strict=True
        ):
            assert gradient is not None
            parameter.sub_(1e-2 * gradient)
    assert GSGAN().generator_loss(both, play()).value < before.value


def test_the_control_arm_has_the_same_loss_and_no_gradient() -> None:
    both = players()
    plain = GSGAN().generator_loss(both, play())
    control = GSGAN(cut_gradient=True).generator_loss(both, play())
    torch.testing.assert_close(control.value, plain.value)
    assert all(gradient is not None and not gradient.any() for gradient in gradients(control.value, both.generator))
    assert any(gradient is not None and gradient.any() for gradient in gradients(plain.value, both.generator))


def test_the_discriminator_learns_from_soft_samples_and_leaves_the_generator_alone() -> None:
    both = players(end=0)
    scene = Scene(corpus(), Stream(generator_for(0, "scene")), progress=0.2)
    with torch.no_grad():
        gathered = SETTINGS.real_and_relaxed(both, scene)
    relaxed = expected_samples(both, 2.0, name="scene")
    torch.testing.assert_close(gathered.extras["weights"], relaxed.weights)
    assert not relaxed.mask.all()
    loss = relaxed_judging(SETTINGS.objective)(both, gathered)
    assert gathered.real is not None
    real = both.discriminator.scores(gathered.real.tokens, gathered.real.mask)
    fake = both.discriminator.scores(relaxed.weights, relaxed.mask)
    torch.testing.assert_close(loss.value, standard(real, fake)[0])
    assert all(gradient is None for gradient in gradients(loss.value, both.generator))


def test_one_hot_rows_score_as_their_tokens() -> None:
    both = players(end=0)
    given = play().real
    assert given is not None
    mask = torch.arange(LENGTH) < torch.tensor([4, 1, 2, 3, 4, 2])[:, None]
    rows = torch.nn.functional.one_hot(given.tokens, VOCABULARY).double()
    torch.testing.assert_close(both.discriminator.scores(rows, mask), both.discriminator.scores(given.tokens, mask))


@pytest.mark.parametrize("cut_gradient", [False, True])
def test_each_update_of_a_run_moves_its_player_only(cut_gradient: bool) -> None:
    both = players().float()
    algorithm = GSGAN(
        rounds=3,
        discriminator_steps=2,
        batch=6,
        temperature_start=4.0,
        temperature_end=0.25,
        annealing_share=1.0,
        cut_gradient=cut_gradient,
    )
    training = Training(algorithm, both, corpus(), 0, Team("cpu"))
    last = {name: tensor.clone() for name, tensor in both.state_dict().items()}
    temperatures, seen = [], []
    for event in training.events():
        if event.kind != "update":
            continue
        now = {name: tensor.clone() for name, tensor in both.state_dict().items()}
        moved = {name.split(".")[0] for name in now if not torch.equal(now[name], last[name])}
        assert moved == (set() if cut_gradient and event.phase == "generator" else {event.player})
        last = now
        seen.append(event.phase)
        if event.phase == "generator":
            temperatures.append(event.figures["temperature"])
    assert seen == ["discriminator", "discriminator", "generator"] * 3
    assert temperatures == pytest.approx([4.0, 1.0, 0.25])


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match=r"GSGAN.annealing_share must be above 0 and at most 1, got 1.5"):
        GSGAN(annealing_share=1.5)
    with pytest.raises(ValueError, match=r"GSGAN.temperature_end must be a finite number above 0, got 0.0"):
        GSGAN(temperature_end=0.0)
    with pytest.raises(ValueError, match=r"GSGAN.generator_rate must be a finite number above 0, got nan"):
        GSGAN(generator_rate=math.nan)
    with pytest.raises(BadInput, match=r"no objective is called 'best'; choose one of: hinge, kullback_leibler"):
        GSGAN(objective="best")
