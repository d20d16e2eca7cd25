"""What is judged: real sequences of the test split among those of runs, told apart by nothing but themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqgans.errors import BadInput
from seqgans.web.heavy import load_heavy
from seqgans.web.store import REAL, Item

if TYPE_CHECKING:
    from seqgans.data.vocabulary import Vocabulary
    from seqgans.generators.decoding import Decoding
    from seqgans.verbs.loading import LoadedRun

MOST = 500  # items of a source
TRIES = 4  # sequences that a run writes at most for an item that is not blank


@dataclass(frozen=True)
class Drawn:
    """Items to be judged.

    Attributes:
        items: equally many of each source.
        left_out: how many blanks a run wrote, which are not among them, by its name; only of those that wrote some.
    """

    items: list[Item]
    left_out: dict[str, int]


def draw_items(
    runs: Mapping[str, Path],
    count: int,
    seed: int = 0,
    temperature: float = 1.0,
    files: Mapping[str, Path] | None = None,
) -> Drawn:
    """Items of every source, equally many: where a source has fewer than asked for, of each as many as it has.

    Blank ones are left out, whoever wrote them: a card without words would tell a judge who did.

    Items of the test split and of files that hold the symbol of unknown words are left out, as generators do not draw
    it either, and all are written by the same vocabulary: spelling and spaces give nothing away.

    Args:
        runs: paths by name.
        count: of each source, at most.
        seed: which items.
        temperature: of the generators.
        files: paths of files of samples by name, one sequence a line; they are read as the first run reads text.

    Raises:
        BadInput: a number is not allowed, a file has nothing that the first run could have written, or a judge could
            tell the runs apart by their form; a run writes blanks alone.
    """
    load_heavy()
    from seqgans.verbs.loading import load_run
    from seqgans.verbs.sample import checked

    if not 1 <= count <= MOST:
        raise BadInput(f"items of each source must be from 1 to {MOST}, got {count}")
    if not runs:
        raise BadInput("a test needs at least one run; choose some")
    files = files or {}
    if REAL in {*runs, *files}:
        raise BadInput(f"a run or file must not be called {REAL!r}, which means the corpus; rename it")
    decoding = checked(count, temperature, 0, 1.0, seed)
    loaded = {name: load_run(path) for name, path in runs.items()}
    check_alike(loaded)
    first = next(iter(loaded.values()))
    given = {REAL: real_items(first, count, seed)}
    given |= {name: file_items(name, path, first, count, seed) for name, path in files.items()}
    left_out = {}
    for name, run in loaded.items():
        fewest = min(map(len, given.values()))
        given[name], left_out[name] = run_items(name, run, fewest, decoding, seed)
    fewest = min(map(len, given.values()))
    items = [item for those in given.values() for item in those[:fewest]]
    return Drawn(items, {name: blank for name, blank in left_out.items() if blank})


def run_items(name: str, run: LoadedRun, count: int, decoding: Decoding, seed: int) -> tuple[list[Item], int]:
    """What a run writes without blanks, `count` where it writes so many in `TRIES` times as many; how many were blank.

    Raises:
        BadInput: there is nothing else.
    """
    from seqgans.verbs.sample import draw

    found, blank = [], 0
    for sample in draw(run, TRIES * count, decoding, seed):
        if is_blank(sample.ids, sample.text):
            blank += 1
        else:
            found.append(Item(name, shown(run, sample.ids, sample.text, sample.source)))
        if len(found) == count:
            break
    if not found:
        raise BadInput(f"{name} wrote {blank} sequences, all of them blank; choose another run or a higher temperature")
    return found, blank


def is_blank(ids: list[int], text: str) -> bool:
    """Whether there is nothing to see in a sequence."""
    return not ids or not text.strip()


def can_be_judged(ids: list[int], vocabulary: Vocabulary) -> bool:
    """Whether a sequence that no run wrote says something, in words that runs know."""
    return not is_blank(ids, vocabulary.decode(ids)) and vocabulary.unknown not in ids


def check_alike(runs: Mapping[str, LoadedRun]) -> None:
    """All runs must have learnt the same, or items differ in more than who wrote them.

    Raises:
        BadInput: they did not.
    """
    forms = {name: form(run) for name, run in runs.items()}
    first, *others = forms
    for name in others:
        for ours, theirs in zip(forms[first], forms[name], strict=True):
            if ours != theirs:
                raise BadInput(
                    f"runs of one test must have learnt the same, but {first} {ours} and {name} {theirs}; choose runs "
                    "that share corpus, tokens and length"
                )


def form(run: LoadedRun) -> tuple[str, ...]:
    """What a judge could tell a run by, in words: its corpus, its tokens, its letters, its length."""
    corpus = run.corpus
    return (
        f"learnt from {run.recipe.corpus}",
        f"writes {corpus.vocabulary.kind}",
        "writes lower case alone" if corpus.vocabulary.lowercase else "keeps capital letters",
        f"writes at most {corpus.length} tokens",
    )


def real_items(run: LoadedRun, count: int, seed: int) -> list[Item]:
    """Rows of the test split, of the validation split where there is none.

    Raises:
        BadInput: there is no such row.
    """
    import torch

    from seqgans.data.sources import source_texts
    from seqgans.randomness import generator_for

    corpus = run.corpus
    split = corpus.test if len(corpus.test) else corpus.valid
    order = torch.randperm(len(split), generator=generator_for(seed, "items"))
    split = split[order]
    lists = split.lists(corpus.vocabulary.end)
    sources = [None] * len(lists) if split.source is None else source_texts(split.source, corpus.vocabulary)
    usable = [
        (ids, source) for ids, source in zip(lists, sources, strict=True) if can_be_judged(ids, corpus.vocabulary)
    ]
    if not usable:
        raise BadInput(
            f"{run.folder.path} has no real sequences to judge: its test split is empty, or all unknown words"
        )
    return [Item(REAL, shown(run, ids, corpus.vocabulary.decode(ids), source)) for ids, source in usable[:count]]


def file_items(name: str, path: Path, run: LoadedRun, count: int, seed: int) -> list[Item]:
    """Lines of a file, drawn at random, among those that a run could have written.

    Raises:
        BadInput: there is none, or the run writes answers.
    """
    import torch

    from seqgans.data import encode_texts
    from seqgans.randomness import generator_for
    from seqgans.verbs.evaluate import READING, read_sequences

    corpus = run.corpus
    if corpus.source_width:
        raise BadInput(
            f"{run.folder.path} writes answers, {name} has sequences alone; choose runs that write sequences"
        )
    sequences, counts = encode_texts(read_sequences(path, READING), corpus.vocabulary, corpus.length, "drop")
    order = torch.randperm(len(sequences), generator=generator_for(seed, "items", name)).tolist()
    lists = sequences.lists(corpus.vocabulary.end)
    usable = [lists[place] for place in order if can_be_judged(lists[place], corpus.vocabulary)]
    if not usable:
        raise BadInput(
            f"{name} must have lines that the runs could have written: of {counts.read} lines {counts.longer} are "
            f"longer and {counts.shorter} shorter than their sequences, the others have words that they do not know"
        )
    return [Item(name, shown(run, ids, corpus.vocabulary.decode(ids), None)) for ids in usable[:count]]


def shown(run: LoadedRun, ids: list[int], text: str, source: str | None) -> dict[str, Any]:
    """What a judge sees of a sequence: its text, what it answers, and a tune as keys of a piano."""
    found: dict[str, Any] = {"text": text}
    if source is not None:
        found["source"] = source
    if run.corpus.vocabulary.kind == "notes":
        found |= {"keys": ids, "step": run.recipe.corpus_settings.step}
    return found
