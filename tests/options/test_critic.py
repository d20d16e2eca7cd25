"""A critic beside the policy gradient: exact expectations on three tokens and three steps.

Mutants killed: a value that has seen the token it is a baseline of, differences the wrong way round, the last token's
reward taken from padding, a critic that learns advantages, a gradient from the generator's loss into the critic.
"""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.leakgan import LeakGAN
from seqgans.algorithms.maskgan import MaskGAN
from seqgans.algorithms.relgan import RelGAN
from seqgans.algorithms.seqgan import SeqGAN
from seqgans.data.corpus import CorpusSettings
from seqgans.errors import BadInput
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.objectives.policy_gradient import reinforce_loss
from seqgans.options.critic import RETURNS, Critic, critic_loss, criticised, differences, surplus, with_advantages
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences

SYMBOLS, TIME = 3, 3
EVERY = torch.tensor(list(itertools.product(range(SYMBOLS), repeat=TIME)))
WHOLE = torch.ones(len(EVERY), TIME, dtype=torch.bool)


def test_a_value_has_not_seen_its_token() -> None:
    critic = Critic(SYMBOLS, generator_for(0))
    values = critic(EVERY, WHOLE).detach()
    assert values[:, 0].unique().numel() == 1
    for step in range(1, TIME):
        for prefix in EVERY[:, :step].unique(dim=0):
            same = (EVERY[:, :step] == prefix).all(1)
            torch.testing.assert_close(values[same, step], values[same, step][:1].expand(int(same.sum())))
        assert values[:, step].unique().numel() > 1


def test_a_baseline_leaves_the_expected_gradient_as_it_is() -> None:
    """Over all sequences, each by its probability."""
    generator = LSTM(embedding=2, hidden=3).build(SYMBOLS, 0, None, generator_for(1)).double()
    critic = Critic(SYMBOLS, generator_for(2)).double()
    reward = torch.rand(len(EVERY), 1, dtype=torch.float64, generator=generator_for(3)).expand(-1, TIME)
    values = critic(EVERY, WHOLE).detach()
    assert values.abs().max() > 0.01
    gradients = []
    for advantages in (reward, surplus(reward, values, WHOLE)[0]):
        log_probs = generator.log_probs(EVERY)
        weights = len(EVERY) * log_probs.detach().sum(1, keepdim=True).exp()
        loss = reinforce_loss(log_probs, weights * advantages, WHOLE)
        gradients.append(torch.autograd.grad(loss, list(generator.parameters())))
    for plain, less in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, less, rtol=1e-6, atol=1e-9)


def test_differences_of_true_values_are_true_advantages() -> None:
    """With V the mean reward of all completions, A_t is what choosing the token changed; they add up to R − V_1."""
    reward = torch.rand(SYMBOLS, SYMBOLS, SYMBOLS, generator=generator_for(4))
    values = torch.stack(
        [reward.mean((*range(step, 3),), keepdim=True).expand_as(reward) for step in range(3)],
        -1,
    ).flatten(0, 2)
    given = torch.zeros(27, TIME)
    given[:, -1] = reward.flatten()
    advantages, returns = differences(given, values, WHOLE)
    torch.testing.assert_close(advantages.sum(1), reward.flatten() - reward.mean())
    torch.testing.assert_close(advantages[:, 0], values[:, 1] - reward.mean())
    torch.testing.assert_close(returns, reward.flatten()[:, None].expand(-1, TIME))
    short = torch.tensor([[True, False, False]])  # ended after one token; what stands behind is never read
    advantages, returns = differences(torch.tensor([[0.9, 7.0, 7.0]]), torch.tensor([[0.4, 5.0, 5.0]]), short)
    torch.testing.assert_close(advantages, torch.tensor([[0.5, 0.0, 0.0]]))
    torch.testing.assert_close(returns, torch.tensor([[0.9, 0.0, 0.0]]))


@pytest.mark.parametrize("way", ["baseline", "differences"])
def test_the_critic_learns_what_was_earned(way: str) -> None:
    corpus = oracle_corpus(fresh_oracle(9, 0), CorpusSettings(length=3, sequences=10), 0)
    players, scene = Players({"critic": Critic(SYMBOLS, generator_for(0))}), Scene(corpus, Stream(generator_for(0)))
    rewards = torch.rand(len(EVERY), TIME, generator=generator_for(5))
    plain = Play(fake=Sequences(EVERY, WHOLE), rewards=rewards)
    with torch.no_grad():
        play = with_advantages(players, scene, lambda *_: plain, way)
    target = rewards if way == "baseline" else rewards[:, -1:].expand(-1, TIME)
    torch.testing.assert_close(play.extras[RETURNS], target)
    values = players.get_submodule("critic")(EVERY, WHOLE)
    expected = (target - values).square().sum() / len(EVERY)
    torch.testing.assert_close(critic_loss(players, play).value, expected)
    assert play.rewards is not None
    assert not torch.equal(play.rewards, rewards)
    with pytest.raises(BadInput, match="samples and rewards"):
        with_advantages(players, scene, lambda *_: dataclasses.replace(plain, rewards=None), way)


def test_only_policy_gradients_have_one() -> None:
    plain = SeqGAN().schedule()
    changed = criticised(plain, "baseline", 0.01)
    assert changed.before == plain.before
    assert [update.player for update in changed.round[0].updates] == ["generator", "critic"]
    assert changed.round[0].updates[0] == plain.round[0].updates[0]
    assert changed.round[1] == plain.round[1]
    for other in (RelGAN(), LeakGAN()):
        with pytest.raises(BadInput, match="policy gradient"):
            criticised(other.schedule(), "baseline", 0.01)
    with pytest.raises(BadInput, match="critic of its own"):
        criticised(MaskGAN().schedule(), "baseline", 0.01)
