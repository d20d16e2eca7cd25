"""Fill through the command line: results on stdout, the rest on stderr, and one line for what is wrong."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

NOTE = "this generator reads from left to right: what follows a blank does not count\n"


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines.txt"
    path.write_text("the _ sleeps\n\na cat _ and eats\nthe dog runs\n")
    return path


def test_every_line_comes_back_filled(runs: Path, call, lines: Path) -> None:
    found = call("fill", runs / "text", lines)
    assert found.code == 0
    assert found.err == f"{NOTE}line 2: blank\nline 4: no _ to fill in\n"
    first, blank, third, fourth = found.out.splitlines()
    assert (blank, fourth) == ("", "the dog runs")
    assert first.split()[::2] == ["the", "sleeps"]
    assert third.split()[:2] + third.split()[3:] == ["a", "cat", "and", "eats"]
    assert "_" not in found.out
    assert "<" not in found.out


def test_formats_show_the_same_fills(runs: Path, call, lines: Path) -> None:
    text = call("fill", runs / "text", lines, "-n", 2, "--seed", 5).out.splitlines()
    rows = [
        json.loads(line)
        for line in call("fill", runs / "text", lines, "--count=2", "--seed", 5, "--format", "jsonl").out.splitlines()
    ]
    ids = call("fill", runs / "text", lines, "-n", 2, "--seed", 5, "--format", "ids").out.split("\n")
    assert len(text) == 8
    assert [row["text"] for row in rows] == text
    assert [row["ids"] for row in rows] == [list(map(int, line.split())) for line in ids[:8]]


def test_standard_input_and_a_file_to_write(runs: Path, call, lines: Path, tmp_path: Path, monkeypatch) -> None:
    shown = call("fill", runs / "text", lines, "--blank", "_", "--temperature", 0).out
    for words in ((), ("-",)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines.read_bytes())))
        assert call("fill", runs / "text", *words, "--temperature", 0).out == shown
    out = tmp_path / "filled.txt"
    found = call("fill", runs / "text", lines, "--temperature", 0, "--out", out)
    assert (found.code, found.out) == (0, "")
    assert found.err.endswith(f"wrote 4 lines to {out}\n")
    assert out.read_text() == shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--format", "midi"), "no format is called 'midi'; choose one of: ids, jsonl, text"),
        (("-n", 0), "the number of samples must be at least 1, got 0"),
        (("--temperature", -1), "temperature must be a finite number of at least 0, got -1.0"),
        (("--out", "/nowhere/x"), "--out must be in a folder that exists, there is none at /nowhere"),
        (("--blank", "cat"), "line 1: 'cat' is in this vocabulary, so it cannot mean a blank; choose another --blank"),
    ],
)
def test_wrong_requests(words: tuple[object, ...], message: str, runs: Path, call, lines: Path) -> None:
    assert call("fill", runs / "text", lines, *words) == (2, "", f"seqgans: {message}\n")


def test_lines_that_cannot_be_read(runs: Path, call, tmp_path: Path, monkeypatch) -> None:
    found = call("fill", runs / "text", tmp_path / "nowhere.txt")
    assert (found.code, found.out) == (2, "")
    assert "there is none at" in found.err
    for content, message in (
        (b"", "at least one line of text"),
        (b"\xff", "must be UTF-8 text"),
        (b"a\0b", "zero bytes"),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        found = call("fill", runs / "text")
        assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
        assert message in found.err
    long = tmp_path / "long.txt"
    long.write_text("the cat _\nthe _ cat sleeps and runs and eats\n")
    assert call("fill", runs / "text", long) == (
        2,
        "",
        "seqgans: line 2 must have at most 5 tokens, got 8; shorten it\n",
    )
