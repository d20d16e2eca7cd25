"""The relational memory against a plain step that computes every row, and its exact limits.

Mutants killed: scale 1/√head_size, layer norm left out or over all rows, keys and values swapped, the row x not
dropped, gates swapped, M″ instead of tanh(M″), gates from M instead of tanh(M), the composed bias forgotten,
memory carried over between rows of the batch, gradient through the input path, β inside the argmax.
"""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from torch import Tensor, nn

from seqgans.generators.memory import Memory, RelationalMemory
from seqgans.generators.relaxation import gumbel
from seqgans.randomness import Stream


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made(vocabulary_size: int = 5, **settings: float) -> Memory:
    """A generator in float64 whose every parameter, biases and norms included, is far from its start."""
    chosen = {"embedding": 3, "slots": 2, "heads": 3, "head_size": 4, **settings}
    generator = RelationalMemory(**chosen).build(vocabulary_size, 0, None, seeded())  # pyright: ignore[reportArgumentType]
    assert isinstance(generator, Memory)
    generator = generator.double()
    random = seeded(1)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.5 * torch.randn(parameter.shape, generator=random, dtype=torch.float64))
    return generator


def plain_step(g: Memory, embedded: Tensor, memory: Tensor) -> Tensor:
    """One step exactly as it is written in the paper's code: all rows of [M; x], the input row dropped at the end."""
    heads, size, slots = g.settings.heads, g.settings.head_size, g.settings.slots
    x = g.reader(embedded)
    rows = torch.cat([memory, x[:, None]], 1)
    mixed = g.attention_norm(g.attention(rows)).unflatten(2, (heads, 3 * size))
    query, key, value = mixed[..., :size], mixed[..., size : 2 * size], mixed[..., 2 * size :]
    weights = torch.einsum("brhd,bshd->bhrs", query * (3 * size) ** -0.5, key).softmax(3)
    found = torch.einsum("bhrs,bshd->brhd", weights, value).flatten(2)
    attended = g.attended_norm(rows + found)
    thought = attended
    for layer in g.mlp:
        thought = layer(thought).relu()
    thought = g.mlp_norm(attended + thought)[:, :slots]
    gates = g.input_gates(x)[:, None] + g.memory_gates(memory.tanh())
    write, keep = gates.chunk(2, 2)
    write, keep = (write + g.settings.input_bias).sigmoid(), (keep + g.settings.forget_bias).sigmoid()
    return write * thought.tanh() + keep * memory


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_a_step_is_the_plain_step(slots: int) -> None:
    generator = made(slots=slots, forget_bias=0.7, input_bias=-0.2)
    tokens = torch.tensor([1, 4, 2])
    state = (torch.randn(3, slots, 12, generator=seeded(2), dtype=torch.float64),)
    hidden, (memory,) = generator.advance(tokens, state)
    expected = plain_step(generator, generator.embedding(tokens), state[0])
    torch.testing.assert_close(memory, expected)
    torch.testing.assert_close(hidden, expected.flatten(1))


def test_reading_at_once_is_reading_step_by_step() -> None:
    generator = made()
    tokens = torch.tensor([[1, 2, 3, 4], [4, 4, 0, 1], [0, 1, 0, 1]])
    whole = generator.hidden(tokens)
    state, previous = generator.start_state(3), torch.zeros(3, dtype=torch.long)
    for time in range(4):
        weights = nn.functional.one_hot(previous, 5).double()
        soft, _ = generator.advance(weights, tuple(part.clone() for part in state))
        with torch.no_grad():
            without, _ = generator.advance(previous, tuple(part.clone() for part in state))
        hidden, state = generator.advance(previous, state)
        for other in (soft, without, whole[:, time]):
            torch.testing.assert_close(hidden, other)
        previous = tokens[:, time]


def test_one_slot_weighs_memory_against_token_by_a_sigmoid() -> None:
    generator = made(slots=1, heads=2)
    memory = torch.randn(3, 1, 8, generator=seeded(3), dtype=torch.float64)
    keys, values, _ = generator.read(torch.tensor([1, 2, 3]))
    mixed = nn.functional.layer_norm(
        memory[:, 0] @ generator.attention.weight.t(),
        (24,),
        generator.attention_norm.weight,
        generator.attention_norm.bias,
    )
    for head in range(2):
        query, key, value = mixed[:, head * 12 : (head + 1) * 12].split(4, 1)
        other_key, other_value = keys[:, head * 4 : (head + 1) * 4], values[:, head * 4 : (head + 1) * 4]
        share = ((query * (key - other_key)).sum(1, keepdim=True) / math.sqrt(12)).sigmoid()
        found = generator.attend(memory, keys, values)[:, 0, head * 4 : (head + 1) * 4]
        torch.testing.assert_close(found, share * value + (1 - share) * other_value)


def test_slots_have_no_order() -> None:
    generator = made(slots=3)
    memory = torch.randn(2, 3, 12, generator=seeded(4), dtype=torch.float64)
    parts = generator.read(torch.tensor([1, 2]))
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(
        generator.attend(memory[:, order], *parts[:2]), generator.attend(memory, *parts[:2])[:, order]
    )
    torch.testing.assert_close(generator.step(memory[:, order], *parts), generator.step(memory, *parts)[:, order])


def test_open_forget_and_shut_input_gates_keep_the_memory() -> None:
    generator = made(forget_bias=1e3, input_bias=-1e3)
    start = generator.start_state(2)
    _, (memory,) = generator.advance(torch.tensor([1, 2]), generator.start_state(2))
    torch.testing.assert_close(memory, start[0])


def test_the_start() -> None:
    generator = RelationalMemory(slots=2, heads=2, head_size=8, embedding=4).build(50, 0, None, seeded())
    (memory,) = generator.start_state(3)
    assert memory.shape == (3, 2, 16)
    assert torch.equal(memory[1], torch.eye(16)[:2])
    for name, parameter in generator.named_parameters():
        if name.endswith("bias"):
            assert not parameter.any()
    output = generator.output.weight
    assert output.abs().max() <= 2 / math.sqrt(32)
    assert output.std().item() == pytest.approx(0.88 / math.sqrt(32), rel=0.05)  # 0.88: cut at two deviations
    table = dict(generator.named_parameters())["embedding.weight"]
    assert table.std().item() == pytest.approx(0.88 / math.sqrt(50), rel=0.15)


def test_all_sequences_together_have_probability_one() -> None:
    generator = RelationalMemory(embedding=3, heads=2, head_size=4).build(3, 0, None, seeded())
    every = torch.tensor(list(product(range(3), repeat=3)))
    law = generator.log_probs(every).sum(1).exp()
    assert law.sum().item() == pytest.approx(1.0, abs=1e-5)
    drawn = generator.sample(20_000, 3, random=seeded(5))
    torch.testing.assert_close(drawn.log_probs, generator.log_probs(drawn.tokens), rtol=1e-4, atol=1e-5)
    counts = torch.bincount(drawn.tokens @ torch.tensor([9, 3, 1]), minlength=27) / 20_000
    assert (counts - law).abs().max() < 4 * (law.max() / 20_000) ** 0.5


@pytest.mark.parametrize("inverse_temperature", [0.1, 1.0, 100.0])
def test_relaxed_tokens_follow_the_softmax_whatever_the_temperature(inverse_temperature: float) -> None:
    generator = made(vocabulary_size=3, slots=1)
    count = 20_000
    with torch.no_grad():
        relaxed = generator.relax(count, 1, random=seeded(6), inverse_temperature=inverse_temperature)
        law = generator.logits(torch.zeros(1, 1, dtype=torch.long))[0, 0].softmax(0)
    assert torch.equal(relaxed.weights.argmax(2), relaxed.tokens)
    found = torch.bincount(relaxed.tokens[:, 0], minlength=3) / count
    assert ((found - law).abs() < 4 * (law * (1 - law) / count).sqrt()).all()


@pytest.mark.parametrize("inverse_temperature", [1.0, 7.0])
def test_the_variance_of_the_noise(inverse_temperature: float) -> None:
    noise = inverse_temperature * gumbel(Stream(seeded(7)), 400_000)
    assert noise.var().item() == pytest.approx(inverse_temperature**2 * math.pi**2 / 6, rel=0.02)


def test_relaxed_samples_carry_gradient_to_every_logit_and_none_through_the_input() -> None:
    generator = made()
    logits: list[Tensor] = []
    read: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        logits.append(output)

    generator.output.register_forward_hook(keep)
    plain = generator.advance
    generator.advance = lambda tokens, state: (read.append(tokens), plain(tokens, state))[1]
    relaxed = generator.relax(4, 2, random=seeded(8), inverse_temperature=2.0)
    ruler = torch.randn(4, 2, 5, generator=seeded(9), dtype=torch.float64)
    assert not any(tokens.is_floating_point() for tokens in read)
    assert torch.equal(read[1], relaxed.tokens[:, 0])
    for time in range(2):
        value = (relaxed.weights[:, time] * ruler[:, time]).sum()
        gradients = torch.autograd.grad(value, logits, retain_graph=True, allow_unused=True)
        for other, gradient in enumerate(gradients):
            assert (gradient is not None and bool(gradient.abs().sum(1).gt(1e-6).all())) == (other == time)


def test_the_gradient_of_relaxed_samples_is_their_slope() -> None:
    generator = made()
    ruler = torch.randn(4, 2, 5, generator=seeded(10), dtype=torch.float64)

    def measure() -> tuple[Tensor, Tensor]:
        relaxed = generator.relax(4, 2, random=seeded(11), inverse_temperature=1.5)
        return (relaxed.weights * ruler).sum(), relaxed.tokens

    value, tokens = measure()
    step = 1e-5
    for parameter in (generator.output.bias, generator.reader.weight, generator.mlp[0].weight):
        assert isinstance(parameter, nn.Parameter)
        (gradient,) = torch.autograd.grad(value, parameter, retain_graph=True)
        way = torch.randn(parameter.shape, generator=seeded(12), dtype=torch.float64)
        found = []
        for sign in (1, -1):
            with torch.no_grad():
                parameter.add_(sign * step * way)
                moved, same = measure()
                parameter.sub_(sign * step * way)
            assert torch.equal(same, tokens)  # no hard token has flipped, so the function is smooth here
            found.append(moved.item())
        assert (found[0] - found[1]) / (2 * step) == pytest.approx((gradient * way).sum().item(), rel=1e-5)


def test_every_parameter_learns() -> None:
    generator = RelationalMemory(embedding=3, slots=2, heads=2, head_size=4).build(5, 0, None, seeded())
    generator.log_probs(torch.tensor([[1, 2, 3], [4, 0, 1]])).sum().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_reduced_precision() -> None:
    generator = RelationalMemory(embedding=3, slots=2, heads=2, head_size=8).build(5, 0, None, seeded())
    tokens = torch.tensor([[1, 2, 3], [4, 0, 1]])
    exact = generator.log_probs(tokens)
    with torch.autocast("cpu", torch.bfloat16):
        rough = generator.log_probs(tokens)
    torch.testing.assert_close(rough, exact, atol=0.05, rtol=0.05)


@pytest.mark.parametrize("name", ["embedding", "slots", "heads", "head_size", "mlp_layers"])
def test_sizes_are_checked(name: str) -> None:
    with pytest.raises(ValueError, match=f"RelationalMemory.{name} must be at least 1, got 0"):
        RelationalMemory(**{name: 0})
    with pytest.raises(ValueError, match=r"RelationalMemory.slots must be at most heads · head_size = 4, got 5"):
        RelationalMemory(slots=5, heads=2, head_size=2)
