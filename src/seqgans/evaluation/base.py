"""What a metric is, and computing all that can be computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from seqgans.choices import choice
from seqgans.data.packages import NotInstalled
from seqgans.errors import BadInput
from seqgans.evaluation.evidence import NEEDED, Evidence, Lists, Need, from_all_over
from seqgans.evaluation.figure import Figure
from seqgans.rewards.ngrams import Flat

__all__ = ["Better", "Evidence", "Lists", "Measures", "Metric", "Need", "beside_real", "compute", "from_all_over"]

LOOKED_AT = 10_000  # samples and references whose tokens are compared
BY_NAME = "measured where it is asked for by name"
HALVES = ("half", "halves")  # in the words of a floor
ALIKE = 0.75  # of the tokens that real sequences share with each other, so many must be shared by samples
Better = Literal["lower", "higher", "closer to real"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One way to judge a generator.

    Attributes:
        name: what it is asked for by.
        description: one line, without full stop.
        paper: where it comes from, empty for plain counting.
        year: of that paper, 0 where there is none.
        unit: of its figures.
        better: which direction is good; "closer to real" where the value for real data is best.
        needs: what evidence it cannot do without.
        sizes: how many sequences it takes; `count` and `overlap_count` are those of the evidence.
        floor: what its figures would be if the samples were real ones.
        compute: from evidence to figures by name.
        costly: only where it is asked for by name, since it takes minutes or an extra.
        stands_in: says less than the law of the real data; only where that is not known, or by name.
        by_size: its value depends on how many samples it is of, so that figures of different numbers say nothing of
            each other.
    """

    name: str
    description: str
    paper: str
    year: int
    unit: str
    better: Better
    needs: frozenset[Need]
    sizes: str
    floor: str
    compute: Callable[[Evidence], dict[str, Figure]]
    costly: bool = False
    stands_in: bool = False
    by_size: bool = False

    def compared(self, drawn: int) -> int:
        """How many of so many samples it looks at, unless the evidence says otherwise."""
        return min(drawn, Evidence.overlap_count) if "overlap_count" in self.sizes else drawn

    @property
    def source(self) -> str:
        """Paper and year in words."""
        return f"{self.paper} ({self.year})" if self.paper else "no paper"

    def missing(self, evidence: Evidence) -> str | None:
        """What is needed and not there, in words; None if nothing is."""
        lacking = [NEEDED[need] for need in NEEDED if need in self.needs and not evidence.has(need)]
        return " and ".join(lacking) or None


def beside_real(
    evidence: Evidence,
    function: Callable[[Lists], dict[str, Figure]],
    part: Literal["references", "train"] = "references",
    *,
    by_count: int | None = None,
) -> dict[str, Figure]:
    """Figures of the samples and, where there are enough real ones, of as many of them ("real_…").

    Args:
        evidence: what there is; it remembers the figures of real sequences, which are the same for all generators.
        function: from sequences to figures; of more than `overlap_count` it takes the first.
        part: which real ones. Where there are too few references, training sequences stand in for them.
        by_count: how many sequences the figures depend on: as many are compared, or none; 0 where they do not depend
            on it and all are taken; None for `overlap_count`, or as many as were drawn.
    """
    figures = function(evidence.drawn)
    count = min(len(evidence.drawn), evidence.overlap_count) if by_count is None else by_count
    key = (part, count, *figures)
    if key not in evidence.beside:
        evidence.beside[key] = figures_of_real(evidence, function, part, count)
    return {**figures, **{f"real_{name}": figure for name, figure in evidence.beside[key].items()}}


def figures_of_real(
    evidence: Evidence, function: Callable[[Lists], dict[str, Figure]], part: Literal["references", "train"], count: int
) -> dict[str, Figure]:
    """Figures of `count` real sequences, of all of a part for 0; nothing where there are too few."""
    if not count:
        rows = evidence.part(part) if evidence.has(part) else []
    elif part == "references" and evidence.has(part) and len(evidence.part(part)) >= count:
        rows = from_all_over(evidence.part(part), count)
    elif evidence.has("train") and len(evidence.part("train")) >= count:
        rows = from_all_over(evidence.part("train"), count)
    else:
        rows = []
    try:
        return function(rows) if rows else {}
    except BadInput:  # such as cannot be measured say nothing against the samples
        return {}


@dataclass(frozen=True)
class Measures:
    """What was measured.

    Attributes:
        figures: by metric, then by name.
        skipped: why each of the other metrics was not computed.
        warnings: what makes the figures doubtful.
        settings: seed, sizes and smoothing that all figures share.
        awaits: the package that each skipped metric waits for, of those that can be computed once one is installed.
    """

    figures: dict[str, dict[str, Figure]]
    skipped: dict[str, str]
    settings: dict[str, int | str | bool | None]
    warnings: tuple[str, ...] = ()
    awaits: dict[str, str] = field(default_factory=dict)

    def flat(self) -> dict[str, Figure]:
        """All figures by name."""
        return {name: figure for group in self.figures.values() for name, figure in group.items()}

    def to_dict(self) -> dict[str, object]:
        """For JSON: every figure by its name, what was skipped and why, and the settings."""
        return {
            "figures": {name: figure.to_dict() for name, figure in self.flat().items()},
            "skipped": dict(self.skipped),
            "settings": dict(self.settings),
            "warnings": list(self.warnings),
        }


def compute(
    table: Mapping[str, Metric],
    evidence: Evidence,
    names: Sequence[str] | None = None,
    strict: bool = True,
    watch: Callable[[str, int], None] | None = None,
) -> Measures:
    """Figures of the metrics asked for, or of all that the evidence allows.

    Args:
        table: metrics by name.
        evidence: what there is to measure on.
        names: which metrics; None for all, those whose evidence is missing left out with the reason.
        strict: metrics asked for by name must be possible; otherwise they are left out with the reason as well.
        watch: called before each metric with its name and how many there are.

    Raises:
        BadInput: a metric asked for by name does not exist, or lacks evidence and `strict`.
    """
    chosen = list(table.values()) if names is None else [choice(table, name, "metric") for name in names]
    figures: dict[str, dict[str, Figure]] = {}
    skipped: dict[str, str] = {}
    awaits: dict[str, str] = {}
    for metric in chosen:
        lacking = metric.missing(evidence)
        if watch is not None:
            watch(metric.name, len(chosen))
        try:
            if lacking:
                raise BadInput(f"needs {lacking}")
            if metric.costly and names is None:
                raise BadInput(f"takes minutes or an extra; {BY_NAME}")
            if metric.stands_in and names is None and evidence.has("oracle"):
                raise BadInput(f"the law of the real data is known and says more; {BY_NAME}")
            figures[metric.name] = numbers(metric.compute(evidence))
        except BadInput as reason:
            if names is not None and strict:
                raise BadInput(f"metric {metric.name!r}: {reason}") from reason
            skipped[metric.name] = str(reason)
            if isinstance(reason, NotInstalled):
                awaits[metric.name] = reason.package
    settings: dict[str, int | str | bool | None] = {
        name: getattr(evidence, name)
        for name in ("seed", "count", "overlap_count", "smoothing", "masked", "length", "end")
    }
    sizes = {name: len(getattr(evidence, name) or ()) for name in ("references", "train")}
    said = (*doubts(evidence), *of_halves(chosen, figures, evidence))
    return Measures(figures, skipped, {**settings, **sizes}, said, awaits)


def of_halves(chosen: Sequence[Metric], figures: Mapping[str, Mapping[str, Figure]], evidence: Evidence) -> list[str]:
    """A line where floors are no floors of the same size: without train they are those of halves of the references."""
    if evidence.has("train"):
        return []
    halved = [one.name for one in chosen if any(word in one.floor for word in HALVES)]
    names = [name for name in halved if any(figure.startswith("real_") for figure in figures.get(name, ()))]
    said = "the real rows are of one half of the references beside the other, with half as many sequences: name --train"
    return [f"{', '.join(names)}: {said}"] if names else []


def numbers(figures: dict[str, Figure]) -> dict[str, Figure]:
    """The figures, each of which is a number; infinite ones are, where a law rules something out.

    Raises:
        BadInput: one is not.
    """
    wrong = [name for name, figure in figures.items() if math.isnan(figure.value)]
    if wrong:
        raise BadInput(f"{', '.join(wrong)} came out as nan: there is no token to score, or a score is nan itself")
    return figures


def doubts(evidence: Evidence) -> list[str]:
    """What makes figures doubtful: tokens of samples that real sequences do not have, although they have others.

    Where samples were cut into other tokens than the references (words and characters, another case or language) few of
    them occur there; so it is compared with how many tokens of one half of the references occur in the other. Where a
    generator draws the samples, they are of the kind of its training sequences, and the references are asked instead.
    """
    asked, real = evidence.samples, evidence.references
    whose, where = "samples", "the references"
    if asked is None:
        asked, real, whose, where = real, evidence.train, "the references", "the training sequences"
    if not asked or not real or len(real) < 2:
        return []
    parts = asked[:LOOKED_AT], real[:LOOKED_AT:2], real[1:LOOKED_AT:2]
    ours, one, other = (Flat.of(rows).tokens for rows in parts)
    if not len(ours) or not len(other):
        return []
    known = one[one != (-1 if evidence.vocabulary is None else evidence.vocabulary.unknown)]
    share, usual = (float(np.isin(tokens, known).mean()) for tokens in (ours, other))
    if share >= ALIKE * usual:
        return []
    return [
        f"{share:.0%} of the tokens of {whose} occur in {where}, where real ones share {usual:.0%}: are both "
        "cut into tokens alike (words or characters, case, language)?"
    ]
