"""Category accuracy: does what was generated as a category look like it to an independent judge?

References: Wang and Wan (2018), "SentiGAN"; Liu et al. (2020), CatGAN, arXiv:1911.06641.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def category_accuracy(
    samples: Lists, intended: Sequence[int], real: Lists, labels: Sequence[int], *, seed: int = 0
) -> dict[str, Figure]:
    """Share of samples that a CNN, learnt from real sequences, takes for what they were meant to be, in [0, 1].

    Args:
        samples: generated lists of ids.
        intended: the category of each, from 0.
        real: labelled sequences that the generator was not trained on.
        labels: the category of each.
        seed: which real ones are learnt from, and all of the classifier.

    Returns:
        The accuracy on samples, and on every fifth real sequence, which was not learnt from: the ceiling.

    Raises:
        BadInput: a category has fewer than five real sequences.
    """
    kinds = max(*labels, *intended) + 1
    counts = np.bincount(labels, minlength=kinds)
    if counts.min() < LEAST:
        raise BadInput(
            f"a judge of categories needs at least {LEAST} real sequences of each, got {counts.min()} of category "
            f"{counts.argmin()}: hold more out (--corpus.test)"
        )
    order = np.random.default_rng(seed).permutation(len(real)).tolist()
    test, learn = order[::TESTED], [place for number, place in enumerate(order) if number % TESTED]
    judge = Classifier.learn([real[place] for place in learn], [labels[place] for place in learn], kinds, seed=seed)
    ceiling = judge.named([real[place] for place in test]) == np.asarray(labels)[test]
    right = judge.named(samples) == np.asarray(intended)
    sizes = {"learnt_from": len(learn), "categories": kinds, "epochs": judge.epochs}
    return {"category_accuracy": Figure.of(right, **sizes), "real_category_accuracy": Figure.of(ceiling, **sizes)}


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


def of_evidence(evidence: Evidence) -> dict[str, Figure]:
    """The accuracy on `count` samples, judged by what was learnt from the references and their labels."""
    labels = list(evidence.categories or ())
    real = evidence.part("references")
    if len(labels) != len(real):
        raise BadInput(f"needs a category for each of the {len(real)} references, got {len(labels)}")
    samples, intended = drawn(evidence, max(labels) + 1)
    return category_accuracy(samples, intended, real, labels, seed=evidence.seed)


METRIC = Metric(
    name="category_accuracy",
    description="how often samples of a category look like it to a CNN that read labelled real ones",
    paper="Wang and Wan",
    year=2018,
    unit="0 to 1",
    better="higher",
    needs=frozenset({"samples", "references", "categories"}),
    sizes="`count` samples, equally many of each category; four fifths of the references are learnt from",
    floor="real_category_accuracy, of the other fifth",
    compute=of_evidence,
)
