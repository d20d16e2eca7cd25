"""What a piece of training asks of its networks, counted while it runs: arithmetic, and the time spent in sampling."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from seqgans.algorithms.base import Players
from seqgans.discriminators.base import Discriminator
from seqgans.generators.base import Generator
from seqgans.generators.latent import LatentGenerator
from seqgans.randomness import Stream, generator_for
from seqgans.rewards import rollouts

SAMPLING = ("sample", "relax", "soft_argmax")
READING = ("log_probs",)
SCORING = ("scores", "view_scores", "step_scores", "class_scores", "features", "encode", "completion_scores")


class Meter:
    """Arithmetic asked for and seconds spent in sampling, while it is installed.

    Only outermost calls count: what a call asks of another is its own.

    Args:
        players: whose networks are watched.
        length: tokens of a sequence.
    """

    def __init__(self, players: Players, length: int) -> None:
        self.players, self.length = players, length
        self.step, self.sequence, self.embedding = units(players, length)
        self.deep, self.seconds, self.sampled, self.other = 0, 0.0, 0.0, 0.0

    def take(self) -> dict[str, float]:
        """What has come together, from now on anew: seconds of sampling, operations in it and outside of it."""
        found = {"sampling": self.seconds, "sampling_flops": self.sampled, "flops": self.other}
        self.seconds = self.sampled = self.other = 0.0
        return found

    def asked(self, kind: str, owner: Any, given: tuple[Any, ...]) -> tuple[float, float]:
        """Floating-point operations of a call, in sampling and elsewhere."""
        learning = torch.is_grad_enabled() and any(part.requires_grad for part in self.players.parameters())
        moved = learning and any(part.requires_grad for part in self.players.generator.parameters())
        if kind == "complete":
            tokens, count = given[1], given[2]
            batch, length = tokens.shape
            return self.step * (count * batch * (length - 1) * (length - 2) / 2 + batch * length), 0.0
        if kind in SAMPLING:
            rows, length = given[:2] if kind != "soft_argmax" else (owner.codes.shape[0], given[0])
            return (3 if moved else 1) * self.step * rows * length, 0.0
        tokens = given[0]
        if kind in READING:
            return 0.0, (3 if moved else 1) * self.step * tokens.numel()
        rows = math.prod(tokens.shape[:-2]) if tokens.is_floating_point() else math.prod(tokens.shape[:-1])
        judged = learning and any(part.requires_grad for part in self.players.discriminator.parameters())
        through = torch.is_grad_enabled() and tokens.requires_grad
        times = 6 if judged and through else 3 if judged else 2 if through else 1  # 6: a slope, differentiated again
        soft = self.embedding * tokens.shape[-2] if tokens.is_floating_point() else 0.0
        return 0.0, times * rows * (self.sequence + soft)

    def watched(self, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, its outermost calls counted."""

        def call(*given: Any, **named: Any) -> Any:
            if self.deep:
                return function(*given, **named)
            sampled, other = self.asked(kind, given[0], given if kind == "complete" else given[1:])
            self.deep += 1
            began = time.process_time()
            try:
                return function(*given, **named)
            finally:
                self.deep -= 1
                self.sampled, self.other = self.sampled + sampled, self.other + other
                if kind == "complete" or kind in SAMPLING:
                    self.seconds += time.process_time() - began

        return call

    @contextmanager
    def installed(self) -> Iterator[Meter]:
        """Watch every generator and discriminator for a while."""
        places = [(kind, cls) for cls in kinds(Generator) for kind in (*SAMPLING, *READING)]
        places += [(kind, cls) for cls in kinds(Discriminator) for kind in SCORING]
        places = [(kind, cls) for kind, cls in places if kind in vars(cls)]
        modules = [module for module in sys.modules.values() if getattr(module, "complete", None) is rollouts.complete]
        places += [("complete", module) for module in modules]
        before = [vars(place)[kind] for kind, place in places]
        for (kind, place), function in zip(places, before, strict=True):
            setattr(place, kind, self.watched(kind, function))
        try:
            yield self
        finally:
            for (kind, place), function in zip(places, before, strict=True):
                setattr(place, kind, function)


def kinds(cls: type) -> set[type]:
    """A class and all below it."""
    return {cls}.union(*(kinds(below) for below in cls.__subclasses__()))


@torch.no_grad()
def units(players: Players, length: int, rows: int = 16) -> tuple[float, float, float]:
    """Operations of one generator step, of one scored sequence, and of one row of weights read, forwards."""
    generator, judge = players.generator, getattr(players, "discriminator", None)
    size = generator.vocabulary_size
    tokens = torch.randint(size, (rows, length), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(tokens, dtype=torch.bool)
    law = generator
    if isinstance(generator, LatentGenerator):  # whose own likelihood is a mean over codes
        law = generator.given(generator.draw_codes(rows, Stream(generator_for(0))))
    with torch.backends.mkldnn.flags(enabled=False):  # its LSTM is not counted
        step = counted(lambda: law.log_probs(tokens)) / tokens.numel()
        if judge is None:
            return step, 0.0, 0.0
        soft = nn.functional.one_hot(tokens, size).float()
        widths = [part.shape[1] for part in judge.parameters() if part.ndim == 2 and part.shape[0] in (size, size + 1)]
        embedding = 2.0 * size * sum(widths[:1])
        whole = counted(lambda: score(judge, soft, mask)) / rows
    return step, whole - embedding * length, embedding


def score(judge: Discriminator, rows: Tensor, mask: Tensor) -> None:
    """Read sequences in the way the discriminator has; a ranker scores only beside references."""
    ways = ("encode", "features" if hasattr(judge, "remember") else "step_scores", "step_scores", "view_scores")
    next(getattr(judge, way) for way in ways if hasattr(judge, way))(rows, mask)


def counted(work: Callable[[], object]) -> float:
    """Floating-point operations of matrix products and convolutions."""
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())
