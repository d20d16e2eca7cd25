"""The whole default suite of metrics on 10,000 against 10,000 captions: values, times, and independent ones beside.

    python benchmarks/metrics_speed.py image_coco.txt.gz image_coco_test.txt.gz [--labelled mr.tsv.gz mr_test.tsv.gz]

The first file is judged as if it were samples, the second is the references. Labelled reviews, where they are named,
are what judges of categories are compared on. Times are seconds of processor time (of all threads), so they hold on a
busy machine too. What other implementations are slow at is measured on a part of the captions, which the table says,
and our value and time stand for the same part.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import laws_beside
import metrics_beside
import torch

from seqgans.data import CorpusSettings
from seqgans.evaluation import METRICS, Evidence, measure
from seqgans.verbs.evaluate import evidence_of_texts, lines_in


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """What a function gives, and its processor time in seconds."""
    started = time.process_time()
    found = function()
    return found, time.process_time() - started


def main() -> None:
    """Both tables as Markdown; `--out` writes the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path, metavar="SAMPLES", help="judged as if they were samples")
    parser.add_argument("references", type=Path, metavar="REFERENCES", help="held-out real sequences")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="of PyTorch (2)")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="where the numbers go as well")
    parser.add_argument("--labelled", type=Path, nargs=2, metavar="FILE", help="tables of label and text: train, test")
    parser.add_argument("--beside", action="store_true", help="the second table alone")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    evidence, reading = timed(
        lambda: evidence_of_texts(
            lines_in(given.samples, CorpusSettings()), str(given.references), None, 10_000, 0, CorpusSettings()
        )
    )
    if given.beside:
        beside = print_beside(evidence, given.labelled)
        if given.out is not None:
            found = json.loads(given.out.read_text()) | {"beside": beside}
            given.out.write_text(json.dumps(found, indent=1) + "\n")
        return
    lines: list[dict[str, Any]] = []
    total = reading
    print("| metric | figure | value | real beside real | seconds |\n| --- | --- | ---: | ---: | ---: |")
    for name, metric in METRICS.items():
        if metric.costly or metric.missing(evidence):
            continue
        found, seconds = timed(lambda name=name: measure(evidence, [name]).flat())
        total += seconds
        for number, (figure, value) in enumerate(found.items()):
            if figure.startswith("real_"):
                continue
            floor = found.get(f"real_{figure}")
            cells = (
                name if not number else "",
                figure,
                value.value,
                floor and floor.value,
                None if number else seconds,
            )
            lines.append(dict(zip(("metric", "figure", "value", "real", "seconds"), cells, strict=True)))
            print(f"| {' | '.join(written(cell) for cell in cells)} |", flush=True)
    print(f"\nall: {total:.0f} s of processor time, reading included ({reading:.1f} s)\n")
    beside = print_beside(evidence, given.labelled)
    if given.out is not None:
        given.out.write_text(json.dumps({"seconds": total, "suite": lines, "beside": beside}, indent=1) + "\n")


def print_beside(evidence: Evidence, labelled: Sequence[Path] | None) -> list[dict[str, Any]]:
    """The second table, as Markdown and as plain facts."""
    print("| figure | other implementation | ours | other | our seconds | its seconds |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    beside = []
    for figure, about, ours, other in (
        *metrics_beside.comparisons(evidence),
        *laws_beside.comparisons(evidence, labelled),
    ):
        (mine, my_time), (theirs, their_time) = timed(ours), timed(other)
        beside.append({"figure": figure, "other": about, "values": [mine, theirs], "seconds": [my_time, their_time]})
        print(f"| {figure} | {about} | {mine:.6g} | {theirs:.6g} | {my_time:.3f} | {their_time:.2f} |", flush=True)
    return beside


def written(cell: object) -> str:
    """A cell of the table."""
    if cell is None:
        return ""
    return f"{cell:.4g}" if isinstance(cell, float) and not math.isnan(cell) else str(cell)


if __name__ == "__main__":
    main()
