"""The picture of the README: the plane of quality and diversity and the first learning curves of a run's page.

    make demo && python benchmarks/report_picture.py runs/demo --out docs/run.png

The page is opened in a headless Chromium, and what follows the heading "Quality and diversity" is photographed.
"""

from __future__ import annotations

import argparse
import shutil
from io import BytesIO
from pathlib import Path

WIDTH, HEIGHT, MARGIN = 1080, 1380, 24
COLOURS = 96


def main() -> None:
    """Take the picture."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("--out", type=Path, required=True, help="a PNG")
    arguments = parser.parse_args()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto((arguments.run / "report.html").absolute().as_uri())
        box = page.get_by_role("heading", name="Quality and diversity").bounding_box()
        assert box is not None, "a run without a temperature curve has no such section"
        top = box["y"] - MARGIN
        picture = page.screenshot(full_page=True, clip={"x": 0, "y": top, "width": WIDTH, "height": HEIGHT})
        browser.close()
    Image.open(BytesIO(picture)).convert("RGB").quantize(COLOURS).save(arguments.out, optimize=True)


if __name__ == "__main__":
    main()
