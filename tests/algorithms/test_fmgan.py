"""FM-GAN's losses and roles, against direct formulas.

Mutants killed: an extractor that makes the distance small, a head that moves the features, a generator moved by the
extractor's step, pulls of other rows, a plan of other iterations or scalings than asked for, a control arm whose
extractor is disturbed too, an extractor that learns although it was frozen.
"""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from seqgans.algorithms.base import Phase, Play, Players, Scene, Update
from seqgans.algorithms.fmgan import FMGAN, extractor
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.discriminators.matching import Matching
from seqgans.discriminators.strided import Strided, StridedCNN
from seqgans.errors import BadInput
from seqgans.generators.latent import Latent
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.objectives.adversarial import discriminator_loss
from seqgans.objectives.transport import feature_movers_distance
from seqgans.randomness import Stream, generator_for
from seqgans.training.loop import Training
from seqgans.training.team import Team

VOCABULARY, LENGTH = 7, 5
SETTINGS = FMGAN(batch=12, sharpness=5.0, proximal_step=0.5, pretrain_epochs=0, rounds=1)


@pytest.fixture
def corpus() -> Corpus:
    settings = CorpusSettings(length=LENGTH, sequences=40, valid=0.0, test=0.0)
    return oracle_corpus(fresh_oracle(VOCABULARY, 0), settings, 0)


@pytest.fixture
def players() -> Players:
    latent = Latent(embedding=4, hidden=6, latent=3, likelihood_codes=2, deviation=0.7, every_step=False)
    strided = Strided(embedding=4, maps=5, width=3, features=3)
    return Players(
        {
            "generator": latent.build(VOCABULARY, 0, None, generator_for(0, "generator")),
            "discriminator": strided.build(VOCABULARY, LENGTH, generator_for(0, "discriminator")),
        }
    )


def phase_of(algorithm: FMGAN, player: str) -> tuple[Phase, Update]:
    phase = next(phase for phase in algorithm.schedule().round if phase.name == player)
    (update,) = phase.updates
    assert update.player == player
    return phase, update


def gathered(players: Players, corpus: Corpus, player: str, algorithm: FMGAN = SETTINGS) -> Play:
    with torch.no_grad():
        return phase_of(algorithm, player)[0].gather(players, Scene(corpus, Stream(generator_for(5))))


def both(players: Players, play: Play) -> tuple[Tensor, Tensor]:
    assert play.real is not None
    fake = players.generator.given(play.extras["codes"]).soft_argmax(LENGTH, 5.0)  # pyright: ignore[reportCallIssue]
    features = extractor(players).features
    return features(play.real.tokens, play.real.mask), features(fake.weights, fake.mask)


def gradients(value: Tensor, module: torch.nn.Module) -> list[Tensor]:
    found = torch.autograd.grad(value, [*module.parameters()], allow_unused=True)
    return [
        part if part is not None else torch.zeros_like(of) for part, of in zip(found, module.parameters(), strict=True)
    ]


@pytest.mark.parametrize("scalings", [1, 3])
@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_each_player_follows_the_distance_of_the_whole_batch(
    players: Players, corpus: Corpus, player: str, scalings: int
) -> None:
    algorithm = dataclasses.replace(SETTINGS, proximal_iterations=3, scalings=scalings)
    play = gathered(players, corpus, player, algorithm)
    loss = phase_of(algorithm, player)[1].loss(players, play)
    real, fake = both(players, play)
    direct = feature_movers_distance(real, fake, step=0.5, iterations=3, scalings=scalings)
    assert loss.figures["distance"] == pytest.approx(direct.item(), rel=1e-5)
    if player == "discriminator":  # the head reads features, and leaves them where they are
        scores = [extractor(players).judged(part.detach()) for part in (real, fake)]
        direct = discriminator_loss(*scores) - direct
    torch.testing.assert_close(loss.value, direct)
    module = players.get_submodule(player)
    for ours, expected in zip(gradients(loss.value, module), gradients(direct, module), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)


def test_each_step_moves_the_distance_its_way(players: Players, corpus: Corpus) -> None:
    before = {key: part.clone() for key, part in players.state_dict().items()}
    for player, sign in (("generator", -1), ("discriminator", 1)):
        players.load_state_dict(before)
        play = gathered(players, corpus, player)
        start = feature_movers_distance(*both(players, play), step=0.5).item()
        module = players.get_submodule(player)
        slopes = gradients(phase_of(SETTINGS, player)[1].loss(players, play).value, module)
        with torch.no_grad():
            for parameter, slope in zip(module.parameters(), slopes, strict=True):
                parameter.sub_(1e-2 * slope)
        end = feature_movers_distance(*both(players, play), step=0.5).item()
        assert sign * (end - start) > 0, player


def test_the_control_arm_disturbs_the_generator_alone(players: Players, corpus: Corpus) -> None:
    shuffled = dataclasses.replace(SETTINGS, shuffled=True)
    for player in ("generator", "discriminator"):
        one, other = (
            gathered(players, corpus, player, algorithm).extras["fake_pull"] for algorithm in (SETTINGS, shuffled)
        )
        assert torch.equal(one.sort(0).values, other.sort(0).values)
        assert torch.equal(one, other) == (player == "discriminator")


def test_a_frozen_extractor_stays_where_it_is(players: Players, corpus: Corpus) -> None:
    frozen = dataclasses.replace(SETTINGS, extractor_steps=0, rounds=2)
    before = {key: part.clone() for key, part in players.state_dict().items()}
    list(Training(frozen, players, corpus, 0, Team("cpu")).events())
    moved = {key for key, part in players.state_dict().items() if not torch.equal(part, before[key])}
    assert moved
    assert all(key.startswith("generator.") for key in moved)


def test_the_autoencoder_learns_to_unfold_what_it_read(players: Players, corpus: Corpus) -> None:
    algorithm = FMGAN(pretrain_epochs=60, rounds=0, pretrain_batch=20, pretrain_rate=1e-2)
    events = [
        event for event in Training(algorithm, players, corpus, 0, Team("cpu")).events() if event.kind == "update"
    ]
    assert {event.player for event in events} == {"generator", "discriminator"}
    assert events[-1].figures["nll_given_code"] < 0.8 * events[0].figures["nll_given_code"]


def test_other_players_are_refused(players: Players) -> None:
    judge = Matching(embedding=2, widths=(2,), maps=2).build(VOCABULARY, LENGTH, generator_for(0))
    with pytest.raises(BadInput, match="discriminator 'strided', got MatchingCNN"):
        SETTINGS.extras(Players({"generator": players.generator, "discriminator": judge}), generator_for(0))
    wide = Strided(embedding=2, maps=2, features=9).build(VOCABULARY, LENGTH, generator_for(0))
    with pytest.raises(BadInput, match=r"features equal to generator\.latent, got 9 and 3"):
        SETTINGS.extras(Players({"generator": players.generator, "discriminator": wide}), generator_for(0))


@pytest.mark.parametrize(("length", "width"), [(1, 5), (3, 5), (6, 2), (51, 5)])
def test_sequences_of_any_length_have_features(length: int, width: int) -> None:
    built = Strided(embedding=3, maps=16, width=width, features=2).build(VOCABULARY, length, generator_for(0))
    assert isinstance(built, StridedCNN)
    tokens = torch.randint(VOCABULARY, (4, length), generator=generator_for(1))
    features = built.features(tokens, torch.ones(4, length, dtype=torch.bool))
    assert features.shape == (4, 2)
    if length == 51:
        for place in (0, 25, 50):  # no place is skipped
            other = tokens.clone()
            other[:, place] = (other[:, place] + 1) % VOCABULARY
            changed = built.features(other, torch.ones(4, length, dtype=torch.bool))
            assert bool((changed != features).any()), place


@pytest.mark.parametrize(("name", "value"), [("batch", 1), ("scalings", 0), ("proximal_step", 0.0)])
def test_settings_are_checked(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"FMGAN.{name} must be"):
        FMGAN(**{name: value})
