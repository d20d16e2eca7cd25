"""A call of the command line in one of two processes that writes down which threads are left when it has ended.

accelerate launch … parting_processes.py FOLDER train --config …
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from seqgans.__main__ import run

TASKS = Path("/proc/self/task")


def main() -> int:
    code = run(sys.argv[2:])
    left = sorted((task / "comm").read_text().strip() for task in TASKS.iterdir())
    Path(sys.argv[1], f"threads-{os.environ['RANK']}.json").write_text(json.dumps(left))
    return code


if __name__ == "__main__":
    sys.exit(main())
