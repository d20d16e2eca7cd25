"""What comes out of judging: a bar while it goes on, tables, one JSON document, a page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from seqgans.report.figures import number, written
from seqgans.training.checkpoint import write_atomically
from seqgans.training.facts import to_json


class Steps:
    """A progress bar over metrics or settings, on stderr where that is a terminal."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._make = tqdm
        self._bar: tqdm | None = None

    def next(self, name: str, count: int) -> None:
        """What comes now, of so many."""
        if self._bar is None:
            self._bar = self._make(total=count, file=sys.stderr, disable=None, dynamic_ncols=True, leave=False)
        else:
            self._bar.update(1)
        self._bar.set_description(name)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


def write_page(page: Path | None, comparison: dict[str, Any]) -> None:
    """The page of a comparison, where one is asked for."""
    if page is not None:
        from seqgans.report.page import comparison_page

        write_atomically(page, comparison_page(comparison).encode())
        sys.stderr.write(f"wrote {page}\n")


def curves(comparison: dict[str, Any]) -> str:
    """Where each curve lies beside the baseline's, a line each, by plane; nothing where there are no curves."""
    text, who = "", comparison["baseline"]
    for plane in comparison["planes"]:
        diversity, quality = written(plane["y"]), written(plane["x"])
        lines = []
        for name, area in plane["areas"].items():
            if area is None:
                continue
            line = f"{name}: {'below' if area < 0 else 'above'} {who}, area between the two curves {number(abs(area))}"
            at = plane["matched"][name]
            if at:
                line += (
                    f"; {diversity} {number(at['diversity'])} at {quality} {number(at['quality'])}, where {who} has "
                )
                line += number(at["baseline"])
            lines.append(f"  {line}\n")
        if lines:
            text += f"\n{diversity} against {quality} (a curve below is better):\n{''.join(lines)}"
    return text


def write_json(value: Any) -> None:
    """One JSON document on stdout; a number that is not finite is a string, as in a run's files."""
    sys.stdout.write(to_json(value, 1) + "\n")
