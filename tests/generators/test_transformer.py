"""The transformer's cache: rows at different positions, growth, gradient.

Mutants killed: one position for all rows, a cache row short or long by one, unfilled places that are looked at, a
cache that overwrites what an earlier step looked at, rotation of queries alone, positions that start at 1 on one side.
"""

from __future__ import annotations

import pytest
import torch

from seqgans.generators.base import join, repeat, select
from seqgans.generators.transformer import BLOCK, Causal, Transformer, rotate
from seqgans.randomness import generator_for

LENGTHS = (0, 3, 17, BLOCK - 1, BLOCK, BLOCK + 9)


def build(vocabulary: int = 7) -> Causal:
    generator = Transformer(width=32, heads=2, deviation=0.3).build(vocabulary, 0, None, generator_for(1))
    assert isinstance(generator, Causal)
    return generator


def test_rows_at_different_positions_advance_as_in_one_pass() -> None:
    generator = build()
    time = max(LENGTHS) + 3
    tokens = torch.randint(7, (len(LENGTHS), time), generator=generator_for(2))
    whole, inputs = generator.hidden(tokens), generator.inputs(tokens)
    with torch.no_grad():
        states = []
        for row, length in enumerate(LENGTHS):
            state = generator.start_state(1)
            for step in range(length):
                _, state = generator.advance(inputs[row : row + 1, step], state)
            states.append(state)
        state = repeat(join(states), 2)
        assert state[0].tolist() == [*LENGTHS, *LENGTHS]
        for ahead in range(3):
            fed = torch.tensor([inputs[row, length + ahead] for row, length in enumerate(LENGTHS)]).repeat(2)
            hidden, state = generator.advance(fed, state)
            expected = torch.stack([whole[row, length + ahead] for row, length in enumerate(LENGTHS)]).repeat(2, 1)
            torch.testing.assert_close(hidden, expected, rtol=0, atol=1e-5)


def test_a_copied_state_is_left_as_it_was() -> None:
    generator = build()
    with torch.no_grad():
        _, state = generator.advance(torch.tensor([1, 2]), generator.start_state(2))
        kept = select(state, torch.tensor([0, 1]))
        first, _ = generator.advance(torch.tensor([3, 4]), state)
        again, _ = generator.advance(torch.tensor([3, 4]), kept)
    assert torch.equal(first, again)


def test_gradient_through_the_cache_is_that_of_one_pass() -> None:
    generator = build()
    tokens = torch.randint(7, (2, 5), generator=generator_for(3))
    parameters = [part for name, part in generator.named_parameters() if not name.startswith("output")]
    state, hidden = generator.start_state(2), []
    for column in generator.inputs(tokens).unbind(1):
        one, state = generator.advance(column, state)
        hidden.append(one)
    weights = torch.randn(2, 5, 32, generator=generator_for(4))
    stepwise = torch.autograd.grad((torch.stack(hidden, 1) * weights).sum(), parameters)
    at_once = torch.autograd.grad((generator.hidden(tokens) * weights).sum(), parameters)
    for one, other in zip(stepwise, at_once, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_products_of_rotated_rows_depend_on_the_distance_only() -> None:
    rows = torch.randn(1, 1, 1, 8, generator=generator_for(5))
    other = torch.randn(1, 1, 1, 8, generator=generator_for(6))

    def product(one: int, two: int) -> float:
        turned = [rotate(part, torch.tensor([[place]])) for part, place in ((rows, one), (other, two))]
        return float((turned[0] * turned[1]).sum())

    assert product(3, 1) == pytest.approx(product(40, 38), abs=1e-4)
    assert product(3, 1) != pytest.approx(product(4, 1), abs=1e-3)
    assert product(0, 0) == pytest.approx(float((rows * other).sum()), abs=1e-6)


def test_widths_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Transformer\.width must be a multiple of 2 · heads = 8, got 60"):
        Transformer(width=60, heads=4)
