"""A spec into a corpus."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from seqgans.choices import choice
from seqgans.data.assembly import corpus_of_texts
from seqgans.data.chat import corpus_of_talks, is_chat
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.drawn import world_corpus
from seqgans.data.hub import PREFIX, hub_corpus
from seqgans.data.kinds import CORPORA
from seqgans.data.music import music_corpus
from seqgans.data.squad import ENDINGS, corpus_of_questions, read_squad
from seqgans.data.tables import (
    Header,
    cells_of_objects,
    column_named,
    columns_of,
    read_labels,
    read_sources,
    read_table,
    usual_columns,
)
from seqgans.data.text import MOLECULES, read_lines
from seqgans.data.worlds import WORLDS
from seqgans.errors import BadInput

WORLD = "world:"
TEXTS = (".txt", ".txt.gz", *MOLECULES)
TABLES = (".tsv", ".tsv.gz", ".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet")
NESTED = (".jsonl", ".jsonl.gz", ".parquet")  # whose cells can be lists of messages
TARS = (".tar", ".tar.gz", ".tgz")

SPLITTING = ("length", "valid", "test")
FILES = ("valid_file", "test_file")
COLUMNS = ("text", "source", "source_length", "label", "header")
READING = (
    "tokens",
    "tokenizer",
    "lowercase",
    "spaces",
    "minimum_count",
    "vocabulary_size",
    "longer",
    "end",
    "stop",
    *SPLITTING,
)


def open_text_corpus(spec: str, settings: CorpusSettings, seed: int) -> Corpus:
    """The corpus that `spec` names: a world, text, a table, music or a dataset; all but an oracle.

    Args:
        spec: one of the forms in `CORPORA`.
        settings: how it is read.
        seed: how it is divided, or what is drawn.

    Raises:
        BadInput: there is no such corpus, or it cannot be used as asked; always one line.
    """
    own = CORPORA.get(spec.partition(":")[0])
    if own is not None and own.open is not None:
        return own.open(spec, settings, seed)
    if spec.startswith(WORLD):
        return world_corpus(choice(WORLDS, spec.removeprefix(WORLD), "world"), settings, seed)
    if spec.startswith(PREFIX):
        settings.check_meaning(spec, (*READING, "text", "source", "source_length", "label", "split"))
        return hub_corpus(spec, settings, seed)
    path = _existing(spec)
    if path.is_dir() or path.name.lower().endswith(TARS):
        settings.check_meaning(spec, (*SPLITTING, *FILES, "step", "track"))
        return music_corpus(spec, path, settings, seed)
    files = {"train": spec, "valid": settings.valid_file, "test": settings.test_file}
    paths = {split: Path(file) for split, file in files.items() if file is not None}
    if path.name.lower().endswith(ENDINGS):
        settings.check_meaning(spec, (*READING, *FILES, "source_length"))
        readers = {split: functools.partial(read_squad, path) for split, path in paths.items()}
        return corpus_of_questions(spec, readers, settings, seed)
    kind = "text" if path.name.lower().endswith(TEXTS) else "table"
    settings.check_meaning(spec, (*READING, *FILES, *(COLUMNS if kind == "table" else ())))
    if path.name.lower().endswith(NESTED) and settings.text is None and (there := columns_of(path)):
        if settings.source is None:
            text, source = usual_columns(there)
            settings = dataclasses.replace(settings, text=text, source=source)
        else:
            column_named(path, settings.source, there, "source")
    label, text, source = settings.label, settings.text, settings.source
    for setting, column in (("label", label), ("source", source)):
        if column is not None and settings.header == "auto" and column.isdecimal() != (text or "").isdecimal():
            raise BadInput(
                f"--corpus.text and --corpus.{setting} must both be names, or both be numbers (then the first line is "
                f"no header), got {text or 'text'} and {column}"
            )
    if path.name.lower().endswith(NESTED) and is_chat(cells_of_objects(path, text, "text")):
        talks = {split: (path, functools.partial(cells_of_objects, path)) for split, path in paths.items()}
        return corpus_of_talks(spec, talks, settings, seed)
    if source is None and settings.source_length is not None:
        raise BadInput("--corpus.source-length needs --corpus.source, the column of what texts answer; name it too")
    if source is not None and source == (text or "text"):
        raise BadInput(f"--corpus.source must be another column than --corpus.text, got {source!r} for both")
    given = {split: read_texts(path, text, settings.header) for split, path in paths.items()}
    labels = label and {split: read_labels(path, label, settings.header) for split, path in paths.items()}
    sources = source and {split: read_sources(path, source, settings.header) for split, path in paths.items()}
    return corpus_of_texts(spec, given, settings, seed, {"kind": kind}, labels or None, sources or None)


def read_texts(path: Path, column: str | None = None, header: Header = "auto") -> list[str]:
    """The sequences of a text file or a table, one a line or row, blank ones included.

    Args:
        path: a file whose ending says what it is.
        column: the text column of a table; None means "text".
        header: whether the first line of a table names its columns.

    Raises:
        BadInput: the file cannot be read, or is of another kind.
    """
    name = _existing(str(path)).name.lower()
    if name.endswith(TEXTS):
        if column is not None:
            raise BadInput(f"{path} is text without columns, but --corpus.text is {column}; leave that setting out")
        return read_lines(path)
    if name.endswith(TABLES):
        return read_table(path, column, header)
    raise BadInput(f"{path} must end with one of {', '.join((*TEXTS, *TABLES))}; rename or convert it")


def _existing(spec: str) -> Path:
    """The path, if there is something."""
    path = Path(spec)
    try:
        there = path.exists()
    except PermissionError as error:
        raise BadInput(f"{spec} must be readable, but permission was denied; change its permissions") from error
    if not there and path.is_symlink():
        raise BadInput(f"{spec} must be a readable file, but is a link that leads nowhere; check the path")
    if not there:
        examples = ", ".join(kind.example for kind in CORPORA.values())
        raise BadInput(f"no file or corpus is called {spec!r}; give a path or a spec such as: {examples}")
    if (path.is_dir() and (path / "dataset_info.json").exists()) or (path / "dataset_dict.json").exists():
        raise BadInput(f"{spec} is a folder that the datasets library saved; give it as {PREFIX}{spec}")
    return path
