"""Answers beside those that real sequences give to the same source: exact match, F1 of tokens, length.

All references to one source count, and the best of them is taken. Two answers are drawn to each different source: the
most likely token every time, and one at temperature 1, which the name of a figure says ("…_sampled"). Unknown words are
never drawn, so a reference that holds one cannot be matched.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

from seqgans.data.sources import alike
from seqgans.evaluation.base import Evidence, Metric, Need
from seqgans.evaluation.diversity import lengths
from seqgans.evaluation.figure import Figure
from seqgans.generators.decoding import Decoding
from seqgans.randomness import generator_for

ARTICLES = re.compile(r"\b(a|an|the)\b")
NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
MEASURES = {"": 0.0, "_sampled": 1.0}
"""Temperature by the ending of a figure's name."""


def normalised(text: str) -> list[str]:
    """The words by which SQuAD compares: lower-case, without punctuation and articles.

    >>> normalised("The  Eiffel-Tower, an icon.")
    ['eiffeltower', 'icon']
    """
    return ARTICLES.sub(" ", text.lower().translate(NO_PUNCTUATION)).split()


def exact_match(answer: str, references: Sequence[str]) -> float:
    """1 where an answer is one of the references, else 0.

    >>> exact_match("the cat", ["a dog", "Cat."])
    1.0
    """
    return float(any(normalised(answer) == normalised(reference) for reference in references))


def token_f1(answer: str, references: Sequence[str]) -> float:
    """Harmonic mean of precision and recall of words, as often as both have them; of the best reference.

        F1 = 2 |answer ∩ reference| / (|answer| + |reference|);   1 where both are empty

    >>> round(token_f1("a black cat", ["the cat sat", "dog"]), 3)
    0.5
    """

    def beside(reference: str) -> float:
        ours, theirs = normalised(answer), normalised(reference)
        shared = sum((Counter(ours) & Counter(theirs)).values())
        return 2 * shared / (len(ours) + len(theirs)) if ours or theirs else 1.0

    return max(map(beside, references))


def compared(evidence: Evidence, name: str, measure: Callable[[str, Sequence[str]], float]) -> dict[str, Figure]:
    """A measure of answers to the first `count` different sources, likeliest and sampled: a mean over sources."""
    vocabulary = evidence.known
    references: dict[int, list[str]] = {}
    for number, ids in zip(alike(evidence.asked), evidence.part("references"), strict=True):
        references.setdefault(number, []).append(vocabulary.decode(ids))
    found = {}
    for ending, lists in drawn(evidence).items():
        values = [measure(vocabulary.decode(ids), references[number]) for number, ids in enumerate(lists)]
        found[f"{name}{ending}"] = Figure.of(values, references=sum(map(len, references.values())))
    return found


def drawn(evidence: Evidence) -> dict[str, list[list[int]]]:
    """Answers to the first `count` sources that differ, likeliest and sampled, unknown words left out; drawn once."""
    return evidence.once("answers at each temperature", lambda: _drawn(evidence))


def _drawn(evidence: Evidence) -> dict[str, list[list[int]]]:
    excluded = evidence.known.unwritten
    return {
        ending: evidence.answers(
            generator_for(evidence.seed, "evaluation", "answers"),
            Decoding(temperature=temperature, excluded=excluded),
        ).lists(evidence.end)
        for ending, temperature in MEASURES.items()
    }


def answer_length(evidence: Evidence) -> dict[str, Figure]:
    """Tokens of answers, and of all references ("real_…")."""
    found = {f"answer_length{ending}": lengths(lists)["length"] for ending, lists in drawn(evidence).items()}
    return {**found, "real_answer_length": lengths(evidence.part("references"))["length"]}


NEEDS: frozenset[Need] = frozenset({"sources", "references", "generator", "vocabulary"})
METRICS = (
    Metric(
        name="exact_match",
        description="share of sources whose answer is one of the references",
        paper="Rajpurkar et al.",
        year=2016,
        unit="share",
        better="higher",
        needs=NEEDS,
        sizes="the first `count` different sources",
        floor="how often people who answer agree, below 1",
        compute=lambda evidence: compared(evidence, "exact_match", exact_match),
    ),
    Metric(
        name="f1",
        description="words that an answer shares with the best reference",
        paper="Rajpurkar et al.",
        year=2016,
        unit="F1",
        better="higher",
        needs=NEEDS,
        sizes="the first `count` different sources",
        floor="F1 between answers of different people, below 1",
        compute=lambda evidence: compared(evidence, "f1", token_f1),
    ),
    Metric(
        name="answer_length",
        description="mean number of tokens of an answer",
        paper="",
        year=0,
        unit="tokens",
        better="closer to real",
        needs=NEEDS,
        sizes="the first `count` different sources",
        floor="real_answer_length",
        compute=answer_length,
    ),
)
