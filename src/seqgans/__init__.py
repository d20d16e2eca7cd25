"""Sequence GANs: one trainer, one command line, honest measurements.

Everything below is loaded when it is first asked for, so that `import seqgans` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqgans.algorithms import ALGORITHMS
    from seqgans.data import CORPORA, WORLDS
    from seqgans.discriminators import DISCRIMINATORS
    from seqgans.errors import BadInput, Failed
    from seqgans.evaluation import METRICS
    from seqgans.generators import GENERATORS
    from seqgans.training.recipe import Recipe
    from seqgans.verbs.benchmark import benchmark
    from seqgans.verbs.compare import compare
    from seqgans.verbs.evaluate import evaluate
    from seqgans.verbs.export import export
    from seqgans.verbs.fill import fill
    from seqgans.verbs.listing import (
        list_algorithms,
        list_corpora,
        list_discriminators,
        list_generators,
        list_metrics,
        list_recipes,
        list_suites,
    )
    from seqgans.verbs.loading import load_run
    from seqgans.verbs.progress import Progress
    from seqgans.verbs.sample import sample
    from seqgans.verbs.score import score
    from seqgans.verbs.sweep import sweep
    from seqgans.verbs.train import resume, train
    from seqgans.web.serve import studio

__version__ = "0.1.0"
__all__ = [
    "ALGORITHMS",
    "CORPORA",
    "DISCRIMINATORS",
    "GENERATORS",
    "METRICS",
    "WORLDS",
    "BadInput",
    "Failed",
    "Progress",
    "Recipe",
    "benchmark",
    "compare",
    "evaluate",
    "export",
    "fill",
    "list_algorithms",
    "list_corpora",
    "list_discriminators",
    "list_generators",
    "list_metrics",
    "list_recipes",
    "list_suites",
    "load_run",
    "resume",
    "sample",
    "score",
    "studio",
    "sweep",
    "train",
]

_HOMES = {
    "seqgans.algorithms": ("ALGORITHMS",),
    "seqgans.data": ("CORPORA", "WORLDS"),
    "seqgans.discriminators": ("DISCRIMINATORS",),
    "seqgans.errors": ("BadInput", "Failed"),
    "seqgans.evaluation": ("METRICS",),
    "seqgans.generators": ("GENERATORS",),
    "seqgans.training.recipe": ("Recipe",),
    "seqgans.verbs.benchmark": ("benchmark",),
    "seqgans.verbs.compare": ("compare",),
    "seqgans.verbs.evaluate": ("evaluate",),
    "seqgans.verbs.export": ("export",),
    "seqgans.verbs.fill": ("fill",),
    "seqgans.verbs.listing": (
        "list_algorithms",
        "list_corpora",
        "list_discriminators",
        "list_generators",
        "list_metrics",
        "list_recipes",
        "list_suites",
    ),
    "seqgans.verbs.loading": ("load_run",),
    "seqgans.verbs.progress": ("Progress",),
    "seqgans.verbs.sample": ("sample",),
    "seqgans.verbs.score": ("score",),
    "seqgans.verbs.sweep": ("sweep",),
    "seqgans.verbs.train": ("resume", "train"),
    "seqgans.web.serve": ("studio",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A public name, loaded now (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'seqgans' has no attribute {name!r}")
    found = getattr(import_module(_HOME[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted({*globals(), *__all__})
