"""Plays of several categories: equally many real sequences of each, one category after another."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.generators.categories import categories_of
from seqgans.sequences import Sequences


def each_category(players: Players, scene: Scene, count: int) -> Int[Tensor, " batch"]:
    """This process's part of `count` of each category that the generator knows, one category after another."""
    numbers = torch.arange(categories_of(players.generator), device=scene.corpus.train.tokens.device)
    return numbers.repeat_interleave(scene.share(count))


def real_of_each(players: Players, scene: Scene, count: int) -> Play:
    """Training sequences, `count` of each category that the generator knows."""
    parts = [scene.real(count, category) for category in range(categories_of(players.generator))]
    tokens, mask = (torch.cat([getattr(part, name) for part in parts]) for name in ("tokens", "mask"))
    return Play(real=Sequences(tokens, mask, each_category(players, scene, count)))


def real_of(play: Play) -> tuple[Sequences, Int[Tensor, " batch"]]:
    """The real sequences of a play and their categories.

    Raises:
        ValueError: there are none.
    """
    if play.real is None or play.real.categories is None:
        raise ValueError("this step needs real sequences with categories, got a play without them")
    return play.real, play.real.categories
