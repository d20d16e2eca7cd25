"""Adversarial losses by their identities and against the textbook forms.

Mutants killed: every sign of every loss, sum for mean, real and generated swapped, σ(r) − σ(f) for σ(r − f), the
margin on one side, the half left out, smoothing on the generated side, accuracy without the sign.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from seqgans.objectives.adversarial import (
    ADVERSARIAL,
    accuracy,
    by_category,
    discriminator_loss,
    kullback_leibler,
    least_squares,
    minimax,
    pair_accuracy,
    relativistic,
    relativistic_average,
    standard,
    total_variation,
    wasserstein,
)

RANDOM = torch.Generator().manual_seed(0)
REAL = torch.randn(4, 3, generator=RANDOM, dtype=torch.float64)
FAKE = torch.randn(4, 3, generator=RANDOM, dtype=torch.float64)


def test_scores_that_tell_nothing_cost_the_logarithm_of_two() -> None:
    for loss in relativistic(REAL, REAL.clone()):
        assert loss.item() == pytest.approx(math.log(2))


def test_only_differences_count_for_the_relativistic_loss() -> None:
    for loss, other in zip(relativistic(REAL, FAKE), relativistic(REAL + 3.7, FAKE + 3.7), strict=True):
        torch.testing.assert_close(loss, other)
    assert relativistic(REAL + 1, FAKE)[0] < relativistic(REAL, FAKE)[0]


def test_swapping_real_and_generated_swaps_the_relativistic_losses() -> None:
    assert relativistic(REAL, FAKE) == relativistic(FAKE, REAL)[::-1]


def test_relativistic_is_the_textbook_form() -> None:
    ours = relativistic(REAL, FAKE)
    torch.testing.assert_close(ours[0], -torch.log(torch.sigmoid(REAL - FAKE)).mean())
    torch.testing.assert_close(ours[1], -torch.log(torch.sigmoid(FAKE - REAL)).mean())


def test_views_with_equal_scores_count_as_one() -> None:
    for name, losses in ADVERSARIAL.items():
        for many, one in zip(
            losses(REAL[:, :1].repeat(1, 5), FAKE[:, :1].repeat(1, 5)), losses(REAL[:, 0], FAKE[:, 0]), strict=True
        ):
            torch.testing.assert_close(many, one, msg=name)


def test_cross_entropy_kinds() -> None:
    ones, zeros = torch.ones_like(REAL), torch.zeros_like(REAL)
    discriminator = binary_cross_entropy_with_logits(REAL, ones) + binary_cross_entropy_with_logits(FAKE, zeros)
    for losses in (standard, minimax, kullback_leibler):
        torch.testing.assert_close(losses(REAL, FAKE)[0], discriminator)
    torch.testing.assert_close(standard(REAL, FAKE)[1], binary_cross_entropy_with_logits(FAKE, ones))
    torch.testing.assert_close(minimax(REAL, FAKE)[1], torch.log(1 - FAKE.sigmoid()).mean())


def test_the_best_discriminator_makes_the_log_ratio_a_reverse_divergence() -> None:
    law, model = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.2, 0.6])
    best = (law / model).log()
    counts = (model * 10).long()
    scores = best.repeat_interleave(counts)  # as the model draws them
    expected = (model * (model / law).log()).sum()
    torch.testing.assert_close(kullback_leibler(scores, scores)[1], expected)


def test_plain_numbers() -> None:
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-2.0, 0.5])
    expected = {
        "least_squares": ((1 + 0.25) / 2 + (4 + 0.25) / 2, (9 + 0.25) / 2),
        "hinge": ((0 + 0.5) / 2 + (0 + 1.5) / 2, 0.75),
        "wasserstein": (-0.75 - 1.25, 0.75),
        "total_variation": (-math.tanh(2), (math.tanh(2) - math.tanh(0.5)) / 2),
    }
    for name, losses in expected.items():
        found = tuple(loss.item() for loss in ADVERSARIAL[name](real, fake))
        assert found == pytest.approx(losses, abs=1e-6), name
    assert least_squares(torch.ones(2), torch.ones(2))[1] == 0
    assert wasserstein(real, real)[0] == 0
    assert total_variation(real, real)[0] == 0


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_who_wants_what(name: str) -> None:
    real, fake = (torch.tensor([0.3, -0.4, 0.1], requires_grad=True) for _ in range(2))
    discriminator, generator = ADVERSARIAL[name](real, fake)
    on_real, on_fake = torch.autograd.grad(discriminator, (real, fake))
    assert (on_real < 0).all()  # higher scores for real sequences
    assert on_fake.sum() > 0  # lower ones for generated
    (wish,) = torch.autograd.grad(generator, fake)
    assert (wish < 0).all()  # the generator wants them higher


def test_large_scores_stay_finite() -> None:
    for losses in ADVERSARIAL.values():
        assert all(loss.isfinite() for loss in losses(torch.tensor([1e4, -1e4]), torch.tensor([-1e4, 1e4])))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_discriminator_loss_is_the_mean_cross_entropy_of_a_mixed_batch(smoothing: float) -> None:
    real, fake = REAL[:, 0], FAKE[:, 0]
    targets = torch.cat([torch.full_like(real, 1 - smoothing), torch.zeros_like(fake)])
    expected = binary_cross_entropy_with_logits(torch.cat([real, fake]), targets)
    torch.testing.assert_close(discriminator_loss(real, fake, smoothing), expected)


def test_discriminator_loss_gives_each_side_half() -> None:
    few, many = torch.tensor([0.4]), torch.tensor([-0.3, -0.3, -0.3])
    torch.testing.assert_close(discriminator_loss(few, many), discriminator_loss(few, many[:1]))


def test_accuracy() -> None:
    assert accuracy(torch.tensor([1.0, 2.0]), torch.tensor([-1.0, -0.1])) == 1.0
    assert accuracy(torch.tensor([-1.0, -2.0]), torch.tensor([1.0])) == 0.0
    assert accuracy(torch.zeros(3), torch.zeros(3)) == 0.5
    assert accuracy(torch.tensor([1.0]), torch.tensor([-1.0, 1.0, 1.0, 1.0])) == 0.625


def test_pair_accuracy() -> None:
    assert pair_accuracy(torch.tensor([[5.0, 4.0]]), torch.tensor([[4.0, 3.0]])) == 1.0
    assert pair_accuracy(torch.tensor([-5.0]), torch.tensor([4.0])) == 0.0
    assert pair_accuracy(torch.zeros(2), torch.zeros(2)) == 0.5


def test_relativistic_average_is_the_textbook_form() -> None:
    """Mutants killed: averages of the own side, one term left out, the sides swapped."""
    real, fake = torch.sigmoid(REAL - FAKE.mean()), torch.sigmoid(FAKE - REAL.mean())
    ours = relativistic_average(REAL, FAKE)
    torch.testing.assert_close(ours[0], -real.log().mean() - (1 - fake).log().mean())
    torch.testing.assert_close(ours[1], -fake.log().mean() - (1 - real).log().mean())
    for loss, other in zip(ours, relativistic_average(REAL + 3.7, FAKE + 3.7), strict=True):
        torch.testing.assert_close(loss, other)
    shuffled = relativistic_average(REAL[[2, 0, 3, 1]], FAKE)
    torch.testing.assert_close(shuffled[1], ours[1])


def test_categories_are_compared_with_their_own_kind() -> None:
    """Mutants killed: one average over all categories, a mean over categories for the sum, labels of another row."""
    categories = torch.tensor([0, 1, 0, 1])
    for losses, each in ((relativistic_average, 2 * math.log(2)), (relativistic, math.log(2))):
        flat = torch.full((4, 3), 0.3)
        for loss in by_category(losses, flat, flat, categories, 2):
            assert loss.item() == pytest.approx(2 * each)
        whole = by_category(losses, REAL, FAKE, categories, 2)
        parts = [losses(REAL[rows], FAKE[rows]) for rows in ([0, 2], [1, 3])]
        for side in (0, 1):
            torch.testing.assert_close(whole[side], parts[0][side] + parts[1][side])
        one = by_category(losses, REAL, FAKE, torch.zeros(4, dtype=torch.long), 1)
        assert one == losses(REAL, FAKE)
        few = by_category(losses, REAL[:2], FAKE[:2], torch.ones(2, dtype=torch.long), 2)  # a part without category 0
        torch.testing.assert_close(few[1], 2 * losses(REAL[:2], FAKE[:2])[1])
    within = by_category(relativistic_average, REAL[[2, 1, 0, 3]], FAKE, categories, 2)
    across = by_category(relativistic_average, REAL[[1, 0, 2, 3]], FAKE, categories, 2)
    expected = by_category(relativistic_average, REAL, FAKE, categories, 2)
    torch.testing.assert_close(within[1], expected[1])
    assert abs(across[1].item() - expected[1].item()) > 1e-3
