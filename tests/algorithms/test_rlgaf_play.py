"""A play of RLGAF, number by number: who is scored, what leaving the reference costs, which side a loss is on.

Mutants killed: a cost that is added (`earned + β · apart`), a reference that stays behind the SFT, scores of other ids
than were written, a β that no play steers, the Gumbel loss of the other side, an end token that costs nothing.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from seqgans.algorithms import answering
from seqgans.algorithms.answering import answer_play
from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.judging import judge_loss, to_tell_apart
from seqgans.algorithms.reference import charged
from seqgans.algorithms.rlgaf import RLGAF
from seqgans.algorithms.tuning import tuning_loss
from seqgans.data.corpus import Corpus
from seqgans.discriminators.pairs import beside
from seqgans.generators.conditional import given
from seqgans.generators.uniform import Unlearned
from seqgans.randomness import Stream
from seqgans.rewards.prefixes import step_scorer
from seqgans.rewards.scale import Leash
from seqgans.sequences import Samples, Sequences, last_of
from seqgans.training.loop import Training
from seqgans.training.team import Team
from tests.algorithms.tuned import players_of, scene_of


def law_of(logits: torch.Tensor) -> Unlearned:
    """A choice among a few tokens, one token long."""
    found = Unlearned(len(logits), 0, None)
    found.output.bias.data.copy_(logits)
    return found


def test_the_best_answer_to_a_reward_and_a_leash_is_the_tilted_reference(corpus: Corpus) -> None:
    """π* ∝ π_ref exp(r / β), by steps of REINFORCE on charged rewards, in expectation over a choice of four."""
    reference, rewards, cost = torch.tensor([0.1, 0.2, 0.3, 0.4]), torch.tensor([1.0, 0.0, 0.5, -1.0]), 0.5
    policy = law_of(torch.zeros(4))
    policy.output.bias.requires_grad_()
    extras = {"reference": law_of(reference.log()), "leash": Leash(cost)}
    players = Players({"generator": policy, **extras}, 1)
    every = Sequences.of(torch.arange(4)[:, None])
    settings = RLGAF(likelihood_weight=0.0)
    optimizer = torch.optim.Adam([policy.output.bias], lr=0.05)
    for _ in range(500):
        with torch.no_grad():
            log_probs = policy.log_probs(every.tokens)  # (4, 1)
            drawn = Samples(every.tokens, every.mask, log_probs)
            paid, *_ = charged(players, scene_of(corpus), rewards[:, None], drawn, None)
            share = log_probs.exp()
            expected = 4 * share * (paid - (share * paid).sum())  # a mean over rows becomes one over the law
        loss = tuning_loss(settings, players, Play(fake=every, rewards=expected, extras={"drawn": log_probs}))
        optimizer.zero_grad()
        loss.value.backward()
        optimizer.step()
    best = (reference.log() + rewards / cost).softmax(0)
    assert 0.5 * (policy.output.bias.softmax(0) - best).abs().sum() < 0.02


def test_as_many_different_real_answers_are_watched_as_there_are(folder: Path, corpus: Corpus, monkeypatch) -> None:
    """A batch has each prompt `group` times in a row. Mutants killed: one answer eight times over."""
    settings, players = players_of(folder, corpus, batch=64, group=8, memory=64)
    seen = []
    watched = answering.likelihood_of
    monkeypatch.setattr(answering, "likelihood_of", lambda both, real: seen.append(real) or watched(both, real))
    answer_play(settings, players, scene_of(corpus))
    rows = list(map(tuple, torch.cat([seen[0].source.tokens, seen[0].tokens], 1).tolist()))
    assert len(rows) == len(set(rows)) == 8


def test_the_reference_is_what_came_of_the_likelihood(folder: Path, corpus: Corpus) -> None:
    settings, players = players_of(
        folder, corpus, kl=0.5, pretrain_epochs=2, pretrain_rate=0.01, rounds=1, generator_rate=0.01
    )
    before = players.generator.output.weight.detach().clone()
    reference = cast(Any, players.get_submodule("reference"))
    seen = []
    for event in Training(settings, players, corpus, 0, Team("cpu")).events():
        if event.kind == "gathering" and event.phase == "generator":
            seen.append(event.figures["kl"])
        if event.kind == "phase" and event.phase == "reference":
            assert not players.generator.output.weight.equal(before)  # it has learnt
            ours, theirs = players.generator.state_dict(), reference.state_dict()
            assert all(part.equal(theirs[name]) for name, part in ours.items())
    assert seen == [pytest.approx(0.0, abs=1e-5)]


@pytest.mark.parametrize("credit", ["token", "end"])
def test_what_is_scored_is_what_was_written(folder: Path, corpus: Corpus, credit: str) -> None:
    settings, players = players_of(folder, corpus, credit=credit)
    play = answer_play(settings, players, scene_of(corpus))
    assert play.fake is not None
    assert play.real is not None
    assert len({tuple(row) for row in play.fake.tokens.tolist()}) > 2
    judge, tokens, mask = beside(players.discriminator, play.real.source), play.fake.tokens, play.fake.mask
    with torch.no_grad():
        if credit == "token":
            exact = last_of(step_scorer(judge).step_scores(tokens, mask), mask)
        else:
            exact = judge.scores(tokens, mask)
    assert float(exact.std()) > 0.01
    torch.testing.assert_close(play.extras["score"], exact)


def left(players: Players) -> None:
    """Move the reference away from the generator."""
    with torch.no_grad():
        reference = cast(Any, players.get_submodule("reference"))
        reference.output.bias.copy_(torch.linspace(-1, 1, len(reference.output.bias)))


@pytest.mark.parametrize("target", [0.001, 1000.0])
def test_a_play_steers_the_cost_towards_the_target(folder: Path, corpus: Corpus, target: float) -> None:
    settings, players = players_of(folder, corpus, kl=0.5, kl_target=target)
    left(players)
    costs, expected = [], [0.5]
    for _ in range(3):
        figures = answer_play(settings, players, scene_of(corpus)).figures
        costs.append(figures["kl_cost"])
        expected.append(expected[-1] * (1 + 0.1 * min(max(figures["kl"] / target - 1, -0.2), 0.2)))
    assert costs == pytest.approx(expected[:3])  # what a play pays is what stood before it
    assert players.get_buffer("leash.coefficient").item() == pytest.approx(expected[3])
    assert (costs[2] > 0.5) == (target < 1)


@pytest.mark.parametrize(("credit", "inverse"), [("end", 1.0), ("token", 1.0), ("end", 2.0), ("token", 2.0)])
def test_relaxed_answers_want_to_be_taken_for_real(credit: str, inverse: float, folder: Path, corpus: Corpus) -> None:
    """Kills: places where only the relaxed answer has not ended left out; soft rows at another temperature."""
    hard = inverse == 1.0
    relaxation = {"inverse_temperature": inverse, "straight_through": hard}
    settings, players = players_of(folder, corpus, variant="gumbel", likelihood_weight=0.0, credit=credit, **relaxation)
    with torch.no_grad():
        players.generator.output.bias[0] = 3.0  # some end before the real ones, some behind
    play = answer_play(settings, players, scene_of(corpus))
    assert play.real is not None
    real = play.real
    found = tuning_loss(settings, players, dataclasses.replace(play, random=Stream(torch.Generator().manual_seed(1))))
    relaxed = given(players.generator, real.source).relax(
        *real.tokens.shape,
        random=Stream(torch.Generator().manual_seed(1)),
        inverse_temperature=inverse,
        straight_through=hard,
    )
    judge = beside(players.discriminator, real.source)
    if credit == "end":
        ours, theirs = judge.scores(relaxed.weights, relaxed.mask), judge.scores(real.tokens, real.mask)
        wanted, other = -(ours - theirs).sigmoid().log().mean(), -(theirs - ours).sigmoid().log().mean()
    else:
        scorer, mine, sizes = step_scorer(judge), relaxed.mask.sum(1).tolist(), real.mask.sum(1).tolist()
        apart = [a - b for a, b in zip(mine, sizes, strict=True)]
        assert min(apart) < 0 < max(apart), (mine, sizes)
        ours = scorer.step_scores(relaxed.weights, relaxed.mask)
        theirs = scorer.step_scores(real.tokens, real.mask)
        gaps = [
            torch.stack([ours[row, min(t, a - 1)] - theirs[row, min(t, b - 1)] for t in range(max(a, b))])
            for row, (a, b) in enumerate(zip(mine, sizes, strict=True))
        ]
        wanted, other = (-torch.stack([(sign * gap).sigmoid().log().mean() for gap in gaps]).mean() for sign in (1, -1))
    assert not torch.allclose(wanted, other, atol=1e-3)
    torch.testing.assert_close(found.value, wanted)


def test_the_end_token_costs_as_every_token_does(folder: Path, corpus: Corpus) -> None:
    _, players = players_of(folder, corpus, kl=0.5)
    left(players)
    with torch.no_grad():
        players.generator.output.bias[0] = 3.0  # some end
    scene: Scene = scene_of(corpus)
    source = corpus.train.source
    fake = given(players.generator, source).sample(len(corpus.train), corpus.length, random=scene.random)
    last = fake.mask.sum(1, keepdim=True) - 1
    ended = (fake.tokens.gather(1, last) == corpus.vocabulary.end)[:, 0]
    assert bool(ended.any())
    with torch.no_grad():
        rewards, known, apart, figures = charged(players, scene, torch.zeros_like(fake.log_probs), fake, source)
    cost = 0.5 * (fake.log_probs - known)
    assert bool((cost.gather(1, last)[ended].abs() > 0.01).all())
    torch.testing.assert_close(rewards.gather(1, last)[ended], -cost.gather(1, last)[ended])
    assert figures["kl"] == pytest.approx((apart.sum() / fake.mask.sum()).item())
    assert bool((rewards[~fake.mask] == 0).all())


@pytest.mark.parametrize("objective", ["standard", "relativistic"])
def test_wrong_labels_and_large_scores_by_hand(folder: Path, corpus: Corpus, objective: str) -> None:
    """Kills: a whole square for half of it; pairs smoothed by the real side alone; no penalty of the network."""
    settings, players = players_of(folder, corpus, discriminator_loss=objective)
    scene = scene_of(corpus)
    answer_play(settings, players, scene)
    play = to_tell_apart(players, scene, batch=settings.batch, objective=objective, replay=0.0)
    players.discriminator.penalty = lambda: torch.tensor(0.25)
    assert play.real is not None
    assert play.fake is not None
    judge = beside(players.discriminator, play.real.source)
    real, fake = (judge.scores(part.tokens, part.mask) for part in (play.real, play.fake))
    if objective == "standard":
        labels = (0.9 * real.sigmoid().log() + 0.1 * (-real).sigmoid().log()).mean() + (-fake).sigmoid().log().mean()
    else:
        labels = (0.9 * (real - fake).sigmoid().log() + 0.1 * (fake - real).sigmoid().log()).mean()
    wanted = -labels + 0.3 * 0.5 * (real.square().mean() + fake.square().mean()) + 0.25
    found = judge_loss(players, play, objective=objective, smoothing=0.1, score_penalty=0.3, each_token=False)
    torch.testing.assert_close(found.value, wanted)


def test_likelihood_before_the_game_takes_minibatches_of_its_size() -> None:
    first = RLGAF(pretrain_epochs=1, batch=24, group=4).schedule().before[0]
    assert (first.name, first.batch) == ("likelihood", 24)
