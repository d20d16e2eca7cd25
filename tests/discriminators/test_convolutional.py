"""The text CNN: the fast ways to its scores against the plain ones.

Mutants killed: a window that straddles the end of a prefix left out, or taken from the shared prefix; padding scored as
the word under it; the bias added before the maximum over other windows, or twice; a maximum whose gradient reaches all
windows, or the wrong offset; filters wider than the sequence; highway gates exchanged; the penalty on all layers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.convolutional import CNN, Convolutional, Highway, largest_response
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import mask_until

VOCABULARY, LENGTH, BATCH, ROLLOUTS = 6, 8, 4, 3
SETTINGS = CNN(embedding=5, widths=(1, 2, 3, 5, 8), maps=(3, 4, 5, 2, 3), dropout=0.3)


def build(settings: CNN = SETTINGS, length: int = LENGTH) -> Convolutional:
    built = settings.build(VOCABULARY, length, generator_for(0))
    assert isinstance(built, Convolutional)
    with torch.no_grad():  # biases and gates away from where they start
        for parameter in built.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator_for(1)))
    return built


def completions(lengths: Sequence[int], end: int | None) -> tuple[Tensor, Tensor]:
    """Roll-outs that agree on their prefixes, and their mask."""
    first = torch.randint(VOCABULARY, (BATCH, LENGTH), generator=generator_for(2))
    tokens = torch.randint(VOCABULARY, (len(lengths), ROLLOUTS, BATCH, LENGTH), generator=generator_for(3))
    for index, length in enumerate(lengths):
        tokens[index, ..., :length] = first[:, :length]
    return tokens, mask_until(tokens.flatten(0, 2), end).view(tokens.shape)


@pytest.mark.parametrize("end", [None, 0, 3])
@pytest.mark.parametrize("lengths", [range(1, LENGTH), [3], [1, 4, 7], [7]], ids=str)
def test_completions_score_as_the_plain_way_does(lengths: Sequence[int], end: int | None) -> None:
    network = build()
    tokens, mask = completions(lengths, end)
    assert bool(mask.all()) == (end is None)
    fast = network.completion_scores(tokens, mask, lengths)
    plain = Discriminator.completion_scores(network, tokens, mask, lengths)
    assert plain.std() > 0.05
    torch.testing.assert_close(fast, plain, rtol=0, atol=1e-5)
    other = torch.where(mask, tokens, (tokens + 1) % VOCABULARY)
    torch.testing.assert_close(network.completion_scores(other, mask, lengths), plain, rtol=0, atol=1e-5)


def test_completions_in_many_parts() -> None:
    """More rows than are scored at once."""
    network = build()
    tokens, mask = completions(range(1, LENGTH), 0)
    many, whole = tokens.repeat(1, 20, 4, 1), mask.repeat(1, 20, 4, 1)
    found = network.completion_scores(many, whole, range(1, LENGTH))
    expected = network.completion_scores(tokens, mask, range(1, LENGTH)).repeat(1, 20, 4)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("width", [1, 2, 5, 7])
def test_largest_response_is_unfold_product_and_maximum(width: int) -> None:
    random = generator_for(width)
    leaves = [
        torch.randn(shape, generator=random, dtype=torch.float64).requires_grad_()
        for shape in ((3, 7, 4), (6, 4 * width), (6,))
    ]
    embedded, weight, bias = leaves
    windows = embedded.unfold(1, width, 1).transpose(2, 3).flatten(2)  # (batch, windows, width · size)
    plain = (windows @ weight.t() + bias).amax(1)
    fast = largest_response(*leaves)
    torch.testing.assert_close(fast, plain, rtol=0, atol=1e-12)
    upstream = torch.randn(3, 6, generator=random, dtype=torch.float64)
    for one, other in zip(
        torch.autograd.grad(fast, leaves, upstream), torch.autograd.grad(plain, leaves, upstream), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)
    assert torch.autograd.gradcheck(largest_response, tuple(leaves))


def test_hard_and_one_hot_score_alike_with_the_same_gradient() -> None:
    network = build()
    tokens = torch.randint(VOCABULARY, (BATCH, LENGTH), generator=generator_for(4))
    mask = torch.arange(LENGTH) < torch.tensor([8, 5, 1, 8])[:, None]
    parameters = [*network.parameters()]
    hard = network.scores(tokens, mask)
    soft = network.scores(torch.nn.functional.one_hot(tokens, VOCABULARY).float(), mask)
    torch.testing.assert_close(hard, soft, rtol=0, atol=1e-5)
    for one, other in zip(
        torch.autograd.grad(hard.sum(), parameters), torch.autograd.grad(soft.sum(), parameters), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-4)


def test_highway_by_definition() -> None:
    highway = Highway(5, generator_for(5))
    with torch.no_grad():
        highway.gate.bias.fill_(0.7)
        highway.transform.bias.fill_(-0.2)
    values = torch.randn(3, 5, generator=generator_for(6))
    gate, through = torch.sigmoid(highway.gate(values)), torch.relu(highway.transform(values))
    torch.testing.assert_close(highway(values), gate * through + (1 - gate) * values)


def test_dropout_scales_and_is_drawn_for_the_rows_of_a_process() -> None:
    network = build()
    tokens = torch.randint(VOCABULARY, (BATCH, LENGTH), generator=generator_for(7))
    mask = torch.ones_like(tokens, dtype=torch.bool)
    whole = network.scores(tokens, mask, random=Stream(generator_for(8)))
    for start, stop in ((0, 1), (1, 4)):
        with Stream(generator_for(8)).share(start, stop, BATCH) as stream:
            part = network.scores(tokens[start:stop], mask[start:stop], random=stream)
        torch.testing.assert_close(part, whole[start:stop], rtol=0, atol=1e-6)
    stream = Stream(generator_for(9))
    many = network.scores(tokens.repeat(2000, 1), mask.repeat(2000, 1), random=stream).view(2000, BATCH)
    error = many.std(0) / math.sqrt(len(many))
    assert bool(((many.mean(0) - network.scores(tokens, mask)).abs() < 4.5 * error).all())


def test_wide_filters_are_left_out_and_at_least_one_must_fit() -> None:
    assert build(length=4).widths == (1, 2, 3)
    with pytest.raises(ValueError, match=r"CNN\.widths must hold a width of at most the length 2"):
        CNN(widths=(3, 4), maps=(1, 1)).build(VOCABULARY, 2, generator_for(0))


def test_the_penalty_is_that_of_the_output_layer() -> None:
    """Of two logits it is λ/2 ‖w‖²; one logit pays what two opposite ones would whose difference it is."""
    network, two = build(), Convolutional(VOCABULARY, LENGTH, SETTINGS, generator_for(0), outputs=2)
    with torch.no_grad():
        for ours, theirs in zip(network.output.parameters(), two.output.parameters(), strict=True):
            theirs.copy_(torch.cat([ours, -ours]) / 2)
    squares = sum(part.detach().square().sum().item() for part in two.output.parameters())
    assert two.penalty().item() == pytest.approx(0.5 * 0.2 * squares)
    assert network.penalty().item() == pytest.approx(two.penalty().item())
    network.penalty().backward()
    assert [name for name, part in network.named_parameters() if part.grad is not None] == [
        "output.weight",
        "output.bias",
    ]


def test_bfloat16_is_close_and_learns() -> None:
    network = build()
    tokens, mask = completions(range(1, LENGTH), 0)
    plain = network.completion_scores(tokens, mask, range(1, LENGTH))
    with torch.autocast("cpu", torch.bfloat16):
        lower = network.completion_scores(tokens, mask, range(1, LENGTH))
        scores = network.scores(tokens[0, 0], mask[0, 0])
    torch.testing.assert_close(lower.float(), plain, rtol=0, atol=0.1)
    scores.float().sum().backward()
    assert all(part.grad is not None and bool(part.grad.isfinite().all()) for part in network.parameters())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"widths": (1, 2)}, "equally long"),
        ({"widths": (0,) * 5}, "at least 1"),
        ({"dropout": 1.0}, "dropout"),
        ({"decay": -1.0}, "decay"),
        ({"embedding": 0}, "at least 1"),
    ],
)
def test_settings_are_checked(changed: dict[str, float], message: str) -> None:
    given = {"widths": (1, 2, 3, 5, 8), "maps": (3, 4, 5, 2, 3), **changed}
    with pytest.raises(ValueError, match=message):
        CNN(**given)  # pyright: ignore[reportArgumentType]
