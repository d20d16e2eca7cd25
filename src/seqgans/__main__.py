"""The command `seqgans`, also as `python -m seqgans`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def run(words: Sequence[str] | None = None) -> int:
    """Carry out a call of the command line.

    Args:
        words: what follows the command's name; None takes it from the shell.

    Returns:
        The exit code: 0, 1 (failed), 2 (bad input) or 130 (interrupted).
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # huge pages for tensors; PyTorch reads it once
    try:
        from seqgans.cli.entry import carry_out

        return carry_out(sys.argv[1:] if words is None else list(words))
    except KeyboardInterrupt:  # before anything could be told to wait for it
        sys.stderr.write("seqgans: interrupted\n")
        return 130


if __name__ == "__main__":
    sys.exit(run())
