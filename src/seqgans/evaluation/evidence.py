"""Evidence: what there is to measure on, drawn and scored once for all metrics that ask for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
import torch

from seqgans.data.sources import once_each
from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput
from seqgans.evaluation.likelihood import ROWS, Drawn, Sampler, Scorer, Scores, as_sequences, draw_sequences, score
from seqgans.generators.decoding import PLAIN, Decoding
from seqgans.randomness import generator_for
from seqgans.rewards.ngrams import Flat
from seqgans.sequences import Sequences

Made = TypeVar("Made")
Lists = Sequence[list[int]]
Beside = dict[tuple[str | int, ...], Any]
Need = Literal["samples", "references", "train", "generator", "oracle", "notes", "sources", "vocabulary", "categories"]

NEEDED: Mapping[str, str] = {
    "samples": "samples, or a generator to draw them from",
    "references": "references (held-out real sequences)",
    "train": "the training sequences",
    "generator": "a trained generator",
    "oracle": "an oracle (the law of the real data)",
    "notes": "tokens that are notes",
    "sources": "sources (what each reference answers)",
    "vocabulary": "the meaning of the ids",
    "categories": "the categories of the references",
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
        categories: number of each reference's category, from 0.
        train_categories: that of each training sequence; a judge of categories learns from those where they are known.
        sample_categories: what each of the given samples was meant to be.
        category_names: what the categories are called; their numbers where nobody says.
        length: tokens of the longest sequence, its end token included; found from the sequences where missing.
        end: id of the end token, None where all sequences have the same length.
        seed: where samples come from.
        count: sequences drawn, or at most taken of the real ones, for likelihoods and divergences.
        overlap_count: sequences compared by BLEU, distinct-n and the like, whose values depend on it.
        smoothing: of BLEU.
        masked: False counts padding as tokens in the likelihoods.
        rows: sequences drawn and scored at once.
        beside: what was measured on real sequences or learnt from them, for further evidence of the same ones.
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
    categories: Sequence[int] | None = None
    train_categories: Sequence[int] | None = None
    sample_categories: Sequence[int] | None = None
    category_names: Sequence[str] = ()
    length: int | None = None
    end: int | None = None
    seed: int = 0
    count: int = 10_000
    overlap_count: int = 1000
    smoothing: str = "method1"
    masked: bool = True
    rows: int = ROWS
    beside: Beside = field(default_factory=dict, repr=False, compare=False)

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
    def words(self) -> tuple[np.ndarray, np.ndarray]:
        """The ids that occur in the references, sorted, and how often each does."""
        return np.unique(Flat.of(self.part("references")).tokens, return_counts=True)

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """What several metrics share: made when it is first asked for."""
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    def once_for_all(self, name: str, make: Callable[[], Made]) -> Made:
        """What depends on real sequences, `seed` and `count` alone: made once for all evidence that shares `beside`."""
        key = (name, self.seed, self.count)
        if key not in self.beside:
            self.beside[key] = make()
        return self.beside[key]

    @cached_property
    def made(self) -> dict[str, Any]:
        """What was made so far, by name."""
        return {}

    @cached_property
    def samples_under_generator(self) -> Scores:
        """How likely the generator holds its own samples: what it drew them with, where it says so."""
        known = self.generated.scores if self.masked and isinstance(self.generated, Drawn) else None
        return self.scores(self.learnt, self.generated) if known is None else known

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


def from_all_over(rows: Lists, count: int) -> Lists:
    """At most `count` rows at even distances, since a file may be sorted.

    >>> from_all_over([[1], [2], [3], [4], [5]], 2)
    [[1], [3]]
    """
    return [rows[place * len(rows) // count] for place in range(count)] if count < len(rows) else rows
