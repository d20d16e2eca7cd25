"""WGAN-GP's losses, curriculum and control arm, exact where they can be.

Mutants killed: the sign of L_D or L_G, λ or the penalty forgotten, x̂ at one of its ends, dropout in the critic, rows
that read hard tokens, a curriculum that starts with two tokens or never ends, lengths of 0, the help of one token too
many or too few, other lengths for real sequences, tokens behind the end scored, random numbers that depend on lengths.
"""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from torch import Tensor, nn

from seqgans.algorithms.base import Algorithm, Play, Players, Scene
from seqgans.algorithms.wgan import WGAN
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.discriminators.recurrent import GRUScorer
from seqgans.generators.latent import Latent
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.objectives.gradient_penalty import between, gradient_penalty, slopes
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team

BATCH, LENGTH, VOCABULARY = 6, 4, 5
PLAIN = WGAN(curriculum_share=0.0, variable_length=False, teacher_help=False, batch=BATCH)


def players(end: int | None = None) -> Players:
    generator = Latent(embedding=3, hidden=4, latent=3, every_step=False, likelihood_codes=2, deviation=0.7)
    critic = GRUScorer(embedding=4, hidden=4, dropout=0.5)
    return Players(
        {
            "generator": generator.build(VOCABULARY, 0, end, generator_for(0, "g")),
            "discriminator": critic.build(VOCABULARY, LENGTH, generator_for(0, "d")),
        }
    )


def corpus() -> Corpus:
    settings = CorpusSettings(length=LENGTH, sequences=12, valid=0.0, test=0.0)
    return oracle_corpus(fresh_oracle(VOCABULARY, 0), settings, 0)


def real(end: int | None = None) -> Sequences:
    return Sequences.of(torch.randint(VOCABULARY, (BATCH, LENGTH), generator=generator_for(3, "real")), end)


def noise(seed: int = 0) -> Stream:
    return Stream(generator_for(seed, "noise"))


def gradients(value: Tensor, of: nn.Module) -> list[Tensor | None]:
    return list(torch.autograd.grad(value, [*of.parameters()], retain_graph=True, allow_unused=True))


def test_the_schedule() -> None:
    algorithm = WGAN(rounds=2, discriminator_steps=7, generator_steps=3)
    assert isinstance(algorithm, Algorithm)
    schedule = algorithm.schedule()
    assert [(phase.name, phase.gathers) for phase in schedule.round] == [("discriminator", 7), ("generator", 3)]
    rates = [update.optimizer.rate for phase in schedule.round for update in phase.updates]
    assert rates == [2e-4, 1e-4]
    assert all(update.optimizer.betas == (0.5, 0.9) for phase in schedule.round for update in phase.updates)


def test_the_curriculum_has_equal_stages_from_one_token_to_all() -> None:
    stages = Counter(WGAN().longest(round_ / 399, LENGTH) for round_ in range(400))
    assert stages.keys() == {1, 2, 3, 4}
    assert all(abs(count - 100) <= 1 for count in stages.values())
    half = [WGAN(curriculum_share=0.5).longest(share / 8, LENGTH) for share in range(9)]
    assert half == [1, 2, 3, 4, 4, 4, 4, 4, 4]
    assert WGAN(curriculum_share=0.0).longest(0.0, LENGTH) == LENGTH


def test_lengths_are_uniform_up_to_the_longest_or_all_the_longest() -> None:
    lengths = WGAN().shown(30_000, 8, noise(), progress=0.5).sum(1)  # the fifth stage of eight
    counts = torch.bincount(lengths, minlength=9)[1:6]
    assert counts.sum() == 30_000
    assert (counts - 6_000).abs().max() < 4 * math.sqrt(30_000 * 0.2 * 0.8)
    fixed = WGAN(variable_length=False).shown(5, 8, noise(), progress=0.5)
    assert fixed.tolist() == [[True] * 5 + [False] * 3] * 5


def test_a_helped_sequence_is_real_but_for_its_last_token() -> None:
    both, given = players(), real()
    cut, relaxed = WGAN().rows(both, given, noise(), progress=1.0)
    assert torch.equal(cut.mask, relaxed.mask)
    assert len(cut.mask.sum(1).unique()) > 2  # several lengths
    one_hot = nn.functional.one_hot(given.tokens, VOCABULARY).float()
    codes = both.get_submodule("generator")
    for row, length in enumerate(cut.mask.sum(1).tolist()):
        assert torch.equal(relaxed.weights[row, : length - 1], one_hot[row, : length - 1])
        assert relaxed.weights[row, length - 1].amax() < 0.99  # a law, not a draw
    assert isinstance(codes, nn.Module)
    changed = Sequences(given.tokens.clone(), given.mask)
    last = cut.mask.sum(1)[:, None] - 1
    changed.tokens.scatter_(1, last, (given.tokens.gather(1, last) + 1) % VOCABULARY)
    _, again = WGAN().rows(both, changed, noise(), progress=1.0)
    shown = relaxed.mask[:, :, None]
    torch.testing.assert_close(again.weights * shown, relaxed.weights * shown)  # the last real token is not seen


def test_rows_are_laws_that_read_themselves_and_depend_on_the_noise_of_the_first_state_alone() -> None:
    both = players()
    _, relaxed = PLAIN.rows(both, real(), noise(), progress=0.0)
    expected = both.generator.given(both.generator.draw_codes(BATCH, noise())).soft_argmax(LENGTH, 1.0)  # pyright: ignore
    torch.testing.assert_close(relaxed.weights, expected.weights)


@pytest.mark.parametrize("end", [None, 0])
def test_the_critic_loss_is_the_distance_and_its_penalty(end: int | None) -> None:
    both, algorithm = players(end), WGAN(penalty=7.0, batch=BATCH)
    critic = both.discriminator
    cut, relaxed = algorithm.rows(both, real(end), noise(1), progress=1.0)
    weights = relaxed.weights.detach()
    play = Play(real=cut, extras={"weights": weights, "mask": relaxed.mask}, random=noise(2))
    loss = algorithm.critic_loss(both, play)
    one_hot = nn.functional.one_hot(cut.tokens, VOCABULARY) * cut.mask[:, :, None]
    points = between(one_hot.float(), weights * relaxed.mask[:, :, None], noise(2).uniform(BATCH))
    steep = slopes(lambda rows: critic.scores(rows, cut.mask | relaxed.mask), points)
    distance = (critic.scores(cut.tokens, cut.mask) - critic.scores(weights, relaxed.mask)).mean()
    torch.testing.assert_close(loss.value, 7.0 * gradient_penalty(steep) - distance)
    assert loss.figures == {"distance": pytest.approx(distance.item()), "slope": pytest.approx(steep.mean().item())}
    assert all(gradient is None for gradient in gradients(loss.value, both.generator))
    hidden = torch.where(
        relaxed.mask[:, :, None], weights, torch.full_like(weights, 0.2)
    )  # what is padding is not read
    again = Play(real=cut, extras={"weights": hidden, "mask": relaxed.mask}, random=noise(2))
    torch.testing.assert_close(algorithm.critic_loss(both, again).value, loss.value)


def test_a_small_generator_step_raises_the_scores_of_its_rows() -> None:
    both = players()
    play = Play(real=real(), random=noise(), progress=1.0)
    before = WGAN().generator_loss(both, play)
    _, relaxed = WGAN().rows(both, real(), noise(), progress=1.0)
    torch.testing.assert_close(before.value, -both.discriminator.scores(relaxed.weights, relaxed.mask).mean())
    with torch.no_grad():
        for parameter, gradient in zip(
            both.generator.parameters(), gradients(before.value, both.generator), strict=True
        ):
            if gradient is not None:
                parameter.sub_(1e-2 * gradient)
    after = WGAN().generator_loss(both, Play(real=real(), random=noise(), progress=1.0))
    assert after.value < before.value
    assert before.figures["length"] == LENGTH
    assert not bool(relaxed.mask.all())
    largest = relaxed.weights.amax(2)[relaxed.mask].mean().item()  # what is cut off is not looked at
    assert before.figures["largest_weight"] == pytest.approx(largest)


def test_the_control_arm_has_the_same_loss_and_no_gradient() -> None:
    both = players()
    plain, control = (
        WGAN(cut_gradient=cut).generator_loss(both, Play(real=real(), random=noise(), progress=1.0))
        for cut in (False, True)
    )
    torch.testing.assert_close(control.value, plain.value)
    assert all(gradient is None or not gradient.any() for gradient in gradients(control.value, both.generator))
    assert any(gradient is not None and gradient.any() for gradient in gradients(plain.value, both.generator))


def test_critic_steps_alone_bring_slopes_near_one_and_a_distance_above_zero() -> None:
    both = players()
    algorithm = WGAN(
        rounds=40,
        discriminator_steps=5,
        generator_steps=1,
        batch=12,
        discriminator_rate=0.01,
        curriculum_share=0.0,
        variable_length=False,
        teacher_help=False,
        cut_gradient=True,
    )
    figures = [event.figures for event in Training(algorithm, both, corpus(), 0, Team("cpu")).events() if event.figures]
    distances = [part["distance"] for part in figures if "distance" in part]
    steep = [part["slope"] for part in figures if "slope" in part]
    assert sum(distances[-20:]) / 20 > max(0.2, distances[0] + 0.1)
    assert 0.7 < sum(steep[-20:]) / 20 < 1.3
    assert abs(sum(steep[-20:]) / 20 - 1) < abs(steep[0] - 1)


@pytest.mark.parametrize("cut_gradient", [False, True])
def test_each_update_of_a_run_moves_its_player_only(cut_gradient: bool) -> None:
    both = players()
    algorithm = WGAN(rounds=4, discriminator_steps=2, generator_steps=1, batch=6, cut_gradient=cut_gradient)
    training = Training(algorithm, both, corpus(), 0, Team("cpu"))
    last = {name: tensor.clone() for name, tensor in both.state_dict().items()}
    lengths = []
    for event in training.events():
        if event.kind != "update":
            continue
        now = {name: tensor.clone() for name, tensor in both.state_dict().items()}
        moved = {name.split(".")[0] for name in now if not torch.equal(now[name], last[name])}
        assert moved == (set() if cut_gradient and event.phase == "generator" else {event.player})
        last = now
        if event.phase == "generator":
            lengths.append(event.figures["length"])
    assert lengths == [1, 2, 3, 4]


def test_two_processes_use_the_random_numbers_of_one() -> None:
    both, given = players(), real()
    whole_stream = noise()
    _, whole = WGAN().rows(both, given, whole_stream, progress=1.0)
    for rank in range(2):
        stream = noise()
        with stream.share(rank, rank + 1, 2):
            _, part = WGAN().rows(both, given[slice(rank, None, 2)], stream, progress=1.0)
        torch.testing.assert_close(part.weights, whole.weights[rank::2])
        assert torch.equal(stream.random.get_state(), whole_stream.random.get_state())


def test_the_rows_of_a_gathering_are_those_of_its_scene() -> None:
    both = players()
    with torch.no_grad():
        play = PLAIN.real_and_relaxed(both, Scene(corpus(), noise(5), progress=1.0))
    assert len(play) == BATCH
    assert play.extras["weights"].shape == (BATCH, LENGTH, VOCABULARY)


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match=r"WGAN.penalty must be at least 0, got -1"):
        WGAN(penalty=-1.0)
    with pytest.raises(ValueError, match=r"WGAN.curriculum_share must be from 0 to 1, got 1.5"):
        WGAN(curriculum_share=1.5)
    with pytest.raises(ValueError, match=r"WGAN.clip must be above 0, got 0"):
        WGAN(clip=0.0)
