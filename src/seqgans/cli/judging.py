"""Evaluate and compare: figures as a table, as JSON, as a page."""

from __future__ import annotations

import sys
from typing import Any

from seqgans.cli.arguments import Parser, add_checkpoint
from seqgans.cli.curves import add_sweep, asks_for_curves, reading_of, run_sweep
from seqgans.cli.results import Steps, curves, write_json, write_page
from seqgans.cli.writing import writable
from seqgans.data import CorpusSettings
from seqgans.errors import BadInput
from seqgans.report.table import comparison_table, figures_table
from seqgans.verbs.compare import COUNT as COMPARED
from seqgans.verbs.compare import compare
from seqgans.verbs.evaluate import COUNT as EVALUATED
from seqgans.verbs.evaluate import evaluate
from seqgans.verbs.sweep import COUNT as SWEPT


def run_evaluate(words: list[str]) -> None:
    """`seqgans evaluate`: figures with their errors on stdout, what could not be measured on stderr."""
    parser = Parser(
        "evaluate",
        "evaluate (DIR | SAMPLES_FILE | MODEL) [--references FILE|SPEC] [--train FILE] [--metrics a,b,...] [--json]",
        "Measure a run, or a file with one sequence a line, against real sequences and, where it is known, their law. "
        "With several values of --temperature, --top-k or --top-p, or with --at: curves of quality and diversity of "
        "runs, models and files.",
    )
    parser.add_argument(
        "targets",
        type=str,
        nargs="+",
        metavar="DIR|SAMPLES_FILE|MODEL",
        help="a run's folder, a file of samples, or a model of transformers: a folder, a .gguf file, hf:NAME",
    )
    parser.add_argument(
        "--references",
        type=str,
        metavar="FILE|SPEC",
        help="held-out real sequences: a file, or a spec whose test split is taken (an oracle scores token ids); "
        "needed by files of samples and models, a run has its own",
    )
    parser.add_argument("--train", type=str, metavar="FILE", help="what was trained on; a run has its own")
    parser.add_argument(
        "--metrics", type=str, metavar="a,b,...", help="names from `seqgans list metrics` (default: all)"
    )
    parser.add_argument(
        "--samples",
        type=int,
        metavar="N",
        help=f"drawn from a run or model ({EVALUATED}), or the first lines of a file, on which alone it is then "
        f"measured (all; metrics that need not see all take {EVALUATED}); for a curve {SWEPT} at each setting",
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
        "--label",
        type=str,
        metavar="COLUMN",
        help="column of each text's category; lines of files of text are then label<TAB>text",
    )
    add_reading(parser, "of files of text: ", "")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    add_sweep(parser)
    given = parser.read(words)
    check_reading(given)
    if asks_for_curves(given):
        run_sweep(given)
        return
    if len(given.targets) > 1:
        raise BadInput(
            f"evaluate measures one target, got {len(given.targets)}; for curves of several name temperatures "
            "(--temperature 0.7,1,1.4, or --at for files of samples), for runs side by side use `seqgans compare`"
        )
    target, shown = given.targets[0], Steps()
    found = evaluate(
        target,
        given.references,
        given.train,
        names_in(given.metrics),
        checkpoint=given.checkpoint,
        count=given.samples,
        seed=given.seed,
        reading=reading_of(given),
        watch=shown.next,
    )
    shown.close()
    for line in found.warnings:
        sys.stderr.write(f"warning: {line}\n")
    if given.json:
        write_json({"target": target, "references": given.references, **found.to_dict()})
        return
    figures = {name: {"mean": figure.value, "error": figure.standard_error} for name, figure in found.flat().items()}
    sys.stdout.write(figures_table(figures) + "\n")
    for reason in dict.fromkeys(found.skipped.values()):
        names = ", ".join(name for name, other in found.skipped.items() if other == reason)
        sys.stderr.write(f"not measured: {names} ({reason})\n")


def run_compare(words: list[str]) -> None:
    """`seqgans compare`: systems side by side on stdout, and with --out a page."""
    parser = Parser(
        "compare",
        "compare (DIR | SAMPLES_FILE) ... [--references FILE] [--metrics a,b,...] [--baseline DIR] [--json] "
        "[--out PAGE.html]",
        "Runs side by side: runs that differ in their seed are one system; mean and spread over seeds, p-values "
        "against a baseline, quality-diversity curves over the temperature. Files of samples, of other programs too, "
        "are judged beside them, without likelihoods.",
    )
    parser.add_argument(
        "targets",
        type=str,
        nargs="+",
        metavar="DIR|SAMPLES_FILE",
        help="folders of runs of one corpus, and files with one sequence a line",
    )
    parser.add_argument(
        "--references",
        type=str,
        metavar="FILE",
        help="real sequences in the place of the test splits; needed by files alone",
    )
    parser.add_argument(
        "--baseline",
        type=str,
        metavar="DIR|FILE|NAME",
        help="the run or system that the others are tested against (maximum likelihood where it is among them)",
    )
    parser.add_argument(
        "--samples",
        type=int,
        metavar="N",
        help=f"measure every run afresh on so many samples (default: the reports of finished runs, else {COMPARED})",
    )
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="measure every run afresh on samples that come from here (default: as above)",
    )
    parser.add_argument(
        "--metrics",
        type=str,
        metavar="a,b,...",
        help="names from `seqgans list metrics`, measured afresh (default: what runs measure at their end)",
    )
    add_reading(parser, "of files alone: ", "of files alone: ")
    add_checkpoint(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--out", type=str, metavar="PAGE.html", help="write a page that opens offline")
    given = parser.read(words)
    if given.samples is not None and given.samples < 2:
        raise BadInput(f"the number of samples must be at least 2, got {given.samples}")
    check_reading(given)
    page, shown = writable(given.out, *given.targets, given.references), Steps()
    found = compare(
        given.targets,
        given.references,
        checkpoint=given.checkpoint,
        count=given.samples,
        seed=given.seed,
        baseline=given.baseline,
        metrics=names_in(given.metrics),
        reading=CorpusSettings(tokens=given.tokens, lowercase=given.lowercase),
        watch=shown.next,
    )
    shown.close()
    write_page(page, found)
    if given.json:
        write_json(found)
    else:
        sys.stdout.write(f"{comparison_table(found)}\n{curves(found)}")
        for note in found["notes"]:
            sys.stderr.write(f"{note}\n")


def names_in(words: str | None) -> list[str] | None:
    """The names in a list with commas; None where no list is given."""
    if words is None:
        return None
    names = [name.strip() for name in words.split(",") if name.strip()]
    if not names:
        raise BadInput(f"--metrics must name at least one metric, got {words!r}; see `seqgans list metrics`")
    return names


def add_reading(parser: Parser, tokens_of: str, case_of: str) -> None:
    """The flags that say how files of text are read; of which files each is, in words before its help."""
    parser.add_argument(
        "--tokens", type=str, metavar="KIND", default="words", help=f"{tokens_of}words (default) or characters"
    )
    parser.add_argument("--lowercase", action="store_true", help=f"{case_of}make texts lower-case first")


def check_reading(given: Any) -> None:
    """Refuse tokens that files of text are not read in."""
    if given.tokens not in ("words", "characters"):
        raise BadInput(f"--tokens must be words or characters, got {given.tokens!r}")
