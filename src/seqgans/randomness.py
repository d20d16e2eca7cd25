"""Random numbers: explicit, named, saved with a run, and the same however many processes share a batch.

Nothing in the library reads PyTorch's global generator. A run derives one `Stream` per purpose from its
seed; a stream draws for the *whole* batch and hands each process its own rows, so that two processes
together draw exactly what one would.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor


def generator_for(seed: int, *names: str, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator for one purpose: equal seeds and names give equal numbers, different names unrelated ones."""
    digest = hashlib.sha256("/".join((str(seed), *names)).encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "little") % (1 << 63))


class Stream:
    """A `torch.Generator` that several processes can share.

    Args:
        random: where the numbers come from; equal on every process.

    Within `share(start, stop, total)` this process owns the rows from `start` to `stop` of every `total`;
    outside it owns all rows. So `share(rank, rank + 1, processes)` deals rows out like cards.
    """

    def __init__(self, random: torch.Generator) -> None:
        self.random = random
        self._share: tuple[int, int, int] | None = None

    @property
    def device(self) -> torch.device:
        """Where the numbers are made."""
        return self.random.device

    @contextmanager
    def share(self, start: int, stop: int, total: int) -> Iterator[Stream]:
        """Own only the rows from `start` to `stop` of every `total` for a while."""
        before = self._share
        self._share = (start, stop, total) if (start, stop) != (0, total) else None
        try:
            yield self
        finally:
            self._share = before

    def uniform(self, *shape: int, rows: int = 0) -> Tensor:
        """Numbers uniform in [0, 1).

        Args:
            shape: what this process needs. Its `rows` axis must be the rows it owns, or a multiple of them
                in which the batch runs fastest (roll-out after roll-out of the whole batch).
            rows: which axis runs over the batch.
        """
        if self._share is None:
            return torch.rand(shape, generator=self.random, device=self.device)
        start, stop, total = self._share
        own = stop - start
        if own and shape[rows] % own:
            raise ValueError(f"axis {rows} of {tuple(shape)} must be a multiple of the {own} rows of this process")
        repeats = max(1, shape[rows] // own) if own else 1
        whole = torch.rand(
            (*shape[:rows], repeats, total, *shape[rows + 1 :]), generator=self.random, device=self.device
        )
        return whole.narrow(rows + 1, start, own).reshape(shape)

    def integers(self, high: int, shape: Sequence[int]) -> Tensor:
        """Whole numbers uniform in [0, high), the same on every process."""
        return torch.randint(high, tuple(shape), generator=self.random, device=self.device)

    def permutation(self, count: int) -> Tensor:
        """A random order of `count` things, the same on every process."""
        return torch.randperm(count, generator=self.random, device=self.device)


def as_stream(random: torch.Generator | Stream) -> Stream:
    """`random` itself, or a stream around it."""
    return random if isinstance(random, Stream) else Stream(random)


def dropout(values: Tensor, rate: float, random: Stream | None) -> Tensor:
    """Zero each entry with probability `rate` and scale the rest by 1/(1 − rate).

    Args:
        values: any floating tensor whose first axis is the batch.
        rate: in [0, 1).
        random: where the choice comes from; None leaves `values` as they are, which is how a network
            is used without dropout. There is no train or eval mode to forget.
    """
    if random is None or rate == 0.0:
        return values
    keep = random.uniform(*values.shape).to(values.device) >= rate
    return values * keep / (1.0 - rate)
