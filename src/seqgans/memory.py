"""Memory that could not be had, whatever library says so in whatever words."""

from __future__ import annotations

import errno
import re

WORDS = (
    *("can't allocate memory", "Cannot allocate memory", "not enough memory", "out of memory", "bad allocation"),
    *("Storage size calculation overflowed", "std::bad_alloc"),
)


def shortage(error: BaseException) -> str:
    """What to say of an error, or of what it came from, where memory could not be had; empty where that was not so.

    >>> shortage(MemoryError())
    'there is not enough memory'
    >>> shortage(ValueError("out of range"))
    ''
    """
    cause: BaseException | None = error
    while cause is not None:
        said = str(cause)
        short = isinstance(cause, MemoryError) or (isinstance(cause, OSError) and cause.errno == errno.ENOMEM)
        if short or any(word in said for word in WORDS):
            asked = re.search(r"tried to allocate (\d+) bytes", said)
            much = f": {int(asked[1]) / (1 << 30):,.1f} GiB were asked for at once" if asked else ""
            return f"there is not enough memory{much}"
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return ""
