"""What a metric is, what it may look at, and computing all that can be computed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch

from seqgans.choices import choice
from seqgans.data.sources import once_each
from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput
from seqgans.evaluation.figure import Figure
from seqgans.evaluation.likelihood import ROWS, Sampler, Scorer, Scores, as_sequences, draw_sequences, score
from seqgans.generators.decoding import PLAIN, Decoding
from seqgans.randomness import generator_for
from seqgans.sequences import Sequences

Lists = list[list[int]]
Better = Literal["lower", "higher", "closer to real"]
Need = Literal["samples", "references", "train", "generator", "oracle", "notes", "sources", "vocabulary"]

NEEDED: Mapping[str, str] = {
    "samples": "samples, or a generator to draw them from",
    "references": "references (held-out real sequences)",
    "train": "the training sequences",
    "generator": "a trained generator",
    "oracle": "an oracle (the law of the real data)",
    "notes": "tokens that are notes",
    "sources": "sources (what each reference answers)",
    "vocabulary": "the meaning of the ids",
}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What there is to measure on. Lists of ids come without padding and without end token.

    Attributes:
        samples: what was generated; drawn from `generator` where missing.
        references: real sequences nothing was trained on.
        train: real sequences the generator was trained on.
        generator: the law that was learnt.
        oracle: the law of the real data, where it is known.
        notes: pitch of each id in semitones, where tokens are notes.
        sources: what each reference answers, row by row; then a sample answers each different one.
        train_sources: what each training sequence answers.
        vocabulary: the meaning of the ids.
        length: tokens of the longest sequence, its end token included; found from the sequences where missing.
        end: id of the end token, None where all sequences have the same length.
        seed: where samples come from.
        count: sequences drawn, or at most taken of the real ones, for likelihoods and divergences.
        overlap_count: sequences compared by BLEU, distinct-n and the like, whose values depend on it.
        smoothing: of BLEU.
        masked: False counts padding as tokens in the likelihoods.
        rows: sequences drawn and scored at once.
    """

    samples: Lists | None = None
    references: Lists | None = None
    train: Lists | None = None
    generator: Sampler | None = None
    oracle: Scorer | None = None
    notes: Sequence[int] | None = None
    sources: Sequences | None = None
    train_sources: Sequences | None = None
    vocabulary: Vocabulary | None = None
    length: int | None = None
    end: int | None = None
    seed: int = 0
    count: int = 10_000
    overlap_count: int = 1000
    smoothing: str = "method1"
    masked: bool = True
    rows: int = ROWS

    def __post_init__(self) -> None:
        for name in ("count", "overlap_count", "rows"):
            if getattr(self, name) < 1:
                raise ValueError(f"Evidence.{name} must be at least 1, got {getattr(self, name)}")

    def has(self, need: Need) -> bool:
        """Whether there is such evidence; samples can be drawn where there is a generator. An empty list is none."""
        if need == "samples":
            return bool(self.samples) or (self.samples is None and self.generator is not None)
        found = getattr(self, need)
        return found is not None and not (isinstance(found, Sequence) and not found)

    def part(self, name: Literal["references", "train"]) -> Lists:
        """Real sequences that are known to be there."""
        found: Lists | None = getattr(self, name)
        if not found:
            raise BadInput(f"this needs {NEEDED[name]}, got none")
        return found

    @cached_property
    def drawn(self) -> Lists:
        """The samples, drawn now if none were given."""
        return self.generated.lists(self.end) if self.samples is None else self.samples

    @cached_property
    def generated(self) -> Sequences:
        """The samples as padded rows."""
        if self.samples is not None:
            return self.padded(self.samples)
        random = generator_for(self.seed, "evaluation", "samples")
        if self.sources is not None:
            return self.answers(random)
        return draw_sequences(self.learnt, self.count, self.longest, random, rows=self.rows)

    def answers(self, random: torch.Generator, decoding: Decoding = PLAIN) -> Sequences:
        """An answer to each of the first `count` different sources, with what it answers."""
        asked = once_each(self.asked)[slice(0, self.count)]
        return draw_sequences(
            self.learnt, len(asked), self.longest, random, decoding=decoding, rows=self.rows, source=asked
        )

    @property
    def asked(self) -> Sequences:
        """The sources that are known to be there."""
        if self.sources is None:
            raise BadInput(f"this needs {NEEDED['sources']}, got none")
        return self.sources

    @property
    def known(self) -> Vocabulary:
        """The vocabulary that is known to be there."""
        if self.vocabulary is None:
            raise BadInput(f"this needs {NEEDED['vocabulary']}, got none")
        return self.vocabulary

    def real(self, name: Literal["references", "train"]) -> Sequences:
        """The first `count` real sequences as padded rows, with what they answer where they answer something."""
        rows = self.padded(self.part(name)[: self.count])
        source = self.sources if name == "references" else self.train_sources
        return rows if source is None else dataclasses.replace(rows, source=source[slice(0, len(rows))])

    def padded(self, lists: Lists) -> Sequences:
        """Lists as padded rows of the common length."""
        return as_sequences(lists, self.longest if self.end is not None else None, self.end)

    @cached_property
    def longest(self) -> int:
        """Tokens of the longest sequence."""
        if self.length is not None:
            return self.length
        given = [row for part in (self.samples, self.references, self.train) for row in part or ()]
        if not given:
            raise BadInput("drawing samples needs a length, got none: give one, or references to take it from")
        return max(map(len, given)) + (self.end is not None)

    @property
    def learnt(self) -> Sampler:
        """The generator that is known to be there."""
        if self.generator is None:
            raise BadInput(f"this needs {NEEDED['generator']}, got none")
        return self.generator

    @property
    def truth(self) -> Scorer:
        """The oracle that is known to be there."""
        if self.oracle is None:
            raise BadInput(f"this needs {NEEDED['oracle']}, got none")
        return self.oracle

    def scores(self, scorer: Scorer, sequences: Sequences) -> Scores:
        """Likelihoods, with padding counted or not as was asked."""
        return score(scorer, sequences, masked=self.masked, rows=self.rows)

    @cached_property
    def samples_under_generator(self) -> Scores:
        """How likely the generator holds its own samples."""
        return self.scores(self.learnt, self.generated)

    @cached_property
    def samples_under_oracle(self) -> Scores:
        """How likely the oracle holds the samples."""
        return self.scores(self.truth, self.generated)

    @cached_property
    def oracle_under_both(self) -> tuple[Scores, Scores]:
        """How likely the generator, and the oracle, hold fresh samples of the oracle."""
        if not isinstance(self.truth, Sampler):
            raise BadInput("this needs an oracle that can be sampled from, got one that only scores")
        random = generator_for(self.seed, "evaluation", "oracle")
        real = draw_sequences(self.truth, self.count, self.longest, random, rows=self.rows)
        return self.scores(self.learnt, real), self.scores(self.truth, real)


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
        compute: from evidence to figures by name.
    """

    name: str
    description: str
    paper: str
    year: int
    unit: str
    better: Better
    needs: frozenset[Need]
    compute: Callable[[Evidence], dict[str, Figure]]

    @property
    def source(self) -> str:
        """Paper and year in words."""
        return f"{self.paper} ({self.year})" if self.paper else "no paper"

    def missing(self, evidence: Evidence) -> str | None:
        """What is needed and not there, in words; None if nothing is."""
        lacking = [NEEDED[need] for need in NEEDED if need in self.needs and not evidence.has(need)]
        return " and ".join(lacking) or None


@dataclass(frozen=True)
class Measures:
    """What was measured.

    Attributes:
        figures: by metric, then by name.
        skipped: why each of the other metrics was not computed.
        settings: seed, sizes and smoothing that all figures share.
    """

    figures: dict[str, dict[str, Figure]]
    skipped: dict[str, str]
    settings: dict[str, int | str | bool | None]

    def flat(self) -> dict[str, Figure]:
        """All figures by name."""
        return {name: figure for group in self.figures.values() for name, figure in group.items()}

    def to_dict(self) -> dict[str, object]:
        """For JSON: every figure by its name, what was skipped and why, and the settings."""
        return {
            "figures": {name: figure.to_dict() for name, figure in self.flat().items()},
            "skipped": dict(self.skipped),
            "settings": dict(self.settings),
        }


def compute(
    table: Mapping[str, Metric], evidence: Evidence, names: Sequence[str] | None = None, strict: bool = True
) -> Measures:
    """Figures of the metrics asked for, or of all that the evidence allows.

    Args:
        table: metrics by name.
        evidence: what there is to measure on.
        names: which metrics; None for all, those whose evidence is missing left out with the reason.
        strict: metrics asked for by name must be possible; otherwise they are left out with the reason as well.

    Raises:
        BadInput: a metric asked for by name does not exist, or lacks evidence and `strict`.
    """
    chosen = list(table.values()) if names is None else [choice(table, name, "metric") for name in names]
    figures: dict[str, dict[str, Figure]] = {}
    skipped: dict[str, str] = {}
    for metric in chosen:
        lacking = metric.missing(evidence)
        try:
            if lacking:
                raise BadInput(f"needs {lacking}")
            figures[metric.name] = metric.compute(evidence)
        except BadInput as reason:
            if names is not None and strict:
                raise BadInput(f"metric {metric.name!r}: {reason}") from reason
            skipped[metric.name] = str(reason)
    settings: dict[str, int | str | bool | None] = {
        name: getattr(evidence, name)
        for name in ("seed", "count", "overlap_count", "smoothing", "masked", "length", "end")
    }
    sizes = {name: len(getattr(evidence, name) or ()) for name in ("references", "train")}
    return Measures(figures, skipped, {**settings, **sizes})
