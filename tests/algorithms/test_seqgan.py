"""SeqGAN's policy gradient on a world of 3 tokens and 3 steps, where every expectation is a sum over 27 sequences.

Mutants killed: the sign of the loss, rewards of the position before or after, a mean over time for the sum, a sum over
the batch for the mean, roll-outs of another policy than the one that sampled, Q of another sequence (the shuffled
control fails here), a baseline that is not taken off, phases in another order, an optimiser shared by pre-training and
policy gradient.
"""

from __future__ import annotations

import itertools

import pytest
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.algorithms.base import Algorithm, Play, Players, Scene
from seqgans.algorithms.language_discriminator import language_loss
from seqgans.algorithms.seqgan import SeqGAN
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.convolutional import CNN
from seqgans.discriminators.language import Language, LanguageScorer
from seqgans.errors import BadInput
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.control import shuffled_over_batch
from seqgans.sequences import Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
CODES = torch.tensor([9, 3, 1])
EVERYWHERE = torch.ones(27, 3, dtype=torch.bool)
SAMPLES, GROUPS = 40_000, 40


class Table(Discriminator):
    """A score for each of the 27 sequences."""

    def __init__(self) -> None:
        super().__init__(3)
        self.table = nn.Parameter(2 * torch.randn(27, generator=generator_for(0, "table")))

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        return self.table[tokens @ CODES]


@pytest.fixture(scope="module")
def players() -> Players:
    generator = LSTM(embedding=2, hidden=3, deviation=0.8).build(3, 0, None, generator_for(0, "generator"))
    return Players({"generator": generator, "discriminator": Table()})


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return oracle_corpus(fresh_oracle(3, 0), CorpusSettings(length=3, sequences=6, valid=0.0, test=0.0), 0)


def flat_gradient(value: Tensor, players: Players) -> Tensor:
    return torch.cat([part.flatten() for part in torch.autograd.grad(value, [*players.generator.parameters()])])


def exact_gradient(players: Players) -> Tensor:
    """∇J = Σ_Y D(Y) ∇G(Y), for J the mean reward."""
    real = players.discriminator.scores(EVERY, EVERYWHERE).sigmoid().detach()
    return flat_gradient((real * players.generator.log_probs(EVERY).sum(1).exp()).sum(), players)


def exact_values(players: Players) -> Tensor:
    """Q(Y_1:t−1, y_t) of all 27 sequences: the mean of D over what may follow, (27, 3)."""
    real = players.discriminator.scores(EVERY, EVERYWHERE).sigmoid().detach()
    law = players.generator.log_probs(EVERY).detach().exp()
    columns = []
    for length in (1, 2, 3):
        column = []
        for row in EVERY:
            starts = (EVERY[:, :length] == row[:length]).all(1)
            weights = law[starts][:, length:].prod(1)
            column.append((weights * real[starts]).sum() / weights.sum())
        columns.append(torch.stack(column))
    return torch.stack(columns, 1)


def grouped(players: Players, tokens: Tensor, rewards: Tensor) -> tuple[Tensor, Tensor]:
    """Minus the gradient of the loss, its mean over groups of samples and its standard error."""
    everywhere = torch.ones_like(tokens, dtype=torch.bool)
    parts = []
    for rows in torch.arange(len(tokens)).chunk(GROUPS):
        play = Play(fake=Sequences(tokens[rows], everywhere[rows]), rewards=rewards[rows])
        parts.append(-flat_gradient(SeqGAN().generator_loss(players, play).value, players))
    stacked = torch.stack(parts)
    return stacked.mean(0), stacked.std(0) / GROUPS**0.5


def errors_apart(mean: Tensor, error: Tensor, exact: Tensor) -> float:
    return float(((mean - exact).abs() / error.clamp(min=1e-7)).max())


def test_exact_values_give_the_exact_gradient(players: Players) -> None:
    """Eq. 6, summed over all sequences instead of sampled, is the gradient of the mean reward."""
    law = players.generator.log_probs(EVERY).sum(1).exp().detach()
    play = Play(fake=Sequences(EVERY, EVERYWHERE), rewards=27 * law[:, None] * exact_values(players))
    loss = SeqGAN().generator_loss(players, play).value
    torch.testing.assert_close(-flat_gradient(loss, players), exact_gradient(players), rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def sampled(players: Players, corpus: Corpus) -> Play:
    """Many samples and their rewards by two roll-outs."""
    return SeqGAN(batch=SAMPLES, rollouts=2).play(players, Scene(corpus, Stream(generator_for(1))))


def test_roll_outs_estimate_the_exact_gradient(players: Players, sampled: Play) -> None:
    assert sampled.fake is not None
    assert sampled.rewards is not None
    exact = exact_gradient(players)
    mean, error = grouped(players, sampled.fake.tokens, sampled.rewards)
    assert errors_apart(mean, error, exact) < 4
    assert float(error.max()) < 0.2 * float(exact.abs().max())  # and the test can tell
    few, wide = grouped(players, sampled.fake.tokens[: SAMPLES // 4], sampled.rewards[: SAMPLES // 4])
    assert errors_apart(few, wide, exact) < 4
    assert 1.5 < float(wide.norm() / error.norm()) < 2.7  # falls like 1/√M: a factor of 2


def test_shuffled_rewards_estimate_something_else(players: Players, sampled: Play) -> None:
    assert sampled.fake is not None
    assert sampled.rewards is not None
    shuffled = shuffled_over_batch(sampled.rewards, Stream(generator_for(2)))
    mean, error = grouped(players, sampled.fake.tokens, shuffled)
    assert errors_apart(mean, error, exact_gradient(players)) > 10
    assert errors_apart(mean, error, torch.zeros_like(mean)) < 4


def test_a_constant_reward_moves_nothing(players: Players, sampled: Play) -> None:
    assert sampled.fake is not None
    mean, error = grouped(players, sampled.fake.tokens, torch.full_like(sampled.fake.tokens, 1, dtype=torch.float))
    assert errors_apart(mean, error, torch.zeros_like(mean)) < 4


def test_a_constant_for_each_position_leaves_the_gradient(players: Players, sampled: Play) -> None:
    assert sampled.fake is not None
    assert sampled.rewards is not None
    mean, error = grouped(players, sampled.fake.tokens, sampled.rewards + torch.tensor([0.5, -1.0, 2.0]))
    assert errors_apart(mean, error, exact_gradient(players)) < 4


@pytest.mark.parametrize("baseline", ["batch_mean", "leave_one_out", "moving_average"])
def test_baselines_leave_the_gradient_and_lower_its_spread(players: Players, corpus: Corpus, baseline: str) -> None:
    algorithm = SeqGAN(batch=SAMPLES // 4, rollouts=2, baseline=baseline)  # pyright: ignore[reportArgumentType]
    both = Players(dict(players.named_children()) | algorithm.extras(players, generator_for(0)))
    scene = Scene(corpus, Stream(generator_for(3)))
    algorithm.play(both, scene)  # the moving average knows nothing before its first batch
    play = algorithm.play(both, scene)
    plain = SeqGAN(batch=SAMPLES // 4, rollouts=2).play(both, Scene(corpus, Stream(generator_for(4))))
    assert play.fake is not None
    assert plain.fake is not None
    assert play.rewards is not None
    assert plain.rewards is not None
    mean, error = grouped(both, play.fake.tokens, play.rewards)
    assert errors_apart(mean, error, exact_gradient(both)) < 4
    assert float(error.norm()) < 0.8 * float(grouped(both, plain.fake.tokens, plain.rewards)[1].norm())
    assert play.figures["reward"] > 0.1  # shown before the baseline is taken off


def test_the_control_arm_shuffles_whole_rows(players: Players, corpus: Corpus) -> None:
    random = generator_for(5)
    plain = SeqGAN(batch=30).play(players, Scene(corpus, Stream(random)))
    control = SeqGAN(batch=30, shuffled=True).play(players, Scene(corpus, Stream(generator_for(5))))
    assert plain.fake is not None
    assert control.fake is not None
    assert plain.rewards is not None
    assert control.rewards is not None
    assert torch.equal(plain.fake.tokens, control.fake.tokens)
    assert not torch.equal(plain.rewards, control.rewards)
    assert sorted(plain.rewards.tolist()) == sorted(control.rewards.tolist())


def test_the_schedule_is_algorithm_1() -> None:
    algorithm = SeqGAN(
        generator_steps=2, discriminator_steps=3, discriminator_epochs=4, rounds=7, discriminator_batch=10
    )
    assert isinstance(algorithm, Algorithm)
    schedule = algorithm.schedule()
    assert [phase.name for phase in schedule.before] == ["likelihood", "discriminator pre-training"]
    assert [(phase.gathers, phase.passes, phase.batch) for phase in schedule.round] == [(2, 1, None), (3, 4, 5)]
    assert schedule.rounds == 7
    (likelihood,), (adversarial,) = schedule.before[0].updates, schedule.round[0].updates
    assert likelihood.player == adversarial.player == "generator"
    assert likelihood.optimizer.name != adversarial.optimizer.name
    assert adversarial.optimizer.clip == 5 / 64
    assert schedule.before[1].updates[0].optimizer == schedule.round[1].updates[0].optimizer


def test_prefix_rewards_need_no_roll_out() -> None:
    corpus = open_text_corpus("world:markov", CorpusSettings(sequences=20), 0)
    vocabulary = corpus.vocabulary
    generator = LSTM(embedding=4, hidden=4).build(vocabulary.size, vocabulary.start, vocabulary.end, generator_for(0))
    judge = CNN(embedding=4, widths=(1, 2), maps=(3, 3)).build(vocabulary.size, corpus.length, generator_for(1))
    both = Players({"generator": generator, "discriminator": judge})
    play = SeqGAN(batch=6, reward="prefix").play(both, Scene(corpus, Stream(generator_for(6))))
    assert play.fake is not None
    assert play.rewards is not None
    expected = judge.scores(play.fake.tokens, play.fake.mask).sigmoid()
    torch.testing.assert_close(play.rewards[:, -1], expected)


def test_a_language_model_first_learns_the_corpus_then_counts_from_there() -> None:
    """Then all scores are 0, and gains to go are what is left of a score."""
    corpus = open_text_corpus("world:markov", CorpusSettings(sequences=400), 0)
    vocabulary = corpus.vocabulary
    generator = LSTM(embedding=4, hidden=4).build(vocabulary.size, vocabulary.start, vocabulary.end, generator_for(0))
    judge = Language(embedding=4, hidden=6).build(vocabulary.size, corpus.length, generator_for(1))
    assert isinstance(judge, LanguageScorer)
    both = Players({"generator": generator, "discriminator": judge})
    algorithm = SeqGAN(
        pretrain_epochs=0, discriminator_likelihood=5, discriminator_pretrain_steps=0, rounds=0, reward="gain_to_go"
    )
    before = language_loss(both, Play(real=corpus.train)).value.item()
    list(Training(algorithm, both, corpus, 0, Team("cpu")).events())
    assert language_loss(both, Play(real=corpus.train)).value.item() < before - 0.1
    assert torch.equal(judge.scores(corpus.train.tokens, corpus.train.mask), torch.zeros(len(corpus.train)))
    with torch.no_grad():
        judge.weight.add_(torch.randn(judge.weight.shape, generator=generator_for(2)))
    play = algorithm.play(both, Scene(corpus, Stream(generator_for(3))))
    assert play.fake is not None
    assert play.rewards is not None
    steps = judge.step_scores(play.fake.tokens, play.fake.mask)
    left = steps[:, -1:] - torch.nn.functional.pad(steps[:, :-1], (1, 0))
    torch.testing.assert_close(play.rewards, left * play.fake.mask, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("algorithm", "said"),
    [
        (SeqGAN(discriminator_likelihood=1), "one that is a language model, got Table; set --discriminator"),
        (SeqGAN(reward="gain"), "need a discriminator with a score per step, got Table; choose"),
    ],
)
def test_a_discriminator_that_will_not_do_is_refused_at_once(algorithm: SeqGAN, said: str, players: Players) -> None:
    with pytest.raises(BadInput, match=said):
        algorithm.extras(players, generator_for(0))


def test_the_spread_is_that_of_finished_sequences() -> None:
    """Sequences that ended early count with the reward of their end token, not with the 0 of padding."""
    corpus = open_text_corpus("world:markov", CorpusSettings(sequences=20), 0)
    vocabulary = corpus.vocabulary
    generator = LSTM(embedding=4, hidden=4).build(vocabulary.size, 0, 0, generator_for(0))  # 0 ends a sequence
    judge = CNN(embedding=4, widths=(1, 2), maps=(3, 3)).build(vocabulary.size, corpus.length, generator_for(1))
    both = Players({"generator": generator, "discriminator": judge})
    play = SeqGAN(batch=40, rollouts=1).play(both, Scene(corpus, Stream(generator_for(7))))
    assert play.fake is not None
    assert not bool(play.fake.mask.all())
    expected = judge.scores(play.fake.tokens, play.fake.mask).sigmoid().std().item()
    assert play.figures["reward_spread"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("field", "value"),
    [("rollouts", 0), ("batch", 0), ("rounds", -1), ("clip", 0.0), ("smoothing", 0.5), ("discriminator_batch", 1)],
)
def test_settings_are_checked(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"SeqGAN\.{field} must be"):
        SeqGAN(**{field: value})  # pyright: ignore[reportArgumentType]
