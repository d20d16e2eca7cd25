"""Looking a name up in a table, with an error that names the nearest and lists all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from seqgans.errors import BadInput

T = TypeVar("T")


def choice(table: Mapping[str, T], name: str, kind: str) -> T:
    """The entry of `table` called `name`.

    Args:
        table: what there is, by name.
        name: what was asked for.
        kind: what the table holds, in the singular ("algorithm").

    Raises:
        BadInput: no entry has that name; the message names the nearest and lists all.
    """
    if name not in table:
        close = nearest(name, table)
        asked = f"did you mean {close}? " if close else ""
        raise BadInput(f"no {kind} is called {name!r}; {asked}choose one of: {', '.join(sorted(table))}")
    return table[name]


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that is spelled most like `name`, None where none is like it.

    >>> nearest("seqgn", ["relgan", "seqgan"]), nearest("x", ["relgan", "seqgan"])
    ('seqgan', None)
    """
    return next(iter(get_close_matches(name, list(names), n=1)), None)
