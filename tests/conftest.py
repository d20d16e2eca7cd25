"""What many tests share: one thread, the folder of real corpora where there is one, a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings

CHROMIUM = os.environ.get("SEQGANS_CHROMIUM") or shutil.which("chromium") or ""

torch.set_num_threads(1)
settings.register_profile("any machine", deadline=None)  # a busy one is no failure
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A learning run takes minutes, and many more where others run beside it: an hour each, against what hangs."""
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real corpora, from SEQGANS_DATA or beside the checkout."""
    folder = Path(os.environ.get("SEQGANS_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no corpora at {folder}; set SEQGANS_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real one, without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright (of the extra [dev]) is not installed")
    if not CHROMIUM:
        pytest.skip("no chromium is installed: apt-get install chromium, or set SEQGANS_CHROMIUM to one")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A tab. What its console says against us fails the test."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(60_000)  # milliseconds; a busy machine is no failure
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert not said
