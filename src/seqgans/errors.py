"""The ways in which a call can end without a result, each a single clear line for the user."""

from __future__ import annotations

import errno
import re


class BadInput(ValueError):
    """What was given cannot be used. The message says what must hold, what came and what to do.

    The command line prints it as one line and leaves with exit code 2.
    """


class Failed(RuntimeError):
    """The work could not be finished (a full disk, a loss that is not a number, a process that died).

    The command line prints it as one line and leaves with exit code 1.
    """


class Diverged(Failed):
    """A loss or a gradient is not a finite number; the players stand as before that update."""


def remedy(error: OSError, otherwise: str = "check the path and the disk") -> str:
    """What to do about a file that could not be read or written."""
    if error.errno == errno.EROFS:
        return "choose another place"
    return "change its permissions" if isinstance(error, PermissionError) else otherwise


def unwritten(error: OSError, what: object, stands: str, then: str = "run again") -> BadInput | Failed:
    """What to raise where a file could not be written: no permission is for the user to mend, a full disk happens.

    Args:
        error: what the system said.
        what: the file.
        stands: what became of what was there.
        then: what to do afterwards.
    """
    kind = BadInput if isinstance(error, PermissionError) or error.errno == errno.EROFS else Failed
    return kind(f"cannot write {what}: {error.strerror or error}; {stands}, {remedy(error, 'make room')} and {then}")


def misfit(error: Exception, at_most: int = 200) -> str:
    """What torch says of parameters that fit no module, in a few words: the first of them, and both shapes."""
    said = " ".join(str(error).split())
    sizes = re.search(r"size mismatch for (\S+): .*?shape torch\.Size\((.*?)\) from .*?torch\.Size\((.*?)\)", said)
    if sizes:
        name, there, here = sizes.groups()
        return f"{name} has the shape {there} there and {here} here"
    keys = re.search(r"(Missing|Unexpected) key\(s\) in state_dict: \"([^\"]+)\"", said)
    if keys:
        return f"{keys.group(2)} is {'missing there' if keys.group(1) == 'Missing' else 'not known here'}"
    return said if len(said) <= at_most else said[: at_most - 1].rstrip() + "…"
