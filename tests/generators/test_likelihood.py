"""Log-probabilities of tokens against log_softmax and gather, values and gradients in float64.

Mutants killed: the normaliser left out of the backward pass, the factor from above forgotten or squared, the gradient
of the picked token added only once for repeated tokens, the bias without gradient, a chunk's rows written to another
chunk, no row maximum for large logits, float32 inside a float64 call, no gradient for a bias that learns alone, slices
of a few rows of a wide layer.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqgans.generators.decoding import CHUNK_VALUES, SAFE_EXPONENT, bound
from seqgans.generators.likelihood import LEAST_ROWS, chunks, token_log_probs
from seqgans.randomness import generator_for

Leaves = tuple[Tensor, Tensor, Tensor, Tensor]


def leaves(shape: tuple[int, ...], vocabulary: int, scale: float = 1.0, dtype: torch.dtype = torch.float64) -> Leaves:
    random = generator_for(vocabulary, "leaves")
    hidden = torch.randn(*shape, 5, generator=random, dtype=dtype).requires_grad_()
    weight = (scale * torch.randn(vocabulary, 5, generator=random, dtype=dtype)).requires_grad_()
    bias = torch.randn(vocabulary, generator=random, dtype=dtype).requires_grad_()
    return hidden, weight, bias, torch.randint(vocabulary, shape, generator=random)


def by_definition(hidden: Tensor, weight: Tensor, bias: Tensor, tokens: Tensor) -> Tensor:
    return (hidden @ weight.t() + bias).log_softmax(-1).gather(-1, tokens[..., None])[..., 0]


@pytest.mark.parametrize(
    ("shape", "vocabulary", "scale"),
    [
        ((3,), 1, 1.0),
        ((4, 6), 3, 1.0),
        ((2, 3, 4), 50, 1.0),
        ((4, 6), 7, 100.0),
        ((2 * CHUNK_VALUES // 5000 + 3,), 5000, 1.0),
        ((2 * LEAST_ROWS + 3,), CHUNK_VALUES // 40, 1.0),
    ],
)
def test_values_and_gradients(shape: tuple[int, ...], vocabulary: int, scale: float) -> None:
    parts = leaves(shape, vocabulary, scale)
    assert (bound(parts[0].detach().flatten(0, -2), parts[1].detach(), parts[2].detach()) >= SAFE_EXPONENT) == (
        scale > 10
    )
    ours, theirs = token_log_probs(*parts), by_definition(*parts)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9)
    upstream = torch.randn(shape, generator=generator_for(1), dtype=torch.float64)
    for mine, expected in zip(
        torch.autograd.grad(ours, parts[:3], upstream), torch.autograd.grad(theirs, parts[:3], upstream), strict=True
    ):
        torch.testing.assert_close(mine, expected, rtol=0, atol=1e-9 * max(1.0, scale))


def test_float32_keeps_its_precision_where_logits_are_large() -> None:
    parts = leaves((20,), 30, 100.0, torch.float32)
    exact = by_definition(*(part.double() if part.is_floating_point() else part for part in parts))
    torch.testing.assert_close(token_log_probs(*parts).double(), exact, rtol=1e-5, atol=1e-3)
    token_log_probs(*parts).sum().backward()
    assert all(part.grad is not None and bool(part.grad.isfinite().all()) for part in parts[:3])


@pytest.mark.parametrize("lower", [torch.float32, torch.bfloat16])
def test_lower_precision_around_it_does_not_reach_it(lower: torch.dtype) -> None:
    """Networks under autocast hand over bfloat16; from there on all is float32, forward and backward."""
    parts = leaves((4, 6), 7, dtype=torch.float32)
    rounded = parts[0].detach().to(lower).float().requires_grad_()
    plain = token_log_probs(rounded, *parts[1:])
    given = parts[0].detach().to(lower).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        inside = token_log_probs(given, *parts[1:])
    assert inside.dtype == torch.float32
    assert torch.equal(plain, inside)
    expected = torch.autograd.grad(plain.sum(), (rounded, *parts[1:3]))
    found = torch.autograd.grad(inside.sum(), (given, *parts[1:3]))
    assert torch.equal(found[0], expected[0].to(lower))
    assert torch.equal(found[1], expected[1])
    assert torch.equal(found[2], expected[2])


@pytest.mark.parametrize("learns", ["weight", "bias", "neither"])
def test_a_frozen_layer_gets_no_gradient_and_passes_on_the_same(learns: str) -> None:
    """Under adapters the output layer does not learn; making its gradient anyway was half of a step."""
    hidden, weight, bias, tokens = leaves((4, 6), 7)
    expected = torch.autograd.grad(token_log_probs(hidden, weight, bias, tokens).sum(), (hidden, weight, bias))
    weight.requires_grad_(learns == "weight")
    bias.requires_grad_(learns == "bias")
    token_log_probs(hidden, weight, bias, tokens).sum().backward()
    for part, wanted, there in zip(
        (hidden, weight, bias), expected, (True, learns == "weight", learns == "bias"), strict=True
    ):
        assert (part.grad is not None) == there
        assert part.grad is None or torch.equal(part.grad, wanted)


@pytest.mark.parametrize("vocabulary", [5, 5000, 50_000])
def test_slices_cover_all_rows_once_and_are_as_high_as_a_wide_layer_is_worth(vocabulary: int) -> None:
    rows = 300
    slices = [part for part, _ in chunks(torch.zeros(rows, 2), vocabulary)]
    assert [row for part in slices for row in range(rows)[part]] == list(range(rows))
    assert all(part.stop - part.start >= LEAST_ROWS for part in slices)
    assert all(
        wide.shape == (len(range(rows)[part]), vocabulary) for part, wide in chunks(torch.zeros(rows, 2), vocabulary)
    )


def test_there_may_be_no_rows() -> None:
    hidden, weight, bias, tokens = leaves((0, 3), 4)
    found = token_log_probs(hidden, weight, bias, tokens)
    assert found.shape == (0, 3)
    found.sum().backward()
    assert weight.grad is not None
    assert torch.equal(weight.grad, torch.zeros_like(weight))
