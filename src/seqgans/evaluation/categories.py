"""Categories: does what was generated as one look like it to an independent judge, and how often does each occur?

References: Wang and Wan (2018), "SentiGAN"; Liu et al. (2020), CatGAN, arXiv:1911.06641.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqgans.errors import BadInput
from seqgans.evaluation.base import Evidence, Lists, Metric
from seqgans.evaluation.classifier import Classifier
from seqgans.evaluation.figure import Figure
from seqgans.evaluation.likelihood import draw_sequences
from seqgans.generators.base import Generator
from seqgans.generators.categories import CategoryGenerator, within
from seqgans.randomness import generator_for

LEAST = 5  # real sequences of a category
TESTED = 5  # every fifth real sequence is not learnt from


@dataclass(frozen=True)
class Judged:
    """An independent judge of categories.

    Attributes:
        judge: what it is.
        ceiling: how many real sequences that it did not learn from it names rightly.
        sizes: what it learnt from.
    """

    judge: Classifier
    ceiling: Figure
    sizes: dict[str, int]


def judge_of(
    learn: tuple[Lists, Sequence[int]], test: tuple[Lists, Sequence[int]], *, kinds: int, seed: int = 0
) -> Judged:
    """A CNN that learns categories from real sequences and is tested on others.

    Args:
        learn: sequences and the category of each, from 0.
        test: the same of sequences that it does not learn from.
        kinds: how many categories there are.
        seed: of the classifier.

    Raises:
        BadInput: a category has fewer than five sequences to learn from.
    """
    counts = np.bincount(learn[1], minlength=kinds)
    if counts.min() < LEAST:
        raise BadInput(
            f"a judge of categories needs at least {LEAST} real sequences of each, got {counts.min()} of category "
            f"{counts.argmin()}: give more labelled sequences"
        )
    judge = Classifier.learn(*learn, kinds, seed=seed)
    sizes = {"learnt_from": len(learn[0]), "categories": kinds, "epochs": judge.epochs}
    return Judged(judge, Figure.of(judge.named(test[0]) == np.asarray(test[1]), **sizes), sizes)


def divided(real: Lists, labels: Sequence[int], seed: int) -> tuple[tuple[Lists, list[int]], tuple[Lists, list[int]]]:
    """Four fifths of labelled sequences, and the others."""
    order = np.random.default_rng(seed).permutation(len(real)).tolist()
    test, learn = order[::TESTED], [place for number, place in enumerate(order) if number % TESTED]
    parts = [([real[place] for place in places], [labels[place] for place in places]) for places in (learn, test)]
    return parts[0], parts[1]


def labelled(evidence: Evidence) -> tuple[Lists, list[int]]:
    """The references and the category of each."""
    labels, real = list(evidence.categories or ()), evidence.part("references")
    if len(labels) != len(real):
        raise BadInput(f"needs a category for each of the {len(real)} references, got {len(labels)}")
    return real, labels


def judge_of_evidence(evidence: Evidence, kinds: int) -> Judged:
    """The judge, learnt once for all metrics and generators that it judges.

    It learns from the labelled sequences that the generator learnt from and is tested on the references; where the
    former have no labels, from four fifths of the references, and is tested on the others.
    """

    def learnt() -> Judged:
        real, labels = labelled(evidence)
        learn, test = divided(real, labels, evidence.seed)
        if evidence.train is not None and evidence.train_categories is not None:
            learn, test = (evidence.train, list(evidence.train_categories)), (real, labels)
        return judge_of(learn, test, kinds=kinds, seed=evidence.seed)

    return evidence.once_for_all(f"judge of {kinds}", learnt)


def drawn(evidence: Evidence, kinds: int) -> tuple[Lists, list[int]]:
    """Samples and what each was meant to be: those that were given, or equally many drawn of every category."""
    if evidence.sample_categories is not None:
        return evidence.drawn[: evidence.count], list(evidence.sample_categories[: evidence.count])
    generator = evidence.generator
    if not isinstance(generator, CategoryGenerator) or len(generator.shares) != kinds:
        raise BadInput(f"needs a generator of {kinds} categories, or samples with the category each was meant to have")
    rows: list[list[int]] = []
    intended: list[int] = []
    each = max(1, evidence.count // kinds)
    for kind in range(kinds):
        law: Generator = within(generator, kind)
        random = generator_for(evidence.seed, "evaluation", "category", str(kind))
        rows += draw_sequences(law, each, evidence.longest, random, rows=evidence.rows).lists(evidence.end)
        intended += [kind] * each
    return rows, intended


def category_accuracy(evidence: Evidence) -> dict[str, Figure]:
    """Share of `count` samples that the judge takes for what they were meant to be, and the ceiling, in [0, 1]."""
    _, labels = labelled(evidence)
    samples, intended = drawn(evidence, max(labels) + 1)
    asked = judge_of_evidence(evidence, max(*labels, *intended) + 1)
    right = asked.judge.named(samples) == np.asarray(intended)
    return {"category_accuracy": Figure.of(right, **asked.sizes), "real_category_accuracy": asked.ceiling}


def category_share(evidence: Evidence) -> dict[str, Figure]:
    """Share of the first `count` samples that the judge takes for each category, and of real ones that have it.

    A figure ends with the name of its category ("category_share_positive"), with its number where it has none.
    """
    _, labels = labelled(evidence)
    asked = judge_of_evidence(evidence, max(labels) + 1)
    named = asked.judge.named(evidence.drawn[: evidence.count])
    found = {}
    for kind in range(max(labels) + 1):
        name = evidence.category_names[kind] if kind < len(evidence.category_names) else kind
        found[f"category_share_{name}"] = Figure.of(named == kind, **asked.sizes)
        found[f"real_category_share_{name}"] = Figure.of(np.asarray(labels) == kind)
    return found


METRICS = (
    Metric(
        name="category_accuracy",
        description="how often samples of a category look like it to a CNN that read labelled real ones",
        paper="Wang and Wan",
        year=2018,
        unit="0 to 1",
        better="higher",
        needs=frozenset({"samples", "references", "categories"}),
        sizes="`count` samples, equally many of each category; the judge learns from labelled training sequences, else "
        "from four fifths of the references",
        floor="real_category_accuracy, of references it has not learnt from",
        compute=category_accuracy,
    ),
    Metric(
        name="category_share",
        description="how many samples look like each category (positive, say) to a CNN that read labelled real ones",
        paper="",
        year=0,
        unit="0 to 1",
        better="closer to real",
        needs=frozenset({"samples", "references", "categories"}),
        sizes="the first `count` samples; the judge is that of category_accuracy",
        floor="real_category_share, of the labels themselves",
        compute=category_share,
    ),
)
