"""ScratchGAN on a world of 3 tokens and 3 steps, where every expectation is a sum over 27 sequences.

Mutants killed: D for 2 D − 1, rewards of the position before or after, a baseline that already holds its batch or
counts padding, a loss of the discriminator over real tokens alone, rewards of other rows (the control arm fails here).
"""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from seqgans.algorithms.base import Algorithm, Play, Players, Scene
from seqgans.algorithms.scratchgan import ScratchGAN
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.prefixes import signed_step_rewards
from seqgans.rewards.returns import reward_to_go
from seqgans.sequences import Sequences
from tests.algorithms.prefixes import Prefixes

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
EVERYWHERE = torch.ones(27, 3, dtype=torch.bool)


def team(deviation: float = 1.0, baseline: bool = False) -> Players:
    generator = LSTM(embedding=2, hidden=3, deviation=0.8).build(3, 0, None, generator_for(0))
    players = Players({"generator": generator, "discriminator": Prefixes(deviation)})
    for name, player in ScratchGAN(baseline=baseline).extras(players, generator_for(0)).items():
        players.add_module(name, player)
    return players


def judge(players: Players) -> Prefixes:
    assert isinstance(players.discriminator, Prefixes)
    return players.discriminator


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return open_text_corpus("world:skewed", CorpusSettings(sequences=50, valid=0.0, test=0.0), 0)


def gradient(value: Tensor, players: Players) -> Tensor:
    parts = torch.autograd.grad(value, list(players.generator.parameters()), retain_graph=True)
    return torch.cat([part.flatten() for part in parts])


def surrogate(players: Players, rewards: Tensor, rows: Tensor | None = None) -> Tensor:
    """Minus the gradient of the generator's loss."""
    tokens, mask = (EVERY, EVERYWHERE) if rows is None else (EVERY[rows], EVERYWHERE[rows])
    play = Play(fake=Sequences(tokens, mask), rewards=rewards)
    return -gradient(ScratchGAN().generator_loss(players, play).value, players)


def law(players: Players) -> Tensor:
    return players.generator.log_probs(EVERY).sum(1).exp()


def test_rewards_run_from_minus_one_to_one() -> None:
    players = team()
    mask = torch.tensor([[True, True, False]]).expand(27, 3)
    with torch.no_grad():
        judge(players).table.copy_(torch.tensor([0.0, 60.0, -60.0]).repeat(13))
    rewards = signed_step_rewards(players.discriminator, EVERY, mask)
    expected = torch.tensor([0.0, 1.0, -1.0])[EVERY] * mask  # the last token decides
    torch.testing.assert_close(rewards, expected, rtol=0, atol=1e-6)


def test_accuracies_are_those_of_first_and_last_real_tokens() -> None:
    """By a judge that says real after 1 and generated after 2; padding, a 2 or a 1, is not asked."""
    players = team()
    with torch.no_grad():
        judge(players).table.copy_(torch.tensor([0.0, 1.0, -1.0]).repeat(13))
    mask = torch.tensor([[True, True, False], [True, False, False]])
    real, fake = torch.tensor([[2, 1, 2], [1, 2, 2]]), torch.tensor([[1, 2, 1], [2, 1, 1]])
    figures = (
        ScratchGAN().discriminator_loss(players, Play(real=Sequences(real, mask), fake=Sequences(fake, mask))).figures
    )
    assert (figures["accuracy_first"], figures["accuracy_last"]) == (0.5, 1.0)


def test_padding_costs_ln_2_and_moves_no_one() -> None:
    players = team()
    mask = torch.tensor([[True, True, False], [True, False, False]])
    tokens, other = torch.tensor([[1, 2, 0], [1, 0, 0]]), torch.tensor([[1, 2, 2], [1, 1, 2]])
    losses, slopes = [], []
    for rows in (tokens, other):
        play = Play(real=Sequences(rows, mask), fake=Sequences(rows, mask), rewards=torch.ones(2, 3))
        loss = ScratchGAN().discriminator_loss(players, play).value
        losses.append(loss.item())
        slopes.append(gradient(ScratchGAN().generator_loss(players, play).value, players))
    assert losses[0] == losses[1]
    assert torch.equal(slopes[0], slopes[1])  # an LSTM reads no later token
    seen = judge(players).table.detach()[[1, 1, 3 + 3 + 2]]
    told = 0.5 * (nn.functional.softplus(-seen) + nn.functional.softplus(seen))
    assert losses[0] == pytest.approx((told.sum().item() + 3 * math.log(2)) / 6)


@pytest.mark.parametrize("discount", [0.0, 0.23, 0.9])
def test_returns_are_the_recursion_and_the_matrix(discount: float) -> None:
    rewards = torch.rand(4, 3, generator=generator_for(1))
    mask = torch.ones(4, 3, dtype=torch.bool)
    found = reward_to_go(rewards, mask, discount)
    powers = torch.tensor([[discount ** (s - t) if s >= t else 0.0 for t in range(3)] for s in range(3)])
    torch.testing.assert_close(found, rewards @ powers)
    torch.testing.assert_close(found[:, :-1], rewards[:, :-1] + discount * found[:, 1:])


def target() -> Tensor:
    return torch.rand(27, generator=generator_for(2)).square().softmax(0)


def test_with_the_likelihood_ratio_as_reward_it_is_maximum_likelihood() -> None:
    """E_{p_θ} [(p* / p_θ) ∇ ln p_θ] = E_{p*} [∇ ln p_θ], summed and sampled."""
    players = team()
    data, model = target(), law(players).detach()
    exact = gradient((data * players.generator.log_probs(EVERY).sum(1)).sum(), players)
    summed = surrogate(players, (27 * model * data / model)[:, None].expand(27, 3))
    torch.testing.assert_close(summed, exact, rtol=0, atol=1e-6)
    rows = model.multinomial(20_000, replacement=True, generator=generator_for(3))
    groups = torch.stack(
        [surrogate(players, (data / model)[part, None].expand(-1, 3), part) for part in rows.chunk(40)]
    )
    error = groups.std(0) / 40**0.5
    assert float(((groups.mean(0) - exact).abs() / error.clamp(min=1e-7)).max()) < 4
    assert float(error.max()) < 0.2 * float(exact.abs().max())


def test_a_constant_baseline_leaves_the_gradient_and_the_right_one_lowers_its_variance() -> None:
    players = team()
    model = law(players).detach()
    rewards = 0.5 + 0.2 * torch.randn(27, generator=generator_for(4))
    exact = gradient((rewards * law(players)).sum(), players)
    variances = []
    for baseline in (0.0, 0.5, -3.0):
        advantages = (rewards - baseline)[:, None].expand(27, 3)
        found = surrogate(players, 27 * model[:, None] * advantages)
        torch.testing.assert_close(found, exact, rtol=0, atol=1e-5)
        rows = torch.stack([surrogate(players, advantages[[row]], torch.tensor([row])) for row in range(27)])
        variances.append(float((model[:, None] * (rows - exact).square()).sum()))
    assert variances[1] < 0.8 * variances[0] < 0.8 * variances[2]


def test_the_baseline_is_used_before_it_is_updated(corpus: Corpus) -> None:
    players = team(baseline=True)
    algorithm = ScratchGAN(batch=30, discount=0.5)
    plays = []
    for _ in range(2):
        with torch.no_grad():
            plays.append(algorithm.play(players, Scene(corpus, Stream(generator_for(5)))))
    first, second = (play.fake for play in plays)
    rewards = signed_step_rewards(players.discriminator, first.tokens, first.mask)
    returns = reward_to_go(rewards, first.mask, 0.5)
    assert torch.equal(first.tokens, second.tokens)
    torch.testing.assert_close(plays[0].rewards, returns)  # nothing is known before the first batch
    torch.testing.assert_close(plays[1].rewards, returns - returns.mean())
    assert plays[0].figures["reward"] == pytest.approx(plays[1].figures["reward"])
    assert plays[1].figures["advantage"] == pytest.approx(0.0, abs=1e-6)


def test_the_average_of_a_constant_is_that_constant() -> None:
    baseline = ScratchGAN(baseline_decay=0.7).extras(team(), generator_for(0))["baseline"]
    rewards, mask = torch.full((2, 3), 0.4), torch.ones(2, 3, dtype=torch.bool)
    for _ in range(20):
        baseline(rewards, mask)
    assert baseline.average.item() == pytest.approx(0.4, abs=1e-3)
    assert baseline(rewards, mask).abs().max().item() < 1e-3


def test_the_best_dense_discriminator_is_the_ratio_of_prefixes() -> None:
    """Score t → ln p*(x_1:t) / p_θ(x_1:t): prefixes of both sides come as often as they are."""
    players = team(deviation=0.1)
    counts = [(1_000 * part / part.sum()).round().long() for part in (target(), law(players).detach())]
    rows = [torch.arange(27).repeat_interleave(count)[:900] for count in counts]
    real, fake = (Sequences(EVERY[part], EVERYWHERE[:1].expand(len(part), 3)) for part in rows)
    play = Play(real=real, fake=fake)
    optimizer = torch.optim.Adam([judge(players).table], lr=0.3)
    for _ in range(80):
        optimizer.zero_grad()
        ScratchGAN().discriminator_loss(players, play).value.backward()
        optimizer.step()
    found = judge(players).step_scores(EVERY, EVERYWHERE).detach()
    for time in range(3):
        prefixes = EVERY[:, : time + 1]
        often = [(EVERY[part][:, None, : time + 1] == prefixes).all(2).sum(0) for part in rows]
        known = (often[0] > 20) & (often[1] > 20)
        assert int(known.sum()) >= 3
        expected = (often[0] / often[1]).log()
        assert float((found[:, time] - expected)[known].abs().max()) < 0.1


def test_the_control_arm_shuffles_whole_rows(corpus: Corpus) -> None:
    players = team()
    plain, control = (
        ScratchGAN(batch=30, baseline=False, shuffled=shuffled).play(players, Scene(corpus, Stream(generator_for(6))))
        for shuffled in (False, True)
    )
    assert plain.rewards is not None
    assert control.rewards is not None
    assert plain.fake is not None
    assert control.fake is not None
    assert torch.equal(plain.fake.tokens, control.fake.tokens)
    assert not torch.equal(plain.rewards, control.rewards)
    assert sorted(plain.rewards.tolist()) == sorted(control.rewards.tolist())


def test_one_batch_moves_both_and_nothing_comes_before() -> None:
    algorithm = ScratchGAN(rounds=7, steps=3)
    assert isinstance(algorithm, Algorithm)
    schedule = algorithm.schedule()
    (phase,) = schedule.round
    assert [before.gathers for before in schedule.before] == [0]  # no maximum likelihood unless asked for
    assert (schedule.rounds, phase.gathers, phase.batch) == (7, 3, None)
    assert [update.player for update in phase.updates] == ["discriminator", "generator"]
    assert {update.optimizer.betas for update in phase.updates} == {(0.5, 0.999)}


def test_repeated_samples_are_counted(corpus: Corpus) -> None:
    players = team()
    with torch.no_grad():
        players.generator.output.bias.copy_(torch.tensor([60.0, 0.0, 0.0]))
    play = ScratchGAN(batch=20, baseline=False).play(players, Scene(corpus, Stream(generator_for(7))))
    assert play.figures["unique"] == pytest.approx(1 / 20)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"discount": 1.5}, r"ScratchGAN\.discount must be at least 0 and at most 1, got 1\.5"),
        ({"baseline_decay": 1.0}, r"ScratchGAN\.baseline_decay must be at least 0 and below 1, got 1\.0"),
        ({"steps": 0}, r"ScratchGAN\.steps must be at least 1, got 0"),
        ({"generator_rate": 0.0}, r"ScratchGAN\.generator_rate must be a finite number above 0"),
    ],
)
def test_settings_are_checked(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ScratchGAN(**settings)  # pyright: ignore[reportArgumentType]
