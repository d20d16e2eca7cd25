"""ColdGAN on a world of 3 tokens and 3 steps, where every expectation is a sum over 27 sequences (checks 1, 2, 4, 5).

Mutants killed: weights upside down or left out, the density of the one that wrote instead of the mixture's, a mean of
log-weights for their sum, weights that take part in the baseline, a ratio against the cold law, negatives without
earlier ones, a loss that does not hear of its settings, weights handed to others with the rewards.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import pytest
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.coldgan import ColdGAN
from seqgans.algorithms.judging import judge_loss
from seqgans.algorithms.off_policy import off_policy_loss
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.discriminators.base import Discriminator
from seqgans.generators.behaviour import Behaviour, decoded_log_probs
from seqgans.generators.decoding import Decoding
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.answers import PastAnswers
from seqgans.sequences import Sequences

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
CODES = torch.tensor([9, 3, 1])
TEMPERATURE, NUCLEUS, SHARE = 0.5, 0.7, 0.1
DRAWS = 4000


class Table(Discriminator):
    """A score for each of the 27 sequences."""

    def __init__(self, table: Tensor) -> None:
        super().__init__(3)
        self.table = nn.Parameter(table)

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        return self.table[tokens @ CODES]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return oracle_corpus(fresh_oracle(3, 0), CorpusSettings(length=3, sequences=12, valid=0.0, test=0.0), 0)


def scene(corpus: Corpus, seed: int = 1) -> Scene:
    return Scene(corpus, Stream(generator_for(seed)), round=1)


def players_of(algorithm: ColdGAN, scores: Tensor) -> Players:
    generator = LSTM(embedding=2, hidden=3, deviation=0.8).build(3, 0, None, generator_for(0, "generator"))
    team = Players({"generator": generator, "discriminator": Table(scores)}, length=3)
    for name, player in algorithm.extras(team, generator_for(0)).items():
        team.add_module(name, player)
    return team


def algorithm_of(**settings: Any) -> ColdGAN:
    plain = {"weights": "full", "baseline": "none", "temperature": TEMPERATURE, "nucleus": NUCLEUS, "batch": DRAWS}
    return ColdGAN(**{**plain, "memory": DRAWS, "cold_share": SHARE, **settings})


def law(players: Players, decoding: Decoding | None = None) -> Tensor:
    """log π of all 27, or of what a decoding makes of it."""
    return decoded_log_probs(players.generator, EVERY, decoding or Decoding()).sum(1).double()


def density(players: Players, algorithm: ColdGAN) -> Tensor:
    """log π̂ of all 27, by its definition."""
    cold, nucleus = law(players, Decoding(temperature=TEMPERATURE)), law(players, Decoding(top_p=NUCLEUS))
    if algorithm.behaviour != "mixture":
        return cold if algorithm.behaviour == "cold" else nucleus
    return (SHARE * cold.exp() + (1 - SHARE) * nucleus.exp()).log()


def flat_gradient(value: Tensor, players: Players) -> Tensor:
    return torch.cat([part.flatten() for part in torch.autograd.grad(value, [*players.generator.parameters()])])


def exact_gradient(players: Players, rewards: Tensor) -> Tensor:
    """∇ −E_π[R]."""
    return flat_gradient(-(players.generator.log_probs(EVERY).sum(1).exp() * rewards).sum(), players)


def played(algorithm: ColdGAN, players: Players, corpus: Corpus) -> tuple[Play, Sequences, Tensor]:
    with torch.no_grad():
        play = algorithm.play(players, scene(corpus))
    assert play.fake is not None
    assert play.rewards is not None
    return play, play.fake, play.rewards


SCORES = torch.linspace(-2, 3, 27)[torch.randperm(27, generator=generator_for(3))]


@pytest.mark.parametrize("behaviour", ["cold", "mixture"])
def test_cautious_samples_give_the_gradient_of_the_generator(corpus: Corpus, behaviour: Any) -> None:
    """Check 1: within 4 standard errors, and the weights of the drawn are those of the definition."""
    algorithm = algorithm_of(behaviour=behaviour)
    players = players_of(algorithm, SCORES)
    play, fake, rewards = played(algorithm, players, corpus)
    weights = (law(players) - density(players, algorithm)).exp()[fake.tokens @ CODES]
    expected = (weights * SCORES.sigmoid()[fake.tokens @ CODES].double()).float()
    torch.testing.assert_close(rewards, expected[:, None].expand(-1, 3), rtol=1e-4, atol=1e-4)
    exact = exact_gradient(players, SCORES.sigmoid())
    parts = [play.rows(rows) for rows in torch.arange(DRAWS).split(DRAWS // 20)]
    found = torch.stack(
        [flat_gradient(off_policy_loss(players, part, clip_ratio=0.2).value, players) for part in parts]
    )
    error = found.std(0) / 20**0.5
    assert float(((found.mean(0) - exact).abs() / error.clamp(min=1e-4)).max()) < 4.5  # of 50 numbers
    assert float(exact.norm()) > 2 * float(error.norm())  # there is something to be found


def test_a_nucleus_alone_never_hears_of_rewards_outside_it(corpus: Corpus) -> None:
    """Check 1, the bias: all reward lies where the nucleus never draws, and the estimate is 0."""
    algorithm = algorithm_of(behaviour="nucleus")
    outside = density(players_of(algorithm, SCORES), algorithm).isinf()
    assert 0 < int(outside.sum()) < 27
    players = players_of(algorithm, torch.where(outside, 60.0, -200.0))
    play, _, rewards = played(algorithm, players, corpus)
    assert float(rewards.abs().max()) < 1e-20
    assert float(exact_gradient(players, outside.float()).norm()) > 0.05
    assert float(flat_gradient(off_policy_loss(players, play, clip_ratio=0.2).value, players).norm()) < 1e-6


def test_weights_have_the_mean_one_and_are_bounded(corpus: Corpus) -> None:
    """Check 2."""
    for behaviour in ("cold", "mixture"):
        algorithm = algorithm_of(behaviour=behaviour)
        players = players_of(algorithm, torch.full((27,), 60.0))  # every reward is 1, so the rewards are the weights
        _, _, rewards = played(algorithm, players, corpus)
        weights = rewards[:, 0]
        assert float((weights.mean() - 1).abs() / (weights.std() / DRAWS**0.5)) < 4
        proposal = density(players, algorithm)
        ratio = law(players) - proposal
        assert float((proposal.exp() * ratio.exp()).sum()) == pytest.approx(1, abs=1e-5)
        bound = law(players) - law(players, Decoding(temperature=TEMPERATURE)) - torch.tensor(SHARE).log()
        assert bool((ratio <= bound + 1e-5).all())


def test_at_temperature_one_every_weight_is_one(corpus: Corpus) -> None:
    algorithm = algorithm_of(behaviour="cold", temperature=1.0, batch=64)
    players = players_of(algorithm, torch.full((27,), 60.0))
    play, _, rewards = played(algorithm, players, corpus)
    torch.testing.assert_close(rewards, torch.ones(64, 3), rtol=0, atol=1e-5)
    assert play.figures["effective_share"] == pytest.approx(1.0, abs=1e-5)
    assert play.figures["log_weight"] == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize(("weights", "largest"), [("truncated", 1.25), ("none", 1.0), ("normalised", None)])
def test_what_becomes_of_weights(corpus: Corpus, weights: Any, largest: float | None) -> None:
    algorithm = algorithm_of(weights=weights, weight_limit=1.25, batch=512)
    players = players_of(algorithm, torch.full((27,), 60.0))
    _, _, rewards = played(algorithm, players, corpus)
    if largest is None:
        assert float(rewards[:, 0].mean()) == pytest.approx(1, abs=1e-5)
    else:
        assert float(rewards.max()) == pytest.approx(largest, abs=1e-6)
        assert (float(rewards.min()) < 1) == (weights == "truncated")


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_clip_stops_what_leaves_and_nothing_else(corpus: Corpus, sign: float) -> None:
    """Check 4: at ρ = 1 the gradient is the plain one; beyond 1 ± ε in the direction of A it is 0."""
    players = players_of(algorithm_of(), SCORES)
    fake, advantages = Sequences(EVERY, torch.ones(27, 3, dtype=torch.bool)), torch.full((27, 3), sign)
    old = players.generator.log_probs(EVERY).detach()
    play = Play(fake=fake, rewards=advantages, extras={"drawn": old})
    plain = flat_gradient(-(players.generator.log_probs(EVERY) * advantages).sum() / 27, players)
    at_once = flat_gradient(off_policy_loss(players, play, clip_ratio=0.2).value, players)
    torch.testing.assert_close(at_once, plain, rtol=0, atol=1e-6)
    moved = Play(fake=fake, rewards=advantages, extras={"drawn": old - sign * 0.3})
    loss = off_policy_loss(players, moved, clip_ratio=0.2)
    assert loss.figures["clipped"] == 1.0
    assert float(flat_gradient(loss.value, players).norm()) == 0.0


def test_the_greedy_baseline_is_the_reward_of_the_likeliest(corpus: Corpus) -> None:
    plain, critical = (algorithm_of(baseline=name, batch=16) for name in ("none", "greedy"))
    players = players_of(plain, SCORES)
    likeliest = players.generator.sample(1, 3, random=generator_for(0), decoding=Decoding(temperature=0.0)).tokens
    _, _, rewards = played(plain, players, corpus)
    _, _, less = played(critical, players, corpus)
    ways = played(algorithm_of(batch=16), players_of(plain, torch.full((27,), 60.0)), corpus)[2]
    expected = rewards - ways * SCORES[likeliest[0] @ CODES].sigmoid()
    torch.testing.assert_close(less, expected.detach(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("shuffled", [False, True])
def test_weights_come_after_the_baseline_and_stay_with_their_samples(corpus: Corpus, shuffled: bool) -> None:
    plain = algorithm_of(batch=16)
    ways = played(plain, players_of(plain, torch.full((27,), 60.0)), corpus)[2]  # every reward is 1
    algorithm = algorithm_of(batch=16, baseline="leave_one_out", shuffled=shuffled)
    _, fake, found = played(algorithm, players_of(algorithm, SCORES), corpus)
    own = SCORES.sigmoid()[fake.tokens @ CODES]
    expected = own - (own.sum() - own) / 15
    less = (found / ways)[:, 0]
    assert torch.allclose(less, expected, atol=1e-5) != shuffled
    torch.testing.assert_close(less.sort().values, expected.sort().values, rtol=0, atol=1e-5)


def test_settings_reach_the_losses(corpus: Corpus) -> None:
    """ε of the policy's loss, the share of wrong labels of the discriminator's, and what draws."""
    how: dict[str, Any] = {"temperature": 0.3, "nucleus": 0.4, "cold_share": 0.2, "level": "token"}
    assert ColdGAN(behaviour="mixture", **how).draws == Behaviour(kind="mixture", **how)
    fake = Sequences(EVERY, torch.ones(27, 3, dtype=torch.bool))
    for ratio, share in ((0.2, 0.0), (0.5, 0.3)):
        algorithm = algorithm_of(clip_ratio=ratio, smoothing=share)
        players = players_of(algorithm, SCORES)
        policy, judge = (phase.updates[0].loss for phase in algorithm.schedule().round)
        old = players.generator.log_probs(EVERY).detach()
        moved = Play(fake=fake, rewards=torch.ones(27, 3), extras={"drawn": old - 0.3})  # e^0.3 is 1.35
        assert policy(players, moved).figures["clipped"] == (ratio < 0.35)
        real, written = SCORES[:9], SCORES[9:18]
        expected = -(1 - share) * real.sigmoid().log() - share * (-real).sigmoid().log() - (-written).sigmoid().log()
        found = judge(players, Play(real=fake[:9], fake=fake[9:18])).value
        torch.testing.assert_close(found, expected.mean())


def test_fresh_samples_answer_in_groups_and_padding_surprises_nobody(corpus: Corpus) -> None:
    algorithm = algorithm_of(batch=8, answers=4)
    players = players_of(algorithm, SCORES)
    algorithm.pairs(players, scene(corpus), fresh=True)
    rows = PastAnswers.among(players).rows[:8].view(2, 4)
    assert bool((rows == rows[:, :1]).all())
    players.generator.end = 0
    play, fake, _ = played(algorithm, players, corpus)
    assert not bool(fake.mask.all())
    surprise = -players.generator.log_probs(fake.tokens)[fake.mask].mean().item()
    assert play.figures["surprise"] == pytest.approx(surprise, rel=1e-5)


def test_shuffled_rewards_belong_to_other_samples(corpus: Corpus) -> None:
    plain, control = (algorithm_of(shuffled=shuffled, weights="none", batch=32) for shuffled in (False, True))
    _, fake, rewards = played(plain, players_of(plain, SCORES), corpus)
    _, again, handed = played(control, players_of(plain, SCORES), corpus)
    assert fake.tokens.equal(again.tokens)
    assert not rewards.equal(handed)
    assert sorted(rewards[:, 0].tolist()) == sorted(handed[:, 0].tolist())


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_memory_keeps_an_old_generator_known(corpus: Corpus, share: float) -> None:
    """Check 5: after a while of another generator's samples, those of the first are still seen through, with memory."""
    algorithm = ColdGAN(batch=32, memory=4096, replay=share)
    players = players_of(algorithm, torch.zeros(27))
    memory, random = PastAnswers.among(players), generator_for(5)
    everything = Corpus(
        "all", *(Sequences(EVERY, torch.ones_like(EVERY, dtype=torch.bool)),) * 3, corpus.vocabulary, 3, {}
    )
    where = scene(everything)
    optimizer = torch.optim.Adam(players.discriminator.parameters(), lr=0.1)
    told = functools.partial(judge_loss, objective="standard", smoothing=0.0, score_penalty=0.0, each_token=False)
    for turn, first in enumerate([0] * 60 + [18] * 90):  # the first writes 3 of the 27, the second 3 others
        rows = torch.randint(27, (32,), generator=random)
        drawn = EVERY[first + torch.randint(3, (32,), generator=random)]
        memory.remember(Sequences(drawn, torch.ones_like(drawn, dtype=torch.bool)), rows, turn)
        play = algorithm.pairs(players, where)
        assert play.fake is not None
        old = (play.fake.tokens @ CODES < 3).float().mean()
        if turn == 149:
            assert (float(old) > 0) == (share > 0)
        loss = told(players, play).value
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    seen_through = float((players.discriminator.get_parameter("table")[:3] < 0).float().mean())
    assert seen_through == 1.0 if share else seen_through == 0.0


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"temperature": 0.0}, "ColdGAN.temperature must be a finite number above 0, got 0.0"),
        ({"nucleus": 0.0}, "ColdGAN.nucleus must be above 0 and at most 1, got 0.0"),
        ({"cold_share": 1.0}, "ColdGAN.cold_share must be above 0 and below 1, got 1.0"),
        ({"answers": 5}, "ColdGAN.answers must divide the batch of 32, got 5"),
        ({"memory": 4}, "ColdGAN.memory must hold at least a batch of 32, got 4"),
        ({"replay": 2.0}, "ColdGAN.replay must be from 0 to 1, got 2.0"),
        ({"smoothing": 0.5}, "ColdGAN.smoothing must be at least 0 and below 0.5, got 0.5"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError, match=line.replace(".", r"\.")):
        ColdGAN(**settings)
