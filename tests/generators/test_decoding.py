"""Draws against the law they claim to follow, exactly: a fine grid of uniform numbers hits each token in proportion.

Mutants killed: the first entry of a block skipped, entries counted from the block's end, mass of the padding entries,
the offset of the block forgotten, no shift of large logits, temperature multiplied, top-k off by one, nucleus without
the token that crosses the bound, an excluded token that takes one of the k places,
log-probabilities of the law before decoding, rows and draws exchanged.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seqgans.generators.decoding import CHUNK_VALUES, PLAIN, SAFE_EXPONENT, Decoding, bound, draw
from seqgans.randomness import generator_for
from tests.goodness import pvalue

GRID = 1 << 14


def layer(vocabulary: int, scale: float = 1.0, rows: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    """Hidden states, weights and bias whose logits vary by about `scale`."""
    random = generator_for(vocabulary, "layer")
    hidden = torch.randn(rows, 4, generator=random)
    return hidden, scale / 2 * torch.randn(vocabulary, 4, generator=random), torch.randn(vocabulary, generator=random)


def grid(rows: int) -> Tensor:
    """The middles of equal parts of [0, 1), the same for every row."""
    return ((torch.arange(GRID, dtype=torch.float64) + 0.5) / GRID).float().expand(rows, GRID).contiguous()


def law(hidden: Tensor, weight: Tensor, bias: Tensor, decoding: Decoding = PLAIN) -> Tensor:
    """The probabilities of every token in float64, by definition."""
    logits = hidden.double() @ weight.double().t() + bias.double()
    logits[:, list(decoding.excluded)] = -math.inf
    if decoding.temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(1), len(weight)).double()
    probabilities = (logits / decoding.temperature).softmax(1)
    for row in probabilities:
        order = row.argsort(descending=True).tolist()
        if decoding.top_k:
            row[order[decoding.top_k :]] = 0.0
            row /= row.sum()
        if decoding.top_p < 1:
            kept, total = 0, 0.0
            while total < decoding.top_p:
                total += float(row[order[kept]])
                kept += 1
            row[order[kept:]] = 0.0
            row /= row.sum()
    return probabilities


@pytest.mark.parametrize("vocabulary", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("scale", [0.0, 1.0, 300.0])
def test_a_grid_of_uniforms_hits_every_token_in_proportion(vocabulary: int, scale: float) -> None:
    parts = layer(vocabulary, scale)
    assert (bound(*parts) >= SAFE_EXPONENT) == (scale > 100)
    tokens, log_probs = draw(*parts, grid(3))
    exact = law(*parts)
    for row in range(3):
        counts = torch.bincount(tokens[row], minlength=vocabulary)
        assert (counts - GRID * exact[row]).abs().max() <= 1.01  # both ends of a token's interval are cut
        assert counts[exact[row] < 1e-9].sum() == 0
    torch.testing.assert_close(log_probs.double(), exact.gather(1, tokens).log(), rtol=0, atol=2e-4)


def test_a_large_vocabulary_and_more_rows_than_a_chunk() -> None:
    rows = 2 * (CHUNK_VALUES // 5000) + 3
    hidden, weight, bias = layer(5000, rows=rows)
    uniforms = torch.rand(rows, 40, generator=generator_for(1))
    tokens, log_probs = draw(hidden, weight, bias, uniforms)
    cumulative = law(hidden, weight, bias).cumsum(1)
    ends = cumulative.gather(1, tokens)
    starts = torch.where(tokens > 0, cumulative.gather(1, (tokens - 1).clamp(min=0)), 0.0)
    assert bool((uniforms < ends + 2e-6).all())
    assert bool((uniforms > starts - 2e-6).all())
    torch.testing.assert_close(log_probs.double(), (ends - starts).log(), rtol=0, atol=1e-4)


def test_draws_follow_softmax() -> None:
    hidden, weight, bias = layer(7, rows=2)
    tokens, _ = draw(hidden, weight, bias, torch.rand(2, 50_000, generator=generator_for(2)))
    exact = law(hidden, weight, bias)
    for row in range(2):
        counts = torch.bincount(tokens[row], minlength=7)
        assert pvalue(counts, exact[row]) > 0.001


@pytest.mark.parametrize(
    "decoding",
    [
        Decoding(temperature=0.5),
        Decoding(temperature=3.0),
        Decoding(temperature=0.0),
        Decoding(top_k=1),
        Decoding(top_k=3),
        Decoding(top_k=100),
        Decoding(top_p=0.6),
        Decoding(top_p=1e-9),
        Decoding(temperature=2.0, top_k=5, top_p=0.9),
        Decoding(excluded=(1,)),
        Decoding(temperature=0.0, excluded=(0, 1, 5)),
        Decoding(temperature=2.0, top_k=3, top_p=0.9, excluded=(2, 3)),
    ],
    ids=str,
)
@pytest.mark.parametrize("vocabulary", [7, 50])
def test_decodings_follow_their_law(decoding: Decoding, vocabulary: int) -> None:
    parts = layer(vocabulary)
    tokens, log_probs = draw(*parts, grid(3), decoding)
    exact = law(*parts, decoding)
    for row in range(3):
        counts = torch.bincount(tokens[row], minlength=vocabulary)
        assert (counts - GRID * exact[row]).abs().max() <= 1.01
        assert counts[exact[row] == 0].sum() == 0
    torch.testing.assert_close(log_probs.double(), exact.gather(1, tokens).log(), rtol=0, atol=1e-4)


def test_a_nucleus_that_is_just_full_takes_no_more() -> None:
    kept = Decoding(top_p=0.5).shape(torch.zeros(1, 4)) > -math.inf
    assert kept.sum().item() == 2


def test_beyond_all_bounds_a_temperature_is_that_of_the_bound() -> None:
    parts = layer(9)
    hot = Decoding(temperature=1e308, excluded=(2,))
    tokens, log_probs = draw(*parts, grid(3), hot)
    assert set(tokens.flatten().tolist()) == {0, 1, 3, 4, 5, 6, 7, 8}
    torch.testing.assert_close(log_probs, torch.full_like(log_probs, -math.log(8)))


@pytest.mark.parametrize("temperature", [1e-320, 1e-30, 1e-3])
def test_near_zero_a_temperature_takes_the_most_likely_token(temperature: float) -> None:
    hidden, weight, bias = layer(9, 200.0)
    tokens, log_probs = draw(hidden, weight, bias, grid(3)[:, :100], Decoding(temperature=temperature))
    assert torch.equal(tokens, (hidden @ weight.t() + bias).argmax(1, keepdim=True).expand(3, 100))
    assert torch.equal(log_probs, torch.zeros(3, 100))


@pytest.mark.parametrize("vocabulary", [1, 3, 7, 50, 5000])
@pytest.mark.parametrize("decoding", [PLAIN, Decoding(top_k=2)], ids=str)
def test_the_ends_of_the_unit_interval(vocabulary: int, decoding: Decoding) -> None:
    """Even 1 itself, which rounding may give, draws a token that can be drawn."""
    parts = layer(vocabulary)
    uniforms = torch.tensor([0.0, 2.0**-24, 1.0 - 2.0**-24, 1.0]).expand(3, 4).contiguous()
    tokens, log_probs = draw(*parts, uniforms, decoding)
    assert bool((tokens < vocabulary).all())
    assert bool(log_probs.isfinite().all())
    assert bool((law(*parts, decoding).gather(1, tokens) > 0).all())


def test_rounding_past_the_last_entry_draws_one_that_can_come() -> None:
    """At the top of the interval sums taken in another order lie beyond the last entry in one of some hundred rows."""
    hidden, weight, bias = layer(157, scale=3.0, rows=4000)
    tokens, log_probs = draw(hidden, weight, bias, torch.full((4000, 1), 1.0 - 2.0**-24))
    assert int(tokens.max()) < 157
    assert bool(log_probs.isfinite().all())


def test_a_token_that_cannot_come_is_never_drawn() -> None:
    hidden, weight, bias = layer(10)
    bias[::2] = -math.inf
    tokens, log_probs = draw(hidden, weight, bias, grid(3))
    assert bool((tokens % 2 == 1).all())
    assert bool(log_probs.isfinite().all())


def test_log_probs_can_be_left_out_and_there_may_be_no_rows() -> None:
    parts = layer(7)
    tokens, none = draw(*parts, grid(3)[:, ::512], with_log_probs=False)
    assert torch.equal(tokens, draw(*parts, grid(3)[:, ::512])[0])
    assert torch.equal(none, torch.zeros(3, 32))
    assert draw(parts[0][:0], *parts[1:], torch.zeros(0, 2))[0].shape == (0, 2)


def test_lower_precision_around_it_does_not_reach_the_law() -> None:
    parts = layer(7, 20.0)
    plain = draw(*parts, grid(3))
    with torch.autocast("cpu", torch.bfloat16):
        inside = draw(*parts, grid(3))
    assert torch.equal(plain[0], inside[0])
    assert torch.equal(plain[1], inside[1])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("top_k", -1),
        ("top_p", 0.0),
        ("top_p", 1.1),
    ],
)
def test_settings_are_checked(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{field} must be"):
        Decoding(**{field: value})
