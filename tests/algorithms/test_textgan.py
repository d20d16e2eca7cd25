"""TextGAN's losses and roles, against direct formulas.

Mutants killed: a weight with the wrong sign, a discriminator that makes MMD small, half of the adversarial term,
codes of other rows, pulls over a process's own rows, pulls of the control arm left in place, a generator moved by the
discriminator's step, a reader that learns nothing, smoothing on the wrong side, kernels of absolute sizes
alone.
"""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor
from torch.nn.functional import softplus

from seqgans.algorithms.base import Phase, Play, Players, Scene, Update
from seqgans.algorithms.textgan import TextGAN, cnn
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.discriminators.convolutional import CNN
from seqgans.discriminators.matching import Matching
from seqgans.errors import BadInput
from seqgans.generators.latent import Latent
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.objectives.adversarial import accuracy
from seqgans.objectives.matching import kernel_discrepancy
from seqgans.randomness import Stream, generator_for
from seqgans.training.loop import Training
from seqgans.training.team import Team

VOCABULARY, LENGTH, BATCH = 7, 5, 12
SETTINGS = TextGAN(
    batch=BATCH,
    sharpness=5.0,
    kernel_sizes=(0.5, 2.0),
    matching_weight=0.3,
    reconstruction_weight=0.2,
    reader=6,
    smoothing=0.1,
    swap_epochs=0,
    pretrain_epochs=0,
    rounds=1,
)


@pytest.fixture
def corpus() -> Corpus:
    settings = CorpusSettings(length=LENGTH, sequences=40, valid=0.0, test=0.0)
    return oracle_corpus(fresh_oracle(VOCABULARY, 0), settings, 0)


@pytest.fixture
def players() -> Players:
    latent = Latent(embedding=4, hidden=6, latent=3, likelihood_codes=2, deviation=0.7)
    matching = Matching(embedding=4, widths=(2, 3), maps=5, dense=4)
    built = Players(
        {
            "generator": latent.build(VOCABULARY, 0, None, generator_for(0, "generator")),
            "discriminator": matching.build(VOCABULARY, LENGTH, generator_for(0, "discriminator")),
        }
    )
    for name, player in SETTINGS.extras(built, generator_for(0, "extras")).items():
        built.add_module(name, player)
    return built


def phase_of(algorithm: TextGAN, player: str) -> tuple[Phase, Update]:
    phase = next(phase for phase in algorithm.schedule().round if phase.name == player)
    return phase, next(update for update in phase.updates if update.player == player)


def gathered(players: Players, corpus: Corpus, player: str, algorithm: TextGAN = SETTINGS, **scene) -> Play:
    with torch.no_grad():
        return phase_of(algorithm, player)[0].gather(players, Scene(corpus, Stream(generator_for(5)), **scene))


def both(players: Players, play: Play) -> tuple[Tensor, Tensor]:
    assert play.real is not None
    fake = players.generator.given(play.extras["codes"]).soft_argmax(LENGTH, 5.0)  # pyright: ignore[reportCallIssue]
    features = cnn(players).features
    return features(play.real.tokens, play.real.mask), features(fake.weights, fake.mask)


def gradients(value: Tensor, module: torch.nn.Module) -> list[Tensor]:
    found = torch.autograd.grad(value, [*module.parameters()], allow_unused=True)
    return [
        part if part is not None else torch.zeros_like(of) for part, of in zip(found, module.parameters(), strict=True)
    ]


@pytest.mark.parametrize("relative", [False, True])
def test_the_generator_follows_the_discrepancy_of_the_whole_batch(
    players: Players, corpus: Corpus, relative: bool
) -> None:
    play = gathered(players, corpus, "generator", dataclasses.replace(SETTINGS, relative_sizes=relative))
    loss = SETTINGS.generator_loss(players, play).value
    direct = kernel_discrepancy(*both(players, play), (0.5, 2.0), relative=relative)
    torch.testing.assert_close(loss, direct)
    assert loss > 0.01
    for ours, expected in zip(gradients(loss, players.generator), gradients(direct, players.generator), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)


def test_the_discriminator_follows_equation_3(players: Players, corpus: Corpus) -> None:
    play = gathered(players, corpus, "discriminator")
    loss = SETTINGS.discriminator_loss(players, play)
    real, fake = both(players, play)
    real_scores, fake_scores = cnn(players).judged(real), cnn(players).judged(fake)
    telling = (0.9 * softplus(-real_scores) + 0.1 * softplus(real_scores)).mean() + softplus(fake_scores).mean()
    read = (players.get_submodule("reader")(fake) - play.extras["codes"]).square().sum(1).mean()
    direct = telling + 0.2 * read - 0.3 * kernel_discrepancy(real, fake, (0.5, 2.0))
    torch.testing.assert_close(loss.value, direct)
    for ours, expected in zip(
        gradients(loss.value, players.discriminator), gradients(direct, players.discriminator), strict=True
    ):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)
    assert loss.figures["accuracy"] == accuracy(real_scores, fake_scores)
    torch.testing.assert_close(SETTINGS.reader_loss(players, play).value, read)


def test_each_step_moves_the_discrepancy_its_way(players: Players, corpus: Corpus) -> None:
    only_matching = dataclasses.replace(SETTINGS, matching_weight=100.0, reconstruction_weight=0.0)
    before = {key: part.clone() for key, part in players.state_dict().items()}
    for player, sign in (("generator", -1), ("discriminator", 1)):
        players.load_state_dict(before)
        play = gathered(players, corpus, player, only_matching)
        update = phase_of(only_matching, player)[1]
        start = kernel_discrepancy(*both(players, play), (0.5, 2.0)).item()
        module = players.get_submodule(player)
        slopes = gradients(update.loss(players, play).value, module)
        with torch.no_grad():
            for parameter, slope in zip(module.parameters(), slopes, strict=True):
                parameter.sub_((1e-2 if player == "generator" else 1e-4) * slope)
        end = kernel_discrepancy(*both(players, play), (0.5, 2.0)).item()
        assert sign * (end - start) > 0, player


def test_two_processes_gather_what_one_does(players: Players, corpus: Corpus) -> None:
    """Each process sees the features of all: its rows have the pulls they have alone."""
    alone = gathered(players, corpus, "generator")
    whole = iter([*both(players, alone)] * 2)

    def gather(rows: Tensor) -> Tensor:
        found = next(whole)
        torch.testing.assert_close(rows, found[rank::2])
        return found.detach()

    for rank in range(2):
        stream = Stream(generator_for(5))
        with torch.no_grad(), stream.share(rank, rank + 1, 2):
            scene = Scene(corpus, stream, rank, 2, gather=gather)
            part = phase_of(SETTINGS, "generator")[0].gather(players, scene)
        for name, tensor in part.tensors().items():
            torch.testing.assert_close(tensor, alone.tensors()[name][rank::2], msg=name)


def test_the_control_arm_hands_each_pull_to_another_sequence(players: Players, corpus: Corpus) -> None:
    plain = gathered(players, corpus, "generator")
    shuffled = dataclasses.replace(SETTINGS, shuffled=True)
    control = gathered(players, corpus, "generator", shuffled)
    assert torch.equal(plain.extras["codes"], control.extras["codes"])
    one, other = plain.extras["fake_pull"], control.extras["fake_pull"]
    assert torch.equal(one.sort(0).values, other.sort(0).values)
    assert (one != other).any(1).float().mean() > 0.7
    same = gathered(players, corpus, "discriminator", shuffled)
    assert torch.equal(same.extras["fake_pull"], gathered(players, corpus, "discriminator").extras["fake_pull"])


def test_a_pre_trained_discriminator_sees_swapped_words(players: Players, corpus: Corpus) -> None:
    """Cyclic sequences, whose words are always the same: a bag of words tells nothing."""
    tokens = (torch.arange(LENGTH) + torch.arange(280)[:, None]) % VOCABULARY
    ordered = dataclasses.replace(corpus, train=type(corpus.train).of(tokens))
    algorithm = TextGAN(swap_epochs=8, pretrain_epochs=0, rounds=0, batch=28, pretrain_rate=1e-2)
    learner = Training(algorithm, players, ordered, 0, Team("cpu"))
    figures = [event.figures["accuracy"] for event in learner.events() if event.kind == "update"]
    assert sum(figures[-10:]) / 10 > 0.9
    assert figures[0] < 0.7


def test_the_autoencoder_learns_to_unfold_what_it_read(players: Players, corpus: Corpus) -> None:
    algorithm = TextGAN(swap_epochs=0, pretrain_epochs=60, rounds=0, batch=20, pretrain_rate=1e-2)
    learner = Training(algorithm, players, corpus, 0, Team("cpu"))
    events = [event for event in learner.events() if event.kind == "update"]
    assert {event.player for event in events} == {"generator", "discriminator", "reader"}
    assert events[0].figures["nll_given_code"] > 1.5
    assert events[-1].figures["nll_given_code"] < 0.8 * events[0].figures["nll_given_code"]


@pytest.mark.parametrize("matching", ["covariance", "mean"])
def test_the_other_distances_move_the_generator_too(players: Players, corpus: Corpus, matching: str) -> None:
    algorithm = dataclasses.replace(SETTINGS, matching=matching)
    play = gathered(players, corpus, "generator", algorithm)
    slopes = gradients(algorithm.generator_loss(players, play).value, players.generator)
    assert all(bool(slope.isfinite().all()) for slope in slopes)
    assert sum(float(slope.abs().sum()) for slope in slopes) > 0


def test_other_players_are_refused(players: Players) -> None:
    lstm = LSTM().build(VOCABULARY, 0, None, generator_for(0))
    with pytest.raises(BadInput, match="generator 'latent', got Recurrent"):
        SETTINGS.extras(Players({"generator": lstm, "discriminator": players.discriminator}), generator_for(0))
    judge = CNN(widths=(1,), maps=(2,)).build(VOCABULARY, LENGTH, generator_for(0))
    with pytest.raises(BadInput, match="discriminator 'matching', got Convolutional"):
        SETTINGS.extras(Players({"generator": players.generator, "discriminator": judge}), generator_for(0))


@pytest.mark.parametrize(
    ("name", "value"), [("batch", 1), ("kernel_sizes", ()), ("matching_weight", -1.0), ("smoothing", 1.0)]
)
def test_settings_are_checked(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"TextGAN.{name} must be"):
        TextGAN(**{name: value})
