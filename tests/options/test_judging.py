"""A gradient penalty for any discriminator, smoothed targets for those that learn by cross-entropy.

Mutants killed: the penalty left out, without its weight or by generator losses too, slopes at the ends instead of
between, padding that has slopes, real and generated swapped in smoothing, half the smoothing, responses judged beside
another source or without any, a slope of the source.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools

import pytest
import torch
from torch import Tensor, nn

from seqgans.algorithms.adversaries import telling_apart
from seqgans.algorithms.base import Play, Players, Update
from seqgans.algorithms.gsgan import GSGAN
from seqgans.algorithms.relgan import RelGAN
from seqgans.algorithms.seqgan import SeqGAN
from seqgans.algorithms.textgan import TextGAN
from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.pairs import beside
from seqgans.discriminators.recurrent import LSTMScorer
from seqgans.discriminators.seq2seq import Seq2SeqScorer
from seqgans.errors import BadInput
from seqgans.objectives.gradient_penalty import gradient_penalty, slopes
from seqgans.options.judging import penalised, smoothed, with_penalty
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Loss, Sequences

SYMBOLS, TIME, ROWS = 3, 3, 4


class Linear(Discriminator):
    """Σ_t w_t · x_t + ½ (Σ_t c · x_t)², padding 0; linear where c is 0."""

    def __init__(self, curve: float = 0.0) -> None:
        super().__init__(SYMBOLS)
        self.weight = nn.Parameter(torch.randn(TIME, SYMBOLS, dtype=torch.float64, generator=generator_for(3)))
        self.curve = curve

    def scores(self, tokens: Tensor, mask: Tensor, *, random: Stream | None = None) -> Tensor:
        rows = tokens if tokens.is_floating_point() else nn.functional.one_hot(tokens, SYMBOLS)
        found = (rows * mask[:, :, None] * self.weight).sum((1, 2))
        return found + self.curve * found.square()


def play(seed: int = 0) -> Play:
    random = generator_for(seed)
    tokens = torch.randint(SYMBOLS, (2, ROWS, TIME), generator=random)
    mask = torch.arange(TIME) < torch.randint(1, TIME + 1, (2, ROWS, 1), generator=random)
    return Play(
        real=Sequences(tokens[0], mask[0]), fake=Sequences(tokens[1], mask[1]), random=Stream(generator_for(seed + 1))
    )


def test_the_penalty_of_a_linear_score_is_known() -> None:
    """Its slope is the norm of the weights at the steps where either side is real."""
    judge = Linear()
    players, given = Players({"discriminator": judge}), play()
    plain = telling_apart(players, given).value
    found = with_penalty(players, given, telling_apart, 10.0)
    assert given.real is not None
    assert given.fake is not None
    seen = (given.real.mask | given.fake.mask)[:, :, None]
    norms = (judge.weight * seen).flatten(1).norm(dim=1)
    expected = plain + 10 * (norms - 1).square().mean()
    torch.testing.assert_close(found.value, expected, rtol=1e-6, atol=0)
    assert found.figures["slope"] == pytest.approx(norms.mean().item())
    (gradient,) = torch.autograd.grad(found.value, judge.weight)
    (wanted,) = torch.autograd.grad(expected, judge.weight)
    torch.testing.assert_close(gradient, wanted, rtol=1e-6, atol=1e-9)


def test_slopes_are_taken_between_the_two() -> None:
    judge = Linear(curve=0.5)
    players = Players({"discriminator": judge})
    given = dataclasses.replace(play(), random=Stream(generator_for(9)))
    value = with_penalty(players, given, lambda *_: telling_apart(players, play()), 1.0).value
    assert given.real is not None
    assert given.fake is not None
    share = Stream(generator_for(9)).uniform(ROWS)[:, None, None]
    ones = [nn.functional.one_hot(side.tokens, SYMBOLS) * side.mask[:, :, None] for side in (given.real, given.fake)]
    points = (share * ones[0] + (1 - share) * ones[1]).double()
    steep = slopes(lambda rows: judge.scores(rows, given.real.mask | given.fake.mask), points)  # pyright: ignore
    expected = telling_apart(players, play()).value + gradient_penalty(steep)
    torch.testing.assert_close(value, expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("judge", ["lstm", "seq2seq"])
def test_slopes_of_answers_are_those_beside_the_source_of_the_real_one(judge: str) -> None:
    """Against central differences of D(x, ·) in every weight of every point, row by row."""
    settings = {"lstm": LSTMScorer(embedding=3, hidden=4), "seq2seq": Seq2SeqScorer(hidden=4, layers=1, dropout=0.0)}
    network = settings[judge].build(SYMBOLS, 2 * TIME, generator_for(0))
    players, given = Players({"discriminator": network}), play()
    random = generator_for(7)
    sources = [Sequences.of(torch.randint(SYMBOLS, (ROWS, 2), generator=random)) for _ in range(2)]
    assert given.real is not None
    assert given.fake is not None
    real, fake = (
        dataclasses.replace(side, source=x) for side, x in zip((given.real, given.fake), sources, strict=True)
    )
    pairs = dataclasses.replace(given, real=real, fake=fake, random=Stream(generator_for(9)))
    found = with_penalty(players, pairs, lambda *_: Loss(torch.zeros(())), 1.0)
    share = Stream(generator_for(9)).uniform(ROWS).double()[:, None, None]
    ones = [nn.functional.one_hot(side.tokens, SYMBOLS) * side.mask[:, :, None] for side in (real, fake)]
    points, mask, step = share * ones[0] + (1 - share) * ones[1], real.mask | fake.mask, 1e-4
    norms = []
    exact = copy.deepcopy(network).double()
    for row in range(ROWS):
        one = beside(exact, sources[0][row : row + 1])
        slope = torch.zeros(TIME, SYMBOLS, dtype=torch.float64)
        for place, symbol in itertools.product(range(TIME), range(SYMBOLS)):
            moved = torch.zeros(1, TIME, SYMBOLS, dtype=torch.float64)
            moved[0, place, symbol] = step
            ends = [one.scores(points[row : row + 1] + sign * moved, mask[row : row + 1]) for sign in (1, -1)]
            slope[place, symbol] = ((ends[0] - ends[1]) / (2 * step)).detach()
        norms.append(slope.norm())
    assert found.figures["slope"] == pytest.approx(torch.stack(norms).mean().item(), rel=1e-5)
    other = dataclasses.replace(
        pairs, real=dataclasses.replace(real, source=sources[1]), random=Stream(generator_for(9))
    )
    elsewhere = with_penalty(players, other, lambda *_: Loss(torch.zeros(())), 1.0)
    assert elsewhere.figures["slope"] != pytest.approx(found.figures["slope"], rel=1e-3)


def test_only_the_discriminator_pays() -> None:
    plain = SeqGAN().schedule()
    changed = penalised(plain, 10.0)
    for old, new in zip((*plain.before, *plain.round), (*changed.before, *changed.round), strict=True):
        for before, after in zip(old.updates, new.updates, strict=True):
            assert (before == after) == (before.player == "generator")
    rankings = Play(extras={"tokens": torch.zeros(1, 2), "mask": torch.ones(1, 2)}, random=Stream(generator_for(0)))
    given = play()
    players = Players({"discriminator": Linear()})
    with pytest.raises(BadInput, match="other tensors"):
        with_penalty(players, rankings, lambda *_: telling_apart(players, given), 1.0)
    with pytest.raises(BadInput, match="sequences alone"):
        with_penalty(players, dataclasses.replace(given, source=given.real), telling_apart, 1.0)


def test_smoothing_is_cross_entropy_with_softer_targets() -> None:
    judge = Linear()
    players, given = Players({"discriminator": judge}), play()
    assert given.real is not None
    assert given.fake is not None
    scores = [judge.scores(side.tokens, side.mask) for side in (given.real, given.fake)]
    targets = torch.cat([torch.full((ROWS,), 0.9), torch.zeros(ROWS)]).double()
    expected = nn.functional.binary_cross_entropy_with_logits(torch.cat(scores), targets)
    loss = smoothed(SeqGAN().schedule(), 0.1).round[1].updates[0].loss
    torch.testing.assert_close(loss(players, given).value, expected, rtol=0, atol=1e-6)
    assert abs(expected.item() - telling_apart(players, given).value.item()) > 1e-3


def test_smoothing_has_one_place() -> None:
    with pytest.raises(BadInput, match=r"set twice, algorithm.smoothing 0.1 and options.smoothing 0.2"):
        smoothed(SeqGAN(smoothing=0.1).schedule(), 0.2)
    for other in (RelGAN(), TextGAN()):
        with pytest.raises(BadInput, match="cross-entropy"):
            smoothed(other.schedule(), 0.2)
    each = [update for phase in smoothed(SeqGAN().schedule(), 0.2).round for update in phase.updates]
    assert [keyword(update) for update in each] == [None, 0.2]


def keyword(update: Update) -> float | None:
    return update.loss.keywords["smoothing"] if isinstance(update.loss, functools.partial) else None


@pytest.mark.parametrize("objective", ["standard", "minimax", "kullback_leibler"])
def test_relaxed_samples_are_told_apart_with_smoothed_targets(objective: str) -> None:
    scores = torch.randn(2, ROWS, TIME, SYMBOLS, generator=generator_for(5))
    given = play()
    weights = scores[0].softmax(-1)
    given = dataclasses.replace(given, fake=None, extras={"weights": weights, "mask": torch.ones(ROWS, TIME) > 0})
    judge = Linear()
    players = Players({"discriminator": judge})
    schedule = smoothed(GSGAN(objective=objective).schedule(), 0.2)
    (loss,) = (update.loss for phase in schedule.round for update in phase.updates if update.player == "discriminator")
    assert given.real is not None
    real = judge.scores(given.real.tokens, given.real.mask)
    fake = judge.scores(weights, given.extras["mask"])
    expected = -(0.8 * real.sigmoid().log() + 0.2 * (-real).sigmoid().log()).mean() - (-fake).sigmoid().log().mean()
    torch.testing.assert_close(loss(players, given).value, expected)
    with pytest.raises(BadInput, match=r"options\.smoothing needs .* cross-entropy"):
        smoothed(GSGAN(objective="hinge").schedule(), 0.2)
