"""SentiGAN's losses: exact expectations on 3 tokens and 3 steps, the optimum of a discriminator of classes.

Mutants killed: the sign of the penalty, log G for G, a mean over time, padding that counts, class 0 for a category, the
weight of the real classes left out or put on the generated one.
"""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from seqgans.generators.recurrent import LSTM
from seqgans.objectives.adversarial import discriminator_loss
from seqgans.objectives.classes import class_accuracy, class_loss, penalty_loss
from seqgans.objectives.policy_gradient import reinforce_loss
from seqgans.randomness import generator_for

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
EVERYWHERE = torch.ones(27, 3, dtype=torch.bool)
SAMPLES, GROUPS = 40_000, 40


def generator() -> nn.Module:
    return LSTM(embedding=2, hidden=3, deviation=0.8).build(3, 0, None, generator_for(0, "generator")).double()


def flat(value: Tensor, of: nn.Module) -> Tensor:
    return torch.cat([part.flatten() for part in torch.autograd.grad(value, [*of.parameters()], retain_graph=True)])


def worth(seed: int) -> Tensor:
    """A penalty for each prefix (state and action): V_t depends on the first t tokens only."""
    values = [
        torch.rand(3**steps, generator=generator_for(seed, str(steps)), dtype=torch.float64) for steps in (1, 2, 3)
    ]
    places = [EVERY[:, 0], EVERY[:, :2] @ torch.tensor([3, 1]), EVERY @ torch.tensor([9, 3, 1])]
    return torch.stack([value[place] for value, place in zip(values, places, strict=True)], 1)  # (27, time)


def test_the_expected_gradient_is_that_of_half_the_squared_probabilities() -> None:
    law, penalties = generator(), worth(0)
    log_probs = law.log_probs(EVERY)  # pyright: ignore[reportCallIssue]
    reached = log_probs.cumsum(1).exp().detach()  # P(Y_1:t)
    before = torch.cat([torch.ones(27, 1), reached[:, :-1]], 1)  # P(S_t−1)
    repeats = torch.tensor([9.0, 3.0, 1.0])  # each prefix of t tokens stands in so many rows
    exact = flat((0.5 * before * penalties * log_probs.exp().square() / repeats).sum(), law)
    drawn = torch.multinomial(reached[:, -1], SAMPLES, replacement=True, generator=generator_for(1))
    groups = []
    for rows in drawn.chunk(GROUPS):
        groups.append(
            flat(penalty_loss(law.log_probs(EVERY[rows]), penalties[rows], EVERYWHERE[:1].expand(len(rows), 3)), law)
        )  # pyright: ignore[reportCallIssue]
    means = torch.stack(groups)
    error = means.std(0) / math.sqrt(GROUPS)
    assert bool(((means.mean(0) - exact).abs() <= 4 * error + 1e-12).all())
    assert exact.norm() > 20 * error.norm()


def test_a_constant_penalty_flattens_and_reinforce_ignores_it() -> None:
    law = generator()
    log_probs = law.log_probs(EVERY)  # pyright: ignore[reportCallIssue]
    probabilities = log_probs.sum(1).exp().detach()
    constant = torch.full((27, 3), 0.7, dtype=torch.float64)
    pushed = torch.stack(
        [flat(penalty_loss(log_probs[row : row + 1], constant[:1], EVERYWHERE[:1]), law) for row in range(27)]
    )
    plain = torch.stack(
        [flat(reinforce_loss(log_probs[row : row + 1], -constant[:1], EVERYWHERE[:1]), law) for row in range(27)]
    )
    torch.testing.assert_close(probabilities @ plain, torch.zeros_like(plain[0]), rtol=0, atol=1e-12)
    collision = log_probs[:, 0].exp().reshape(3, 9)[:, 0].square().sum()  # Σ_a G(a)² of the first state
    step = probabilities @ pushed
    assert torch.dot(flat(collision, law), step) > 1e-4  # minimising lowers it


def test_padding_does_not_count() -> None:
    log_probs = torch.tensor([[0.5, 0.5], [0.25, 1.0]]).log()
    mask = torch.tensor([[True, True], [True, False]])
    assert penalty_loss(log_probs, torch.tensor([[1.0, 0.5], [1.0, 9.0]]), mask).item() == pytest.approx(0.5)
    with pytest.raises(ValueError, match="penalties must carry no gradient"):
        penalty_loss(log_probs, torch.ones(2, 2, requires_grad=True), mask)


def test_the_optimum_and_its_value() -> None:
    """k = 2 on 4 symbols: D_i* = P_i / (Σ_j P_j + P_g), and the loss there is the KL decomposition."""
    laws = torch.softmax(torch.randn(3, 4, generator=generator_for(2), dtype=torch.float64), 1)  # g, 1, 2
    table = nn.Parameter(torch.zeros(4, 3, dtype=torch.float64))
    times = 2000
    rows = [torch.arange(4).repeat_interleave((law * times).round().long()) for law in laws]
    real = torch.cat(rows[1:])
    categories = torch.cat([torch.full((len(part),), number) for number, part in enumerate(rows[1:])])
    optimizer = torch.optim.LBFGS([table], max_iter=200, tolerance_grad=1e-10)

    def closure() -> float:
        optimizer.zero_grad()
        loss = class_loss(table[real], categories, table[rows[0]])
        loss.backward()
        return loss.item()

    optimizer.step(closure)
    exact = (laws / laws.sum(0)).t()
    torch.testing.assert_close(table.detach().softmax(1), exact, rtol=0, atol=0.02)
    average = laws.mean(0)
    divergence = sum((law * (law / average).log()).sum() for law in laws)
    value = class_loss(table[real], categories, table[rows[0]]).item()
    assert 3 * value == pytest.approx((3 * math.log(3) - divergence).item(), abs=0.01)


def test_one_category_is_the_plain_discriminator_loss() -> None:
    scores = torch.randn(9, 2, generator=generator_for(3))
    real, fake = scores[:5], scores[5:]
    ours = class_loss(real, torch.zeros(5, dtype=torch.long), fake)
    torch.testing.assert_close(ours, discriminator_loss(real[:, 1] - real[:, 0], fake[:, 1] - fake[:, 0]))
    assert class_accuracy(torch.eye(2)[[1, 0]], torch.tensor([0, 0]), torch.eye(2)[[0, 0, 0]]) == pytest.approx(0.75)


def test_smoothed_targets_leave_the_rest_to_the_class_of_generated_ones() -> None:
    scores, categories = torch.randn(7, 3, generator=generator_for(4)), torch.tensor([0, 1, 1, 0])
    real, fake = scores[:4], scores[4:]
    log = real.log_softmax(1)
    targets = torch.zeros(4, 3).index_put((torch.arange(4), categories + 1), torch.tensor(0.7))
    targets[:, 0] = 0.3
    expected = (2 * -(targets * log).sum(1).mean() - fake.log_softmax(1)[:, 0].mean()) / 3
    torch.testing.assert_close(class_loss(real, categories, fake, 0.3), expected)
