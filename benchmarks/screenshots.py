"""The screenshots of docs/studio.md and of the comparison page, in a headless Chromium.

    python benchmarks/screenshots.py RUNS... --out docs                   # each view of a studio over some runs
    python benchmarks/screenshots.py --compare RUNS... --out docs         # the page of `seqgans compare RUNS...`

Judges of the Turing test are played by chance, so its scores say nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from seqgans.report.page import comparison_page
from seqgans.verbs.compare import compare
from seqgans.web.items import draw_items
from seqgans.web.runs import Runs
from seqgans.web.store import REAL, Store

WIDE, PHONE = {"width": 1180, "height": 960}, {"width": 400, "height": 640}
COLOURS = 256
PATIENCE = 90_000  # milliseconds


def judged(runs: Runs, store: Store, names: list[str]) -> str:
    """A test of which half is answered; the token of a judge who is not done."""
    store.begin(draw_items({name: runs.path(name) for name in names}, 10).items)
    chance = random.Random(0)
    tokens = [store.add_judge(name).token for name in ("Ada", "Bo", "Chen", "Dede")]
    with store.connected() as connection:
        sources = dict(connection.execute("SELECT id, source FROM items"))
    for token, share in zip(tokens, (1.0, 1.0, 0.8, 0.3), strict=True):
        for _ in range(int(share * len(sources))):
            item = store.item_for(token)
            if item is not None:
                taken = chance.random() < (0.75 if sources[item["id"]] == REAL else 0.5)
                store.answer(token, item["id"], taken, chance.uniform(2, 9))
    return tokens[-1]


def shots(browser: Any, link: str, token: str, names: list[str], out: Path) -> None:
    """One picture a view, and one of judging on a phone."""
    root = link.partition("/enter")[0]
    page = browser.new_context(viewport=WIDE).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(link)
    page.locator(f'[data-run="{names[0]}"]').click()
    page.wait_for_selector("#curves svg")
    taken(page, out / "studio-live.png")
    page.goto(f"{root}/turing")
    page.wait_for_selector("#table tr")
    taken(page, out / "studio-turing.png", full_page=True)
    page.goto(f"{root}/play")
    page.wait_for_selector("#run-0 option", state="attached")
    for side, name in enumerate(names[:2]):
        page.locator(f"#run-{side}").select_option(name)
    page.locator("#stretch").check()
    page.get_by_role("button", name="Write").click()
    page.wait_for_selector(".written")
    page.locator(".written").nth(1).locator(".token").nth(3).focus()
    taken(page, out / "studio-play.png")
    phone = browser.new_context(viewport=PHONE, color_scheme="dark").new_page()
    phone.set_default_timeout(PATIENCE)
    for where, name in ((page, "studio-judge.png"), (phone, "studio-judge-phone.png")):
        where.goto(f"{root}/judge/{token}")
        where.wait_for_selector("#item > *")
        taken(where, out / name)


def page_shots(browser: Any, html: str, out: Path) -> None:
    """The plane of quality and diversity, and the top of the page on a phone in the dark."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(html)
        for size, scheme, part, name in (
            ({"width": 980, "height": 900}, "light", "#plane", "page.png"),
            ({"width": 400, "height": 760}, "dark", "", "page-phone.png"),
        ):
            page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
            page.goto(file.as_uri())
            taken(page.locator(part) if part else page, out / name)


def taken(page: Any, path: Path, **options: Any) -> None:
    """A picture of a page or a part of it, in as many colours as such a page has."""
    from PIL import Image

    picture = Image.open(BytesIO(page.screenshot(**options))).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    """Serve, photograph, end."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--compare", action="store_true", help="the comparison page instead of the studio")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    given = parser.parse_args()
    chromium = os.environ.get("SEQGANS_CHROMIUM") or shutil.which("chromium")
    if given.compare:
        html = comparison_page(compare(given.runs))
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page_shots(browser, html, given.out)
            browser.close()
        return
    runs = Runs(given.runs)
    names = list(runs.found())
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "turing.sqlite")
        token = judged(runs, store, names[:2])
        words = [
            sys.executable,
            "-m",
            "seqgans",
            "studio",
            *map(str, given.runs),
            "--port",
            "0",
            "--store",
            str(store.path),
        ]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as studio, sync_playwright() as driver:
            assert studio.stdout is not None
            link = studio.stdout.readline().strip()
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            shots(browser, link, token, names, given.out)
            browser.close()
            studio.terminate()


if __name__ == "__main__":
    main()
