"""What many tests share: one thread, and the folder of real corpora where there is one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("any machine", deadline=None)  # a busy one is no failure
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real corpora, from SEQGANS_DATA or beside the checkout."""
    folder = Path(os.environ.get("SEQGANS_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no corpora at {folder}; set SEQGANS_DATA to the folder that holds them")
    return folder
