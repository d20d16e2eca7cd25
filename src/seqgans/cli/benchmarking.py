"""Benchmark: a suite's table on stdout, everything else in a folder."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from seqgans.cli.arguments import Parser
from seqgans.cli.results import write_json
from seqgans.errors import BadInput, Failed
from seqgans.report.suite import suite_table
from seqgans.verbs.benchmark import carried_out
from seqgans.verbs.progress import Progress
from seqgans.verbs.suite_files import SIZES, suite_names
from seqgans.verbs.suites import Suite, read_suite


def run_benchmark(words: list[str]) -> None:
    """`seqgans benchmark`: carry out what is missing of a suite; the table on stdout."""
    parser = Parser(
        "benchmark",
        "benchmark SUITE --out DIR [--data FOLDER] [--size quick|full] [--seeds 0,1,2] [--only a,b] [--plan] [--json]",
        "Systems side by side on one corpus, over seeds, each beside its control arm. What a folder holds already is "
        f"kept: the same call goes on after an interruption. SUITE is one of: {', '.join(suite_names())}, or a "
        ".yaml file of one's own (docs/suites.md).",
    )
    parser.add_argument("suite", type=str, metavar="SUITE", help="its name, or a file of one's own")
    parser.add_argument("--out", type=str, metavar="DIR", help="folder of runs, results, table and page")
    parser.add_argument("--data", type=str, metavar="FOLDER", help="where the corpora are, for suites that need one")
    parser.add_argument("--size", type=str, metavar="SIZE", default=SIZES[0], help="quick (default) or full")
    parser.add_argument("--seeds", type=str, metavar="a,b,...", help="instead of the suite's own")
    parser.add_argument("--only", type=str, metavar="a,b,...", help="of the suite's systems only these")
    parser.add_argument("--plan", action="store_true", help="print the runs and their settings, and do nothing")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    given = parser.read(words)
    if not given.out:
        raise BadInput("benchmark needs --out DIR, a folder for its runs")
    out = Path(given.out)
    suite = read_suite(
        given.suite,
        out,
        None if given.data is None else Path(given.data),
        given.size,
        None if given.seeds is None else numbers(given.seeds),
        None if given.only is None else [name.strip() for name in given.only.split(",") if name.strip()],
    )
    if given.plan:
        sys.stdout.write(plan(suite, out))
        return
    results = carried_out(suite, out, Progress())
    if given.json:
        write_json(results)
    else:
        sys.stdout.write(suite_table(suite.title, suite.about, suite.columns, results))
    sys.stderr.write(f"runs, results, table and page: {out}\n")
    failed = [f"{result['name']} ({result['failed']})" for result in results if "failed" in result]
    if failed:
        raise Failed(f"{len(failed)} of {len(results)} runs failed: {'; '.join(failed)}")


def numbers(text: str) -> list[int]:
    """Seeds as they are written in a call.

    Raises:
        BadInput: one is no whole number.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    wrong = next((part for part in parts if not part.isdecimal()), None)
    if wrong is not None:
        raise BadInput(f"--seeds must be whole numbers from 0 on, such as 0,1,2, got {wrong!r}")
    return [int(part) for part in parts]


def plan(suite: Suite, out: Path) -> str:
    """What a suite would do, one run a line."""
    lines = [
        f"{out / 'runs' / trial.name}: {trial.recipe.algorithm} on {shlex.quote(trial.recipe.corpus)}, "
        f"seed {trial.seed}"
        + (f", from {trial.recipe.run.start}:{trial.recipe.run.start_checkpoint}" if trial.recipe.run.start else "")
        for trial in suite.trials
    ]
    return "\n".join(lines) + "\n"
