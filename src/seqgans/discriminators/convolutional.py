"""The text CNN with highway of the SeqGAN paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seqgans.discriminators.base import SCORING_ROWS, Discriminator, embed
from seqgans.randomness import Stream, dropout

PAPER_WIDTHS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20)
PAPER_MAPS = (100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160, 160)


def check_filters(settings: Any) -> None:
    """Raise a ValueError unless embedding, widths, maps and dropout, and a decay where there is one, are allowed."""
    name, widths, maps = type(settings).__name__, settings.widths, settings.maps
    if len(widths) != len(maps) or not widths:
        raise ValueError(
            f"{name}.widths and {name}.maps must be equally long and not empty, got {len(widths)} and {len(maps)}; "
            "set both"
        )
    if min(widths) < 1 or min(maps) < 1 or settings.embedding < 1:
        raise ValueError(f"{name}.widths, {name}.maps and {name}.embedding must be at least 1, got {settings}")
    if not 0 <= settings.dropout < 1:
        raise ValueError(f"{name}.dropout must be at least 0 and below 1, got {settings.dropout}")
    if getattr(settings, "decay", 0) < 0:
        raise ValueError(f"{name}.decay must be at least 0, got {settings.decay}")


@dataclass(frozen=True, kw_only=True)
class CNN:
    """Settings of the convolutional discriminator; the defaults are those of the SeqGAN paper at length 20.

    Attributes:
        embedding: width of a token's embedding.
        widths: tokens seen by each kind of filter; those longer than the sequences are left out.
        maps: number of filters of each width.
        dropout: probability of dropping a feature while the discriminator learns.
        decay: L2 penalty on the output layer, weight and bias.
    """

    paper: ClassVar[str] = "Kim 2014, with highway as in Yu, Zhang, Wang and Yu 2017"

    embedding: int = 64
    widths: tuple[int, ...] = PAPER_WIDTHS
    maps: tuple[int, ...] = PAPER_MAPS
    dropout: float = 0.25
    decay: float = 0.2

    def __post_init__(self) -> None:
        check_filters(self)

    def build(self, vocabulary_size: int, length: int, random: torch.Generator) -> Discriminator:
        """A discriminator with freshly drawn parameters for sequences of `length` tokens."""
        return Convolutional(vocabulary_size, length, self, random)


class Highway(nn.Module):
    """t ⊙ ReLU(W_H f + b_H) + (1 − t) ⊙ f with t = σ(W_T f + b_T): two maps, a gate and a transform."""

    def __init__(self, width: int, random: torch.Generator) -> None:
        super().__init__()
        self.gate = nn.Linear(width, width)
        self.transform = nn.Linear(width, width)
        with torch.no_grad():
            for layer in (self.gate, self.transform):
                layer.weight.normal_(0.0, 0.1 / max(1.0, (width / 64) ** 0.5), generator=random)
                layer.bias.zero_()

    def forward(self, features: Float[Tensor, "batch width"]) -> Float[Tensor, "batch width"]:
        """The mixed features."""
        through, gate = self.transform(features).relu(), self.gate(features).sigmoid()
        return torch.lerp(features, through.to(features.dtype), gate.to(features.dtype))


class Convolutional(Discriminator):
    """Filters of several widths, ReLU, the largest value over time, a highway layer, one logit or several.

        c_i = ReLU(w ⊗ E_{i:i+l−1} + b),  c̃ = max_i c_i,  D = σ(w_o · highway(c̃) + b_o)   (SeqGAN Eq. 11, 12)

    Args:
        vocabulary_size: number of ids.
        length: tokens of a sequence.
        settings: widths, maps, dropout, decay.
        random: where the parameters come from.
        outputs: logits; the score is the first.
    """

    def __init__(
        self, vocabulary_size: int, length: int, settings: CNN, random: torch.Generator, outputs: int = 1
    ) -> None:
        super().__init__(vocabulary_size)
        self.settings = settings
        self.length = length
        pairs = [(width, maps) for width, maps in zip(settings.widths, settings.maps, strict=True) if width <= length]
        if not pairs:
            raise ValueError(f"CNN.widths must hold a width of at most the length {length}, got {settings.widths}")
        self.embedding = nn.Parameter(torch.empty(vocabulary_size + 1, settings.embedding))
        self.filters = nn.ModuleList(nn.Linear(width * settings.embedding, maps) for width, maps in pairs)
        self.widths = tuple(width for width, _ in pairs)
        total = sum(maps for _, maps in pairs)
        self.highway = Highway(total, random)
        self.output = nn.Linear(total, outputs)
        with torch.no_grad():
            self.embedding.uniform_(-1.0, 1.0, generator=random)
            for layer in (*self.layers(), self.output):
                nn.init.trunc_normal_(layer.weight, std=0.1, a=-0.2, b=0.2, generator=random)
                layer.bias.fill_(0.1)

    def layers(self) -> list[nn.Linear]:
        """The filters of each width."""
        return [layer for layer in self.filters if isinstance(layer, nn.Linear)]

    def features(self, tokens: Tensor, mask: Bool[Tensor, "batch time"]) -> Float[Tensor, "batch width"]:
        """The highway features of each sequence."""
        embedded = embed(self.embedding, tokens, mask)  # (batch, time, embedding)
        pooled = [largest_response(embedded, layer.weight, layer.bias) for layer in self.layers()]
        return self.highway(torch.cat(pooled, 1).relu())

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of each sequence being real."""
        return self.logits(tokens, mask, random=random)[:, 0]

    def logits(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch outputs"]:
        """All logits of each sequence."""
        return self.output(dropout(self.features(tokens, mask), self.settings.dropout, random))

    def completion_scores(
        self,
        tokens: Int[Tensor, "prefixes rollouts batch time"],
        mask: Bool[Tensor, "prefixes rollouts batch time"],
        lengths: Sequence[int],
    ) -> Float[Tensor, "prefixes rollouts batch"]:
        """Scores of roll-outs."""
        return self.completion_logits(tokens, mask, lengths)[..., 0]

    @torch.no_grad()
    def completion_logits(
        self,
        tokens: Int[Tensor, "prefixes rollouts batch time"],
        mask: Bool[Tensor, "prefixes rollouts batch time"],
        lengths: Sequence[int],
    ) -> Float[Tensor, "prefixes rollouts batch outputs"]:
        """All logits of roll-outs, each window inside a shared prefix computed once.

        A filter's response to a window is a sum over its tokens of one number for each (word, place): those
        sums are looked up in a table of all words instead of multiplied out again and again.
        """
        _, rollouts, batch, _ = tokens.shape
        symbols = tokens.masked_fill(~mask, self.vocabulary_size)  # the padding symbol is a word like others
        known = symbols[-1, 0]  # its first lengths[-1] tokens are those of every prefix
        pooled = torch.empty(*tokens.shape[:-1], self.output.in_features, device=tokens.device)
        column, words = 0, self.embedding.shape[0]
        memory = self.embedding.new_empty(words * max(layer.weight.numel() for layer in self.layers()))
        memory = memory[: len(memory) // self.settings.embedding]  # for every width's table: fresh pages are dear
        for width, layer in zip(self.widths, self.layers(), strict=True):
            maps = layer.out_features
            kernel = layer.weight.view(maps, width, -1).permute(2, 1, 0).reshape(-1, width * maps)
            table = memory[: words * width * maps].view(words, -1)
            table = torch.mm(self.embedding, kernel, out=table).view(-1, maps)  # row word · width + place
            out = pooled[..., column : column + maps]
            shared = windows_of(known[:, : lengths[-1]], table, width) if width <= lengths[-1] else None
            best = None if shared is None else shared.cummax(1).values  # (batch, windows, maps)
            for prefix, length in enumerate(lengths):
                first = max(0, length - width + 1)  # the first window that reaches beyond the prefix
                beyond = symbols[prefix, :, :, first:].reshape(rollouts * batch, -1)
                if beyond.shape[1] < width:  # the prefix is all there is
                    out[prefix] = -torch.inf
                else:
                    out[prefix] = windows_of(beyond, table, width).amax(1).view(rollouts, batch, maps)
                if best is not None and length >= width:
                    torch.maximum(out[prefix], best[None, :, length - width], out=out[prefix])
            out.add_(layer.bias)
            column += maps
        flat = pooled.view(-1, pooled.shape[-1]).relu_()
        logits = [self.output(self.highway(part)) for part in flat.split(SCORING_ROWS)]
        return torch.cat(logits).view(*tokens.shape[:-1], -1)

    def penalty(self) -> Tensor:
        """λ/2 (‖w_o‖² + b_o²), on the output layer only.

        One logit pays half of it: it is the difference of the paper's two, which are cheapest at w/2 and −w/2.
        """
        one = 0.5 if self.output.out_features == 1 else 1.0
        squares = self.output.weight.square().sum() + self.output.bias.square().sum()
        return 0.5 * one * self.settings.decay * squares


def windows_of(
    symbols: Int[Tensor, "batch time"], table: Float[Tensor, "entries maps"], width: int
) -> Float[Tensor, "batch windows maps"]:
    """Responses of the filters of one width to every window, without bias: sums of rows of `table`."""
    places = symbols.unfold(1, width, 1) * width + torch.arange(width, device=symbols.device)
    flat = nn.functional.embedding_bag(places.reshape(-1, width), table, mode="sum")
    return flat.view(symbols.shape[0], -1, table.shape[1])


class _LargestResponse(torch.autograd.Function):
    """max over windows of (w · window + b); the gradient reaches only the window that won."""

    @staticmethod
    def forward(ctx: Any, embedded: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Shapes: embedded (batch, time, size), weight (maps, width · size), bias (maps)."""
        windows = unfolded(embedded, weight.shape[1])
        batch, places, _ = windows.shape
        responses = torch.mm(windows.view(batch * places, -1), weight.t()).view(batch, places, -1)
        best, where = responses.max(1)  # (batch, maps)
        ctx.save_for_backward(embedded, weight, where)
        return best + bias

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the embedded tokens, the filters and their biases."""
        embedded, weight, where = ctx.saved_tensors
        gradient = upstream[0]
        windows = unfolded(embedded, weight.shape[1])
        batch, places, row = windows.shape
        slopes = gradient.new_zeros(batch, places, weight.shape[0]).scatter_(1, where[:, None], gradient[:, None])
        flat = slopes.view(batch * places, -1)
        d_weight = torch.mm(flat.t(), windows.view(batch * places, row))
        d_windows = torch.mm(flat, weight).view(batch, places, -1, embedded.shape[2])
        d_embedded = torch.zeros_like(embedded)
        for offset in range(d_windows.shape[2]):
            d_embedded[:, offset : offset + places] += d_windows[:, :, offset]
        return d_embedded, d_weight, gradient.sum(0)


def unfolded(embedded: Float[Tensor, "batch time size"], row: int) -> Float[Tensor, "batch windows row"]:
    """Every window of row / size tokens as one row."""
    batch, time, size = embedded.shape
    embedded = embedded.contiguous()
    return embedded.as_strided((batch, time - row // size + 1, row), (time * size, size, 1)).contiguous()


def largest_response(
    embedded: Float[Tensor, "batch time size"], weight: Float[Tensor, "maps row"], bias: Float[Tensor, " maps"]
) -> Float[Tensor, "batch maps"]:
    """The largest response of each filter over all windows.

        max_i w · E_{i:i+l−1} + b

    Args:
        embedded: embedded tokens, at least as many as a filter is wide.
        weight: one filter a row, the embeddings of its l tokens one after another.
        bias: one number a filter.
    """
    return _LargestResponse.apply(embedded, weight, bias)  # pyright: ignore[reportReturnType]
