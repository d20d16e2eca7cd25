"""Evaluate with several settings of decoding: curves of runs, models and files of samples."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from seqgans.cli.arguments import Parser
from seqgans.cli.results import Steps, curves, write_json, write_page
from seqgans.cli.writing import writable
from seqgans.data import CorpusSettings
from seqgans.errors import BadInput
from seqgans.report.curves import setting_in_words
from seqgans.report.figures import ordered, with_errors, written
from seqgans.report.table import table, with_error
from seqgans.verbs.sweep import COUNT, KNOBS, sweep

Number = TypeVar("Number", int, float)


def add_sweep(parser: Parser) -> None:
    """The arguments that ask for curves."""
    parser.add_argument("--temperature", type=str, metavar="T,T,...", help="a curve over these temperatures")
    parser.add_argument("--top-k", type=str, metavar="K,K,...", help="a curve over numbers of most likely tokens")
    parser.add_argument("--top-p", type=str, metavar="P,P,...", help="a curve over nuclei")
    parser.add_argument(
        "--at",
        type=str,
        metavar="T,T,...",
        help="temperatures of files of samples, one after another; so many are a curve",
    )
    parser.add_argument("--out", type=str, metavar="PAGE.html", help="of curves: write a page that opens offline")


def asks_for_curves(given: Any) -> bool:
    """Whether a setting to be moved was named."""
    asked = any(value is not None for value in (given.temperature, given.top_k, given.top_p, given.at))
    if given.out is not None and not asked:
        raise BadInput(
            "--out is the page of curves; name temperatures as well (--temperature 0.7,1,1.4), or use --json"
        )
    return asked


def reading_of(given: Any) -> CorpusSettings:
    """How files are read."""
    return CorpusSettings(text=given.text, label=given.label, tokens=given.tokens, lowercase=given.lowercase)


def numbers(flag: str, text: str | None, kind: Callable[[str], Number]) -> list[Number]:
    """The numbers of a flag; none where it was not given.

    Raises:
        BadInput: one is no number, or none is there.
    """
    try:
        found = [kind(word) for word in (text or "").split(",") if word.strip()]
    except ValueError as error:
        raise BadInput(f"{flag} must be numbers such as {'5,50' if kind is int else '0.7,1'}, got {text!r}") from error
    if text is not None and not found:
        raise BadInput(f"{flag} must name at least one number, got {text!r}")
    return found


def run_sweep(given: Any) -> None:
    """`seqgans evaluate … --temperature …`: figures at each setting and how the curves lie, on stdout."""
    if given.train is not None or given.metrics is not None:
        raise BadInput("curves show BLEU-5, self-BLEU-5, lm_kn and reverse_lm_kn; leave --train and --metrics out")
    page, shown = writable(given.out, *given.targets, given.references), Steps()
    found = sweep(
        given.targets,
        given.references,
        temperatures=numbers("--temperature", given.temperature, float),
        top_ks=numbers("--top-k", given.top_k, int),
        top_ps=numbers("--top-p", given.top_p, float),
        at=numbers("--at", given.at, float),
        checkpoint=given.checkpoint,
        count=COUNT if given.samples is None else given.samples,
        seed=given.seed,
        reading=reading_of(given),
        watch=shown.next,
    )
    shown.close()
    write_page(page, found)
    if given.json:
        write_json(found)
        return
    rows = [(system["name"], row, errors) for system in found["systems"] for row, errors in with_errors(system)]
    names = [name for name in ordered([row for _, row, _ in rows]) if name not in KNOBS]
    cells = [
        [who, setting_in_words(row), *(with_error(row[name], errors[name]) for name in names)]
        for who, row, errors in rows
    ]
    shown = table(cells, ["", "drawn at", *map(written, names)])
    sys.stdout.write(f"{shown}\n\n± standard error\n{curves(found)}")
    for note in found["notes"]:
        sys.stderr.write(f"{note}\n")
