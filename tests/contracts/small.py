"""Small recipes of every algorithm in the table: counts made small by their names, networks by theirs.

A new algorithm has one as soon as it stands in the table; what is not in a table here is used as it is.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from seqgans.algorithms import ALGORITHMS, reading_sources

SMALL = {"epochs": 3, "steps": 2, "rounds": 2, "rollouts": 2, "examples": 6, "interleave": 2, "batch": 4}
"""Small values by how the name of a setting ends."""

NETWORKS: dict[str, dict[str, Any]] = {
    "lstm": {"embedding": 4, "hidden": 5},
    "gru": {"embedding": 4, "hidden": 5},
    "memory": {"embedding": 3, "heads": 2, "head_size": 4},
    "transformer": {"layers": 1, "width": 8, "heads": 2, "feed_forward": 8},
    "hierarchical": {"embedding": 4, "worker": 5, "manager": 5, "goal": 3, "horizon": 2},
    "latent": {"embedding": 4, "hidden": 5, "latent": 3, "likelihood_codes": 2},
    "matching": {"embedding": 4, "widths": [2, 3], "maps": 3, "dense": 3},
    "strided": {"embedding": 4, "maps": 3, "width": 2, "features": 3},
    "seq2seq": {"hidden": 5, "layers": 2},
    "cnn": {"embedding": 4, "widths": [1, 2, 3], "maps": [3, 3, 3]},
    "leaking": {"embedding": 4, "widths": [1, 2, 3], "maps": [3, 3, 3]},
    "ranker": {"embedding": 4, "widths": [1, 2, 3], "maps": [3, 3, 3]},
    "multi_view": {"embedding": 4, "views": 2, "widths": [2, 3], "maps": 4, "dense": 3},
    "mixture": {"embedding": 4, "hidden": 5},
    "category_memory": {"embedding": 3, "heads": 2, "head_size": 4},
    "classes": {"embedding": 4, "widths": [1, 2, 3], "maps": [3, 3, 3]},
    "comparer": {"embedding": 4, "widths": [1, 2, 3], "maps": [3, 3, 3], "encoding": 4, "hidden": 5},
    "positional": {"embedding": 4, "positions": 3, "hidden": 5},
}
PLAYED_BY = {"rlgaf": ("transformer", "lstm")}
"""Networks that need no file, where the usual ones do."""
FITTING: dict[str, dict[str, Any]] = {
    "rankgan": {"ranker_examples": 8},  # two processes share rankings of four
    "rlgaf": {"group": 2, "memory": 8, "rounds": 3, "discriminator_pretrain_steps": 3},
    "coldgan": {"memory": 8, "rounds": 3, "discriminator_pretrain_steps": 3},
}
"""Values that fit the small ones."""
PAIRS = " on pairs"
CASES = (*ALGORITHMS, *(f"{name}{PAIRS}" for name in reading_sources()))
"""Every algorithm, and those that answer once more, with sources."""

LINES = ["a b c d e", "a c", "b", "d d a", "c a b b", "e", "b e a c", "a", "c c c c c", "d b"]
PAIRED = "".join(
    f"{source}\t{line}\n" for source, line in zip(LINES * 2, [*LINES[3:], *LINES, *LINES[:3]], strict=True)
)
"""A table of sources and lines, each of which answers another one."""


def mapping(name: str) -> dict[str, Any]:
    """A small recipe of a case."""
    pairs = name.endswith(PAIRS)
    name = name.removesuffix(PAIRS)
    kind = ALGORITHMS[name]
    settings = {
        field.name: value
        for field in dataclasses.fields(kind)  # pyright: ignore[reportArgumentType]
        for ending, value in SMALL.items()
        if field.name.endswith(ending)
    }
    writer, judge = PLAYED_BY.get(name, (kind.generator, kind.discriminator))
    writer = "seq2seq" if pairs else writer
    found = {
        "algorithm": {"name": name, **settings, **FITTING.get(name, {})},
        "corpus": {"spec": "world:markov"},
        "generator": {"name": writer, **NETWORKS.get(writer, {})},
    }
    if judge is not None:
        found["discriminator"] = {"name": judge, **NETWORKS.get(judge, {})}
    return found
