"""A corpus: training, validation and test sequences over one vocabulary, and how they came to be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import torch

from seqgans.data.tables import Header
from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput
from seqgans.sequences import Sequences

Longer = Literal["cut", "drop"]
"""What happens to a sequence that is too long."""


@dataclass(frozen=True)
class Corpus:
    """Sequences to learn from, to stop by and to be judged on.

    Attributes:
        name: the spec it was opened with.
        train: what a model learns from.
        valid: what stops and chooses; empty when its share is 0.
        test: what is only measured on; empty when its share is 0.
        vocabulary: the meaning of the ids.
        length: positions of every row in tokens, the end token included where there is one.
        facts: spec, settings, seed, and what was read, dropped, cut and unknown, ready for JSON.
        categories: names of the categories that the splits number; empty where there are none.
    """

    name: str
    train: Sequences
    valid: Sequences
    test: Sequences
    vocabulary: Vocabulary
    length: int
    facts: dict[str, Any]
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for split in ("train", "valid", "test"):
            rows: Sequences = getattr(self, split)
            width = rows.tokens.shape[1]
            if width != self.length:
                raise ValueError(f"Corpus.{split} must have rows of {self.length} positions, got {width}")
            if (rows.categories is not None) != bool(self.categories):
                raise ValueError(f"Corpus.{split} must have categories if and only if Corpus.categories names them")
            if rows.categories is not None and len(rows.categories) != len(rows):
                raise ValueError(f"Corpus.{split} must have {len(rows)} categories, got {len(rows.categories)}")
            if self.source_width != (0 if rows.source is None else rows.source.tokens.shape[1]):
                raise ValueError(f"Corpus.{split} must have sources of {self.source_width} positions, as train has")
            if rows.source is not None and len(rows.source) != len(rows):
                raise ValueError(f"Corpus.{split} must have {len(rows)} sources, got {len(rows.source)}")

    @property
    def source_width(self) -> int:
        """Positions of every source, 0 where sequences answer nothing."""
        return 0 if self.train.source is None else self.train.source.tokens.shape[1]


@dataclass(frozen=True, kw_only=True)
class CorpusSettings:
    """How a corpus is read.

    Attributes:
        text: column of a table or of a hub dataset that holds the text, by name, or by number from 0 in a .tsv or .csv
            without header line; none: "text", or, where objects or a dataset have no such column, "completion" (then
            `source` is "prompt") or "messages".
        source: column that holds what each text answers, by name or number as `text`; none: texts answer nothing.
            Questions in the SQuAD layout, in a file or a dataset, have sources of their own.
        source_length: maximal tokens of a source, of which longer ones keep the first, or the last for a pre-trained
            model, which goes on from them; none: the longest, at most 64.
        label: column that holds each text's category, by name or number as `text`; none: there are no categories.
        header: whether the first line of a .tsv or .csv names its columns; "auto": it does unless `text` is a number.
        tokens: what one token is: words between white space, characters, or byte pairs learnt from the training split.
        tokenizer: folder, .gguf file or hub name of a pre-trained model whose tokenizer makes the tokens instead; none:
            that of the generator's model where it has one.
        lowercase: make text lower-case.
        spaces: whether spaces are tokens, for characters; "auto": not in scripts that use none (Chinese, Japanese).
        minimum_count: words or characters seen less often in the training split become <unk>; byte pairs seen less
            often are not merged.
        vocabulary_size: at most so many ids, <end> and <unk> included; none: no bound, 4096 for byte pairs.
        length: maximal tokens of a sequence, the end token not counted; none: the longest line but at most 64 for
            text, 32 for music, 20 for an oracle, its own for a world.
        longer: what happens to longer lines, cut them or drop them; music is always cut into windows.
        valid: share of the units (lines, tunes) that becomes the validation split, where no file gives one; for
            oracles and worlds so large a share of `sequences`, but at least 1,000, is drawn beside them; 0 for none.
        test: the same for the test split.
        valid_file: a further file of the same kind that is the validation split.
        test_file: a further file of the same kind that is the test split.
        end: whether sequences end with an end token; "auto": unless all have the same length, none is stopped and no
            model's tokenizer makes the tokens.
        stop: texts end behind the first place where they spell one of these strings; none given: those of the
            generator where it is pre-trained.
        sequences: training sequences drawn from an oracle or a world.
        split: the split of a hub dataset that is divided; none: its own train, validation and test splits.
        step: seconds of music per token, 0.01 to 16.
        track: which track of a MIDI file is read, among those with notes, from 0.
    """

    text: str | None = None
    source: str | None = None
    source_length: int | None = None
    label: str | None = None
    header: Header = "auto"
    tokens: Literal["words", "characters", "bytepair"] = "words"
    tokenizer: str | None = None
    lowercase: bool = False
    spaces: Literal["auto", "keep", "drop"] = "auto"
    minimum_count: int = 1
    vocabulary_size: int | None = None
    length: int | None = None
    longer: Longer = "drop"
    valid: float = 0.05
    test: float = 0.05
    valid_file: str | None = None
    test_file: str | None = None
    end: Literal["auto", "yes", "no"] = "auto"
    stop: tuple[str, ...] = ()
    sequences: int = 10_000
    split: str | None = None
    step: float = 0.4
    track: int = 0

    def __post_init__(self) -> None:
        for name, least in (
            ("minimum_count", 1),
            ("vocabulary_size", 3),
            ("length", 1),
            ("source_length", 1),
            ("sequences", 1),
            ("track", 0),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"CorpusSettings.{name} must be at least {least}, got {value}")
        if not all(self.stop):
            raise ValueError("CorpusSettings.stop must be strings of at least one character, got an empty one")
        for name in ("valid", "test"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"CorpusSettings.{name} must be at least 0 and below 1, got {getattr(self, name)}")
        if self.valid + self.test >= 1.0:
            raise ValueError(f"CorpusSettings.valid + test must be below 1, got {self.valid} + {self.test}")
        if not 0.01 <= self.step <= 16.0:
            raise ValueError(f"CorpusSettings.step must be from 0.01 to 16 seconds, got {self.step}")

    def check_meaning(self, name: str, meaningful: Collection[str]) -> None:
        """Refuse a setting that says nothing about this corpus.

        Args:
            name: the spec.
            meaningful: the fields that say something; all others must have their default.

        Raises:
            BadInput: another field was set.
        """
        for field in fields(self):
            if field.name not in meaningful and getattr(self, field.name) != field.default:
                raise BadInput(f"--corpus.{field.name} means nothing for {name}; leave it out")


@dataclass(frozen=True)
class Counts:
    """What became of the texts of one split.

    Attributes:
        read: texts given, blank ones included.
        blank: texts without any token, left out.
        longer: texts left out because they were too long.
        shorter: texts left out because they were too short, where all must have the same length.
        cut: texts kept but shortened.
        kept: sequences that came out.
        tokens: tokens of those, end tokens not counted.
        unknown: how many of them were not in the vocabulary.
    """

    read: int
    blank: int
    longer: int
    shorter: int
    cut: int
    kept: int
    tokens: int
    unknown: int

    @property
    def unknown_rate(self) -> float:
        """Share of tokens that are unknown, 0 where there are none."""
        return self.unknown / self.tokens if self.tokens else 0.0


def encode_texts(
    texts: Sequence[str], vocabulary: Vocabulary, length: int, longer: Longer = "drop"
) -> tuple[Sequences, Counts]:
    """Texts as ids in rows of equal width.

    With an end token, shorter rows are filled with it and it is real (mask True) once. Without one, all rows
    must fill `length`: shorter texts are left out and counted.

    Args:
        texts: one sequence each.
        vocabulary: symbols, and whether there is an end token.
        length: positions of a row, the end token included: `Corpus.length`.
        longer: what happens to texts that do not fit; a text that is cut ends where it was cut.

    >>> vocabulary = Vocabulary.build(["a b a"], "words")
    >>> sequences, counts = encode_texts(["a b a", "b", "", "a a a a"], vocabulary, length=4)
    >>> sequences.tokens
    tensor([[2, 3, 2, 0],
            [3, 0, 0, 0]])
    >>> sequences.mask[1], counts.longer
    (tensor([ True,  True, False, False]), 1)
    """
    room = length if vocabulary.end is None else length - 1
    rows: list[list[int]] = []
    blank = too_long = too_short = cut = unknown = 0
    for row in vocabulary.encode_all(texts):
        if not row:
            blank += 1
        elif len(row) > room and longer == "drop":
            too_long += 1
        elif len(row) < room and vocabulary.end is None:
            too_short += 1
        else:
            cut += len(row) > room
            rows.append(row[:room])
            unknown += 0 if vocabulary.unknown is None else rows[-1].count(vocabulary.unknown)
    counts = Counts(len(texts), blank, too_long, too_short, cut, len(rows), sum(map(len, rows)), unknown)
    return _rows(rows, length, vocabulary.end), counts


def _rows(rows: Sequence[Sequence[int]], length: int, end: int | None) -> Sequences:
    """Rows filled up with the end token; its first place in each row is real."""
    sizes = torch.tensor([len(row) for row in rows], dtype=torch.long)[:, None]  # (batch, 1)
    places = torch.arange(length)[None, :]
    tokens = torch.full((len(rows), length), 0 if end is None else end, dtype=torch.long)
    tokens[places < sizes] = torch.tensor([token for row in rows for token in row], dtype=torch.long)
    return Sequences(tokens, places < sizes + (end is not None))
