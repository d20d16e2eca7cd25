"""What loads PyTorch: imported when somebody first asks for it, so that the studio is there at once."""

from __future__ import annotations

import threading
from importlib import import_module

HEAVY = ("seqgans.web.readings", "seqgans.web.scores", "seqgans.verbs.fill", "seqgans.verbs.sample")
HEAVY += ("seqgans.report.sections", "seqgans.training.folder")
_one_at_a_time = threading.Lock()


def load_heavy() -> None:
    """Import all of it; requests come in threads, and two that import at the same time see half of a module."""
    with _one_at_a_time:
        for name in HEAVY:
            import_module(name)
