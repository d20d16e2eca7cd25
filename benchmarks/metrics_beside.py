"""Other implementations of metrics on samples and references, for the second table of benchmarks/metrics_speed.py.

Those of likelihoods, language models, answers and melodies stand in benchmarks/laws_beside.py.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from seqgans.evaluation import Evidence
from seqgans.evaluation.diversity import (
    copies,
    distinct,
    duplicates,
    lengths,
    nearest_jaccard,
    ngram_entropy,
    unique_gram,
)
from seqgans.evaluation.embedding_similarity import embsim
from seqgans.evaluation.encoders import clouds
from seqgans.evaluation.frechet import fed
from seqgans.evaluation.kneser_ney import KneserNey
from seqgans.evaluation.mauve import mauve_of_clouds
from seqgans.evaluation.music import mse_nearest
from seqgans.evaluation.overlap import backward_bleu, bleu, bleu_f1, self_bleu
from seqgans.evaluation.two_sample import c2st
from seqgans.rewards.ngrams import Flat

Rows = Sequence[list[int]]
Compared = tuple[str, str, Callable[[], float], Callable[[], float]]
"""Figure, what the other is and on how much, ours, the other."""


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


def sacre_bleu(rows: Rows, references: Rows, order: int = 4) -> float:
    """Mean sentence BLEU by sacrebleu, whose "floor" of 0.1 is NLTK's method 1."""
    from sacrebleu.metrics.bleu import BLEU

    logging.getLogger("sacrebleu").setLevel(logging.ERROR)  # it recommends another smoothing at every sentence
    judge = BLEU(max_ngram_order=order, smooth_method="floor", smooth_value=0.1, tokenize="none", force=True)
    texts = [" ".join(map(str, row)) for row in references]
    return float(np.mean([judge.sentence_score(" ".join(map(str, row)), texts).score for row in rows])) / 100


def scipy_entropy(rows: Rows) -> float:
    """Of pairs, nats."""
    from scipy.stats import entropy

    return float(entropy(list(Counter(pair for row in rows for pair in pairwise(row)).values())))


def scikit_embsim(one: np.ndarray, other: np.ndarray) -> float:
    """Of two embeddings of the same words, by scikit-learn's cosines."""
    from sklearn.metrics.pairwise import cosine_similarity, paired_cosine_distances

    angles = cosine_similarity(one), cosine_similarity(other)
    return float(np.log10((1 - paired_cosine_distances(*angles)).mean()))


def scipy_mse(one: np.ndarray, other: np.ndarray) -> float:
    """Squared distance a step to the nearest, by SciPy's cdist."""
    from scipy.spatial.distance import cdist

    return float(cdist(one, other, "sqeuclidean").min(1).mean() / one.shape[1])


def harmonic(one: float, other: float) -> float:
    """2 / (1/a + 1/b)."""
    return 2 / (1 / one + 1 / other)


def comparisons(evidence: Evidence) -> list[Compared]:
    """What there are other implementations of."""
    rows, real = evidence.drawn[:10_000], evidence.part("references")[:10_000]
    hashed, read = clouds(evidence, "hashed")[""], clouds(evidence, "lstm")[""]
    part = read[0][:2000], read[1][:2000]
    random = np.random.default_rng(0)
    shared = random.normal(size=(1000, 32))
    embedded = shared, shared + random.normal(size=(1000, 32))
    melodies = random.integers(40, 90, (1000, 32)).astype(float), random.integers(40, 90, (1000, 32)).astype(float)
    few, held_out = (
        [row for row in side[:300] if set(row) <= {token for other in learnt[:1000] for token in other}]
        for side, learnt in ((rows, real), (real, rows))
    )
    return [
        ("bleu_4", "NLTK, 10 captions, 10,000 references", lambda: bleu(rows[:10], real)["bleu_4"].value,
         lambda: nltk_bleu(rows[:10], real)),
        ("bleu_4", "sacrebleu, 10 captions, 10,000 references", lambda: bleu(rows[:10], real)["bleu_4"].value,
         lambda: sacre_bleu(rows[:10], real)),
        ("backward_bleu_4", "sacrebleu, 60 captions on each side",
         lambda: backward_bleu(rows[:60], real[:60])["backward_bleu_4"].value,
         lambda: sacre_bleu(real[:60], rows[:60])),
        ("bleu_f1_4", "sacrebleu both ways, 60 captions on each side",
         lambda: bleu_f1(rows[:60], real[:60])["bleu_f1_4"].value,
         lambda: harmonic(sacre_bleu(rows[:60], real[:60]), sacre_bleu(real[:60], rows[:60]))),
        ("self_bleu_4", "NLTK, 60 captions", lambda: self_bleu(rows[:60])["self_bleu_4"].value,
         lambda: nltk_self_bleu(rows[:60])),
        ("distinct_2", "sets of pairs, 10,000 captions", lambda: distinct(rows, count=len(rows))["distinct_2"].value,
         lambda: counted_distinct(rows)),
        ("unique_gram_2", "sets of pairs, 10,000 captions",
         lambda: unique_gram(rows, count=len(rows))["unique_gram_2"].value,
         lambda: len({pair for row in rows for pair in pairwise(row)}) / len(rows)),
        ("ngram_entropy_2", "SciPy's entropy, 10,000 captions",
         lambda: ngram_entropy(rows, count=len(rows))["ngram_entropy_2"].value, lambda: scipy_entropy(rows)),
        ("duplicates", "a set of tuples, 10,000 captions", lambda: duplicates(rows)["duplicates"].value,
         lambda: 1 - len(set(map(tuple, rows))) / len(rows)),
        ("copies", "a set of tuples, 10,000 captions", lambda: copies(rows, real)["copies"].value,
         lambda: float(np.mean([tuple(row) in known for known in (set(map(tuple, real)),) for row in rows]))),
        ("length", "NumPy's mean, 10,000 captions", lambda: lengths(rows)["length"].value,
         lambda: float(np.mean(list(map(len, rows))))),
        ("embsim", "scikit-learn's cosines, 1,000 words of random embeddings", lambda: embsim(*embedded),
         lambda: scikit_embsim(*embedded)),
        ("music_mse_nearest", "SciPy's cdist, 1,000 random melodies on each side",
         lambda: mse_nearest(*map(np.ndarray.tolist, melodies)).value, lambda: scipy_mse(*melodies)),
        ("nearest Jaccard", "pair by pair, 50 captions, 10,000 references",
         lambda: float(nearest_jaccard(rows[:50], real).mean()), lambda: counted_jaccard(rows[:50], real)),
        ("lm_kn, order 3, one discount", f"NLTK, learnt from 1,000, {len(few)} scored",
         lambda: our_kneser_ney(real[:1000], few), lambda: nltk_kneser_ney(real[:1000], few)),
        ("reverse_lm_kn, the same", f"NLTK, learnt from 1,000, {len(held_out)} scored",
         lambda: our_kneser_ney(rows[:1000], held_out), lambda: nltk_kneser_ney(rows[:1000], held_out)),
        ("fed_hashed", "SciPy's sqrtm, 10,000 points", lambda: fed(*hashed).value, lambda: scipy_fed(*hashed)),
        ("fed_lstm", "SciPy's sqrtm, 10,000 points", lambda: fed(*read).value, lambda: scipy_fed(*read)),
        ("mauve_lstm", "mauve-text, 2,000 points (one k-means; ours the mean of five)",
         lambda: mauve_of_clouds(*part, 0).value, lambda: authors_mauve(*part)),
        ("c2st", "scikit-learn: logistic regression on words and pairs, 2,000 captions a side",
         lambda: c2st(rows[:2000], real[:2000]).value, lambda: scikit_c2st(rows[:2000], real[:2000])),
    ]  # fmt: skip
