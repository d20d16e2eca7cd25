"""The estimators against the exact divergence of small laws: values, and which gradient is right."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Categorical, kl_divergence

from seqgans.objectives.divergence import DIVERGENCES

LOGITS, REFERENCE = torch.tensor([0.5, -1.0, 0.2]).double(), torch.tensor([0.0, 0.3, -0.4]).double()


def expected(name: str, logits: torch.Tensor) -> torch.Tensor:
    """The mean over the law itself, held where it is drawn from."""
    law = logits.log_softmax(0)
    return (law.detach().exp() * DIVERGENCES[name](law, REFERENCE.log_softmax(0))).sum()


@pytest.mark.parametrize("name", ["k1", "k3"])
def test_unbiased(name: str) -> None:
    exact = kl_divergence(Categorical(logits=LOGITS), Categorical(logits=REFERENCE))
    assert expected(name, LOGITS).item() == pytest.approx(exact.item())


@pytest.mark.parametrize("name", ["k2", "k3"])
def test_never_negative(name: str) -> None:
    assert bool((DIVERGENCES[name](LOGITS, REFERENCE) >= 0).all())


def test_only_the_square_has_the_gradient_of_the_divergence() -> None:
    logits = LOGITS.clone().requires_grad_()
    exact = kl_divergence(Categorical(logits=logits), Categorical(logits=REFERENCE))
    (wanted,) = torch.autograd.grad(exact, logits)
    found = {name: torch.autograd.grad(expected(name, logits), logits)[0] for name in DIVERGENCES}
    assert torch.allclose(found["k2"], wanted)
    assert found["k1"].abs().max() < 1e-12
    assert not torch.allclose(found["k3"], wanted, atol=1e-2)
