"""Files of samples as outcomes: judged beside runs as if a run had written them, without likelihoods of a generator."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from seqgans.data import CorpusSettings
from seqgans.data.kinds import is_law
from seqgans.errors import BadInput
from seqgans.evaluation import Evidence, Figure
from seqgans.evaluation.base import doubts
from seqgans.evaluation.evidence import Beside
from seqgans.verbs.evaluate import (
    READING,
    encoded_file,
    evidence_of_spec,
    evidence_of_texts,
    ids_of,
    is_text,
    read_sequences,
)
from seqgans.verbs.judgement import KEPT_SAMPLES
from seqgans.verbs.judging import measured
from seqgans.verbs.loading import open_run
from seqgans.verbs.outcome import SHOWN, Asked, Moment, Outcome, Rows


def beside_run(files: Sequence[Path], run: Path, asked: Asked) -> list[Outcome]:
    """Files judged by what judges a run: in its ids, against its test split, with the law of its corpus.

    Args:
        files: one sequence a line; the symbols of an oracle or a world are its ids.
        run: the folder of the run whose corpus it is.
        asked: what is measured, and on what.

    Raises:
        BadInput: a file is empty or has symbols that do not exist, or the run learnt to answer.
    """
    _, recipe, corpus, truth = open_run(run)
    if corpus.source_width:
        raise BadInput(f"{run} learnt to answer; files of samples cannot be judged beside it")
    if asked.references is not None:
        corpus = dataclasses.replace(corpus, test=encoded_file(corpus, run, asked.references, READING))
    judge = asked.judge(corpus, truth)
    fixed = corpus.length if is_law(recipe.corpus) else None
    found = []
    for path in files:
        texts = read_sequences(path, READING)
        samples = [ids for ids in ids_of(str(path), texts, corpus.vocabulary, fixed) if ids]
        if not samples:
            raise BadInput(f"{path} must hold a sequence that {run} can read, but none has a token")
        evidence = judge.evidence(asked.count, samples=samples[: asked.count])
        found.append(outcome_of(path, texts[: asked.count], evidence, asked))
    return found


def alone(files: Sequence[Path], references: str, asked: Asked, reading: CorpusSettings = READING) -> list[Outcome]:
    """Files judged against references where there is no run; arguments as above, and how files of text are read.

    References come first where texts are numbered, so that their ids, and what is made of them, are those of all files.
    A law is drawn from in sequences as long as a file's, so that only files of one length share what is made of them.
    """
    found: list[Outcome] = []
    shared: dict[int, Beside] = {}
    for path in files:
        texts = read_sequences(path, reading)[: asked.count]
        if is_text(references):
            evidence = evidence_of_texts(texts, references, None, asked.count, asked.seed, reading)
        else:
            evidence = evidence_of_spec(str(path), texts, references, None, asked.seed, reading)
        beside = shared.setdefault(len(texts[0].split()) if is_law(references) else 0, {})
        evidence = dataclasses.replace(evidence, count=asked.count, beside=beside)
        found.append(outcome_of(path, texts, evidence, asked))
    return found


def shortest(
    files: Sequence[Path], count: int, runs: bool, reading: CorpusSettings = READING
) -> tuple[int, str] | None:
    """The fewest sequences that a file has, and its name; None where nobody has more.

    A file of one sequence is passed over: it has no figure that depends on the number.

    Args:
        files: one sequence a line.
        count: sequences looked at, at most.
        runs: whether runs stand beside them, which write so many.
        reading: how they are read.
    """
    sizes = [(min(count, len(read_sequences(path, reading))), path.name) for path in files]
    most = count if runs else max((size for size, _ in sizes), default=count)
    return min((found for found in sizes if 1 < found[0] < most), default=None)


def outcome_of(path: Path, texts: Sequence[str], evidence: Evidence, asked: Asked) -> Outcome:
    """A file measured now; likelihoods that a file cannot have are not missed unless they were asked for."""
    found = measured(evidence, asked.metrics, asked.watching(path), asked.least)
    figures = found.flat()
    said = (f"{path.name}: its first {len(texts)} sequences.", *(f"{path.name}: {doubt}" for doubt in doubts(evidence)))
    missing = found.skipped if asked.metrics is not None else {}
    shown, kept = list(texts[:SHOWN]), list(texts[:KEPT_SAMPLES])
    final = Moment(figures, point_of(figures), asked.size(min(len(evidence.drawn), asked.count)))
    return Outcome(path, None, final, None, shown, kept, doubts=said, missing=missing)


def beside_curves(files: Sequence[Outcome], count: int) -> list[str]:
    """A line on the files whose point in the plane is of fewer samples than those of curves are, `count`."""
    fewer = [f"{file.path.name}: {file.final.size}" for file in files if file.final.sweep and file.final.size < count]
    if not fewer:
        return []
    return [f"self-BLEU grows with the number of samples: points of curves are of {count}, of files {', '.join(fewer)}"]


def point_of(figures: Mapping[str, Figure]) -> Rows:
    """Where samples that were drawn elsewhere lie in the plane of overlaps: a curve of one point, as they are."""
    axes = ("bleu_5", "self_bleu_5")
    if not all(name in figures for name in axes):
        return []
    return [{"temperature": 1.0, **{name: figures[name].value for name in axes}}]
