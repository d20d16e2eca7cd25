"""Drawing tokens from hidden states: temperature, top-k, nucleus, one uniform number a draw.

A token is drawn by inverting the cumulative distribution in two levels (which block of the vocabulary,
then which entry of the block), so a draw costs one uniform number instead of one per vocabulary entry and
the logits of a few rows at a time stay in the processor's cache; no (rows, vocab) tensor is kept.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

CHUNK_VALUES = 1 << 19  # logits in flight a thread, 2 MiB of float32: about one core's share of cache
ALIGNED = 16  # a block is a multiple of so many entries: whole registers and lines of cache
BELOW_ONE = 1.0 - 2.0**-23  # the largest uniform number that cannot round up to the end of a cumulative sum
SAFE_EXPONENT = 60.0  # exp of this, times a million words, is still far from overflow in float32


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How a row of logits becomes a law over tokens.

    Attributes:
        temperature: logits are divided by it; 0 means the most likely token.
        top_k: keep this many most likely tokens, 0 for all.
        top_p: keep the fewest tokens whose probabilities reach this, 1 for all.
        excluded: ids that are never drawn, before anything else.
        other: a law that is mixed in at every token; None for none.
        share: weight of this law in that mixture, in (0, 1].
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    excluded: tuple[int, ...] = ()
    other: Decoding | None = None
    share: float = 1.0

    def __post_init__(self) -> None:
        if not (self.temperature >= 0 and math.isfinite(self.temperature)):
            raise ValueError(f"temperature must be a finite number of at least 0, got {self.temperature}")
        if self.top_k < 0:
            raise ValueError(f"top_k must be at least 0 (0 keeps all tokens), got {self.top_k}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be above 0 and at most 1, got {self.top_p}")
        if not 0 < self.share <= 1 or (self.other is not None and self.share == 1):
            raise ValueError(f"share must be above 0 and at most 1, and below 1 beside another law, got {self.share}")

    def shape(self, logits: Float[Tensor, "rows vocab"]) -> Float[Tensor, "rows vocab"]:
        """The logits of the law to draw from: scaled, what is not kept at −inf."""
        if self.excluded:
            logits = logits.index_fill(1, torch.tensor(self.excluded, device=logits.device), -math.inf)
        if self.other is not None:
            return self.mixed(logits, self.other)
        if self.temperature < COLDEST:
            best = logits.argmax(1, keepdim=True)
            return torch.full_like(logits, -math.inf).scatter_(1, best, 0.0)
        if self.temperature != 1:
            logits = (logits - logits.amax(1, keepdim=True)) / min(self.temperature, 1 / COLDEST)  # no overflow
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

    def mixed(self, logits: Float[Tensor, "rows vocab"], other: Decoding) -> Float[Tensor, "rows vocab"]:
        """Logarithms of ε softmax(ours) + (1 − ε) softmax(theirs)."""
        ours = dataclasses.replace(self, other=None).shape(logits).log_softmax(1)
        theirs = other.shape(logits).log_softmax(1)
        return torch.logaddexp(ours + math.log(self.share), theirs + math.log1p(-self.share))


PLAIN = Decoding()
COLDEST = 1e-37  # what lies below, and above its inverse, single precision does not know


def bound(
    hidden: Float[Tensor, "rows width"], weight: Float[Tensor, "vocab width"], bias: Float[Tensor, " vocab"]
) -> float:
    """No logit is larger than this: |h · w + b| ≤ ‖h‖ ‖w‖ + |b|.

    Where it is moderate, exp cannot overflow and no row maximum is needed.
    """
    if not len(hidden):
        return 0.0
    return float(hidden.norm(dim=1).amax() * weight.norm(dim=1).amax() + bias.abs().amax())


@dataclass(frozen=True)
class Head:
    """An output layer made ready for draws: once for all that are made before it changes.

    Attributes:
        across: weights and bias, (width + 1, blocks · block); the last word again where the vocabulary ends.
        block: entries of a block.
        blocks: how many there are.
        weight_norm: of the longest row of the weights.
        bias_size: of the largest entry of the bias.
    """

    across: Float[Tensor, "inputs entries"]
    block: int
    blocks: int
    weight_norm: float
    bias_size: float

    @classmethod
    @torch.no_grad()
    def of(cls, weight: Float[Tensor, "vocab width"], bias: Float[Tensor, " vocab"]) -> Head:
        """The layer softmax(hidden · weightᵀ + bias)."""
        vocab, width = weight.shape
        block = -(-math.isqrt(vocab) // ALIGNED) * ALIGNED
        blocks = -(-vocab // block)
        across = weight.new_empty(width + 1, blocks * block)  # the bias is one more input, always 1
        across[:-1, :vocab] = weight.t()
        across[-1, :vocab] = bias
        across[:, vocab:] = across[:, vocab - 1 : vocab]  # so that the vocabulary splits evenly
        return cls(across, block, blocks, float(weight.norm(dim=1).amax()), float(bias.abs().amax()))

    def bound(self, hidden: Float[Tensor, "rows width"]) -> float:
        """As the function of that name."""
        return float(hidden.norm(dim=1).amax()) * self.weight_norm + self.bias_size if len(hidden) else 0.0


@torch.no_grad()
def draw(
    hidden: Float[Tensor, "rows width"],
    weight: Float[Tensor, "vocab width"],
    bias: Float[Tensor, " vocab"],
    uniforms: Float[Tensor, "rows draws"],
    decoding: Decoding = PLAIN,
    with_log_probs: bool = True,
    head: Head | None = None,
) -> tuple[Int[Tensor, "rows draws"], Float[Tensor, "rows draws"]]:
    """Draw tokens from softmax(hidden · weightᵀ + bias), several from each row.

    Args:
        hidden: what each draw is conditioned on.
        weight: output weights.
        bias: output bias.
        uniforms: numbers in [0, 1), one a draw.
        decoding: temperature, top-k and top-p.
        with_log_probs: False leaves the second result at 0, for roll-outs that need no likelihood.
        head: weight and bias made ready, where more than one draw is made of them.

    Returns:
        The tokens, and their log-probabilities in nats under the law they were drawn from.
    """
    head = head or Head.of(weight, bias)
    vocab, across, block, blocks = len(weight), head.across, head.block, head.blocks
    inputs = nn.functional.pad(hidden.to(weight.dtype), (0, 1), value=1.0)
    shift = decoding != PLAIN or not head.bound(hidden) < SAFE_EXPONENT
    uniforms = uniforms.clamp(max=BELOW_ONE)
    rows, draws = uniforms.shape
    step = max(1, CHUNK_VALUES * torch.get_num_threads() // (blocks * block))
    wide = across.new_empty(min(step, rows), blocks * block)  # one buffer for all: fresh pages are dear
    sums, reached = uniforms.new_empty(2, rows, blocks)  # the mass of each block, alone and with all before it
    inside = uniforms.new_empty(rows, draws, block)  # the masses of the chosen block
    chosen = torch.empty(rows, draws, dtype=torch.long, device=hidden.device)
    above = torch.arange(0, len(wide) * blocks, blocks, device=hidden.device)[:, None]  # blocks of the rows before
    with torch.autocast(hidden.device.type, enabled=False):
        for first in range(0, rows, step):
            part = slice(first, first + step)
            here = inputs[part]
            logits = torch.mm(here, across, out=wide[: len(here)]).float()  # (rows, vocab)
            if decoding != PLAIN:
                logits[:, vocab:] = -math.inf
                logits = decoding.shape(logits)
            if shift:
                logits.sub_(logits.amax(1, keepdim=True))
            logits.exp_()[:, vocab:] = 0.0
            masses = logits.view(-1, block)  # (rows · blocks, block)
            torch.sum(masses.view(-1, blocks, block), 2, out=sums[part])
            up_to = torch.cumsum(sums[part], 1, out=reached[part])
            torch.searchsorted(up_to, uniforms[part] * up_to[:, -1:], right=True, out=chosen[part])
            where = chosen[part].clamp_(max=blocks - 1) + above[: len(here)]
            torch.index_select(masses, 0, where.view(-1), out=inside[part].view(-1, block))
    left = uniforms * reached[:, -1:] - (reached.gather(1, chosen) - sums.gather(1, chosen))
    entry = (inside.cumsum(2) <= left[:, :, None]).sum(2, keepdim=True).clamp_(max=block - 1)  # (rows, draws, 1)
    mass = inside.gather(2, entry)
    if bool((mass == 0).any()):  # rounding ran past the last entry that can be drawn
        entry = torch.where(mass == 0, inside.argmax(2, keepdim=True), entry)
        mass = inside.gather(2, entry)
    log_probs = (mass[:, :, 0] / reached[:, -1:]).log().float() if with_log_probs else uniforms.new_zeros(rows, draws)
    return chosen * block + entry[:, :, 0], log_probs
