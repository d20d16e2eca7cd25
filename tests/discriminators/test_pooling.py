"""Pooled filters against the plain sum of all answers.

Mutants killed: the window one step short, filters read size-first, ties counted twice, the bias left out of the
value or the gradient, a chunk's rows written over another's, the last window dropped.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqgans.discriminators import pooling
from seqgans.discriminators.pooling import PooledFilters


def plain(filters: PooledFilters, rows: Tensor) -> Tensor:
    """Every answer, then the largest."""
    size = rows.shape[2]
    width = filters.in_features // size
    weight = filters.weight.unflatten(1, (width, size)).transpose(1, 2)  # (maps, size, width)
    return torch.nn.functional.conv1d(rows.transpose(1, 2), weight, filters.bias).amax(2)


@pytest.mark.parametrize(("size", "width"), [(1, 2), (1, 5), (3, 1), (3, 2)])
@pytest.mark.parametrize("chunk", [1, 30, 1 << 18])
def test_value_and_gradient(size: int, width: int, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooling, "CHUNK_VALUES", chunk)
    random = torch.Generator().manual_seed(0)
    filters = PooledFilters(size, width, 4).double()
    rows = torch.randn(5, 5, size, generator=random, dtype=torch.float64)
    rows[0] = rows[0, :1]  # every window the same: all answers tie
    rows[1, 2:] = rows[1, 1:2]  # as padding does
    rows.requires_grad_()
    ruler = torch.randn(5, 4, generator=random, dtype=torch.float64)
    wanted = (rows, filters.weight, filters.bias)
    found, expected = filters(rows), plain(filters, rows)
    torch.testing.assert_close(found, expected)
    for gradient, other in zip(
        torch.autograd.grad((found * ruler).sum(), wanted),
        torch.autograd.grad((expected * ruler).sum(), wanted),
        strict=True,
    ):
        torch.testing.assert_close(gradient, other)


def test_a_transposed_view_is_read_as_it_looks() -> None:
    filters = PooledFilters(2, 2, 3)
    rows = torch.randn(4, 2, 6, generator=torch.Generator().manual_seed(1)).transpose(1, 2)
    torch.testing.assert_close(filters(rows), plain(filters, rows))
