"""How a run judges its generator: on the way, before and after the game, and over temperatures."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence

import torch
from torch import nn

from seqgans.data.corpus import Corpus
from seqgans.errors import BadInput
from seqgans.evaluation import METRICS, Evidence, Figure, Measures, measure
from seqgans.evaluation.base import Lists
from seqgans.evaluation.encoders import codes_of, equal, hashed
from seqgans.evaluation.evidence import Beside
from seqgans.evaluation.frechet import fed
from seqgans.evaluation.likelihood import Scorer, nll_gen
from seqgans.evaluation.sweep import Point, likelihood_curve, overlap_curve, temperature_sweep
from seqgans.generators.base import Generator
from seqgans.generators.conditional import Conditional, reads_around
from seqgans.sequences import Sequences
from seqgans.training.build import Truth

WITH_TRUTH = ("nll_oracle", "nll_gen", "nll_div", "reverse_kl", "forward_kl", "jsd")
WITHOUT_TRUTH = ("nll_gen", "nll_div", "bleu", "self_bleu", "distinct", "duplicates", "copies")
MUSIC = ("music_mse", "music_pitch", "music_interval", "music_duration")
PAIRS = ("exact_match", "f1", "answer_length")
BLANKS = "infill_perplexity"  # of generators that read what surrounds a blank
NOTES = "notes"
FED, FED_VALID = "fed", "fed_valid"  # as a criterion: hashed n-grams of samples beside those of validation sequences

Watch = Callable[[str, int], None] | None
"""Whoever is told of each metric before it is measured, and how many there are."""


class Judge:
    """Measures a generator against the splits of a corpus and, where it is known, the law they come from.

    Args:
        corpus: its test split is compared with, its validation split chooses, its training split shows copies.
        truth: the oracle or world, or None.
        seed: where samples come from; the same for every generator, so that differences are not luck.
        device: where the generator lives.
        best: by which figure a run chooses; one that is not measured anyway is measured as well.

    Raises:
        BadInput: `best` is judged on validation sequences, and there are none.
    """

    def __init__(
        self,
        corpus: Corpus,
        truth: Truth | None,
        seed: int,
        device: torch.device | str = "cpu",
        best: str = "auto",
    ) -> None:
        if best == FED and len(corpus.valid) < 2:
            raise BadInput(f"run.best {FED} needs validation sequences, got {len(corpus.valid)}: raise corpus.valid")
        self.corpus = corpus
        self.best = best
        self.valid = corpus.valid.lists(corpus.vocabulary.end)
        self.truth: Scorer | None = truth.to(device) if isinstance(truth, nn.Module) else truth
        self.seed = seed
        self.test = corpus.test if len(corpus.test) else corpus.valid
        self.end = corpus.vocabulary.end
        self.references = self.test.lists(self.end)
        self.train = corpus.train.lists(self.end)
        self.beside: Beside = {}

    def figures(
        self, generator: Generator, count: int, watch: Watch = None, least: int | None = None
    ) -> tuple[dict[str, Figure], Sequences]:
        """All figures by name, and the samples they were taken on.

        Args:
            generator: who is judged.
            count: samples drawn.
            watch: called before each metric with its name and how many there are.
            least: how many of them figures see whose value depends on the number; None for all.
        """
        evidence = self.evidence(count, generator)
        found = measured(evidence, watch=watch, least=least).flat()
        if len(self.corpus.valid):
            found["nll_valid"] = nll_gen(generator, self.corpus.valid)
        if self.best == FED:
            codes = codes_of(self.corpus.vocabulary)
            points, real = hashed(evidence.drawn, codes), hashed(self.valid, codes)
            found[FED_VALID] = fed(*equal(points, real), encoder="hashed")
        return found, evidence.generated

    def evidence(self, count: int, generator: Generator | None = None, samples: Lists | None = None) -> Evidence:
        """A generator, or samples of someone else's in the ids of the corpus, beside real sequences and their law.

        Args:
            count: samples drawn or, of given ones, looked at.
            generator: who is judged; None where there are samples alone.
            samples: lists of ids; None to draw them.
        """
        train = self.corpus.train if self.truth is None else self.corpus.train[slice(0, len(self.references))]
        return Evidence(
            samples=samples,
            references=self.references,
            train=self.train[: len(train)],
            generator=generator,
            oracle=self.truth,
            notes=range(self.corpus.vocabulary.size) if self.corpus.vocabulary.kind == NOTES else None,
            sources=self.test.source,
            train_sources=self.corpus.train.source,
            vocabulary=self.corpus.vocabulary,
            categories=numbers_of(self.test),
            train_categories=numbers_of(train),
            category_names=self.corpus.categories,
            length=self.corpus.length,
            end=self.end,
            seed=self.seed,
            count=count,
            beside=self.beside,
        )

    def chooser(self, asked: str) -> str:
        """The figure whose lowest value marks the best checkpoint."""
        if asked != "auto":
            return {"reverse_kl": "reverse_kl_per_token", FED: FED_VALID}.get(asked, asked)
        return "jsd" if self.truth is not None else "nll_valid"

    def sweep(self, generator: Generator, count: int) -> list[Point]:
        """Quality and diversity at each temperature: the likelihoods with a known law, else BLEU and self-BLEU.

        Nothing where there are no real sequences to compare with, or these are answers, each to another question.
        """
        if not self.references or self.test.source is not None:
            return []
        curve = (
            overlap_curve(self.references, self.end)
            if self.truth is None
            else likelihood_curve(generator, self.truth, self.test)
        )
        return temperature_sweep(generator, curve, length=self.corpus.length, count=count, seed=self.seed)


def digest_of(corpus: Corpus, truth: object) -> bytes:
    """Equal where all that figures of real sequences depend on is equal, so that `Evidence.beside` can be shared.

    Args:
        corpus: of which test and training split count, the validation split where there is no test.
        truth: the law they come from, or None.
    """
    found = hashlib.blake2b(f"{truth is None} {corpus.length}{corpus.vocabulary.to_json()}".encode())
    for part in (corpus.test if len(corpus.test) else corpus.valid, corpus.train):
        for name, tensor in part.tensors().items():
            found.update(f"{name} {tensor.shape}".encode() + tensor.cpu().numpy().tobytes())
    return found.digest()


def measured(
    evidence: Evidence, metrics: Sequence[str] | None = None, watch: Watch = None, least: int | None = None
) -> Measures:
    """Metrics by name, or those of every run; what cannot be measured is left out with its reason.

    Args:
        evidence: what there is.
        metrics: names; None for those of every run.
        watch: called before each metric with its name and how many there are.
        least: how many samples those metrics see whose values depend on the number; None for all.
    """
    names = [*(WITHOUT_TRUTH if evidence.oracle is None else WITH_TRUTH)]
    names += MUSIC if evidence.notes is not None else ()
    if evidence.sources is not None:
        names += PAIRS if isinstance(evidence.generator, Conditional) else ()
    elif reads_around(evidence.generator):
        names.append(BLANKS)
    asked = names if metrics is None else list(metrics)
    if least is None or len(evidence.drawn) <= least:
        return measure(evidence, asked, strict=False, watch=watch)  # some need more data
    told = None if watch is None else lambda name, _: watch(name, len(asked))
    sized = [name for name in asked if name in METRICS and METRICS[name].by_size]
    fewer = dataclasses.replace(evidence, samples=evidence.drawn[:least])
    whole = measure(evidence, [name for name in asked if name not in sized], strict=False, watch=told)
    part = measure(fewer, sized, strict=False, watch=told)
    figures = whole.figures | part.figures
    return dataclasses.replace(
        whole,
        figures={name: figures[name] for name in asked if name in figures},
        skipped=whole.skipped | part.skipped,
        awaits=whole.awaits | part.awaits,
    )


def numbers_of(part: Sequences) -> list[int] | None:
    """The category of each sequence of a split, where they have some."""
    return None if part.categories is None else part.categories.tolist()
