"""Text files, plain or gzip: one sequence a line."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from seqgans.errors import BadInput

MOLECULES = (".smi", ".smi.gz")  # a SMILES string a line, and mostly a name behind it


def read_bytes(path: Path) -> bytes:
    """What a file holds, unpacked when its name ends with `.gz`.

    Raises:
        BadInput: there is no such file, it may not be read, it is a folder, empty, or damaged gzip.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise BadInput(f"a corpus must be a file that exists, but there is none at {path}; check the path") from error
    except PermissionError as error:
        raise BadInput(f"{path} must be readable, but permission was denied; change its permissions") from error
    except OSError as error:
        raise BadInput(f"{path} must be a readable file, but: {error.strerror}; check the path") from error
    if path.suffix.lower() == ".gz" and content:
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise BadInput(f"{path} must be gzip, but cannot be unpacked ({error}); fetch or pack it again") from error
    if not content:
        raise BadInput(f"{path} must hold at least one line, but it is empty; give a file with text")
    return content


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, its line ends made those of Unix.

    Raises:
        BadInput: as `read_bytes`, or the content is not UTF-8 text.
    """
    return text_of(read_bytes(path), str(path))


def text_of(content: bytes, source: str) -> str:
    """UTF-8 as text, its line ends made those of Unix.

    Args:
        content: what was read.
        source: where from, for messages.

    Raises:
        BadInput: it is not UTF-8 text.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{source} must be UTF-8 text, but byte {error.start} is not; convert it (iconv -t utf-8) or check the path"
        ) from error
    if "\0" in text:
        raise BadInput(f"{source} must be UTF-8 text, but holds zero bytes, so it is binary; check the path")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, blank ones included, line ends left out; of a file of molecules, what is before names.

    Raises:
        BadInput: as `read_text`, or all lines are blank.
    """
    lines = lines_of(read_text(path), str(path))
    if path.name.lower().endswith(MOLECULES):
        return [line.split()[0] if line.strip() else "" for line in lines]
    return lines


def lines_of(text: str, source: str) -> list[str]:
    """The lines of a text.

    Raises:
        BadInput: all lines are blank.
    """
    if not text.strip():
        raise BadInput(f"{source} must hold at least one line of text, but all are blank; give a file with text")
    return text.removesuffix("\n").split("\n")
