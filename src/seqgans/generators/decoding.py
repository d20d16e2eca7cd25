"""Drawing tokens from hidden states: temperature, top-k, nucleus, one uniform number a draw.

A token is drawn by inverting the cumulative distribution in two levels (which block of the vocabulary,
then which entry of the block), so a draw costs one uniform number instead of one per vocabulary entry and
the logits of a few rows at a time stay in the processor's cache; no (rows, vocab) tensor is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

CHUNK_VALUES = 1 << 19  # logits in flight, 2 MiB of float32: about one core's share of cache
SAFE_EXPONENT = 60.0  # exp of this, times a million words, is still far from overflow in float32


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How a row of logits becomes a law over tokens.

    Attributes:
        temperature: logits are divided by it; 0 means the most likely token.
        top_k: keep this many most likely tokens, 0 for all.
        top_p: keep the fewest tokens whose probabilities reach this, 1 for all.
        excluded: ids that are never drawn, before anything else.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    excluded: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not (self.temperature >= 0 and math.isfinite(self.temperature)):
            raise ValueError(f"temperature must be a finite number of at least 0, got {self.temperature}")
        if self.top_k < 0:
            raise ValueError(f"top_k must be at least 0 (0 keeps all tokens), got {self.top_k}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be above 0 and at most 1, got {self.top_p}")

    def shape(self, logits: Float[Tensor, "rows vocab"]) -> Float[Tensor, "rows vocab"]:
        """The logits of the law to draw from: scaled, what is not kept at −inf."""
        if self.excluded:
            logits = logits.index_fill(1, torch.tensor(self.excluded, device=logits.device), -math.inf)
        if self.temperature == 0:
            best = logits.argmax(1, keepdim=True)
            return torch.full_like(logits, -math.inf).scatter_(1, best, 0.0)
        if self.temperature != 1:
            logits = (logits - logits.amax(1, keepdim=True)) / self.temperature  # no overflow however cold
        if 0 < self.top_k < logits.shape[1]:
            kept = logits.topk(self.top_k, dim=1)
            logits = torch.full_like(logits, -math.inf).scatter_(1, kept.indices, kept.values)
        if self.top_p < 1:
            ordered, order = logits.sort(1, descending=True)
            before = ordered.softmax(1).cumsum(1).roll(1, 1)  # probability of all tokens ahead in the order
            before[:, 0] = 0.0
            ordered = ordered.masked_fill(before >= self.top_p, -math.inf)
            logits = torch.empty_like(logits).scatter_(1, order, ordered)
        return logits


PLAIN = Decoding()


def bound(
    hidden: Float[Tensor, "rows width"], weight: Float[Tensor, "vocab width"], bias: Float[Tensor, " vocab"]
) -> float:
    """No logit is larger than this: |h · w + b| ≤ ‖h‖ ‖w‖ + |b|.

    Where it is moderate, exp cannot overflow and no row maximum is needed.
    """
    if not len(hidden):
        return 0.0
    return float(hidden.norm(dim=1).amax() * weight.norm(dim=1).amax() + bias.abs().amax())


@torch.no_grad()
def draw(
    hidden: Float[Tensor, "rows width"],
    weight: Float[Tensor, "vocab width"],
    bias: Float[Tensor, " vocab"],
    uniforms: Float[Tensor, "rows draws"],
    decoding: Decoding = PLAIN,
    with_log_probs: bool = True,
) -> tuple[Int[Tensor, "rows draws"], Float[Tensor, "rows draws"]]:
    """Draw tokens from softmax(hidden · weightᵀ + bias), several from each row.

    Args:
        hidden: what each draw is conditioned on.
        weight: output weights.
        bias: output bias.
        uniforms: numbers in [0, 1), one a draw.
        decoding: temperature, top-k and top-p.
        with_log_probs: False leaves the second result at 0, for roll-outs that need no likelihood.

    Returns:
        The tokens, and their log-probabilities in nats under the law they were drawn from.
    """
    vocab = weight.shape[0]
    block = max(1, math.isqrt(vocab))
    blocks = -(-vocab // block)
    across = weight.new_zeros(hidden.shape[1] + 1, blocks * block)  # the bias is one more input, always 1
    across[:-1, :vocab] = weight.t()
    across[-1, :vocab] = bias
    across[-1, vocab:] = -math.inf  # entries of probability 0, so that the vocabulary splits evenly
    inputs = nn.functional.pad(hidden.to(weight.dtype), (0, 1), value=1.0)
    shift = decoding != PLAIN or not bound(hidden, weight, bias) < SAFE_EXPONENT
    tokens = torch.empty(uniforms.shape, dtype=torch.long, device=hidden.device)
    log_probs = torch.zeros(uniforms.shape, dtype=torch.float32, device=hidden.device)
    step = max(1, CHUNK_VALUES // (blocks * block))
    wide = across.new_empty(min(step, len(inputs)), across.shape[1])  # one buffer for all: fresh pages are dear
    for first in range(0, hidden.shape[0], step):
        rows = slice(first, first + step)
        with torch.autocast(hidden.device.type, enabled=False):
            here = inputs[rows]
            logits = torch.mm(here, across, out=wide[: len(here)]).float()  # (rows, vocab)
        if decoding != PLAIN:
            logits[:, vocab:] = -math.inf
            logits = decoding.shape(logits)
        if shift:
            logits.sub_(logits.amax(1, keepdim=True))
        masses = logits.exp_().view(-1, blocks, block)  # (rows, blocks, block)
        sums = masses.sum(2)
        reached = sums.cumsum(1)  # (rows, blocks)
        target = uniforms[rows] * reached[:, -1:]
        chosen = torch.searchsorted(reached, target, right=True).clamp_(max=blocks - 1)  # (rows, draws)
        left = target - (reached.gather(1, chosen) - sums.gather(1, chosen))
        row = torch.arange(len(chosen), device=hidden.device)[:, None]
        inside = masses[row, chosen]  # (rows, draws, block)
        entry = (inside.cumsum(2) <= left[:, :, None]).sum(2).clamp_(max=block - 1)
        mass = inside.gather(2, entry[:, :, None])[:, :, 0]
        if bool((mass == 0).any()):  # rounding ran past the last entry that can be drawn
            likeliest = masses.flatten(1).argmax(1, keepdim=True)  # (rows, 1)
            chosen = torch.where(mass == 0, likeliest // block, chosen)
            entry = torch.where(mass == 0, likeliest % block, entry)
            mass = masses[row, chosen, entry]
        tokens[rows] = chosen * block + entry
        if with_log_probs:
            log_probs[rows] = (mass / reached[:, -1:]).log()
    return tokens, log_probs
