"""Filters over time and their largest answer, without ever holding all answers at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

CHUNK_VALUES = 1 << 18  # answers in flight, 1 MiB of float32: one core's second-level cache
GPU_CHUNK_VALUES = 1 << 27  # a GPU has no use for small chunks; 512 MiB


def windows_of(rows: Float[Tensor, "batch time width"], width: int) -> Float[Tensor, "batch windows values"]:
    """Every stretch of `width` steps as one row; a view of `rows`, which must be contiguous."""
    batch, time, size = rows.shape
    return rows.as_strided((batch, time - width + 1, width * size), (time * size, size, 1), rows.storage_offset())


class _PooledFilters(torch.autograd.Function):
    """max_t (w · x_{t:t+l} + b); the backward pass makes each chunk of answers again to find the largest."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Shapes: rows (batch, time, size), weight (filters, width · size), bias (filters)."""
        pooled = rows.new_empty(rows.shape[0], weight.shape[0])
        for part, windows, answers in chunks(rows, weight):
            torch.amax(answers.view(*windows.shape[:2], -1), 1, out=pooled[part])
        ctx.save_for_backward(rows, weight)
        return pooled.add_(bias)  # moves every answer alike, so the largest stays the largest

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The gradient goes to the window with the largest answer, in equal parts where several are largest."""
        rows, weight = ctx.saved_tensors
        (gradient,) = upstream
        if torch.is_grad_enabled():  # the gradient itself will be differentiated: plain steps that can be
            d_rows, d_weight = torch.autograd.grad(
                plainly_pooled(rows, weight), (rows, weight), gradient, create_graph=True
            )
            return d_rows, d_weight, gradient.sum(0)
        size = rows.shape[2]
        d_rows, d_weight = torch.zeros_like(rows), torch.zeros_like(weight)
        for part, windows, flat in chunks(rows, weight):
            count = windows.shape[1]
            answers = flat.view(*windows.shape[:2], -1)
            largest = answers.eq_(answers.amax(1, keepdim=True))  # 1 where largest, 0 elsewhere
            largest.mul_((gradient[part] / largest.sum(1))[:, None])
            if ctx.needs_input_grad[1]:
                d_weight.addmm_(flat.t(), windows.reshape(-1, windows.shape[2]))
            d_windows = (flat @ weight).view(windows.shape)
            for step in range(weight.shape[1] // size):
                d_rows[part, step : step + count] += d_windows[:, :, step * size : (step + 1) * size]
        return d_rows, d_weight, gradient.sum(0)


def chunks(rows: Tensor, weight: Tensor) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """A few rows at a time: which they are, their windows, and every filter's answer to each window."""
    windows = windows_of(rows, weight.shape[1] // rows.shape[2])
    count, across = windows.shape[1], weight.t().contiguous()
    values = CHUNK_VALUES if rows.device.type == "cpu" else GPU_CHUNK_VALUES
    step = max(1, values // (count * weight.shape[0]))
    for first in range(0, rows.shape[0], step):
        part = slice(first, first + step)
        here = windows[part]
        yield part, here, here.reshape(-1, here.shape[2]) @ across


def plainly_pooled(rows: Tensor, weight: Tensor) -> Tensor:
    """max_t (w · x_{t:t+l}) with all answers held at once."""
    return (windows_of(rows, weight.shape[1] // rows.shape[2]) @ weight.t()).amax(1)


class PooledFilters(nn.Linear):
    """The largest answer of each filter over time, with gradient to the rows, the weight and the bias.

        max_t (w · x_{t:t+l} + b)

    Args:
        size: values of a step.
        width: l, steps a filter sees.
        maps: number of filters; in a row of `weight` the step runs slower than the values of a step.
    """

    def __init__(self, size: int, width: int, maps: int) -> None:
        super().__init__(width * size, maps)

    def forward(self, input: Float[Tensor, "batch time size"]) -> Float[Tensor, "batch maps"]:
        """One number for each row and filter."""
        rows = input.to(self.weight.dtype).contiguous()
        with torch.autocast(rows.device.type, enabled=False):  # the answers are as exact as the weights
            return _PooledFilters.apply(rows, self.weight, self.bias)  # pyright: ignore[reportReturnType]
