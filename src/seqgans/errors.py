"""The two ways in which a call can end without a result, each a single clear line for the user."""

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
