"""Text files and all the ways in which they can be unusable, each with its exact line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from seqgans.data.text import read_bytes, read_lines
from seqgans.errors import BadInput


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as error:
        read_lines(path)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_lines_are_split_at_line_ends_only(tmp_path: Path, name: str) -> None:
    content = "\ufeffone two\r\n\nthree\u2028four\x85five\n".encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert read_lines(path) == ["one two", "", "three\u2028four\x85five"]


def test_a_missing_last_line_end_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\nb")
    assert read_lines(tmp_path / "a.txt") == ["a", "b"]


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    assert refused(path) == f"a corpus must be a file that exists, but there is none at {path}; check the path"


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.touch()
    assert refused(path) == f"{path} must hold at least one line, but it is empty; give a file with text"
    packed = tmp_path / "a.txt.gz"
    packed.write_bytes(gzip.compress(b""))
    assert refused(packed) == f"{packed} must hold at least one line, but it is empty; give a file with text"


def test_only_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n  \n\t\n")
    assert refused(path) == f"{path} must hold at least one line of text, but all are blank; give a file with text"


def test_binary_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"abc\n\xff\xfe\x01")
    assert refused(path) == (
        f"{path} must be UTF-8 text, but byte 4 is not; convert it (iconv -t utf-8) or check the path"
    )
    path.write_bytes(b"abc\n\0\1")
    assert refused(path) == f"{path} must be UTF-8 text, but holds zero bytes, so it is binary; check the path"


DAMAGED = gzip.compress(b"some text" * 99, mtime=0)[:-9]


@pytest.mark.parametrize("content", [b"plain text", DAMAGED], ids=["not gzip", "cut short"])
def test_damaged_gzip(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(content)
    assert refused(path).startswith(f"{path} must be gzip, but cannot be unpacked (")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"

    def denied(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)  # the owner of this process may be root, who may read all
    assert refused(path) == f"{path} must be readable, but permission was denied; change its permissions"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="must be a readable file, but: Is a directory; check the path"):
        read_bytes(tmp_path)
