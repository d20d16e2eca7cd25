"""RLGAF's generator step from end to end: samples, rewards, baseline and loss together estimate the exact gradient.

A world of 3 tokens and 3 steps, where J = E_π[s(x) − β log π(x)/π_ref(x)] is a sum over 27 sequences (rlgaf.md,
check 1). Mutants killed: rewards a token late or early, returns that look back, a baseline that depends on its own
sample, a leash paid twice, not at all or with the wrong sign, a mean over tokens for their sum.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from seqgans.algorithms.answering import answer_play
from seqgans.algorithms.base import Players, Scene
from seqgans.algorithms.rlgaf import RLGAF
from seqgans.algorithms.tuning import tuning_loss
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from tests.algorithms.prefixes import Prefixes

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
PLAYS, BATCH, BETA = 40, 512, 1.0


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return oracle_corpus(fresh_oracle(3, 0), CorpusSettings(length=3, sequences=12, valid=0.0, test=0.0), 0)


def players_of(settings: RLGAF) -> Players:
    """A policy that has gone away from its reference."""
    generator = LSTM(embedding=2, hidden=3, deviation=0.8).build(3, 0, None, generator_for(0, "generator"))
    team = Players({"generator": generator, "discriminator": Prefixes()}, length=3)
    for name, player in settings.extras(team, generator_for(0)).items():
        team.add_module(name, player)
    moved = generator_for(1)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=moved) * 0.8)
    return team


def flat(value: Tensor, players: Players) -> Tensor:
    return torch.cat([part.flatten() for part in torch.autograd.grad(value, [*players.generator.parameters()])])


def wanted(settings: RLGAF, players: Players) -> Tensor:
    """−∇J, every sequence by its probability."""
    worth = players.discriminator.scores(EVERY, EVERY >= 0).detach()
    own = players.generator.log_probs(EVERY).sum(1)
    value = (own.exp() * worth).sum()
    if settings.leash:
        known = players.get_submodule("reference").log_probs(EVERY).sum(1)  # pyright: ignore
        value = value - settings.leash * (own.exp() * (own - known)).sum()
    return flat(-value, players)


@pytest.mark.parametrize("leash", [0.0, BETA])
@pytest.mark.parametrize(
    "changed",
    [
        {"credit": "end", "baseline": "none"},
        {"credit": "end", "baseline": "group"},
        {"credit": "end", "baseline": "moving_average"},
        {"credit": "token", "decay": 1.0, "baseline": "none"},
        {"credit": "end", "variant": "ppo", "baseline": "group"},
        {"credit": "end", "variant": "ppo", "baseline": "value", "decay": 1.0},
    ],
    ids=lambda changed: "-".join(map(str, changed.values())),
)
def test_the_step_estimates_the_gradient_of_the_objective(
    corpus: Corpus, changed: dict[str, Any], leash: float
) -> None:
    """Within 4.5 standard errors in each of the parameters, and these are small beside the gradient."""
    settings = RLGAF(batch=BATCH, group=16, kl=leash, likelihood_weight=0.0, reward="logit", **changed)
    players = players_of(settings)
    exact, found = wanted(settings, players), []
    for seed in range(PLAYS):
        play = answer_play(settings, players, Scene(corpus, Stream(generator_for(seed)), round=1))
        found.append(flat(tuning_loss(settings, players, play).value, players))
    errors = torch.stack(found).std(0) / PLAYS**0.5
    distance = torch.stack(found).mean(0) - exact
    assert bool((distance.abs() < 4.5 * errors + 1e-6).all())
    assert float(distance.norm() / exact.norm()) < 0.1
