"""Datasets of the `datasets` library: by hub name, or a folder that the library saved."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

from seqgans.data.assembly import corpus_of_texts
from seqgans.data.chat import corpus_of_talks, is_chat
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.packages import optional_package
from seqgans.data.squad import SQUAD, corpus_of_questions, is_squad, questions_of, rows_of
from seqgans.data.tables import column_named, labels_of, sources_of, texts_of, usual_columns
from seqgans.errors import BadInput

PREFIX = "hf:"
FIRST = 100  # rows that show what a column holds
SPLIT_NAMES = {"train": ("train",), "valid": ("validation", "valid", "dev"), "test": ("test",)}


def hub_corpus(name: str, settings: CorpusSettings, seed: int) -> Corpus:
    """A dataset as a corpus.

    Args:
        name: `hf:NAME`, `hf:NAME:CONFIGURATION`, or `hf:FOLDER` written by `save_to_disk`.
        settings: `text`, `source` and `label` choose columns (the first by default "text"), `split` one split to
            divide; without it, the splits called train, validation and test are used, and what is missing is taken
            from train.
        seed: how rows are divided.

    Raises:
        BadInput: the dataset cannot be loaded, or has no such split or column.
    """
    loaded = _load(name)
    parts: dict[str, Any] = dict(loaded) if hasattr(loaded, "keys") else {"train": loaded}
    if settings.split is not None:
        if settings.split not in parts:
            raise BadInput(f"{name} has no split {settings.split!r}; choose --corpus.split from: {', '.join(parts)}")
        parts = {"train": parts[settings.split]}
    chosen = {split: next((n for n in names if n in parts), None) for split, names in SPLIT_NAMES.items()}
    if chosen["train"] is None:
        raise BadInput(f"{name} has no split 'train'; choose --corpus.split from: {', '.join(parts)}")
    rows = {split: parts[part] for split, part in chosen.items() if part is not None}
    there = rows["train"].column_names
    if settings.source is not None:
        column_named(name, settings.source, there, "source")
    if settings.text is None and settings.source is None:
        if is_squad(there):
            asked = {split: rows_of(*(list(part[name]) for name in SQUAD)) for split, part in rows.items()}
            readers = {split: functools.partial(questions_of, name, found) for split, found in asked.items()}
            return corpus_of_questions(name, readers, settings, seed)
        text, source = usual_columns(there)
        settings = dataclasses.replace(settings, text=text, source=source)
    if is_chat(_column(name, rows["train"].select(range(min(FIRST, len(rows["train"])))), settings.text, "text")):
        talks = {split: (name, functools.partial(_column, name, part)) for split, part in rows.items()}
        return corpus_of_talks(name, talks, settings, seed)
    texts = {split: texts_of(name, _column(name, part, settings.text, "text")) for split, part in rows.items()}
    labels = None
    if settings.label is not None:
        labels = {split: labels_of(name, _column(name, part, settings.label, "label")) for split, part in rows.items()}
    sources = None
    if settings.source is not None:
        read = {split: texts_of(name, _column(name, part, settings.source, "source")) for split, part in rows.items()}
        sources = {split: sources_of(name, part) for split, part in read.items()}
    return corpus_of_texts(name, texts, settings, seed, {"kind": "hf"}, labels, sources)


def _column(name: str, rows: Any, column: str | None, setting: str) -> list[Any]:
    return list(rows[column_named(name, column, rows.column_names, setting)])


def _load(name: str) -> Any:
    """A dataset, or a dictionary of them."""
    datasets = optional_package("datasets", "hf:NAME")
    place = name.removeprefix(PREFIX)
    if not place:
        raise BadInput("hf: must be followed by the name of a dataset or a folder, got nothing; for example hf:imdb")
    try:
        if Path(place).is_dir():
            return datasets.load_from_disk(place)
        dataset, _, configuration = place.partition(":")
        return datasets.load_dataset(dataset, configuration or None)
    except Exception as error:  # the library lets through whatever its network and file layers raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise BadInput(
            f"{name} must be a dataset that can be loaded, but: {reason}; check the name and the network, or give a "
            "folder written by save_to_disk"
        ) from error
