"""Tables: columns by name and by number, and the exact line for a column that is not there."""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
from pathlib import Path

import pytest

from seqgans.data.corpus import CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.data.tables import read_table
from seqgans.errors import BadInput


def made(path: Path, content: str) -> Path:
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    return path


def refused(path: Path, *arguments: str | None) -> str:
    with pytest.raises(BadInput) as error:
        read_table(path, *arguments)  # pyright: ignore[reportArgumentType]
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_tsv_without_header_by_number(tmp_path: Path, ending: str) -> None:
    path = made(tmp_path / f"a.tsv{ending}", '1\tan "odd line\n0\tb c\n\n')
    assert read_table(path, "1") == ['an "odd line', "b c"]
    assert read_table(path, "0") == ["1", "0"]


def test_tsv_with_header_by_name(tmp_path: Path) -> None:
    path = made(tmp_path / "a.tsv", "label\ttext\n1\ta b\n0\tc\n")
    assert read_table(path) == read_table(path, "text") == ["a b", "c"]
    assert read_table(path, "label") == ["1", "0"]


def test_header_can_be_said(tmp_path: Path) -> None:
    path = made(tmp_path / "a.tsv", "0\t1\n5\tx\n")
    assert read_table(path, "1") == ["1", "x"]
    assert read_table(path, "1", "yes") == ["x"]
    assert refused(path, "text", "no") == (
        f"{path} has no column 'text'; choose one with --corpus.text by number: 0 ('0'), 1 ('1')"
    )


def test_csv_with_quotes_and_line_ends_in_cells(tmp_path: Path) -> None:
    path = made(tmp_path / "a.csv", 'text,n\n"a, ""b""\nc",1\r\nd,2\n')
    assert read_table(path) == ['a, "b"\nc', "d"]
    assert read_table(made(tmp_path / "b.csv.gz", "1,a\n2,b\n"), "1") == ["a", "b"]


def test_damaged_csv(tmp_path: Path) -> None:
    path = made(tmp_path / "a.csv", 'text\n"a')
    assert refused(path).startswith(f"{path} must be comma-separated, but: ")


def test_jsonl(tmp_path: Path) -> None:
    rows = [{"text": "a b", "n": 1}, {"n": 2, "text": None}]
    path = made(tmp_path / "a.jsonl.gz", "\n".join(map(json.dumps, rows)) + "\n")
    assert read_table(path) == ["a b", ""]
    assert refused(path, "body") == f"{path} has no column 'body'; choose one with --corpus.text: text, n"
    assert (
        refused(path, "n") == f"{path} must hold text in that column, but row 1 is of type int; choose another column"
    )


def test_damaged_jsonl(tmp_path: Path) -> None:
    path = made(tmp_path / "a.jsonl", '{"text": "a"}\n{"text"\n')
    assert refused(path).startswith(f"{path} must hold one JSON object a line, but row 2 is not: ")
    path = made(tmp_path / "a.jsonl", "[1]\n")
    assert refused(path) == f"{path} must hold one JSON object a line, but row 1 is a list"


def test_parquet(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    parquet.write_table(arrow.table({"text": ["a b", None], "label": [0, 1]}), path)
    assert read_table(path) == ["a b", ""]
    assert refused(path, "body") == f"{path} has no column 'body'; choose one with --corpus.text: text, label"
    assert refused(path, "label").endswith("row 1 is of type int; choose another column")
    path.write_bytes(path.read_bytes()[:-8])
    assert refused(path).startswith(f"{path} must be a parquet file, but cannot be read (")
    absent = tmp_path / "b.parquet"
    assert refused(absent) == f"a corpus must be a file that exists, but there is none at {absent}; check the path"


def test_a_name_that_two_columns_have(tmp_path: Path) -> None:
    """Mutants killed: the first of them taken, in any kind of table; other columns' names asked about as well."""
    header = ["text", "other", "text", "other", "one"]
    rows = [header, ["a", "b", "c", "d", "e"]]
    for separator, name in (("\t", "a.tsv"), (",", "a.csv")):
        path = made(tmp_path / name, "".join(f"{separator.join(row)}\n" for row in rows))
        assert refused(path) == f"{path} must have one column 'text', got 2; rename the others"
        assert read_table(path, "one") == ["e"]
        assert read_table(path, "2", "no") == ["text", "c"]
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    parquet.write_table(arrow.table([arrow.array([cell]) for cell in rows[1]], names=header), path)
    assert refused(path, "other") == f"{path} must have one column 'other', got 2; rename the others"
    assert read_table(path, "one") == ["e"]


def test_wrong_column_lists_those_there_are(tmp_path: Path) -> None:
    path = made(tmp_path / "a.tsv", "1\tit helps that the principals are experienced\n")
    there = "0 ('1'), 1 ('it helps that the princ…')"
    assert refused(path) == (
        f"{path} has no column 'text'; choose one with --corpus.text by name, or by number where the first line is no "
        f"header: {there}"
    )
    assert refused(path, "2") == f"{path} has no column '2'; choose one with --corpus.text by number: {there}"


def test_a_short_row_is_named(tmp_path: Path) -> None:
    path = made(tmp_path / "a.tsv", "label\ttext\n1\ta\n0\n")
    assert refused(path) == f"{path} must have at least 2 columns, but row 3 has 1; mend it"


@pytest.mark.parametrize("name", ["a.tsv", "a.csv", "a.jsonl"])
def test_empty_and_blank_tables(tmp_path: Path, name: str) -> None:
    path = made(tmp_path / name, "")
    assert refused(path) == f"{path} must hold at least one line, but it is empty; give a file with text"
    path = made(path, "\n \n")
    assert refused(path) == f"{path} must hold at least one row, but all lines are blank; give a file with text"


def test_prompts_and_completions_are_known_by_their_names(tmp_path: Path) -> None:
    """Where there is a column called text, or one was named, they are columns like others."""
    path, settings = tmp_path / "pairs.jsonl", CorpusSettings(valid=0.0, test=0.0)
    rows = [{"prompt": f"p{number}", "completion": f"c{number} d"} for number in range(6)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    corpus = open_text_corpus(str(path), settings, 0)
    assert corpus.train.source is not None
    assert {len(row) for row in corpus.train.lists()} == {2}
    named = open_text_corpus(str(path), dataclasses.replace(settings, text="prompt"), 0)
    assert named.train.source is None
    path.write_text("".join(f"{json.dumps({**row, 'text': 'one two three'})}\n" for row in rows))
    assert open_text_corpus(str(path), settings, 0).train.source is None


@pytest.mark.parametrize("without", ["prompt", "completion"])
@pytest.mark.parametrize("row", [1, 2, 6])
def test_a_row_without_a_usual_column_is_named(tmp_path: Path, without: str, row: int) -> None:
    """The first row as well, though it is the one that names the columns."""
    path = tmp_path / "pairs.jsonl"
    rows = [{"prompt": f"p{number}", "completion": f"c{number} d"} for number in range(6)]
    del rows[row - 1][without]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with pytest.raises(
        BadInput, match=f"^{re.escape(str(path))} must have '{without}' in every row, but row {row} has"
    ):
        open_text_corpus(str(path), CorpusSettings(valid=0.0, test=0.0), 0)
    with pytest.raises(BadInput, match=f"must have '{without}' in every row, but row {row} has none; mend it"):
        read_table(path, without)
    with pytest.raises(BadInput, match=r"has no column 'other'; choose one with --corpus\.text: "):
        read_table(path, "other")
