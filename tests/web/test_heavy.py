"""Requests that come at the same time load PyTorch once, and none sees half of a module."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys, threading
from seqgans.web.heavy import HEAVY, load_heavy
assert "torch" not in sys.modules
wrong = []
def ask(name):
    try:
        load_heavy()
        assert all(one in sys.modules for one in HEAVY)
        __import__(name)
    except BaseException as error:
        wrong.append(repr(error))
threads = [threading.Thread(target=ask, args=(name,)) for name in HEAVY * 3]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(wrong)
"""


def test_threads_that_ask_at_once_all_get_whole_modules() -> None:
    """Kills: a list that lacks one of them, or that loads PyTorch as soon as it is read."""
    found = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (found.stdout.strip(), found.returncode) == ("[]", 0), found.stderr
