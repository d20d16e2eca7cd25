"""Log-probabilities of given tokens from hidden states, without ever holding all logits at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.generators.decoding import CHUNK_VALUES, SAFE_EXPONENT, bound

LEAST_ROWS = 64  # of a slice: from some 50 rows on a core multiplies slower than it reads


class _TokenLogProbs(torch.autograd.Function):
    """log softmax(h Wᵀ + b) at the given tokens; the backward pass makes each chunk of logits again."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor, tokens: Tensor) -> Tensor:
        """Shapes: hidden (rows, width), weight (vocab, width), bias (vocab), tokens (rows)."""
        log_probs = hidden.new_empty(tokens.shape, dtype=torch.promote_types(hidden.dtype, torch.float32))
        inputs = nn.functional.pad(hidden, (0, 1), value=1.0)  # the bias is one more input, always 1
        across = torch.cat([weight, bias[:, None]], 1).t()
        moderate = bound(hidden, weight, bias) < SAFE_EXPONENT
        for rows, wide in chunks(inputs, len(weight)):
            logits = torch.mm(inputs[rows], across, out=wide).to(log_probs.dtype)  # (chunk, vocab)
            picked = logits.gather(1, tokens[rows, None])[:, 0]
            if moderate:
                log_probs[rows] = picked - logits.exp_().sum(1).log_()
            else:
                top = logits.amax(1)
                log_probs[rows] = picked - logits.sub_(top[:, None]).exp_().sum(1).log_().add_(top)
        ctx.save_for_backward(hidden, weight, bias, tokens, log_probs)
        return log_probs

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients: ∂ log p(y) / ∂ logits = one_hot(y) − softmax, times what flows in from above.

        The normaliser is one more input and the factor from above is moved to the narrow side of each
        product, so that the wide tensor is written once and read twice.
        """
        hidden, weight, bias, tokens, log_probs = ctx.saved_tensors
        factor = upstream[0].to(hidden.dtype)[:, None]
        picked = weight[tokens]
        normalisers = (hidden * picked).sum(1) + bias[tokens] - log_probs.to(hidden.dtype)
        ones = torch.ones_like(factor)
        inputs = torch.cat([hidden, ones, -normalisers[:, None]], 1)
        across = torch.cat([weight, bias[:, None], torch.ones_like(bias)[:, None]], 1).t()
        d_hidden = torch.empty_like(hidden)
        learns = any(ctx.needs_input_grad[1:3])  # under adapters the output layer does not
        scaled = torch.cat([hidden, ones], 1) * factor if learns else None  # (rows, width + 1)
        d_joined = weight.new_zeros(len(weight), hidden.shape[1] + 1) if learns else None
        for rows, wide in chunks(inputs, len(weight)):
            probabilities = torch.mm(inputs[rows], across, out=wide).exp_()  # (chunk, vocab)
            torch.mm(probabilities, weight, out=d_hidden[rows])
            if d_joined is not None and scaled is not None:
                d_joined.addmm_(probabilities.t(), scaled[rows], alpha=-1)
        d_hidden = (picked - d_hidden).mul_(factor)
        if d_joined is None or scaled is None:
            return d_hidden, None, None, None
        d_joined.index_add_(0, tokens, scaled)
        return d_hidden, d_joined[:, :-1], d_joined[:, -1], None


def chunks(inputs: Tensor, vocab: int) -> Iterator[tuple[slice, Tensor]]:
    """Slices of so many rows that their logits fit the cache, each with the same buffer for them.

    Fresh memory costs more than the product that is written to it. A wide layer is read from memory for every slice, so
    a slice has at least so many rows that reading it is the smaller part.
    """
    step = max(LEAST_ROWS, CHUNK_VALUES // vocab)
    buffer = inputs.new_empty(min(step, len(inputs)), vocab)
    for first in range(0, len(inputs), step):
        yield slice(first, first + step), buffer[: len(inputs) - first]


def token_log_probs(
    hidden: Float[Tensor, "*axes width"],
    weight: Float[Tensor, "vocab width"],
    bias: Float[Tensor, " vocab"],
    tokens: Int[Tensor, "*axes"],
) -> Float[Tensor, "*axes"]:
    """Log-softmax(hidden · weightᵀ + bias) at `tokens`, in nats, with gradient to the first three.

    The precision is that of `weight`, also where the networks around compute in a lower one.

    Args:
        hidden: what each token is conditioned on.
        weight: output weights.
        bias: output bias.
        tokens: the ids whose probability is asked for.
    """
    flat = hidden.reshape(-1, hidden.shape[-1]).to(weight.dtype)
    with torch.autocast(hidden.device.type, enabled=False):
        picked = _TokenLogProbs.apply(flat, weight, bias, tokens.reshape(-1))
    return picked.reshape(tokens.shape)  # pyright: ignore[reportOptionalMemberAccess]


@torch.no_grad()
def token_log_probs_at(
    hidden: Float[Tensor, "rows width"],
    weight: Float[Tensor, "vocab width"],
    bias: Float[Tensor, " vocab"],
    tokens: Int[Tensor, " rows"],
    temperatures: Sequence[float],
) -> Float[Tensor, "temperatures rows"]:
    """Log-softmax((hidden · weightᵀ + bias) / τ) at `tokens`, in nats, for each τ; logits are computed once.

    Args:
        hidden: what each token is conditioned on.
        weight: output weights.
        bias: output bias.
        tokens: the ids whose probability is asked for.
        temperatures: τ, each above 0.
    """
    flat = hidden.to(weight.dtype)
    found = flat.new_empty(len(temperatures), len(flat), dtype=torch.promote_types(flat.dtype, torch.float32))
    inputs = nn.functional.pad(flat, (0, 1), value=1.0)
    across = torch.cat([weight, bias[:, None]], 1).t()
    with torch.autocast(hidden.device.type, enabled=False):
        for rows, wide in chunks(inputs, len(weight)):
            logits = torch.mm(inputs[rows], across, out=wide).to(found.dtype)
            below = logits - logits.amax(1, keepdim=True)  # what is most likely at any τ stands at 0
            picked = below.gather(1, tokens[rows, None])[:, 0]
            for place, temperature in enumerate(temperatures):
                scaled = torch.div(below, temperature, out=logits)
                found[place, rows] = picked / temperature - scaled.exp_().sum(1).log_()
    return found
