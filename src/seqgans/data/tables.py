"""Tables with a text column, and perhaps one of labels: `.tsv`, `.csv`, `.jsonl` (plain or gzip) and `.parquet`.

A column is named. Tab- and comma-separated files without a header line have no names: there a column is its
number, counted from 0, so `label<TAB>text` is read with `--corpus.text 1`. A number therefore says that
the first line is data, a name that it is the header; `--corpus.header` overrules both.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from seqgans.data.packages import optional_package
from seqgans.data.streaming import stream_lines
from seqgans.data.text import read_text
from seqgans.errors import BadInput

Header = Literal["auto", "yes", "no"]
DEFAULT_COLUMN = "text"
SHOWN = 24  # characters of a cell in an error message


def read_table(path: Path, column: str | None = None, header: Header = "auto") -> list[str]:
    """The texts of one column, one a row; rows whose cell is missing come as empty text.

    Args:
        path: a file whose name ends with `.tsv`, `.csv`, `.jsonl` (`.gz` allowed after each) or `.parquet`.
        column: its name, or its number from 0 in a file without header; None means "text".
        header: whether the first line of `.tsv` and `.csv` names the columns.

    Raises:
        BadInput: the file cannot be read, or has no such column; the message lists those there are.
    """
    return texts_of(path, cells_of(path, column, header, "text"))


def read_labels(path: Path, column: str, header: Header = "auto") -> list[str]:
    """The labels of one column, one a row, numbers as they are written.

    Args:
        path: as for `read_table`.
        column: its name, or its number from 0 in a file without header.
        header: whether the first line of `.tsv` and `.csv` names the columns.

    Raises:
        BadInput: as `read_table`, or a row has no label.
    """
    return labels_of(path, cells_of(path, column, header, "label"))


def read_sources(path: Path, column: str, header: Header = "auto") -> list[str]:
    """What the texts of a table answer: one column, one a row.

    Args:
        path: as for `read_table`.
        column: its name, or its number from 0 in a file without header.
        header: whether the first line of `.tsv` and `.csv` names the columns.

    Raises:
        BadInput: as `read_table`, or a row has none.
    """
    return sources_of(path, texts_of(path, cells_of(path, column, header, "source")))


def cells_of(path: Path, column: str | None, header: Header, setting: str) -> list[Any]:
    """What stands in a column that was chosen by `setting`, whatever it is.

    Args:
        path: as for `read_table`.
        column: its name, or its number from 0 in a file without header; None means "text".
        header: whether the first line of `.tsv` and `.csv` names the columns.
        setting: what chose it, for messages.

    Raises:
        BadInput: the file cannot be read, or has no such column.
    """
    kind = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if kind in ("parquet", "jsonl"):
        return cells_of_objects(path, column, setting)
    text = read_text(path)
    if not text.strip():
        raise BadInput(f"{path} must hold at least one row, but all lines are blank; give a file with text")
    if kind == "tsv":
        rows = [line.split("\t") for line in text.split("\n") if line.strip()]
    else:
        try:
            rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
        except csv.Error as error:
            raise BadInput(f"{path} must be comma-separated, but: {error}; quote its cells or save it again") from error
    return _separated(path, rows, column, header, setting)


def cells_of_objects(path: Path, column: str | None, setting: str) -> list[Any]:
    """The same of a `.parquet` or `.jsonl` file, whose columns have names and whose cells can be anything."""
    return (_parquet if path.name.lower().endswith(".parquet") else _jsonl)(path, column, setting)


def column_named(path: Path | str, column: str | None, there: Sequence[str], setting: str = "text") -> str:
    """The column to read, checked against those there are, of which one must have its name."""
    wanted = DEFAULT_COLUMN if column is None else column
    if wanted not in there:
        raise BadInput(f"{path} has no column {wanted!r}; choose one with --corpus.{setting}: {', '.join(there)}")
    if there.count(wanted) > 1:
        raise BadInput(f"{path} must have one column {wanted!r}, got {there.count(wanted)}; rename the others")
    return wanted


def usual_columns(there: Sequence[str]) -> tuple[str | None, str | None]:
    """The columns of texts and of what they answer, where neither was named and a table calls them as usual.

    >>> usual_columns(["prompt", "completion"])
    ('completion', 'prompt')
    >>> usual_columns(["messages"])
    ('messages', None)
    >>> usual_columns(["text", "prompt", "completion"])
    (None, None)
    """
    if DEFAULT_COLUMN in there:
        return None, None
    if "prompt" in there and "completion" in there:
        return "completion", "prompt"
    return ("messages", None) if "messages" in there else (None, None)


def columns_of(path: Path) -> list[str]:
    """The names of the columns of a table of objects; none where it cannot be read.

    Of a `.jsonl` file those of its first row or, where it has none of the usual ones, of the rows up to one that has.
    """
    there: dict[str, None] = {}
    try:
        if path.name.lower().endswith(".parquet"):
            return list(optional_package("pyarrow.parquet", "a .parquet file").read_schema(path).names)
        for line in stream_lines(path):
            there |= dict.fromkeys(json.loads(line))
            if DEFAULT_COLUMN in there or usual_columns(list(there)) != (None, None):
                break
    except (BadInput, OSError, ValueError, TypeError):
        return []  # whoever reads it says what is wrong
    return list(there)


def _separated(path: Path, rows: list[list[str]], column: str | None, header: Header, setting: str) -> list[str]:
    named = header == "yes" or (header == "auto" and not (column or "").isdecimal())
    first = rows[0]
    if named and (column or DEFAULT_COLUMN) in first:
        place, rows = first.index(column_named(path, column, first, setting)), rows[1:]
    elif not named and (column or "").isdecimal() and int(column or "") < len(first):
        place = int(column or "")
    else:
        shown = (cell if len(cell) <= SHOWN else cell[: SHOWN - 1] + "…" for cell in first)
        listed = ", ".join(f"{number} ({cell!r})" for number, cell in enumerate(shown))
        wanted = repr(column or DEFAULT_COLUMN)
        way = "by name, or by number where the first line is no header" if named else "by number"
        raise BadInput(f"{path} has no column {wanted}; choose one with --corpus.{setting} {way}: {listed}")
    texts = []
    for number, row in enumerate(rows, start=2 if named else 1):
        if len(row) <= place:
            raise BadInput(f"{path} must have at least {place + 1} columns, but row {number} has {len(row)}; mend it")
        texts.append(row[place])
    return texts


def _jsonl(path: Path, column: str | None, setting: str) -> list[Any]:
    lines = [line for line in read_text(path).split("\n") if line.strip()]
    if not lines:
        raise BadInput(f"{path} must hold at least one row, but all lines are blank; give a file with text")
    cells, first, without, wanted = [], [], [], column or DEFAULT_COLUMN
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadInput(f"{path} must hold one JSON object a line, but row {number} is not: {error}") from error
        if not isinstance(row, dict):
            raise BadInput(f"{path} must hold one JSON object a line, but row {number} is a {type(row).__name__}")
        first = first or list(row)
        cells.append(row.get(wanted))
        if wanted not in row:
            without.append(number)
    if len(without) == len(cells):
        column_named(path, column, first, setting)
    if without:
        raise BadInput(f"{path} must have {wanted!r} in every row, but row {without[0]} has none; mend it")
    return cells


def _parquet(path: Path, column: str | None, setting: str) -> list[Any]:
    parquet = optional_package("pyarrow.parquet", "a .parquet file")
    arrow = optional_package("pyarrow", "a .parquet file")
    try:
        with parquet.ParquetFile(path) as file:
            wanted = column_named(path, column, file.schema_arrow.names, setting)
            return file.read(columns=[wanted]).column(0).to_pylist()
    except FileNotFoundError as error:
        raise BadInput(f"a corpus must be a file that exists, but there is none at {path}; check the path") from error
    except PermissionError as error:
        raise BadInput(f"{path} must be readable, but permission was denied; change its permissions") from error
    except (arrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(
            f"{path} must be a parquet file, but cannot be read ({reason}); fetch or save it again"
        ) from error


def texts_of(path: Path | str, cells: Sequence[Any]) -> list[str]:
    """Cells as texts; a missing one is empty.

    Raises:
        BadInput: a cell is something else.
    """
    wrong = next((number for number, cell in enumerate(cells) if cell is not None and not isinstance(cell, str)), None)
    if wrong is not None:
        kind = type(cells[wrong]).__name__
        raise BadInput(
            f"{path} must hold text in that column, but row {wrong + 1} is of type {kind}; choose another column"
        )
    return [cell or "" for cell in cells]


def sources_of(path: Path | str, texts: Sequence[str]) -> list[str]:
    """Texts as sources: none may be blank.

    Raises:
        BadInput: one is.
    """
    blank = next((number for number, text in enumerate(texts, start=1) if not text.strip()), None)
    if blank is not None:
        raise BadInput(
            f"{path} must hold a source in every row, but row {blank} holds none; mend it, or take another column"
        )
    return list(texts)


def labels_of(path: Path | str, cells: Sequence[Any]) -> list[str]:
    """Cells as labels: text, whole numbers or truth values.

    Raises:
        BadInput: a cell is empty or something else.
    """
    wrong = next(
        (number for number, cell in enumerate(cells) if cell in (None, "") or not isinstance(cell, str | int)), None
    )
    if wrong is not None:
        raise BadInput(
            f"{path} must hold a label in every row, but row {wrong + 1} holds {cells[wrong]!r}; "
            "mend it or choose another column with --corpus.label"
        )
    return [str(cell) for cell in cells]
