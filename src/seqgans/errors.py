"""The ways in which a call can end without a result, each a single clear line for the user."""

from __future__ import annotations


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
    return "change its permissions" if isinstance(error, PermissionError) else otherwise


def unwritten(error: OSError, what: object, stands: str, then: str = "run again") -> BadInput | Failed:
    """What to raise where a file could not be written: no permission is for the user to mend, a full disk happens.

    Args:
        error: what the system said.
        what: the file.
        stands: what became of what was there.
        then: what to do afterwards.
    """
    kind = BadInput if isinstance(error, PermissionError) else Failed
    return kind(f"cannot write {what}: {error.strerror or error}; {stands}, {remedy(error, 'make room')} and {then}")
