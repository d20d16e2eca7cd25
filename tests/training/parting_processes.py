"""A run in one of two processes that writes down which threads are left when Python shuts down.

accelerate launch … parting_processes.py FOLDER cli|python SETTINGS
"""

from __future__ import annotations

import atexit
import json
import os
import sys
from pathlib import Path

import seqgans
from seqgans.__main__ import run

TASKS = Path("/proc/self/task")


def note() -> None:
    """Write down the names of this process's threads."""
    left = sorted((task / "comm").read_text().strip() for task in TASKS.iterdir())
    Path(sys.argv[1], f"threads-{os.environ['RANK']}.json").write_text(json.dumps(left))


def main() -> int:
    folder, way, settings = sys.argv[1:]
    atexit.register(note)  # what is registered first is called last
    out = Path(folder, "two")
    if way == "cli":
        return run(["train", "--config", settings, "--out", str(out)])
    seqgans.train(seqgans.Recipe.from_yaml(Path(settings).read_text()), out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
