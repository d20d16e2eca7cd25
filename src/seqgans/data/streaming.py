"""Files that are larger than memory: their lines one after another, and their symbols as ids while they are read."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from seqgans.data.text import MOLECULES
from seqgans.data.vocabulary import END, UNKNOWN, Vocabulary, pieces_of
from seqgans.errors import BadInput


def stream_lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 text file that are not blank, plain or `.gz`, without ends; of molecules without names.

    Raises:
        BadInput: it cannot be read, is damaged gzip, is not UTF-8 text, or all lines are blank.
    """
    packed, molecules = path.suffix.lower() == ".gz", path.name.lower().endswith(MOLECULES)
    number = found = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8-sig") if packed else path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if "\0" in line:
                    raise BadInput(f"{path} must be UTF-8 text, but line {number} holds zero bytes; check the path")
                if line.strip():
                    found += 1
                    yield line.split()[0] if molecules else line.rstrip("\n")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path} must be UTF-8 text, but line {number + 1} or one soon after it is not; convert it (iconv -t utf-8)"
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadInput(f"{path} must be gzip, but cannot be unpacked ({error}); fetch or pack it again") from error
    except OSError as error:
        raise BadInput(f"{path} must be a readable file, but: {error.strerror}; check the path") from error
    if not found:
        raise BadInput(f"{path} must hold at least one sequence, but all are blank; give a file with text")


class Numbering:
    """Symbols and their ids, in the order in which they are first seen.

    Args:
        kind: what one symbol is.
        lowercase: make texts lower-case first.
        spaces: keep spaces as symbols, for characters.
    """

    def __init__(self, kind: Literal["words", "characters"], lowercase: bool = False, spaces: bool = True) -> None:
        self.kind: Literal["words", "characters"] = kind
        self.lowercase = lowercase
        self.spaces = spaces
        self.ids = {END: 0, UNKNOWN: 1}

    def encode(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """The ids of each text, one after another; new symbols get new ids.

        >>> numbering = Numbering("words")
        >>> list(numbering.encode(["a man", "a dog"])), numbering.vocabulary.decode([4, 3])
        ([[2, 3], [2, 4]], 'dog man')
        """
        ids = self.ids
        for text in texts:
            (row,) = pieces_of([text], self.kind, lowercase=self.lowercase, spaces=self.spaces)
            yield [ids.setdefault(symbol, len(ids)) or 1 for symbol in row]  # the word "<end>" ends nothing

    @property
    def vocabulary(self) -> Vocabulary:
        """All symbols so far."""
        return Vocabulary(tuple(self.ids), self.kind, 0, 0, 1, self.lowercase, self.spaces)
