"""Recurrent generators: one step at a time as in one pass, and a table of gates that is never out of date.

Mutants killed: a table that is never made again, or not after load_state_dict; a table kept in bfloat16; gates in
another order; the GRU's reset applied before the product; the second layer fed by the first one's old state; a start
token that is read twice.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqgans.generators import GENERATORS
from seqgans.generators.base import Generator
from seqgans.generators.recurrent import GRU, LSTM, Recurrent
from seqgans.randomness import generator_for

KINDS = {"lstm": LSTM, "gru": GRU}


def build(name: str, layers: int = 1, seed: int = 0) -> Recurrent:
    settings = KINDS[name](embedding=3, hidden=5, layers=layers, deviation=0.7)
    built = settings.build(6, 1, None, generator_for(seed, "generator"))
    assert isinstance(built, Recurrent)
    with torch.no_grad():
        for parameter in built.parameters():  # no bias may be zero, or one that is forgotten would not be missed
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator_for(seed, "more")))
    return built


def by_steps(generator: Generator, tokens: Tensor) -> Tensor:
    state = generator.start_state(len(tokens))
    found = []
    for column in generator.inputs(tokens).unbind(1):
        hidden, state = generator.advance(column, state)
        found.append(hidden)
    return torch.stack(found, 1)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("name", KINDS)
def test_steps_equal_one_pass(name: str, layers: int) -> None:
    generator = build(name, layers)
    tokens = torch.randint(6, (4, 9), generator=generator_for(1))
    whole = generator.hidden(tokens)
    torch.testing.assert_close(by_steps(generator, tokens), whole, rtol=0, atol=1e-6)  # with gradient: no table
    with torch.no_grad():
        torch.testing.assert_close(by_steps(generator, tokens), whole.detach(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_gradients_of_steps_equal_those_of_one_pass(name: str) -> None:
    generator = build(name, 2).double()
    tokens = torch.randint(6, (3, 5), generator=generator_for(2))
    inner = [part for key, part in generator.named_parameters() if not key.startswith("output")]
    for one, other in zip(
        torch.autograd.grad(by_steps(generator, tokens).square().sum(), inner),
        torch.autograd.grad(generator.hidden(tokens).square().sum(), inner),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("name", KINDS)
def test_the_table_is_made_again_after_an_optimizer_step(name: str, fused: bool) -> None:
    generator = build(name)
    tokens = torch.randint(6, (4, 9), generator=generator_for(3))
    optimizer = torch.optim.Adam(generator.parameters(), lr=0.1, fused=fused)
    with torch.no_grad():
        before = by_steps(generator, tokens)
    generator.log_probs(tokens).sum().backward()
    optimizer.step()
    with torch.no_grad():
        after = by_steps(generator, tokens)
    assert (after - before).abs().max() > 0.01
    torch.testing.assert_close(after, generator.hidden(tokens).detach(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("change", ["load", "double", "input bias alone"])
@pytest.mark.parametrize("name", KINDS)
def test_the_table_is_made_again_after_other_changes(name: str, change: str) -> None:
    generator = build(name)
    tokens = torch.randint(6, (4, 9), generator=generator_for(4))
    with torch.no_grad():
        before = by_steps(generator, tokens)
        if change == "load":
            generator.load_state_dict(build(name, seed=1).state_dict())
        elif change == "double":
            generator.double()
        else:
            getattr(generator.cell, "bias_ih_l0").add_(0.5)  # noqa: B009
        after = by_steps(generator, tokens)
    assert change == "double" or (after - before).abs().max() > 0.01
    torch.testing.assert_close(after, generator.hidden(tokens).detach(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_a_table_made_under_autocast_is_as_good_as_any(name: str) -> None:
    generator = build(name)
    tokens = torch.randint(6, (4, 9), generator=generator_for(5))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        by_steps(generator, tokens)
    with torch.no_grad():
        torch.testing.assert_close(by_steps(generator, tokens), generator.hidden(tokens), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in GENERATORS if name not in ("hierarchical", "pretrained")])
def test_bfloat16_is_close_and_learns(name: str) -> None:
    """Sampling, teacher forcing and relaxed samples run under autocast; log-probabilities stay float32."""
    generator = GENERATORS[name]().build(6, 0, None, generator_for(6))
    tokens = torch.randint(6, (4, 5), generator=generator_for(7))
    plain = generator.log_probs(tokens)
    with torch.autocast("cpu", torch.bfloat16):
        lower = generator.log_probs(tokens)
        assert generator.sample(4, 5, random=generator_for(8)).log_probs.dtype == torch.float32
        weights = generator.relax(4, 5, random=generator_for(8)).weights
    assert lower.dtype == torch.float32
    torch.testing.assert_close(lower, plain, rtol=0, atol=0.05)
    assert bool(weights.isfinite().all())
    if name != "uniform":
        (lower.sum() + weights.square().sum()).backward()
        assert all(part.grad is None or bool(part.grad.isfinite().all()) for part in generator.parameters())


@pytest.mark.parametrize("field", ["embedding", "hidden", "layers", "deviation"])
@pytest.mark.parametrize("kind", KINDS.values())
def test_settings_are_checked(kind: type[LSTM | GRU], field: str) -> None:
    with pytest.raises(ValueError, match=f"{kind.__name__}.{field} must be"):
        kind(**{field: 0.0 if field == "deviation" else 0})
