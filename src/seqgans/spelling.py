"""The nearest of some names to one that does not exist."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that is spelled most like `name`, None where none is like it.

    >>> nearest("seqgn", ["relgan", "seqgan"]), nearest("x", ["relgan", "seqgan"])
    ('seqgan', None)
    """
    from difflib import get_close_matches  # eight milliseconds that only a wrong name costs

    return next(iter(get_close_matches(name, list(names), n=1)), None)


def asked(name: str, names: Iterable[str]) -> str:
    """A question for a message on a name that does not exist, a space before it; empty where none is like it.

    >>> asked("seqgn", ["relgan", "seqgan"]), asked("x", ["relgan", "seqgan"])
    (' did you mean seqgan?', '')
    """
    close = nearest(name, names)
    return f" did you mean {close}?" if close else ""
