"""Fill: lines with blanks in, lines without out."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

from seqgans.choices import choice
from seqgans.cli.arguments import Parser, add_checkpoint, add_drawing, dashed
from seqgans.cli.verbs import FORMATS
from seqgans.cli.writing import writable
from seqgans.data.text import lines_of, text_of
from seqgans.training.checkpoint import write_atomically
from seqgans.verbs.fill import BLANK, filled, read_templates, reads_both_sides
from seqgans.verbs.loading import load_run
from seqgans.verbs.sample import ROWS, checked
from seqgans.verbs.score import read_given

STDIN = "standard input"


def run_fill(words: list[str]) -> None:
    """`seqgans fill`: each line with its blanks filled in, on stdout or in a file; what is special on stderr."""
    parser = Parser(
        "fill",
        "fill DIR [FILE] [-n N] [--blank SYMBOL] [--temperature T] [--top-k K] [--top-p P] [--seed N] "
        "[--format FORMAT] [--unknown] [--out FILE]",
        "Fill in the blanks of lines, one token each, in the order of the lines; all other tokens stay. Equal seeds "
        "give equal fills. A run of maskgan goes by both sides of a blank, others by what stands before it.",
    )
    parser.add_argument("dir", type=str, metavar="DIR", help="a run's folder")
    parser.add_argument(
        "file",
        type=str,
        nargs="?",
        metavar="FILE",
        help="one sequence a line, or a table like the run's corpus (stdin)",
    )
    parser.add_argument("-n", "--count", type=int, metavar="N", default=1, help="fills of each line (1)")
    parser.add_argument(
        "--blank", type=str, metavar="SYMBOL", default=BLANK, help=f"the token that is to be filled in ({BLANK})"
    )
    add_drawing(parser)
    parser.add_argument("--format", type=str, default="text", metavar="FORMAT", help="text (default), ids or jsonl")
    parser.add_argument("--out", type=str, metavar="FILE", help="write there instead")
    add_checkpoint(parser)
    parser.add_argument("--unknown", action="store_true", help="also draw <unk>, what stands for unknown words")
    given = parser.read(dashed(words))
    decoding = checked(given.count, given.temperature, given.top_k, given.top_p, given.seed)
    line = choice(FORMATS, given.format, "format")
    target = writable(given.out, given.dir, given.file)
    run = load_run(given.dir, given.checkpoint)
    if given.file in (None, "-"):
        lines = lines_of(text_of(sys.stdin.buffer.read(), STDIN), STDIN)
    else:
        lines = read_given(run, Path(given.file))
    templates = read_templates(run, lines, given.blank)
    if not reads_both_sides(run):
        sys.stderr.write("this generator reads from left to right: what follows a blank does not count\n")
    for number, template in enumerate(templates, start=1):
        if template.note:
            sys.stderr.write(f"line {number}: {template.note}\n")
    fills = filled(run, templates, given.count, decoding, given.seed, given.unknown)
    if target is not None:
        text = "".join(f"{line(entry)}\n" for entry in fills)
        write_atomically(target, text.encode())
        sys.stderr.write(f"wrote {len(templates) * given.count} lines to {target}\n")
        return
    while part := [f"{line(entry)}\n" for entry in islice(fills, ROWS)]:
        sys.stdout.write("".join(part))
        sys.stdout.flush()
