"""Gumbel-softmax: a draw from a row of logits that a gradient can flow through."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.randomness import Stream

SMALLEST = 1e-20


def gumbel(stream: Stream, *shape: int) -> Tensor:
    """Standard Gumbel noise, −ln(−ln U)."""
    return -(-stream.uniform(*shape).clamp_(min=SMALLEST).log()).clamp_(min=SMALLEST).log()


def relaxed_draw(
    logits: Float[Tensor, "batch vocab"],
    stream: Stream,
    inverse_temperature: float,
    straight_through: bool,
    noisy: bool = True,
) -> tuple[Float[Tensor, "batch vocab"], Int[Tensor, " batch"]]:
    """One relaxed token a row and the hard token drawn with the same noise.

        ŷ = softmax(β (o + g)),   y = argmax(o + g);   y follows softmax(o) whatever β is

    Args:
        logits: o, with gradient.
        stream: where g comes from.
        inverse_temperature: β > 0.
        straight_through: return one_hot(y) with the gradient of ŷ.
        noisy: False leaves the noise out of ŷ, though not out of y.
    """
    perturbed = logits + gumbel(stream, *logits.shape).to(logits.device)
    soft = (inverse_temperature * (perturbed if noisy else logits)).softmax(1)
    tokens = perturbed.detach().argmax(1)
    if straight_through:
        soft = nn.functional.one_hot(tokens, logits.shape[1]).to(soft.dtype) + soft - soft.detach()
    return soft, tokens
