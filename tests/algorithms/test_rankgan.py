"""RankGAN on a world of 3 tokens and 3 steps, where every expectation is a sum over 27 sequences.

Mutants killed: the sign of the loss, roll-outs of the position before or after, references that change within a step,
a comparison set of generated sentences where human ones are asked for, human and generated ones in each other's place,
rankings that see each other, rewards of other sequences, a reward that is not rescaled or by another size, a prefix
that sees what follows, a ranker that forgets the references it was shown.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.rankgan import RankGAN
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.discriminators.ranking import Ranker, as_ranker
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.objectives.adversarial import ADVERSARIAL
from seqgans.objectives.ranking import log_ranks, log_ranks_within
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
EVERYWHERE = torch.ones(27, 3, dtype=torch.bool)
SAMPLES, GROUPS = 20_000, 40
SETTINGS: dict[str, Any] = {"batch": 12, "ranker_batch": 8, "references": 4, "rollouts": 2, "sharpness": 20.0}


@pytest.fixture(scope="module")
def players() -> Players:
    generator = LSTM(embedding=2, hidden=3, deviation=0.8).build(3, 0, None, generator_for(0, "generator"))
    ranker = Ranker(embedding=4, widths=(1, 2, 3), maps=(6, 6, 6)).build(3, 3, generator_for(0, "ranker"))
    with torch.no_grad():
        as_ranker(ranker).embedding.mul_(20)  # features that tell sentences apart
    return Players({"generator": generator, "discriminator": ranker})


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return oracle_corpus(fresh_oracle(3, 0), CorpusSettings(length=3, sequences=24, valid=0.0, test=0.0), 0)


def scene(corpus: Corpus, seed: int = 1) -> Scene:
    return Scene(corpus, Stream(generator_for(seed)))


def played(algorithm: RankGAN, players: Players, where: Scene) -> tuple[Sequences, Tensor, Play]:
    with torch.no_grad():
        play = algorithm.play(players, where)
    assert play.fake is not None
    assert play.rewards is not None
    return play.fake, play.rewards, play


def flat_gradient(value: Tensor, players: Players) -> Tensor:
    return torch.cat([part.flatten() for part in torch.autograd.grad(value, [*players.generator.parameters()])])


def asked(algorithm: RankGAN, players: Players, where: Scene) -> tuple[Tensor, Tensor]:
    """Features of U and of C⁺ as `play` draws them after its samples."""
    players.generator.sample(algorithm.batch, 3, random=where.random)
    ranker = as_ranker(players.discriminator)
    parts = [where.whole(where.real(size)) for size in (algorithm.references, algorithm.ranker_batch // 2)]
    human, others = (ranker.features(part.tokens, part.mask).detach() for part in parts)
    return human, others


@pytest.mark.parametrize("worth", ["log", "prob"])
@pytest.mark.parametrize("joined", [False, True])
def test_a_finished_sentence_earns_its_rank_among_human_ones(
    players: Players, corpus: Corpus, joined: bool, worth: Any
) -> None:
    algorithm = RankGAN(**SETTINGS, baseline="none", joined=joined, worth=worth)
    fake, rewards, _ = played(algorithm, players, scene(corpus))
    references, others = asked(algorithm, players, scene(corpus))
    features = as_ranker(players.discriminator).features(fake.tokens, fake.mask).detach()
    expected = log_ranks(features @ references.t(), others @ references.t(), 20.0, joined)
    torch.testing.assert_close(rewards[:, -1], expected if worth == "log" else (4 + 1) * expected.exp())
    assert float(expected.std()) > 0.01


def test_the_published_code_ranks_within_the_batch(players: Players, corpus: Corpus) -> None:
    """Probabilities times the size of the set: 1 on average, at each position."""
    settings = {**SETTINGS, "sharpness": 1.0}
    algorithm = RankGAN(**settings, baseline="none", comparison="batch", joined=True, worth="prob")
    fake, rewards, _ = played(algorithm, players, scene(corpus))
    references, _ = asked(algorithm, players, scene(corpus))
    features = as_ranker(players.discriminator).features(fake.tokens, fake.mask).detach()
    expected = 12 * log_ranks_within(features @ references.t(), 1.0, True).exp()
    torch.testing.assert_close(rewards[:, -1], expected)
    torch.testing.assert_close(rewards.mean(0), torch.ones(3))


def test_roll_outs_estimate_the_exact_gradient(players: Players, corpus: Corpus) -> None:
    """∇E[log R] for the U and C⁺ that were drawn, within 4 standard errors, and nothing like it when shuffled."""
    algorithm = RankGAN(**{**SETTINGS, "batch": SAMPLES}, baseline="none")
    fake, rewards, _ = played(algorithm, players, scene(corpus))
    references, others = asked(algorithm, players, scene(corpus))
    features = as_ranker(players.discriminator).features(EVERY, EVERYWHERE).detach()
    values = log_ranks(features @ references.t(), others @ references.t(), 20.0)
    exact = flat_gradient((values * players.generator.log_probs(EVERY).sum(1).exp()).sum(), players)

    def errors_apart(given: Tensor) -> float:
        parts = []
        for rows in torch.arange(SAMPLES).chunk(GROUPS):
            play = Play(fake=fake[rows], rewards=given[rows])
            parts.append(-flat_gradient(algorithm.generator_loss(players, play).value, players))
        stacked = torch.stack(parts)
        error = stacked.std(0) / GROUPS**0.5
        return float(((stacked.mean(0) - exact).abs() / error.clamp(min=1e-7)).max())

    centred = rewards - rewards.mean(0)  # lowers the spread and biases by 1/20,000 of the gradient
    assert errors_apart(centred) < 4
    assert errors_apart(centred[torch.randperm(SAMPLES, generator=generator_for(3))]) > 8


def test_a_prefix_earns_the_rank_of_what_is_there(players: Players, corpus: Corpus) -> None:
    """The score of the padded prefix itself, in the rank of finished sentences; nothing is drawn for it."""
    algorithm = RankGAN(**SETTINGS, baseline="none", reward="prefix")
    where = scene(corpus)
    fake, rewards, play = played(algorithm, players, where)
    known = scene(corpus)
    references, others = asked(algorithm, players, known)
    assert torch.equal(where.random.random.get_state(), known.random.random.get_state())
    ranker = as_ranker(players.discriminator)
    for time in range(3):
        seen = fake.mask & (torch.arange(3) <= time)
        features = ranker.features(fake.tokens, seen).detach()
        expected = log_ranks(features @ references.t(), others @ references.t(), 20.0)
        torch.testing.assert_close(rewards[:, time], expected)
    assert float(rewards.std(0).min()) > 0.01
    whole = ranker.features(fake.tokens, fake.mask)
    assert play.figures["relevance"] == pytest.approx((whole @ references.t()).mean().item())
    batch = dataclasses.replace(algorithm, comparison="batch", worth="prob", joined=True)
    torch.testing.assert_close(played(batch, players, scene(corpus))[1].mean(0), torch.ones(3))


def test_the_control_arm_hands_rewards_to_others(players: Players, corpus: Corpus) -> None:
    fake, plain, _ = played(RankGAN(**SETTINGS), players, scene(corpus))
    same, control, _ = played(RankGAN(**SETTINGS, shuffled=True), players, scene(corpus))
    assert torch.equal(fake.tokens, same.tokens)
    assert not torch.equal(plain, control)
    torch.testing.assert_close(plain.sort(0).values, control.sort(0).values)
    torch.testing.assert_close(plain.mean(0), torch.zeros(3), rtol=0, atol=1e-5)


def test_a_row_is_one_ranking(players: Players, corpus: Corpus) -> None:
    """The loss written out, and a mean over rows that do not see each other."""
    algorithm = RankGAN(**SETTINGS, ranker_examples=12)
    with torch.no_grad():
        play = algorithm.rankings(players, scene(corpus))
    tokens, mask = play.extras["tokens"], play.extras["mask"]
    assert tokens.shape == (3, 4 + 4 + 4, 3)
    train = {tuple(row) for row in corpus.train.tokens.tolist()}
    assert all(tuple(row) in train for row in tokens[:, :4].flatten(0, 1).tolist())  # human ones come first
    ranker = as_ranker(players.discriminator)
    losses = []
    for row in range(3):
        features = ranker.features(tokens[row], mask[row])
        near = features[:8] @ features[8:].t()
        losses.append(log_ranks(near[4:], near[:4], 20.0).mean() - log_ranks(near[:4], near[4:], 20.0).mean())
        alone = algorithm.ranker_loss(players, play.rows(torch.tensor([row]))).value
        torch.testing.assert_close(alone, losses[-1])
    torch.testing.assert_close(algorithm.ranker_loss(players, play).value, torch.stack(losses).mean())
    torch.testing.assert_close(ranker.human, ranker.features(tokens[0, 8:], mask[0, 8:]).mean(0).detach())
    batch = dataclasses.replace(algorithm, comparison="batch").ranker_loss(players, play.rows(torch.tensor([0]))).value
    features = ranker.features(tokens[0], mask[0])
    within = log_ranks_within(features[:8] @ features[8:].t(), 20.0)
    torch.testing.assert_close(batch, within[4:].mean() - within[:4].mean())


@pytest.mark.parametrize("same", [False, True])
def test_the_ranker_learns_what_there_is_to_learn(same: bool) -> None:
    """Real sentences come to rank a nat above those of a random generator, and not above those of the oracle."""
    oracle = fresh_oracle(20, 0)
    corpus = oracle_corpus(oracle, CorpusSettings(length=6, sequences=1500, valid=0.0, test=0.0), 0)
    ranker = Ranker(embedding=16, widths=(1, 2, 3), maps=(16, 16, 16), dropout=0.0).build(20, 6, generator_for(1))
    generator = (
        fresh_oracle(20, 0).requires_grad_(True)
        if same
        else LSTM(embedding=4, hidden=4).build(20, 0, None, generator_for(2))
    )
    both = Players({"generator": generator, "discriminator": ranker})
    algorithm = RankGAN(
        pretrain_epochs=0, ranker_pretrain_steps=1, rounds=0, ranker_batch=32, sharpness=10.0, ranker_rate=3e-3
    )
    list(Training(algorithm, both, corpus, 0, Team("cpu")).events())
    fresh = oracle_corpus(oracle, CorpusSettings(length=6, sequences=1500, valid=0.0, test=0.0), 1)
    with torch.no_grad():
        gap = -algorithm.ranker_loss(both, algorithm.rankings(both, scene(fresh))).value.item()
    assert (abs(gap) < 0.15) if same else (gap > 1)


def test_with_one_reference_and_one_rival_it_is_a_relativistic_game_of_critics(
    players: Players, corpus: Corpus
) -> None:
    """With s(Y) = γ cos(Y, u) a sample earns log σ(s(Y) − s(C)), and the ranker minimises s(fake) − s(real).

    Both definitions of a rank are then one: every reward, and a whole game to the rounding of one softmax.
    """
    algorithm = RankGAN(**{**SETTINGS, "references": 1, "ranker_batch": 2}, baseline="none", ranker_examples=6)
    fake, rewards, _ = played(algorithm, players, scene(corpus))
    reference, rival = asked(algorithm, players, scene(corpus))
    ranker = as_ranker(players.discriminator)
    own = ranker.features(fake.tokens, fake.mask).detach() @ reference.t()
    torch.testing.assert_close(rewards[:, -1], (20.0 * (own - rival @ reference.t())[:, 0]).sigmoid().log())
    joined = dataclasses.replace(algorithm, joined=True)
    torch.testing.assert_close(played(joined, players, scene(corpus))[1], rewards)
    with torch.no_grad():
        play = algorithm.rankings(players, scene(corpus))
    features = ranker.features(play.extras["tokens"].flatten(0, 1), play.extras["mask"].flatten(0, 1)).view(6, 3, -1)
    scores = 20.0 * (features[:, :2] * features[:, 2:]).sum(2)
    loss = algorithm.ranker_loss(players, play).value
    torch.testing.assert_close(loss, (scores[:, 1] - scores[:, 0]).mean())
    torch.testing.assert_close(loss, ADVERSARIAL["wasserstein"](scores[:, 0], scores[:, 1])[0])
    parameters = [*ranker.parameters()]
    for one, other in zip(
        torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True),
        torch.autograd.grad(joined.ranker_loss(players, play).value, parameters, allow_unused=True),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_text_that_ends_earns_nothing_after() -> None:
    corpus = open_text_corpus("world:markov", CorpusSettings(sequences=20), 0)
    generator = LSTM(embedding=4, hidden=4).build(corpus.vocabulary.size, 0, 0, generator_for(0))  # 0 ends a sequence
    ranker = Ranker(embedding=4, widths=(1, 2), maps=(3, 3)).build(
        corpus.vocabulary.size, corpus.length, generator_for(1)
    )
    both = Players({"generator": generator, "discriminator": ranker})
    fake, rewards, _ = played(RankGAN(**SETTINGS, baseline="none"), both, scene(corpus))
    assert not bool(fake.mask.all())
    assert bool((rewards[~fake.mask] == 0).all())
    assert bool((rewards[fake.mask] < 0).all())


def test_without_sharpness_there_is_nothing_to_learn(players: Players, corpus: Corpus) -> None:
    """γ → 0 is a reward of −ln(|C| + 1) for everyone."""
    _, rewards, _ = played(RankGAN(**{**SETTINGS, "sharpness": 1e-6}, baseline="none"), players, scene(corpus))
    torch.testing.assert_close(rewards, torch.full((12, 3), -math.log(5)), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("field", "value"),
    [("rollouts", 0), ("batch", 1), ("ranker_batch", 1), ("references", 0), ("sharpness", 0.0), ("rounds", -1)],
)
def test_settings_are_checked(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"RankGAN\.{field} must be"):
        RankGAN(**{field: value})  # pyright: ignore[reportArgumentType]
