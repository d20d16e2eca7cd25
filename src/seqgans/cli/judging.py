"""Evaluate and compare: figures as a table, as JSON, as a page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from seqgans.cli.arguments import Parser, add_checkpoint
from seqgans.data import CorpusSettings
from seqgans.errors import BadInput
from seqgans.report.table import comparison_table, figures_table, table
from seqgans.training.checkpoint import write_atomically
from seqgans.training.facts import to_json
from seqgans.verbs.compare import COUNT as COMPARED
from seqgans.verbs.compare import compare
from seqgans.verbs.evaluate import COUNT as EVALUATED
from seqgans.verbs.evaluate import evaluate


def run_evaluate(words: list[str]) -> None:
    """`seqgans evaluate`: figures with their errors on stdout, what could not be measured on stderr."""
    parser = Parser(
        "evaluate",
        "evaluate (DIR | SAMPLES_FILE) --references FILE_OR_SPEC [--train FILE] [--metrics a,b,...] [--json]",
        "Measure a run, or a file with one sequence a line, against real sequences and, where it is known, their law.",
    )
    parser.add_argument("target", type=str, metavar="DIR|SAMPLES_FILE", help="a run's folder, or a file of samples")
    parser.add_argument(
        "--references",
        type=str,
        metavar="FILE|SPEC",
        help="held-out real sequences: a file, or a spec whose test split is taken (an oracle scores token ids); a "
        "run has its own",
    )
    parser.add_argument("--train", type=str, metavar="FILE", help="what was trained on; a run has its own")
    parser.add_argument(
        "--metrics", type=str, metavar="a,b,...", help="names from `seqgans list metrics` (default: all)"
    )
    parser.add_argument(
        "--samples",
        type=int,
        metavar="N",
        default=EVALUATED,
        help=f"drawn from a run, or compared of a file ({EVALUATED})",
    )
    parser.add_argument("--seed", type=int, metavar="N", default=0, help="where samples come from (0)")
    parser.add_argument(
        "--checkpoint",
        type=str,
        metavar="NAME",
        default="latest",
        help="of a run: latest (default), best or pretrained",
    )
    parser.add_argument("--text", type=str, metavar="COLUMN", help="text column of tables")
    parser.add_argument(
        "--tokens", type=str, metavar="KIND", default="words", help="of files of text: words (default) or characters"
    )
    parser.add_argument("--lowercase", action="store_true", help="make texts lower-case first")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    given = parser.read(words)
    if given.tokens not in ("words", "characters"):
        raise BadInput(f"--tokens must be words or characters, got {given.tokens!r}")
    shown = Steps()
    found = evaluate(
        given.target,
        given.references,
        given.train,
        None if given.metrics is None else [name.strip() for name in given.metrics.split(",") if name.strip()],
        checkpoint=given.checkpoint,
        count=given.samples,
        seed=given.seed,
        reading=CorpusSettings(text=given.text, tokens=given.tokens, lowercase=given.lowercase),
        watch=shown.next,
    )
    shown.close()
    for line in found.warnings:
        sys.stderr.write(f"warning: {line}\n")
    if given.json:
        write_json({"target": given.target, "references": given.references, **found.to_dict()})
        return
    figures = {name: {"mean": figure.value, "error": figure.standard_error} for name, figure in found.flat().items()}
    sys.stdout.write(figures_table(figures) + "\n")
    for reason in dict.fromkeys(found.skipped.values()):
        names = ", ".join(name for name, other in found.skipped.items() if other == reason)
        sys.stderr.write(f"not measured: {names} ({reason})\n")


class Steps:
    """A progress bar over metrics, on stderr where that is a terminal."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._make = tqdm
        self._bar: tqdm | None = None

    def next(self, name: str, count: int) -> None:
        """The metric that comes now, of so many."""
        if self._bar is None:
            self._bar = self._make(total=count, file=sys.stderr, disable=None, dynamic_ncols=True, leave=False)
        else:
            self._bar.update(1)
        self._bar.set_description(name)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


def run_compare(words: list[str]) -> None:
    """`seqgans compare`: systems side by side on stdout, and with --out a page."""
    parser = Parser(
        "compare",
        "compare DIR DIR ... [--references FILE] [--baseline DIR] [--json] [--out PAGE.html]",
        "Runs side by side: runs that differ in their seed are one system; mean and spread over seeds, p-values "
        "against a baseline, quality-diversity curves over the temperature.",
    )
    parser.add_argument("dirs", type=str, nargs="+", metavar="DIR", help="folders of runs of one corpus")
    parser.add_argument("--references", type=str, metavar="FILE", help="real sequences in the place of the test splits")
    parser.add_argument(
        "--baseline",
        type=str,
        metavar="DIR|NAME",
        help="the run or system that the others are tested against (maximum likelihood where it is among them)",
    )
    parser.add_argument("--samples", type=int, metavar="N", default=COMPARED, help=f"drawn from each run ({COMPARED})")
    parser.add_argument("--seed", type=int, metavar="N", default=0, help="where samples come from (0)")
    add_checkpoint(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--out", type=str, metavar="PAGE.html", help="write a page that opens offline")
    given = parser.read(words)
    if given.samples < 2:
        raise BadInput(f"the number of samples must be at least 2, got {given.samples}")
    page = None if given.out is None else Path(given.out)
    if page is not None and not page.absolute().parent.is_dir():
        raise BadInput(f"--out must be in a folder that exists, there is none at {page.parent}")
    found = compare(
        given.dirs,
        given.references,
        checkpoint=given.checkpoint,
        count=given.samples,
        seed=given.seed,
        baseline=given.baseline,
    )
    if page is not None:
        from seqgans.report.page import comparison_page

        write_atomically(page, comparison_page(found).encode())
        sys.stderr.write(f"wrote {page}\n")
    if given.json:
        write_json(found)
    else:
        sys.stdout.write(f"{comparison_table(found)}\n{curves(found)}")
        for note in found["notes"]:
            sys.stderr.write(f"{note}\n")


def curves(comparison: dict[str, Any]) -> str:
    """Where each curve lies beside the baseline's, as a table; nothing where there are no curves."""
    areas = {name: area for name, area in comparison["areas"].items() if area is not None}
    if not areas:
        return ""
    rows = [[name, f"{area:+.4g}", "below" if area < 0 else "above"] for name, area in areas.items()]
    heads = ["quality-diversity curve", "area", f"{comparison['baseline']}'s"]
    return f"\n{table(rows, heads)}\n"


def write_json(value: Any) -> None:
    """One JSON document on stdout; a number that is not finite is a string, as in a run's files."""
    sys.stdout.write(to_json(value, 1) + "\n")
