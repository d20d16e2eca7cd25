"""Files of samples as outcomes: judged beside runs as if a run had written them, without likelihoods of a generator."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from seqgans.data import CorpusSettings
from seqgans.errors import BadInput
from seqgans.evaluation import Evidence, Figure
from seqgans.evaluation.base import Measures, doubts
from seqgans.verbs.evaluate import (
    READING,
    encoded_file,
    evidence_of_spec,
    evidence_of_texts,
    ids_of,
    is_law,
    is_text,
    read_sequences,
)
from seqgans.verbs.judging import Judge, measured
from seqgans.verbs.loading import open_run
from seqgans.verbs.outcome import SHOWN, Moment, Outcome, Rows
from seqgans.verbs.recorder import KEPT_SAMPLES


def beside_run(
    files: Sequence[Path],
    run: Path,
    references: str | None,
    count: int,
    seed: int,
    metrics: Sequence[str] | None = None,
) -> list[Outcome]:
    """Files judged by what judges a run: in its ids, against its test split, with the law of its corpus.

    Args:
        files: one sequence a line; the symbols of an oracle or a world are its ids.
        run: the folder of the run whose corpus it is.
        references: a file that takes the place of its test split, or None.
        count: lines that are looked at.
        seed: of what metrics draw.
        metrics: names; None for those that every run measures at its end.

    Raises:
        BadInput: a file is empty or has symbols that do not exist, or the run learnt to answer.
    """
    _, recipe, corpus, truth = open_run(run)
    if corpus.source_width:
        raise BadInput(f"{run} learnt to answer; files of samples cannot be judged beside it")
    if references is not None:
        corpus = dataclasses.replace(corpus, test=encoded_file(corpus, run, references, READING))
    judge = Judge(corpus, truth, seed)
    fixed = corpus.length if is_law(recipe.corpus) else None
    found = []
    for path in files:
        texts = read_sequences(path, READING)
        samples = [ids for ids in ids_of(path, texts, corpus.vocabulary, fixed) if ids]
        if not samples:
            raise BadInput(f"{path} must hold a sequence that {run} can read, but none has a token")
        evidence = judge.evidence(count, samples=samples[:count])
        found.append(outcome_of(path, texts[:count], evidence, measured(evidence, metrics), metrics))
    return found


def alone(
    files: Sequence[Path],
    references: str,
    count: int,
    seed: int,
    metrics: Sequence[str] | None = None,
    reading: CorpusSettings = READING,
) -> list[Outcome]:
    """Files judged against references where there is no run; arguments as above, and how files of text are read."""
    found = []
    for path in files:
        texts = read_sequences(path, reading)[:count]
        if is_text(references):
            evidence = evidence_of_texts(texts, references, None, count, seed, reading)
        else:
            evidence = evidence_of_spec(path, texts, references, None, seed, reading)
            evidence = dataclasses.replace(evidence, count=count)
        found.append(outcome_of(path, texts, evidence, measured(evidence, metrics), metrics))
    return found


def outcome_of(
    path: Path, texts: Sequence[str], evidence: Evidence, found: Measures, metrics: Sequence[str] | None
) -> Outcome:
    """What came of a file; likelihoods that a file cannot have are not missed unless they were asked for."""
    figures = found.flat()
    said = (f"{path.name}: its first {len(texts)} sequences.", *doubts(evidence))
    missing = found.skipped if metrics is not None else {}
    shown, kept = list(texts[:SHOWN]), list(texts[:KEPT_SAMPLES])
    return Outcome(path, None, Moment(figures, point_of(figures)), None, shown, kept, doubts=said, missing=missing)


def point_of(figures: Mapping[str, Figure]) -> Rows:
    """Where samples that were drawn elsewhere lie in the plane of overlaps: a curve of one point, as they are."""
    axes = ("bleu_5", "self_bleu_5")
    if not all(name in figures for name in axes):
        return []
    return [{"temperature": 1.0, **{name: figures[name].value for name in axes}}]
