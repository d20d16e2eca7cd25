"""Texts as they are handed over: a file, or in Python a list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from seqgans.errors import BadInput

Given = Path | str | Sequence[str]
"""The path of a file (a string is one too), or a list of texts."""


def checked_texts(texts: object, name: str) -> list[str]:
    """The texts of a list.

    Args:
        texts: what was handed over: anything that can be gone through.
        name: what it is called where it is refused ("text", "sample").

    Raises:
        BadInput: it is nothing of the kind, or one of them is no text.
    """
    if not isinstance(texts, Iterable):
        raise BadInput(f"texts must be a list of them, or the path of a file, got {texts!r}")
    found = []
    for text in texts:
        if not isinstance(text, str):
            raise BadInput(f"each {name} must be text, got {text!r}")
        found.append(text)
    return found


def called(given: Given) -> str:
    """What texts are called in a message: the path of a file, or a list."""
    return str(given) if isinstance(given, Path | str) else "the list"
