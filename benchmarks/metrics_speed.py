"""The whole default suite of metrics on 10,000 against 10,000 captions: values, times, and independent ones beside.

    python benchmarks/metrics_speed.py image_coco.txt.gz image_coco_test.txt.gz

The first file is judged as if it were samples, the second is the references. Times are seconds of processor time (of
all threads), so they hold on a busy machine too. What other implementations are slow at is measured on a part of the
captions, which the table says, and our value and time stand for the same part.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqgans.data import CorpusSettings
from seqgans.evaluation import METRICS, Evidence, measure
from seqgans.evaluation.diversity import distinct, nearest_jaccard
from seqgans.evaluation.encoders import clouds
from seqgans.evaluation.frechet import fed
from seqgans.evaluation.kneser_ney import KneserNey
from seqgans.evaluation.mauve import mauve_of_clouds
from seqgans.evaluation.overlap import bleu, self_bleu
from seqgans.evaluation.two_sample import c2st
from seqgans.rewards.ngrams import Flat
from seqgans.verbs.evaluate import evidence_of_texts, lines_in

Rows = Sequence[list[int]]
Compared = tuple[str, str, Callable[[], float], Callable[[], float]]
"""Figure, what the other is and on how much, ours, the other."""


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """What a function gives, and its processor time in seconds."""
    started = time.process_time()
    found = function()
    return found, time.process_time() - started


def nltk_bleu(rows: Rows, references: Rows, order: int = 4) -> float:
    """Mean sentence BLEU by NLTK, smoothing method 1."""
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    smooth, weights = SmoothingFunction().method1, [1 / order] * order
    return float(np.mean([sentence_bleu(list(references), row, weights, smooth) for row in rows]))


def nltk_self_bleu(rows: Rows) -> float:
    """The same of each row beside the others."""
    return float(np.mean([nltk_bleu([row], [*rows[:i], *rows[i + 1 :]]) for i, row in enumerate(rows)]))


def nltk_kneser_ney(train: Rows, rows: Rows) -> float:
    """NLL per token of NLTK's model of order 3 with one discount, where no context reaches the beginning."""
    from nltk.lm.models import KneserNeyInterpolated
    from nltk.util import everygrams

    model = KneserNeyInterpolated(3, discount=0.5)
    words = [["<s>", *map(str, row)] for row in train]
    model.fit([list(everygrams(row, max_len=3)) for row in words], vocabulary_text=[w for row in words for w in row])
    scores = [
        model.score(str(row[place]), [str(row[place - 2]), str(row[place - 1])])
        for row in rows
        for place in range(2, len(row))
    ]
    return -float(np.mean(np.log(scores)))


def our_kneser_ney(train: Rows, rows: Rows) -> float:
    """The same of ours."""
    words = np.unique(Flat.of(train).tokens)
    model = KneserNey.learn(train, words, order=3, discounts=[(0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)])
    found = np.split(model.log_probs(Flat.of(rows)), np.cumsum([len(row) for row in rows]))
    return -float(np.concatenate([part[2:] for part in found]).mean())


def counted_distinct(rows: Rows) -> float:
    """Different pairs over all pairs."""
    pairs = [pair for row in rows for pair in pairwise(row)]
    return len(set(pairs)) / len(pairs)


def counted_jaccard(rows: Rows, others: Rows) -> float:
    """Mean largest likeness of sets, pair by pair."""
    sets = [set(row) for row in others]
    return float(np.mean([max(len(set(row) & other) / len(set(row) | other) for other in sets) for row in rows]))


def scipy_fed(points: np.ndarray, others: np.ndarray) -> float:
    """With SciPy's matrix root."""
    from scipy.linalg import sqrtm

    one, other = np.cov(points, rowvar=False), np.cov(others, rowvar=False)
    shared = np.trace(np.real(np.asarray(sqrtm(one @ other))))
    return float(np.square(points.mean(0) - others.mean(0)).sum() + np.trace(one) + np.trace(other) - 2 * shared)


def authors_mauve(generated: np.ndarray, real: np.ndarray) -> float:
    """MAUVE by mauve-text, one seed."""
    from mauve import compute_mauve  # a cluster for every ten points, as ours

    return float(compute_mauve(real, generated, verbose=False).mauve)


def scikit_c2st(rows: Rows, real: Rows) -> float:
    """Accuracy of a logistic regression on words and pairs of words, on the other half."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    both = min(len(rows), len(real))
    texts = [" ".join(map(str, row)) for side in (rows[:both], real[:both]) for row in side]
    labels = np.repeat([0, 1], both)
    learn = np.arange(2 * both) % 2 == 0
    judge = make_pipeline(CountVectorizer(ngram_range=(1, 2), binary=True), LogisticRegression(max_iter=200, C=0.1))
    judge.fit([text for text, mine in zip(texts, learn, strict=True) if mine], labels[learn])
    named = judge.predict([text for text, mine in zip(texts, learn, strict=True) if not mine])
    return float((named == labels[~learn]).mean())


def comparisons(evidence: Evidence) -> list[Compared]:
    """What there are other implementations of."""
    rows, real = evidence.drawn[:10_000], evidence.part("references")[:10_000]
    hashed, read = clouds(evidence, "hashed")[""], clouds(evidence, "lstm")[""]
    part = read[0][:2000], read[1][:2000]
    few = [row for row in rows[:300] if set(row) <= {token for other in real[:1000] for token in other}]
    return [
        ("bleu_4", "NLTK, 10 captions, 10,000 references", lambda: bleu(rows[:10], real)["bleu_4"].value,
         lambda: nltk_bleu(rows[:10], real)),
        ("self_bleu_4", "NLTK, 60 captions", lambda: self_bleu(rows[:60])["self_bleu_4"].value,
         lambda: nltk_self_bleu(rows[:60])),
        ("distinct_2", "sets of pairs, 10,000 captions", lambda: distinct(rows, count=len(rows))["distinct_2"].value,
         lambda: counted_distinct(rows)),
        ("nearest Jaccard", "pair by pair, 50 captions, 10,000 references",
         lambda: float(nearest_jaccard(rows[:50], real).mean()), lambda: counted_jaccard(rows[:50], real)),
        ("lm_kn, order 3, one discount", f"NLTK, learnt from 1,000, {len(few)} scored",
         lambda: our_kneser_ney(real[:1000], few), lambda: nltk_kneser_ney(real[:1000], few)),
        ("fed_hashed", "SciPy's sqrtm, 10,000 points", lambda: fed(*hashed).value, lambda: scipy_fed(*hashed)),
        ("fed_lstm", "SciPy's sqrtm, 10,000 points", lambda: fed(*read).value, lambda: scipy_fed(*read)),
        ("mauve_lstm", "mauve-text, 2,000 points (one k-means; ours the mean of five)",
         lambda: mauve_of_clouds(*part, 0).value, lambda: authors_mauve(*part)),
        ("c2st", "scikit-learn: logistic regression on words and pairs, 2,000 captions a side",
         lambda: c2st(rows[:2000], real[:2000]).value, lambda: scikit_c2st(rows[:2000], real[:2000])),
    ]  # fmt: skip


def main() -> None:
    """Both tables as Markdown; `--out` writes the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path, metavar="SAMPLES", help="judged as if they were samples")
    parser.add_argument("references", type=Path, metavar="REFERENCES", help="held-out real sequences")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="of PyTorch (2)")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="where the numbers go as well")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    evidence, reading = timed(
        lambda: evidence_of_texts(
            lines_in(given.samples, CorpusSettings()), str(given.references), None, 10_000, 0, CorpusSettings()
        )
    )
    lines: list[dict[str, Any]] = []
    total = reading
    print("| metric | figure | value | real beside real | seconds |\n| --- | --- | ---: | ---: | ---: |")
    for name, metric in METRICS.items():
        if metric.costly or metric.missing(evidence):
            continue
        found, seconds = timed(lambda name=name: measure(evidence, [name]).flat())
        total += seconds
        for number, (figure, value) in enumerate(found.items()):
            if figure.startswith("real_"):
                continue
            floor = found.get(f"real_{figure}")
            cells = (
                name if not number else "",
                figure,
                value.value,
                floor and floor.value,
                None if number else seconds,
            )
            lines.append(dict(zip(("metric", "figure", "value", "real", "seconds"), cells, strict=True)))
            print(f"| {' | '.join(written(cell) for cell in cells)} |", flush=True)
    print(f"\nall: {total:.0f} s of processor time, reading included ({reading:.1f} s)\n")
    print("| figure | other implementation | ours | other | our seconds | its seconds |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    beside = []
    for figure, about, ours, other in comparisons(evidence):
        (mine, my_time), (theirs, their_time) = timed(ours), timed(other)
        beside.append({"figure": figure, "other": about, "values": [mine, theirs], "seconds": [my_time, their_time]})
        print(f"| {figure} | {about} | {mine:.6g} | {theirs:.6g} | {my_time:.3f} | {their_time:.2f} |", flush=True)
    if given.out is not None:
        given.out.write_text(json.dumps({"seconds": total, "suite": lines, "beside": beside}, indent=1) + "\n")


def written(cell: object) -> str:
    """A cell of the table."""
    if cell is None:
        return ""
    return f"{cell:.4g}" if isinstance(cell, float) and not math.isnan(cell) else str(cell)


if __name__ == "__main__":
    main()
