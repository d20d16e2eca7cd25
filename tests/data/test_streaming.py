"""Reading line by line gives what reading at once gives, and refuses what that refuses."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from seqgans.data.streaming import Numbering, stream_lines
from seqgans.data.text import read_lines
from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput

TEXT = "A man\r\n\n  a <unk> dog  \n\ta\tman <end>\nlast"


def test_lines_are_those_that_are_not_blank(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.txt", tmp_path / "a.txt.gz"
    plain.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    packed.write_bytes(gzip.compress(TEXT.encode()))
    wanted = [line for line in read_lines(plain) if line.strip()]
    assert list(stream_lines(plain)) == list(stream_lines(packed)) == wanted
    assert len(wanted) == 4


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"\n \n", "must hold at least one sequence, but all are blank"),
        ("a.txt", b"a\nb\n\xff\xfe", "must be UTF-8 text, but line 1 or one soon after it is not"),
        ("a.txt", b"a\nb\0\n", "line 2 holds zero bytes"),
        ("a.txt.gz", b"not packed", "must be gzip"),
        ("a.txt.gz", gzip.compress(b"a b c\n" * 99, mtime=0)[:-9], "must be gzip, but cannot be unpacked"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=message):
        list(stream_lines(tmp_path / name))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="must be a readable file, but: No such file"):
        list(stream_lines(tmp_path / "none.txt"))


@pytest.mark.parametrize("kind", ["words", "characters"])
@pytest.mark.parametrize("lowercase", [True, False])
def test_ids_mean_what_a_vocabulary_of_all_means(kind, lowercase: bool) -> None:
    """Other ids for the same symbols. Kills: specials that get new ids, case or spaces lost."""
    texts = [line for line in TEXT.splitlines() if line.strip()]
    numbering = Numbering(kind, lowercase, spaces=False)
    found = list(numbering.encode(iter(texts)))
    other = Vocabulary.build(texts, kind, lowercase=lowercase, spaces=False)
    assert set(numbering.vocabulary.symbols) == set(other.symbols)
    for ids, text in zip(found, texts, strict=True):
        assert numbering.vocabulary.encode(text) == ids
        assert numbering.vocabulary.decode(ids) == other.decode(other.encode(text))


def test_molecules_come_without_their_names(tmp_path: Path) -> None:
    """References are streamed, samples read at once: names in one of them alone would be other strings."""
    file, packed = tmp_path / "a.smi", tmp_path / "a.SMI.gz"
    file.write_text("CCO ethanol\nCCN\tan amine\n\nC\n")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    for each in (file, packed):
        assert list(stream_lines(each)) == [line for line in read_lines(each) if line] == ["CCO", "CCN", "C"]
