"""Evaluate: figures of a run, or of a file of samples, against real sequences or the law they come from."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from seqgans.data import Corpus, CorpusSettings, Vocabulary, encode_texts, read_texts
from seqgans.data.kinds import is_law
from seqgans.data.open import TABLES, TEXTS, WORLD
from seqgans.data.streaming import Numbering, stream_lines
from seqgans.data.text import read_lines
from seqgans.errors import BadInput
from seqgans.evaluation import Evidence, Measures, measure
from seqgans.evaluation.base import Lists
from seqgans.evaluation.rows import Rows
from seqgans.generators.decoding import PLAIN
from seqgans.sequences import Sequences
from seqgans.training.build import Truth, open_corpus, truth_of
from seqgans.verbs.given import Given, called, checked_texts
from seqgans.verbs.judging import NOTES
from seqgans.verbs.labelled import evidence_of_labelled, word_like
from seqgans.verbs.loading import LoadedRun, load_run
from seqgans.verbs.writers import check_checkpoint, is_model, writer_of

COUNT = 10_000  # samples drawn from a run
READING = CorpusSettings()


def evaluate(
    target: Given,
    references: Given | None = None,
    train: Given | None = None,
    metrics: Sequence[str] | None = None,
    *,
    checkpoint: str = "latest",
    count: int | None = None,
    seed: int = 0,
    reading: CorpusSettings = READING,
    watch: Callable[[str, int], None] | None = None,
) -> Measures:
    """Measure a run or a file of samples.

    Args:
        target: a run's folder, a model of transformers (a folder of `save_pretrained`, a .gguf file, hf:NAME), or a
            file with one sequence a line (token ids where `references` is an oracle), or a list of such sequences.
        references: a file or list of real sequences nothing was trained on, or the spec of an oracle, a world, MIDI
            files or a dataset, of which the test split is taken. A run has its own; samples need them.
        train: a file or list of the sequences that were trained on; a run has its own.
        metrics: names; None for all that can be computed.
        checkpoint: of a run: "latest", "best" or "pretrained".
        count: samples drawn from a run, or lines of a file that are looked at, the first ones; None for 10,000 of a
            run and a whole file, of which metrics that need not see all take as many.
        seed: where samples come from; also that of a fresh oracle.
        reading: how files of text are read: columns of text and label, kind of tokens, case. Where a label is named,
            lines of text may be `label<TAB>text`.
        watch: called before each metric with its name and how many there are.

    Raises:
        BadInput: a file or run cannot be read, a metric does not exist or lacks what it needs.
    """
    if count is not None and count < 2:
        raise BadInput(f"the number of samples must be at least 2, got {count}")
    given = [one for one in (target, references, train) if not isinstance(one, Path | str | None)]
    if reading.label is not None and given:
        raise BadInput("labels stand in files, a list has none; write label<TAB>text to a file, or leave the label out")
    first, count = count, COUNT if count is None else count
    if isinstance(target, Path | str):
        check_checkpoint([str(target)], checkpoint)
        path = Path(target)
        if is_model(str(target)):
            if references is None or not is_text(references):
                raise BadInput(f"{target} is a model, whose texts need --references, a file of real ones")
            writer = writer_of(str(target), read_sequences(references, reading), seed=seed)
            texts = writer.write(PLAIN, count)
            return measure(evidence_of_texts(texts, references, train, count, seed, reading), metrics, watch=watch)
        if path.is_dir():
            run = load_run(path, checkpoint)
            return measure(evidence_of_run(run, references, train, count, seed, reading), metrics, watch=watch)
        if not path.exists():
            raise BadInput(f"evaluate needs a run's folder or a file of samples, but there is none at {path}")
        if references is not None and is_text(references) and reading.label is not None:
            evidence = evidence_of_labelled(
                path, str(references), None if train is None else str(train), first, seed, reading
            )
            return measure(dataclasses.replace(evidence, count=count), metrics, watch=watch)
    if references is None:
        what = f"{target} is a file" if isinstance(target, Path | str) else "the list is one"
        raise BadInput(f"{what} of samples, which needs --references, a file of real sequences or a spec")
    if is_text(references):
        lines = islice(lines_in(target, reading), first)
        return measure(evidence_of_texts(lines, references, train, count, seed, reading), metrics, watch=watch)
    texts = read_sequences(target, reading)[:first]
    evidence = evidence_of_spec(called(target), texts, str(references), train, seed, reading)
    return measure(dataclasses.replace(evidence, count=count), metrics, watch=watch)


def evidence_of_run(
    run: LoadedRun, references: Given | None, train: Given | None, count: int, seed: int, reading: CorpusSettings
) -> Evidence:
    """A run's generator, beside its own splits and law or those that were named."""
    corpus, truth = run.corpus, run.truth
    vocabulary = corpus.vocabulary
    held_out = corpus.test if len(corpus.test) else corpus.valid
    learnt = corpus.train
    if references is not None:
        held_out, truth = named_references(run, references, seed, reading)
    if train is not None:
        learnt = encoded_file(run.corpus, run.folder.path, train, reading)
    return Evidence(
        references=held_out.lists(vocabulary.end),
        train=learnt.lists(vocabulary.end),
        generator=run.players.generator,
        oracle=truth,
        notes=notes_of(vocabulary),
        sources=held_out.source,
        train_sources=learnt.source,
        vocabulary=vocabulary,
        categories=None if held_out.categories is None else held_out.categories.tolist(),
        train_categories=None if learnt.categories is None else learnt.categories.tolist(),
        category_names=corpus.categories,
        length=corpus.length,
        end=vocabulary.end,
        seed=seed,
        count=count,
    )


def named_references(
    run: LoadedRun, references: Given, seed: int, reading: CorpusSettings
) -> tuple[Sequences, Truth | None]:
    """Real sequences in the ids of a run, from a file or the spec of a law, and that law."""
    if not isinstance(references, Path | str) or not is_law(str(references)):
        return encoded_file(run.corpus, run.folder.path, references, reading), run.truth
    references, vocabulary, length = str(references), run.corpus.vocabulary, run.corpus.length
    truth = truth_of(references, vocabulary.size, seed)
    corpus, _ = open_corpus(references, drawn(references, length, reading), seed)
    if (
        truth is None
        or corpus.length != length
        or corpus.vocabulary.size != vocabulary.size
        or vocabulary.end is not None
    ):
        raise BadInput(
            f"{references} has {corpus.vocabulary.size} ids and sequences of {corpus.length} tokens, but the run "
            f"learnt from {run.recipe.corpus} with {vocabulary.size} and {length}; name references of the same kind"
        )
    return corpus.test, truth


def encoded_file(corpus: Corpus, run: Path, file: Given, reading: CorpusSettings) -> Sequences:
    """The sequences of a file or list in the ids of a run's corpus, those left out that do not fit.

    Raises:
        BadInput: none fits, or the run's sequences answer something, which a file does not say.
    """
    if corpus.source_width:
        raise BadInput(f"{run} learnt to answer, and is measured on its own splits; leave {called(file)} out")
    texts = read_sequences(file, reading)
    sequences, counts = encode_texts(texts, corpus.vocabulary, corpus.length, "drop")
    if not len(sequences):
        raise BadInput(
            f"{called(file)} must have lines this run can read, but of {counts.read} lines {counts.blank} are blank, "
            f"{counts.longer} longer and {counts.shorter} shorter than its sequences of {corpus.length} tokens"
        )
    return sequences


def evidence_of_texts(
    samples: Iterable[str], references: Given, train: Given | None, count: int, seed: int, reading: CorpusSettings
) -> Evidence:
    """Texts beside texts, over a vocabulary of all that occurs, so that nothing is unknown.

    Lines become ids while they are read, so that a million of them fit into little memory.
    """
    numbering = Numbering(word_like(reading), reading.lowercase, reading.spaces != "drop")
    read = [None if file is None else lines_in(file, reading) for file in (references, train)]
    held_out, trained, written = (
        None if texts is None else Rows.of(ids for ids in numbering.encode(texts) if ids) for texts in (*read, samples)
    )
    vocabulary = numbering.vocabulary
    return Evidence(
        samples=written,
        references=held_out,
        train=trained,
        vocabulary=vocabulary,
        end=vocabulary.end,
        seed=seed,
        count=count,
    )


def lines_in(given: Given, reading: CorpusSettings) -> Iterator[str]:
    """The sequences of a file one after another; those of a table, and of a list, are there at once."""
    if not isinstance(given, Path | str):
        yield from read_sequences(given, reading)
        return
    path = Path(given)
    if path.name.lower().endswith(TABLES):
        yield from read_sequences(path, reading)
        return
    from tqdm import tqdm

    lines, about = stream_lines(path), f"reading {path.name}"
    yield from tqdm(lines, about, unit=" lines", file=sys.stderr, disable=None, leave=False)


def evidence_of_spec(
    name: str, texts: Sequence[str], spec: str, train: Given | None, seed: int, reading: CorpusSettings
) -> Evidence:
    """Samples, so called in errors, beside the test split of a corpus, whose law is known of an oracle or a world."""
    settings = drawn(spec, len(texts[0].split()), reading) if is_law(spec) else reading
    corpus, truth = open_corpus(spec, settings, seed)
    vocabulary = corpus.vocabulary
    fixed = corpus.length if is_law(spec) else None
    samples = ids_of(name, texts, vocabulary, fixed)
    learnt = None if train is None else ids_of(called(train), read_sequences(train, reading), vocabulary, fixed)
    return Evidence(
        samples=samples,
        references=(corpus.test if len(corpus.test) else corpus.train).lists(vocabulary.end),
        train=learnt,
        oracle=truth,
        notes=notes_of(vocabulary),
        vocabulary=vocabulary,
        end=vocabulary.end,
        seed=seed,
    )


def ids_of(name: str, texts: Sequence[str], vocabulary: Vocabulary, fixed: int | None) -> Lists:
    """Lines as ids of a vocabulary; notes may be given by name or by id.

    Raises:
        BadInput: a line has a symbol that does not exist, or another length than `fixed`.
    """
    numbers = Vocabulary.of_ids(vocabulary.size)
    found = []
    for number, text in enumerate(texts, start=1):
        by_number = vocabulary.kind == NOTES and all(word.isdecimal() for word in text.split())
        try:
            ids = (numbers if by_number else vocabulary).encode(text)
        except BadInput as error:
            raise BadInput(f"line {number} of {name}: {error}") from error
        if fixed is not None and len(ids) != fixed:
            raise BadInput(f"line {number} of {name} must have {fixed} tokens, got {len(ids)}")
        found.append(ids)
    return found


def read_sequences(given: Given, reading: CorpusSettings) -> list[str]:
    """The lines of a file that are not blank; of a table, its text column; what is not blank of a list."""
    if not isinstance(given, Path | str):
        lines = checked_texts(given, "sequence")
    else:
        path = Path(given)
        table = path.name.lower().endswith(TABLES)
        lines = read_texts(path, reading.text, reading.header) if table else read_lines(path)
    texts = [text for text in lines if text.strip()]
    if not texts:
        raise BadInput(f"{called(given)} must hold at least one sequence, but all are blank; give one with text")
    return texts


def is_text(given: Given) -> bool:
    """Whether these are texts, no spec: a list, a file of text, a table, or what exists and is no folder or tar."""
    if not isinstance(given, Path | str):
        return True
    spec = str(given)
    return not is_law(spec) and (spec.lower().endswith((*TEXTS, *TABLES)) or plain_file(Path(spec)))


def plain_file(path: Path) -> bool:
    """Whether there is a file, other than a tar, at a path."""
    return path.is_file() and not path.name.lower().endswith((".tar", ".tar.gz", ".tgz"))


def drawn(spec: str, length: int, reading: CorpusSettings) -> CorpusSettings:
    """Settings of a corpus that is drawn only for its test split; a world has a length of its own."""
    own = spec.startswith(WORLD)
    return CorpusSettings(length=None if own else length, sequences=1, valid=0.0, test=reading.test or READING.test)


def notes_of(vocabulary: Vocabulary) -> Sequence[int] | None:
    """Pitch of each id in semitones, where ids are notes; only distances between pitches matter."""
    return range(vocabulary.size) if vocabulary.kind == NOTES else None
