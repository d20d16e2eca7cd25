"""CPU seconds of BLEU-5 and self-BLEU-5 of many samples, ours against NLTK called per sentence.

NLTK would need hours, so it scores a few sentences and its cost per sentence is multiplied by their number;
the result says so. Both see the same ids, drawn from a Zipf law that gives English-like overlaps.

    python benchmarks/bleu_speed.py > benchmarks/results/bleu_speed.json
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from seqgans.rewards.bleu import References, self_bleus

ORDER = 5
VOCABULARY = 5000


def sentences(random: np.random.Generator, count: int) -> list[list[int]]:
    """Zipf-distributed ids; 15 to 25 a sentence."""
    law = 1 / np.arange(1, VOCABULARY + 1)
    lengths = random.integers(15, 26, count)
    return [random.choice(VOCABULARY, length, p=law / law.sum()).tolist() for length in lengths]


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """What a function returns and its CPU seconds."""
    before = time.process_time()
    return function(), time.process_time() - before


def nltk_scores(references: Callable[[int], Sequence[list[int]]], hypotheses: list[list[int]]) -> list[float]:
    """NLTK's BLEU-5 (method 1), one call a sentence."""
    smoothing, weights = SmoothingFunction().method1, (1 / ORDER,) * ORDER
    score: Any = sentence_bleu  # takes any hashable tokens, annotated for words
    return [
        float(score(references(row), hypothesis, weights, smoothing_function=smoothing))
        for row, hypothesis in enumerate(hypotheses)
    ]


def row(ours: np.ndarray, seconds: float, theirs: list[float], nltk_seconds: float) -> dict[str, float | int]:
    """One line of the result."""
    measured = len(theirs)
    whole = nltk_seconds / measured * len(ours)
    return {
        "sentences": len(ours),
        "ours_cpu_seconds": round(seconds, 4),
        "nltk_sentences_measured": measured,
        "nltk_cpu_seconds_measured": round(nltk_seconds, 3),
        "nltk_cpu_seconds_extrapolated": round(whole, 1),
        "times_faster": round(whole / seconds),
        "largest_difference": float(np.abs(ours[:measured] - np.array(theirs)).max()),
    }


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--references", type=int, default=10_000)
    parser.add_argument("--nltk-sentences", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    references, samples = sentences(random, options.references), sentences(random, options.samples)
    few = options.nltk_sentences
    bleu, bleu_seconds = timed(lambda: References(references, ORDER).bleu(samples, ORDER))
    own, own_seconds = timed(lambda: self_bleus(samples, (ORDER,))[ORDER])
    nltk_bleu = timed(lambda: nltk_scores(lambda _: references, samples[:few]))
    nltk_own = timed(lambda: nltk_scores(lambda row: samples[:row] + samples[row + 1 :], samples[:few]))
    result = {
        "settings": {**vars(options), "order": ORDER, "vocabulary": VOCABULARY, "smoothing": "method1"},
        "versions": {name: version(name) for name in ("numpy", "nltk")},
        "note": "NLTK: cost per sentence measured on nltk_sentences_measured, times sentences",
        "bleu, cache built": row(bleu, bleu_seconds, *nltk_bleu),
        "self_bleu": row(own, own_seconds, *nltk_own),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
