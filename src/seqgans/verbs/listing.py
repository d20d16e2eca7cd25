"""List: what algorithms, generators, discriminators, corpora, metrics, recipes and suites there are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from seqgans.algorithms import ALGORITHMS
from seqgans.choices import choice
from seqgans.data import CORPORA
from seqgans.discriminators import DISCRIMINATORS
from seqgans.evaluation import METRICS
from seqgans.evaluation.evidence import NEEDED
from seqgans.generators import GENERATORS
from seqgans.training.shipped import heading, recipes
from seqgans.verbs.suite_files import read_mapping, suite_names


@dataclass(frozen=True)
class Entry:
    """One thing there is.

    Attributes:
        kind: the list it stands in.
        name: what it is asked for by.
        description: what it is, one line without full stop.
        source: authors and year, empty where there is no paper.
        facts: of a metric what it needs, its unit, which way is better, the sample sizes and what real sequences give.
    """

    kind: str
    name: str
    description: str
    source: str
    facts: Mapping[str, str] = field(default_factory=dict)


def list_algorithms() -> list[Entry]:
    """All algorithms: what a run is trained by."""
    return [
        Entry("algorithms", name, first_line(sys.modules[kind.__module__].__doc__), kind.paper)
        for name, kind in ALGORITHMS.items()
    ]


def list_generators() -> list[Entry]:
    """All generators."""
    return [settings_entry("generators", name, kind) for name, kind in GENERATORS.items()]


def list_discriminators() -> list[Entry]:
    """All discriminators."""
    return [settings_entry("discriminators", name, kind) for name, kind in DISCRIMINATORS.items()]


def list_corpora() -> list[Entry]:
    """All forms of corpus, each world as `world:NAME`."""
    return [Entry("corpora", name, kind.description, "") for name, kind in CORPORA.items()]


def list_metrics() -> list[Entry]:
    """All metrics."""
    return [
        Entry(
            "metrics",
            name,
            f"{metric.description} [{metric.unit}; {metric.better}]",
            f"{metric.paper} {metric.year or ''}".strip(),
            {
                "needs": ", ".join(need for need in NEEDED if need in metric.needs),
                "unit": metric.unit,
                "better": metric.better,
                "sizes": metric.sizes,
                "floor": metric.floor,
            },
        )
        for name, metric in METRICS.items()
    ]


def list_recipes() -> list[Entry]:
    """All recipes that come with the library, by the names that --config takes."""
    return [Entry("recipes", name, heading(path), "") for name, path in recipes().items()]


def list_suites() -> list[Entry]:
    """All suites of `benchmark`."""
    return [Entry("suites", name, read_mapping(name)["title"], "") for name in suite_names()]


KINDS: dict[str, Callable[[], list[Entry]]] = {
    "algorithms": list_algorithms,
    "generators": list_generators,
    "discriminators": list_discriminators,
    "corpora": list_corpora,
    "metrics": list_metrics,
    "recipes": list_recipes,
    "suites": list_suites,
}


def list_all(kind: str | None = None) -> list[Entry]:
    """What there is of one kind, or of all.

    Args:
        kind: a key of `KINDS`; None for all.

    Raises:
        BadInput: there is no such kind.
    """
    kinds = list(KINDS.values()) if kind is None else [choice(KINDS, kind, "list")]
    return [entry for entries in kinds for entry in entries()]


def settings_entry(kind: str, name: str, settings: type[Any]) -> Entry:
    """A player by the docstring and paper of its settings."""
    words = first_line(settings.__doc__).removeprefix("Settings of ").partition(";")[0].partition(":")[0]
    return Entry(kind, name, words, settings.paper)


def first_line(text: str | None) -> str:
    """The first line of a docstring, without full stop."""
    return (text or "").strip().partition("\n")[0].removesuffix(".")
