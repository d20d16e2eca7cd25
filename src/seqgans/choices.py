"""Looking a name up in a table, with an error that names the nearest and lists all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from seqgans.errors import BadInput
from seqgans.spelling import asked

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
        raise BadInput(f"no {kind} is called {name!r};{asked(name, table)} choose one of: {', '.join(sorted(table))}")
    return table[name]
