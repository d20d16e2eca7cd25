"""List, sample and score: lines on stdout, or in a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from seqgans.choices import choice
from seqgans.cli.arguments import Parser, add_checkpoint, add_drawing, dashed
from seqgans.cli.results import write_json
from seqgans.cli.writing import writable, writable_folder
from seqgans.data import write_midi
from seqgans.data.text import read_lines
from seqgans.errors import BadInput
from seqgans.training.checkpoint import write_atomically
from seqgans.verbs.judging import NOTES
from seqgans.verbs.listing import KINDS, list_all
from seqgans.verbs.loading import LoadedRun, load_run
from seqgans.verbs.sample import ROWS, Sample, checked, draw
from seqgans.verbs.score import score

FORMATS = {
    "text": lambda sample: sample.text,
    "ids": lambda sample: " ".join(map(str, sample.ids)),
    "jsonl": lambda sample: json.dumps(
        {**({} if sample.source is None else {"source": sample.source}), "text": sample.text, "ids": sample.ids},
        ensure_ascii=False,
    ),
}
MIDI = "midi"


def run_list(words: list[str]) -> None:
    """`seqgans list`: one line each; of several kinds, the kind stands first."""
    parser = Parser("list", "list [KIND]", f"What there is. KIND is one of: {', '.join(KINDS)}; without it, all.")
    parser.add_argument("kind", nargs="?", type=str, metavar="KIND", help="which list")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    given = parser.read(words)
    entries = list_all(given.kind)
    if given.json:
        write_json([vars(entry) for entry in entries])
        return
    kinds = max(len(entry.kind) for entry in entries)
    names = max(len(entry.name) for entry in entries)
    for entry in entries:
        kind = "" if given.kind else f"{entry.kind:{kinds}}  "
        source = f" ({entry.source})" if entry.source else ""
        sys.stdout.write(f"{kind}{entry.name:{names}}  {entry.description}{source}\n")


def run_sample(words: list[str]) -> None:
    """`seqgans sample`: one sequence a line, as soon as it is made; or a file; or MIDI files in a folder."""
    parser = Parser(
        "sample",
        "sample DIR (-n N | --source FILE) [--temperature T] [--top-k K] [--top-p P] [--seed N] [--format FORMAT] "
        "[--unknown] [--category NAME] [--prefix TEXT] [--stop TEXT] [--out FILE]",
        "Draw sequences from the generator of a run; one that answers is given sources, without --source those of "
        "its test split. Equal seeds give equal samples.",
    )
    parser.add_argument("dir", type=str, metavar="DIR", help="a run's folder")
    parser.add_argument("-n", "--count", type=int, metavar="N", help="how many (with --source: one of each)")
    add_drawing(parser)
    parser.add_argument(
        "--format", type=str, default="text", metavar="FORMAT", help="text (default), ids, jsonl, or midi for music"
    )
    parser.add_argument("--out", type=str, metavar="FILE", help="write there instead; for midi, a folder")
    add_checkpoint(parser)
    parser.add_argument(
        "--unknown", action="store_true", help="also draw <unk>, what stands for words outside the vocabulary"
    )
    parser.add_argument(
        "--category", type=str, metavar="NAME", help="only of this category, where the generator knows several"
    )
    parser.add_argument("--source", type=str, metavar="FILE", help="what is to be answered, one source a line, in turn")
    parser.add_argument("--prefix", type=str, metavar="TEXT", default="", help="what every sample begins with")
    parser.add_argument(
        "--stop", type=str, metavar="TEXT", help="a sample ends where it spells this (with escapes such as \\n)"
    )
    given = parser.read(dashed(words))
    if given.count is None and given.source is None:
        raise BadInput("sample needs -n N, the number of samples")
    sources = None if given.source is None else read_lines(Path(given.source))
    count = len(sources or ()) if given.count is None else given.count
    decoding = checked(count, given.temperature, given.top_k, given.top_p, given.seed)
    stop = () if given.stop is None else (given.stop.replace("\\n", "\n"),)
    line = None if given.format == MIDI else choice({**FORMATS, MIDI: str}, given.format, "format")
    read = (given.dir, given.source)
    target = writable_folder(given.out, *read) if line is None else writable(given.out, *read)
    run = load_run(given.dir, given.checkpoint)
    samples = draw(run, count, decoding, given.seed, given.unknown, given.category, sources, stop, given.prefix)
    if line is None:
        write_tunes(run, samples, target)
        return
    lines = as_lines(map(line, samples))
    if target is not None:
        write_atomically(target, "".join(lines).encode())
        sys.stderr.write(f"wrote {count} samples to {target}\n")
    else:
        while some := "".join(islice(lines, ROWS)):
            sys.stdout.write(some)
            sys.stdout.flush()


def as_lines(texts: Iterable[str]) -> Iterator[str]:
    """Each text with an end of line; in the end a word on those that hold some themselves."""
    broken = 0
    for text in texts:
        broken += "\n" in text
        yield f"{text}\n"
    if broken:
        some = "1 sample holds" if broken == 1 else f"{broken} samples hold"
        sys.stderr.write(f"{some} line breaks; --format jsonl keeps each on one line\n")


def write_tunes(run: LoadedRun, samples: Iterator[Sample], folder: Path | None) -> None:
    """One MIDI file a sample, numbered from 1."""
    if run.corpus.vocabulary.kind != NOTES:
        raise BadInput(
            f"--format midi needs a run on music, but this one learnt from {run.recipe.corpus}; take text, ids or jsonl"
        )
    if folder is None:
        raise BadInput("--format midi needs --out DIR, a folder for the files")
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for written, sample in enumerate(samples, start=1):
        write_midi(sample.ids, folder / f"sample-{written:04d}.mid", run.recipe.corpus_settings.step)
    sys.stderr.write(f"wrote {written} tunes to {folder}\n")


def run_score(words: list[str]) -> None:
    """`seqgans score`: probability and line, separated by a tab; "-" where a line cannot be scored."""
    parser = Parser(
        "score",
        "score DIR FILE [--json]",
        "The discriminator's probability that each line of a file is real, in the order of the lines; of a run that "
        "answers, that each response is real beside its source (SOURCE<TAB>RESPONSE, or a table).",
    )
    parser.add_argument("dir", type=str, metavar="DIR", help="folder of a run that has a discriminator")
    parser.add_argument("file", type=str, metavar="FILE", help="one sequence a line, or a table like the run's corpus")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    add_checkpoint(parser)
    given = parser.read(words)
    scores = score(given.dir, given.file, given.checkpoint)
    if given.json:
        lines = [{name: part for name, part in vars(one).items() if name != "source" or part} for one in scores]
        write_json({"run": given.dir, "file": given.file, "lines": lines})
        return
    for entry in scores:
        probability = "-" if entry.probability is None else f"{entry.probability:.6f}"
        source = "" if entry.source is None else f"{entry.source}\t"
        sys.stdout.write(f"{probability}\t{source}{entry.text}\n")
    for number, entry in enumerate(scores, start=1):
        if entry.note:
            sys.stderr.write(f"line {number}: {entry.note}\n")
