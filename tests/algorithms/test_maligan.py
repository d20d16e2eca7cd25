"""MaliGAN on a world of 3 tokens and 3 steps, where every expectation is a sum over 27 sequences (checks 1 to 4).

Mutants killed: D for the odds, weights that are not normalised or over the wrong rows, a baseline that is not divided
by the number of samples, a baseline on given tokens, a prefix of other rows than its completions, N that rises, a step
on too few effective samples or none on just enough, roll-outs of the prefix before or after, weights of other
sequences, odds that are never clipped or tempered, `normalise: batch` over prefixes.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.maligan import MaliGAN
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.convolutional import CNN
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.objectives.likelihood import negative_log_likelihood
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Samples, Sequences

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
CODES = torch.tensor([9, 3, 1])
EVERYWHERE = torch.ones(27, 3, dtype=torch.bool)
WIDE: dict[str, Any] = {"score_limit": 50.0, "least_effective": 0.0}


class Table(Discriminator):
    """A score for each of the 27 sequences."""

    def __init__(self, table: Tensor) -> None:
        super().__init__(3)
        self.table = nn.Parameter(table)

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        return self.table[tokens @ CODES]


def network(seed: int) -> nn.Module:
    return LSTM(embedding=2, hidden=3, deviation=0.8).build(3, 0, None, generator_for(seed, "generator"))


def log_law(players: Players) -> Tensor:
    return players.generator.log_probs(EVERY).sum(1).detach()


REAL = log_law(Players({"generator": network(7)}))
"""log p_d of every sequence."""


@pytest.fixture(scope="module")
def players() -> Players:
    """A generator and the best discriminator against it: its score is log p_d − log p_θ."""
    generator = network(0)
    return Players({"generator": generator, "discriminator": Table(REAL - log_law(Players({"generator": generator})))})


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return oracle_corpus(fresh_oracle(3, 0), CorpusSettings(length=3, sequences=12, valid=0.0, test=0.0), 0)


def scene(corpus: Corpus, seed: int = 1, progress: float = 0.0) -> Scene:
    return Scene(corpus, Stream(generator_for(seed)), progress=progress)


def played(algorithm: MaliGAN, players: Players, where: Scene) -> tuple[Sequences, Tensor, Play]:
    with torch.no_grad():
        play = algorithm.play(players, where)
    assert play.fake is not None
    assert play.rewards is not None
    return play.fake, play.rewards, play


def gradient(value: Tensor, players: Players) -> Tensor:
    return torch.cat([part.flatten() for part in torch.autograd.grad(value, [*players.generator.parameters()])])


def exact_step(algorithm: MaliGAN, players: Players, odds: Tensor) -> Tensor:
    """The gradient of the loss on all sequences, each as often as the generator draws it: B · G(x) for each row."""
    rewards = 27 * log_law(players).exp()[:, None] * odds
    play = Play(fake=Sequences(EVERY, EVERYWHERE), rewards=rewards)
    return gradient(algorithm.generator_loss(players, play).value, players)


def likelihood_gradient(players: Players) -> Tensor:
    """That of −E_{p_d}[log p_θ]."""
    return gradient(-(REAL.exp() * players.generator.log_probs(EVERY).sum(1)).sum(), players)


@pytest.mark.parametrize("weights", ["sequence", "tree"])
def test_at_the_best_discriminator_it_is_maximum_likelihood(players: Players, corpus: Corpus, weights: str) -> None:
    """Check 1: E_p'[r_D ∇log p_θ] = E_p_d[∇log p_θ], and Z = 1; per step with the exact mean over what may follow."""
    algorithm = MaliGAN(**WIDE)
    samples = Samples(EVERY, EVERYWHERE, players.generator.log_probs(EVERY).detach())
    odds = algorithm.odds(players, scene(corpus), samples).detach()  # (27, 3)
    law = log_law(players).exp()
    assert float((law * odds[:, 0]).sum()) == pytest.approx(1, abs=1e-6)
    if weights == "tree":
        odds = torch.stack([followed(odds[:, 0], law, length) for length in (1, 2, 3)], 1)
    torch.testing.assert_close(exact_step(algorithm, players, odds), likelihood_gradient(players), rtol=0, atol=1e-6)
    assert float(likelihood_gradient(players).norm()) > 0.1


def followed(values: Tensor, law: Tensor, length: int) -> Tensor:
    """The mean of `values` over all sequences that begin with the same `length` tokens, by `law`."""
    rows = []
    for row in EVERY:
        same = (EVERY[:, :length] == row[:length]).all(1)
        rows.append((law[same] * values[same]).sum() / law[same].sum())
    return torch.stack(rows)


def test_it_rests_where_the_laws_are_equal(corpus: Corpus) -> None:
    same = Players({"generator": network(7), "discriminator": Table(torch.zeros(27))})
    assert float(exact_step(MaliGAN(), same, torch.ones(27, 3)).norm()) < 1e-6


def test_the_tree_is_the_mean_odds_of_what_follows(players: Players, corpus: Corpus) -> None:
    algorithm = MaliGAN(**WIDE, weights="tree", rollouts=4000)
    samples = Samples(EVERY, EVERYWHERE, players.generator.log_probs(EVERY).detach())
    with torch.no_grad():
        odds = algorithm.odds(players, scene(corpus), samples)
        whole = MaliGAN(**WIDE).odds(players, scene(corpus), samples)[:, 0]
    law = log_law(players).exp()
    for length in (1, 2):
        mean = followed(whole, law, length)
        error = (followed(whole.square(), law, length) - mean.square()).clamp(min=0).sqrt() / 4000**0.5
        assert float(((odds[:, length - 1] - mean).abs() / error.clamp(min=1e-5)).max()) < 4.5  # of 54 numbers
    torch.testing.assert_close(odds[:, 2], whole)


@pytest.mark.parametrize("weights", ["sequence", "tree"])
@pytest.mark.parametrize("mixed", [0.0, 1.0])
def test_under_a_discriminator_that_cannot_tell(players: Players, corpus: Corpus, weights: Any, mixed: float) -> None:
    """Check 2: maximum likelihood on its own samples at b = 0, nothing at all at b = 1."""
    blind = Players({"generator": players.generator, "discriminator": Table(torch.full((27,), 0.7))})
    settings: dict[str, Any] = {"batch": 12, "mixed_share": mixed, "weights": weights, "rollouts": 2}
    plain = MaliGAN(**settings, baseline_end=0.0)
    fake, rewards, play = played(plain, blind, scene(corpus, progress=1.0))
    torch.testing.assert_close(rewards, torch.ones(12, 3))
    loss = plain.generator_loss(blind, play).value
    torch.testing.assert_close(loss, -players.generator.log_probs(fake.tokens).sum(1).mean())
    torch.testing.assert_close(loss, 3 * negative_log_likelihood(players.generator.log_probs(fake.tokens), fake.mask))
    _, rewards, play = played(MaliGAN(**settings, baseline_start=1.0), blind, scene(corpus, progress=1.0))
    torch.testing.assert_close(rewards, torch.zeros(12, 3), rtol=0, atol=1e-6)
    assert play.figures["effective_samples"] == pytest.approx(12)


@pytest.mark.parametrize(("limit", "temper"), [(50.0, 1.0), (0.3, 1.0), (50.0, 0.4)])
def test_basic_weights_are_those_of_the_formula(players: Players, corpus: Corpus, limit: float, temper: float) -> None:
    """Σ_i (w_i − b/m)(−log p(x_i)), written out."""
    settings: dict[str, Any] = {**WIDE, "score_limit": limit, "temper": temper}
    algorithm = MaliGAN(**settings, batch=10, mixed_share=0.0, baseline_start=0.2, baseline_end=0.8)
    fake, _, play = played(algorithm, players, scene(corpus, progress=0.5))
    odds = (temper * players.discriminator.scores(fake.tokens, fake.mask).detach().clamp(-limit, limit)).exp()
    log_probs = players.generator.log_probs(fake.tokens).sum(1)
    expected = -((odds / odds.sum() - 0.5 / 10) * log_probs).sum()
    torch.testing.assert_close(algorithm.generator_loss(players, play).value, expected)
    assert play.figures["baseline"] == pytest.approx(0.5)
    assert play.figures["effective_samples"] == pytest.approx(float(odds.sum() ** 2 / odds.square().sum()))


def test_mixed_training_begins_with_maximum_likelihood(players: Players, corpus: Corpus) -> None:
    """Check 4, N = T: every token is real and weighs 1, whatever the discriminator and the baseline say."""
    algorithm = MaliGAN(batch=12, completions=4, baseline_start=0.3)
    fake, rewards, play = played(algorithm, players, scene(corpus))
    real = scene(corpus).real(3).tokens
    assert torch.equal(fake.tokens, real.repeat(4, 1))
    assert torch.equal(rewards, torch.ones(12, 3))
    expected = gradient(-players.generator.log_probs(real).sum(1).mean(), players)
    found = gradient(algorithm.generator_loss(players, play).value, players)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("normalise", ["prefix", "batch"])
def test_mixed_training_ends_with_the_basic_estimator(players: Players, corpus: Corpus, normalise: Any) -> None:
    """Check 4, N = 0: without a prefix it is basic MaliGAN on the same samples."""
    mixed = MaliGAN(batch=12, completions=4, normalise=normalise)
    where = scene(corpus, progress=1.0)
    fake, rewards, play = played(mixed, players, where)
    again = scene(corpus, progress=1.0)
    again.random.permutation(12)  # what drawing the prefixes took
    same, basic, _ = played(MaliGAN(batch=12, mixed_share=0.0), players, again)
    assert torch.equal(fake.tokens, same.tokens)
    torch.testing.assert_close(rewards, basic)
    assert play.figures["given_tokens"] == 0


@pytest.mark.parametrize("normalise", ["prefix", "batch"])
def test_in_between_completions_compete(players: Players, corpus: Corpus, normalise: Any) -> None:
    """The mixed estimator written out for m = 3, n = 4, N = 1: a mean over prefixes of both its terms."""
    settings: dict[str, Any] = {**WIDE, "batch": 12, "completions": 4, "mixed_share": 0.75, "normalise": normalise}
    algorithm = MaliGAN(**settings, baseline_start=0.5, baseline_end=0.5)
    fake, _, play = played(algorithm, players, scene(corpus, progress=0.5))
    assert play.figures["given_tokens"] == 1
    odds = players.discriminator.scores(fake.tokens, fake.mask).detach().exp()
    log_probs = players.generator.log_probs(fake.tokens)
    real = scene(corpus).real(3).tokens
    total = torch.zeros(())
    for prefix in range(3):
        rows = [row for row in range(12) if row % 3 == prefix]
        assert bool((fake.tokens[rows, 0] == real[prefix, 0]).all())
        rivals = rows if normalise == "prefix" else list(range(12))
        for row in rows:
            weight = (odds[row] / odds[rivals].sum() - 0.5 / len(rivals)) * len(rivals) / 12
            total = total - weight * log_probs[row, 1:].sum()
        total = total - log_probs[rows[0], 0] / 3
    torch.testing.assert_close(algorithm.generator_loss(players, play).value, total)
    assert play.figures["entropy"] == pytest.approx(-log_probs[:, 1:].mean().item())  # of what was drawn


def test_the_prefix_shrinks_and_the_baseline_rises() -> None:
    algorithm = MaliGAN(mixed_share=0.5)
    assert [algorithm.given(20, progress / 8) for progress in range(9)] == [20, 15, 10, 5, 0, 0, 0, 0, 0]
    assert [algorithm.baseline(progress / 4) for progress in range(5)] == [0, 0.25, 0.5, 0.75, 1]
    assert [MaliGAN(mixed_share=0.0).given(20, progress) for progress in (0.0, 0.5, 1.0)] == [0, 0, 0]
    assert MaliGAN().given(20, 1 / 16) == 19  # the nearest to 18.75


def test_a_step_on_too_few_samples_is_skipped(players: Players, corpus: Corpus) -> None:
    settings: dict[str, Any] = {"batch": 12, "mixed_share": 0.0}
    effective = played(MaliGAN(**settings, least_effective=0.0), players, scene(corpus))[2].figures["effective_samples"]
    assert 1 < effective < 12
    kept = MaliGAN(**settings, least_effective=effective).play(players, scene(corpus))
    assert (len(kept), kept.figures["skipped"]) == (12, 0.0)
    left = MaliGAN(**settings, least_effective=effective + 0.01).play(players, scene(corpus))
    assert (len(left), left.figures["skipped"]) == (0, 1.0)


def test_real_tokens_count_where_samples_are_too_few(players: Players, corpus: Corpus) -> None:
    """Likelihood of a prefix hangs on no weight. Mutants killed: the whole step skipped; samples that count anyway."""
    settings: dict[str, Any] = {"batch": 12, "completions": 4, "mixed_share": 0.75}
    fake, rewards, play = played(MaliGAN(**settings, least_effective=13.0), players, scene(corpus, progress=0.5))
    assert (play.figures["given_tokens"], play.figures["skipped"]) == (1, 1)
    assert torch.equal(rewards, torch.tensor([1.0, 0.0, 0.0]).repeat(12, 1))
    expected = -players.generator.log_probs(fake.tokens)[:3, 0].mean()
    torch.testing.assert_close(MaliGAN(**settings).generator_loss(players, play).value, expected)


def test_pairs_of_completions_learn(players: Players, corpus: Corpus) -> None:
    """Twelve samples in six pairs count as at least six. Mutants killed: pairs counted one by one, never above 2."""
    settings: dict[str, Any] = {"batch": 12, "completions": 2, "mixed_share": 0.75}
    _, rewards, play = played(MaliGAN(**settings), players, scene(corpus, progress=0.5))
    assert 6 <= play.figures["effective_samples"] <= 12
    assert bool((rewards[:, 1:] != 0).any())


def test_the_control_arm_hands_weights_to_others(players: Players, corpus: Corpus) -> None:
    settings: dict[str, Any] = {"batch": 12, "mixed_share": 0.0, "least_effective": 0.0}
    fake, plain, _ = played(MaliGAN(**settings), players, scene(corpus))
    same, control, _ = played(MaliGAN(**settings, shuffled=True), players, scene(corpus))
    assert torch.equal(fake.tokens, same.tokens)
    assert not torch.equal(plain, control)
    assert sorted(plain.tolist()) == sorted(control.tolist())


@pytest.mark.parametrize("weights", ["sequence", "tree"])
def test_text_that_ends_keeps_its_prefix_and_earns_nothing_after(weights: Any) -> None:
    corpus = open_text_corpus("world:markov", CorpusSettings(sequences=20), 0)
    vocabulary = corpus.vocabulary
    generator = LSTM(embedding=4, hidden=4).build(vocabulary.size, 0, 0, generator_for(0))  # 0 ends a sequence
    judge = CNN(embedding=4, widths=(1, 2), maps=(3, 3)).build(vocabulary.size, corpus.length, generator_for(1))
    both = Players({"generator": generator, "discriminator": judge})
    algorithm = MaliGAN(batch=12, weights=weights, rollouts=2, least_effective=0.0)
    fake, rewards, play = played(algorithm, both, scene(corpus, progress=0.5))
    given = int(play.figures["given_tokens"])
    assert 0 < given < corpus.length
    assert not bool(fake.mask.all())
    assert bool((rewards[~fake.mask] == 0).all())
    assert bool((rewards[:, :given][fake.mask[:, :given]] == 1).all())
    assert bool(rewards.isfinite().all())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("rounds", -1), ("batch", 1), ("completions", 1), ("completions", 5), ("clip", 0.0), ("temper", 1.5)],
        *[("mixed_share", 1.1), ("baseline_start", -0.1), ("baseline_end", 2.0), ("score_limit", 51.0)],
        *[("least_effective", -1.0), ("discriminator_batch", 1), ("generator_rate", 0.0)],
    ],
)
def test_settings_are_checked(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"MaliGAN\.{field} must"):
        MaliGAN(**{field: value})  # pyright: ignore[reportArgumentType]
