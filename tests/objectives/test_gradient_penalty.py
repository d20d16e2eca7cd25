"""The gradient penalty against closed forms, and twice through every discriminator against finite differences.

Mutants killed: a mean for the norm's sum, the norm of each step apart, slopes without gradient, u on the wrong side,
one u for all sequences, gradient into the rows, a one-sided penalty of flat scores, layers that differentiate once,
padding that is read or a mask of one side alone.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from seqgans.discriminators import DISCRIMINATORS
from seqgans.discriminators.base import Discriminator
from seqgans.objectives.gradient_penalty import between, gradient_penalty, slopes, slopes_between
from seqgans.randomness import generator_for

BATCH, TIME, VOCABULARY = 3, 6, 5
SMALL: dict[str, dict[str, Any]] = {
    "cnn": {"embedding": 4, "widths": (1, 2, 3), "maps": (3, 3, 3)},
    "lstm": {"embedding": 4, "hidden": 5},
    "gru": {"embedding": 4, "hidden": 5},
    "leaking": {"embedding": 4, "widths": (1, 2, 3), "maps": (3, 3, 3)},
    "multi_view": {"embedding": 4, "views": 2, "widths": (2, 3), "maps": 4, "dense": 3},
}


def soft(seed: int) -> Tensor:
    return torch.randn(BATCH, TIME, VOCABULARY, dtype=torch.float64, generator=generator_for(seed)).softmax(2)


def test_a_linear_score_has_the_norm_of_its_weights_everywhere() -> None:
    weight = torch.randn(TIME, VOCABULARY, dtype=torch.float64, generator=generator_for(0))
    found = slopes(lambda rows: (rows * weight).sum((1, 2)), soft(1))
    torch.testing.assert_close(found, weight.norm().expand(BATCH))
    torch.testing.assert_close(gradient_penalty(found), (weight.norm() - 1).square())
    one = slopes(lambda rows: (rows * weight / weight.norm()).sum((1, 2)), soft(1))  # 1-Lipschitz, and tight
    assert gradient_penalty(one).item() == pytest.approx(0, abs=1e-12)
    half = slopes(lambda rows: (rows * weight / weight.norm()).sum((1, 2)) / 2, soft(1))
    assert gradient_penalty(half).item() == pytest.approx(0.25)
    assert gradient_penalty(half, one_sided=True).item() == 0  # 1-Lipschitz is enough
    assert gradient_penalty(4 * half, one_sided=True).item() == pytest.approx(1.0)


def test_a_quadratic_score_has_the_closed_form_and_its_gradient() -> None:
    """D(x) = a/2 ‖x‖² has slope |a| ‖x‖; dP/da = mean 2 (a ‖x‖ − 1) ‖x‖."""
    factor = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
    rows = soft(2)
    norms = rows.flatten(1).norm(dim=1)
    found = slopes(lambda given: 0.5 * factor * given.square().sum((1, 2)), rows)
    torch.testing.assert_close(found, factor * norms)
    penalty = gradient_penalty(found)
    torch.testing.assert_close(penalty, (factor * norms - 1).square().mean())
    (gradient,) = torch.autograd.grad(penalty, factor)
    torch.testing.assert_close(gradient, (2 * (factor * norms - 1) * norms).mean())


def test_a_flat_score_costs_one_and_has_a_finite_gradient() -> None:
    factor = torch.zeros((), dtype=torch.float64, requires_grad=True)
    penalty = gradient_penalty(slopes(lambda rows: factor * rows.sum((1, 2)), soft(2)))
    assert penalty.item() == pytest.approx(1, abs=1e-5)
    assert torch.autograd.grad(penalty, factor)[0].isfinite()


def test_points_between_go_from_generated_to_real_each_by_its_own_share() -> None:
    real, fake = soft(3), soft(4).requires_grad_()
    found = between(real, fake, torch.tensor([0.0, 0.25, 1.0]))
    torch.testing.assert_close(found[0], fake[0])
    torch.testing.assert_close(found[1], 0.25 * real[1] + 0.75 * fake[1])
    torch.testing.assert_close(found[2], real[2])
    assert not found.requires_grad
    torch.testing.assert_close(found.sum(2), torch.ones(BATCH, TIME, dtype=torch.float64))  # rows stay laws


def test_what_one_side_alone_has_fades_towards_the_other() -> None:
    tokens = torch.randint(VOCABULARY, (BATCH, TIME), generator=generator_for(7))
    real, fake = (torch.arange(TIME) < torch.tensor(lengths)[:, None] for lengths in ([6, 2, 4], [3, 5, 4]))
    shown: list[tuple[Tensor, Tensor]] = []

    def score(rows: Tensor, mask: Tensor) -> Tensor:
        shown.append((rows, mask))
        return rows.square().sum((1, 2)) / 2

    weights, share = soft(4), torch.tensor([0.2, 0.6, 0.9], dtype=torch.float64)
    found = slopes_between(score, (tokens, real), (weights, fake), share)
    ((rows, mask),) = shown
    assert torch.equal(mask, real | fake)
    one_hot = torch.eye(VOCABULARY, dtype=torch.float64)[tokens]
    mine, theirs = share[:, None] * real, (1 - share)[:, None] * fake  # (batch, time)
    expected = mine[:, :, None] * one_hot + theirs[:, :, None] * weights
    torch.testing.assert_close(rows.detach(), expected)
    torch.testing.assert_close(found, expected.flatten(1).norm(dim=1))


@pytest.mark.parametrize("name", SMALL)
def test_any_discriminator_can_be_differentiated_twice(name: str) -> None:
    """The gradient of the penalty is its slope along a random direction of each parameter."""
    discriminator: Discriminator = (
        DISCRIMINATORS[name](**SMALL[name]).build(VOCABULARY, TIME, generator_for(0)).double()
    )
    rows, mask = soft(5), torch.arange(TIME) < torch.tensor([6, 2, 4])[:, None]

    def penalty() -> Tensor:
        return gradient_penalty(slopes(lambda given: discriminator.scores(given, mask), rows))

    parameters = list(discriminator.parameters())
    gradients = torch.autograd.grad(penalty(), parameters, allow_unused=True)
    assert any(gradient is not None and gradient.any() for gradient in gradients)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        direction = torch.randn(parameter.shape, dtype=torch.float64, generator=generator_for(6))
        values = []
        for step in (1e-6, -1e-6):
            with torch.no_grad():
                parameter.add_(step * direction)
            values.append(penalty().item())
            with torch.no_grad():
                parameter.sub_(step * direction)
        along = 0.0 if gradient is None else (gradient * direction).sum().item()
        assert (values[0] - values[1]) / 2e-6 == pytest.approx(along, abs=1e-6)
    single = discriminator.float()
    value = gradient_penalty(slopes(lambda given: single.scores(given, mask), rows.float()))
    value.backward()  # fused layers of float32 must not be in the way
