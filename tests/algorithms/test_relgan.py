"""RelGAN's schedule, temperatures and gradients, exact where they can be.

Mutants killed: l_D and l_G swapped, a sign turned, the wrong player moved, gradient into the real scores, β of the
round before or of the limit all the time, samples of the control arm left with gradient, padding scored, pairs
shuffled, the penalty forgotten.
"""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from seqgans.algorithms.base import Algorithm, Play, Players, Scene
from seqgans.algorithms.relaxed import relaxed_judging
from seqgans.algorithms.relgan import ANNEALINGS, RelGAN
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.multi_view import MultiView
from seqgans.errors import BadInput
from seqgans.generators.memory import RelationalMemory
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.objectives.adversarial import ADVERSARIAL, relativistic
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team

LENGTH, VOCABULARY = 4, 5
SETTINGS = RelGAN(pretrain_epochs=1, rounds=3, discriminator_steps=2, batch=6, inverse_temperature_limit=4.0)


def players(end: int | None = None, dropout: float = 0.0) -> Players:
    generator = RelationalMemory(embedding=3, heads=2, head_size=4).build(VOCABULARY, 0, end, generator_for(0, "g"))
    discriminator = MultiView(embedding=4, views=2, widths=(2, 3), maps=3, dense=2, dropout=dropout)
    built = Players(
        {"generator": generator, "discriminator": discriminator.build(VOCABULARY, LENGTH, generator_for(0, "d"))}
    )
    random = generator_for(0, "away from the start")
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.5 * torch.randn(parameter.shape, generator=random))
    return built.double()


def corpus() -> Corpus:
    settings = CorpusSettings(length=LENGTH, sequences=12, valid=0.0, test=0.0)
    return oracle_corpus(fresh_oracle(VOCABULARY, 0), settings, 0)


def play(progress: float = 0.0, seed: int = 0) -> Play:
    real = Sequences.of(torch.randint(VOCABULARY, (6, LENGTH), generator=generator_for(seed, "real")))
    return Play(real=real, random=Stream(generator_for(seed, "noise")), progress=progress)


def gradients(value: Tensor, of: torch.nn.Module) -> list[Tensor | None]:
    return list(torch.autograd.grad(value, [*of.parameters()], retain_graph=True, allow_unused=True))


def test_the_schedule() -> None:
    assert isinstance(SETTINGS, Algorithm)
    schedule = SETTINGS.schedule()
    assert [phase.name for phase in schedule.before] == ["likelihood"]
    generator, discriminator = schedule.round
    assert (generator.gathers, discriminator.gathers, schedule.rounds) == (1, 2, 3)
    for phase, player in ((generator, "generator"), (discriminator, "discriminator")):
        (update,) = phase.updates
        assert update.player == player
        assert (update.optimizer.rate, update.optimizer.clip) == (1e-4, 5.0)


def test_the_temperature_goes_from_one_to_its_limit() -> None:
    for name in ANNEALINGS:
        path = [RelGAN(annealing=name, inverse_temperature_limit=9.0).inverse_temperature(n / 8) for n in range(9)]
        assert path[-1] == pytest.approx(9.0, abs=1e-3 if name == "sigmoid" else 1e-9), name
        if name != "constant":
            assert path[0] == pytest.approx(1.0, abs=1e-3), name
            assert all(before < after for before, after in pairwise(path)), name
    assert RelGAN(inverse_temperature_limit=9.0).inverse_temperature(0.5) == pytest.approx(3.0)
    text = RelGAN(inverse_temperature_limit=100.0, annealing_share=0.4)
    assert text.inverse_temperature(1.0) == pytest.approx(6.3, abs=0.02)  # 2,000 rounds of 5,000


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("objective", ADVERSARIAL)
def test_the_generator_loss_is_the_loss_of_its_relaxed_samples(objective: str, dropout: float) -> None:
    both = players(dropout=dropout)
    loss = RelGAN(inverse_temperature_limit=4.0, objective=objective).generator_loss(both, play(0.5))
    given = play(0.5)
    assert given.real is not None
    random = Stream(generator_for(0, "noise"))
    relaxed = both.generator.relax(6, LENGTH, random=random, inverse_temperature=2.0)  # 4^½
    real = both.discriminator.view_scores(given.real.tokens, given.real.mask, random=random)
    fake = both.discriminator.view_scores(relaxed.weights, relaxed.mask, random=random)
    expected = ADVERSARIAL[objective](real.detach(), fake)[1]
    torch.testing.assert_close(loss.value, expected)
    for ours, theirs in zip(gradients(loss.value, both.generator), gradients(expected, both.generator), strict=True):
        assert ours is not None
        assert theirs is not None
        torch.testing.assert_close(ours, theirs)
    assert loss.figures["inverse_temperature"] == pytest.approx(2.0)
    assert loss.figures["largest_weight"] == pytest.approx(relaxed.weights.amax(2).mean().item())


def test_straight_through_samples_are_one_hot() -> None:
    both = players()
    loss = RelGAN(straight_through=True).generator_loss(both, play())
    assert loss.figures["largest_weight"] == pytest.approx(1.0)
    assert any(gradient is not None and gradient.any() for gradient in gradients(loss.value, both.generator))
    assert RelGAN().generator_loss(both, play()).figures["largest_weight"] < 0.95


def test_a_small_generator_step_raises_the_scores_of_samples() -> None:
    both = players()
    algorithm = RelGAN()
    before = algorithm.generator_loss(both, play())
    with torch.no_grad():
        for parameter, gradient in zip(
            both.generator.parameters(), gradients(before.value, both.generator), strict=True
        ):
            assert gradient is not None
            parameter.sub_(1e-3 * gradient)
    after = algorithm.generator_loss(both, play())
    assert after.value < before.value


def test_the_control_arm_has_the_same_loss_and_no_gradient() -> None:
    both = players()
    plain = RelGAN().generator_loss(both, play())
    control = RelGAN(cut_gradient=True).generator_loss(both, play())
    torch.testing.assert_close(control.value, plain.value)
    assert control.value.requires_grad
    assert all(gradient is not None and not gradient.any() for gradient in gradients(control.value, both.generator))
    assert any(gradient is not None and gradient.any() for gradient in gradients(plain.value, both.generator))


def test_the_discriminator_loss_scores_aligned_pairs_and_leaves_the_generator_alone() -> None:
    both = players(end=0)
    algorithm = RelGAN(batch=6, inverse_temperature_limit=4.0)
    scene = Scene(corpus(), Stream(generator_for(1, "scene")), progress=1.0)
    with torch.no_grad():
        gathered = algorithm.real_and_relaxed(both, scene)
    expected = both.generator.relax(6, LENGTH, random=generator_for(1, "scene"), inverse_temperature=4.0)
    torch.testing.assert_close(gathered.extras["weights"], expected.weights)
    assert torch.equal(gathered.extras["mask"], expected.mask)
    assert not expected.mask.all()  # some samples end early, so the mask matters
    assert len(gathered) == 6
    loss = relaxed_judging(algorithm.objective)(both, gathered)
    assert gathered.real is not None
    real = both.discriminator.view_scores(gathered.real.tokens, gathered.real.mask)
    fake = both.discriminator.view_scores(expected.weights, expected.mask)
    torch.testing.assert_close(loss.value, relativistic(real, fake)[0])
    assert not torch.isclose(loss.value, relativistic(real, fake.roll(1, 0))[0], rtol=1e-6)
    assert all(gradient is None for gradient in gradients(loss.value, both.generator))
    found = gradients(loss.value, both.discriminator)
    for (name, _), gradient in zip(both.discriminator.named_parameters(), found, strict=True):
        if name not in ("dense.bias", "output.bias"):  # the same for all scores, so it makes no difference
            assert gradient is not None, name
            assert gradient.any(), name
    assert loss.figures["accuracy"] == pytest.approx((real > fake).double().mean().item())
    assert loss.figures["margin"] == pytest.approx((real - fake).mean().item())


def test_the_penalty_of_a_discriminator_is_added() -> None:
    both = players()
    given = play()
    weights = torch.full((6, LENGTH, VOCABULARY), 1 / VOCABULARY, dtype=torch.float64)
    given = Play(real=given.real, extras={"weights": weights, "mask": torch.ones(6, LENGTH, dtype=torch.bool)})
    before = relaxed_judging(RelGAN().objective)(both, given).value
    both.discriminator.penalty = lambda: torch.tensor(2.5, dtype=torch.float64)
    torch.testing.assert_close(relaxed_judging(RelGAN().objective)(both, given).value, before + 2.5)


def test_a_discriminator_that_sees_nothing_costs_the_logarithm_of_two() -> None:
    both = players()
    with torch.no_grad():
        both.discriminator.get_parameter("output.weight").zero_()
    assert RelGAN().generator_loss(both, play()).value.item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("cut_gradient", [False, True])
def test_each_update_of_a_run_moves_its_player_only(cut_gradient: bool) -> None:
    both = players().float()
    algorithm = RelGAN(
        pretrain_epochs=1,
        rounds=3,
        discriminator_steps=2,
        batch=6,
        inverse_temperature_limit=4.0,
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
        still = cut_gradient and event.phase == "generator"
        assert moved == (set() if still else {event.player})
        last = now
        seen.append(event.phase)
        if event.phase == "generator":
            temperatures.append(event.figures["inverse_temperature"])
    assert seen == ["likelihood"] * 2 + ["generator", "discriminator", "discriminator"] * 3
    assert temperatures == pytest.approx([1.0, 2.0, 4.0])


class Plain(Discriminator):
    """One score a sequence and nothing else, by a network that has one view."""

    def __init__(self, network: Discriminator) -> None:
        super().__init__(network.vocabulary_size)
        self.network = network

    def scores(self, tokens: Tensor, mask: Tensor, *, random: Stream | None = None) -> Tensor:
        return self.network.scores(tokens, mask, random=random)


@pytest.mark.parametrize("end", [None, 0])
def test_with_one_view_it_is_the_relativistic_gan_of_plain_scores(end: int | None) -> None:
    """A whole game, every parameter, moment and stream, to the last bit; and with two views it is another game."""
    ends = []
    for views, plain in ((1, False), (1, True), (2, False)):
        both = players(end).float()
        settings = MultiView(embedding=4, views=views, widths=(2, 3), maps=3, dense=2, dropout=0.2)
        network = settings.build(VOCABULARY, LENGTH, generator_for(0, "d"))
        team = Players({"generator": both.generator, "discriminator": Plain(network) if plain else network})
        training = Training(SETTINGS, team, corpus(), 0, Team("cpu"))
        list(training.events())
        ends.append({name.replace(".network", ""): tensor for name, tensor in training.state()[0].items()})
    assert ends[0].keys() == ends[1].keys()
    for name, tensor in ends[0].items():
        assert torch.equal(tensor, ends[1][name]), name
    weight = "players/generator.output.weight"
    assert not torch.equal(ends[0][weight], ends[2][weight])


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match=r"RelGAN.annealing_share must be above 0 and at most 1, got 0"):
        RelGAN(annealing_share=0.0)
    with pytest.raises(ValueError, match=r"RelGAN.generator_rate must be a finite number above 0, got nan"):
        RelGAN(generator_rate=math.nan)
    with pytest.raises(ValueError, match=r"RelGAN.batch must be at least 1, got 0"):
        RelGAN(batch=0)
    with pytest.raises(BadInput, match=r"no objective is called 'best'; choose one of: hinge, kullback_leibler"):
        RelGAN(objective="best")
    with pytest.raises(BadInput, match=r"no annealing is called 'none'; choose one of: constant, exponential"):
        RelGAN(annealing="none")
