"""Files of sequences with the category of each: a table with a column of labels, or lines `label<TAB>text`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from seqgans.data import CorpusSettings, read_texts
from seqgans.data.open import TABLES
from seqgans.data.streaming import Numbering
from seqgans.data.tables import read_labels
from seqgans.data.text import read_lines
from seqgans.errors import BadInput
from seqgans.evaluation import Evidence

TAB = "\t"


def evidence_of_labelled(
    path: Path, references: str, train: str | None, first: int | None, seed: int, reading: CorpusSettings
) -> Evidence:
    """The first texts of a file, or all for None, beside texts, each with its category; samples may have none."""
    texts, labels = labelled_texts(path, reading)
    texts, labels = texts[:first], None if labels is None else labels[:first]
    real, real_labels = labelled_texts(Path(references), reading)
    if real_labels is None:
        raise BadInput(f"{references} must have a label before each text (label<TAB>text), but no line has a tab")
    names = sorted(set(real_labels))
    learnt, learnt_labels = (None, None) if train is None else labelled_texts(Path(train), reading)
    numbering = Numbering(word_like(reading), reading.lowercase, reading.spaces != "drop")
    held_out, trained, samples = (None if some is None else [*numbering.encode(some)] for some in (real, learnt, texts))
    return Evidence(
        samples=samples,
        references=held_out,
        train=trained,
        categories=numbers_of(references, real_labels, names),
        train_categories=None if learnt_labels is None or train is None else numbers_of(train, learnt_labels, names),
        sample_categories=None if labels is None else numbers_of(path, labels, names),
        category_names=names,
        vocabulary=numbering.vocabulary,
        end=numbering.vocabulary.end,
        seed=seed,
    )


def word_like(reading: CorpusSettings) -> Literal["words", "characters"]:
    """What texts are cut into to be compared.

    Raises:
        BadInput: byte pairs, which would have to be learnt first.
    """
    if reading.tokens == "bytepair":
        raise BadInput("files of samples are compared as words or characters, byte pairs would have to be learnt first")
    return reading.tokens


def labelled_texts(path: Path, reading: CorpusSettings) -> tuple[list[str], list[str] | None]:
    """The sequences of a file that are not blank, and the label of each; None where no line of a text file has one.

    Args:
        path: a table or a file of text.
        reading: the columns of text and label; of a file of text only that labels are to be looked for.

    Raises:
        BadInput: the file cannot be read, has no such column, or only some of its lines have a label.
    """
    if path.name.lower().endswith(TABLES):
        texts = read_texts(path, reading.text, reading.header)
        labels = read_labels(path, reading.label or "", reading.header)
    else:
        lines = [line for line in read_lines(path) if line.strip()]
        if not any(TAB in line for line in lines):
            return lines, None
        wrong = next((number for number, line in enumerate(lines, start=1) if TAB not in line), None)
        if wrong is not None:
            raise BadInput(
                f"sequence {wrong} of {path} must be label<TAB>text, as others are, got {lines[wrong - 1]!r}"
            )
        labels, texts = (list(column) for column in zip(*(line.split(TAB, 1) for line in lines), strict=True))
    kept = [(text, label.strip()) for text, label in zip(texts, labels, strict=True) if text.strip()]
    if not kept:
        raise BadInput(f"{path} must hold at least one sequence, but all are blank; give a file with text")
    return [text for text, _ in kept], [label for _, label in kept]


def numbers_of(path: Path | str, labels: Sequence[str], names: Sequence[str]) -> list[int]:
    """The number of each label among the names of the categories.

    Raises:
        BadInput: there is no such category.
    """
    known = {name: number for number, name in enumerate(names)}
    strange = next((label for label in labels if label not in known), None)
    if strange is not None:
        raise BadInput(f"{path} has the category {strange!r}, which the references have not: {', '.join(names)}")
    return [known[label] for label in labels]
