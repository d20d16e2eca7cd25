"""Judging generators: metrics, tests of significance, curves over the temperature."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seqgans.errors import BadInput
from seqgans.evaluation import answers, diversity, infilling, likelihood, music, overlap
from seqgans.evaluation.base import Evidence, Lists, Measures, Metric, compute
from seqgans.evaluation.figure import Figure

__all__ = ["METRICS", "Evidence", "Figure", "Measures", "Metric", "measure"]


def measure(evidence: Evidence, names: Sequence[str] | None = None, strict: bool = True) -> Measures:
    """Figures of the metrics called `names`, or of all that the evidence allows.

    Args:
        evidence: what there is to measure on.
        names: keys of `METRICS`; None for all, with the reason for each that was left out.
        strict: refuse, instead of leaving out, what was asked for by name and lacks evidence.

    Raises:
        BadInput: a metric asked for by name does not exist, or lacks evidence and `strict`.

    >>> found = measure(Evidence(samples=[[1, 2], [1, 2], [3]]), ["duplicates", "length"])
    >>> {name: round(figure.value, 3) for name, figure in found.flat().items()}
    {'duplicates': 0.333, 'length': 1.667}
    """
    return compute(METRICS, evidence, names, strict)


def beside_real(evidence: Evidence, function: Callable[[Lists], dict[str, Figure]]) -> dict[str, Figure]:
    """Figures of the samples and, where there are references enough, of equally many of them ("real_…")."""
    figures = function(evidence.drawn)
    if not evidence.has("references"):
        return figures
    try:
        real = function(evidence.part("references")[: len(evidence.drawn)])
    except BadInput:  # too few of them say nothing against the samples
        return figures
    return {**figures, **{f"real_{name}": figure for name, figure in real.items()}}


def nll_gen(evidence: Evidence) -> dict[str, Figure]:
    """NLL of the first `count` real sequences under the generator: the test and, if there is one, the training part."""
    found = {"nll_gen_test": evidence.scores(evidence.learnt, evidence.real("references")).nll()}
    if evidence.has("train"):
        found["nll_gen_train"] = evidence.scores(evidence.learnt, evidence.real("train")).nll()
    return found


def music_mse(evidence: Evidence) -> dict[str, Figure]:
    """The three readings of the music error, on pitches."""
    pitches = evidence.notes or ()
    samples, references = (
        [[pitches[note] for note in row] for row in rows]
        for rows in (evidence.drawn[: evidence.overlap_count], evidence.part("references"))
    )
    return {
        "mse_nearest": music.mse_nearest(samples, references),
        "mse_mean": music.mse_mean(samples, references),
        "mse_interval": music.mse_interval(samples, references),
    }


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="nll_oracle",
            description="how unlikely the oracle finds the samples; low for good and for collapsed ones",
            paper="Yu et al.",
            year=2017,
            unit="nats per token",
            better="lower",
            needs=frozenset({"samples", "oracle"}),
            compute=lambda evidence: {"nll_oracle": evidence.samples_under_oracle.nll()},
        ),
        Metric(
            name="nll_gen",
            description="how unlikely the generator finds real sequences, test and train",
            paper="Nie et al.",
            year=2019,
            unit="nats per token",
            better="lower",
            needs=frozenset({"references", "generator"}),
            compute=nll_gen,
        ),
        Metric(
            name="nll_div",
            description="entropy of the generator: how unlikely it finds its own samples",
            paper="Liu et al.",
            year=2020,
            unit="nats per token",
            better="closer to real",
            needs=frozenset({"samples", "generator"}),
            compute=lambda evidence: {"nll_div": evidence.samples_under_generator.nll()},
        ),
        Metric(
            name="reverse_kl",
            description="KL(G ‖ oracle), which punishes samples that are not real",
            paper="Kullback and Leibler",
            year=1951,
            unit="nats",
            better="lower",
            needs=frozenset({"samples", "generator", "oracle"}),
            compute=lambda evidence: likelihood.reverse_kl(
                evidence.samples_under_generator, evidence.samples_under_oracle
            ),
        ),
        Metric(
            name="forward_kl",
            description="KL(oracle ‖ G), which punishes what is left out",
            paper="Kullback and Leibler",
            year=1951,
            unit="nats",
            better="lower",
            needs=frozenset({"generator", "oracle"}),
            compute=lambda evidence: likelihood.forward_kl(*evidence.oracle_under_both),
        ),
        Metric(
            name="jsd",
            description="Jensen–Shannon divergence of generator and oracle, at most ln 2 per sequence",
            paper="Lin",
            year=1991,
            unit="nats",
            better="lower",
            needs=frozenset({"samples", "generator", "oracle"}),
            compute=lambda evidence: likelihood.jsd(
                (evidence.samples_under_generator, evidence.samples_under_oracle), evidence.oracle_under_both
            ),
        ),
        infilling.METRIC,
        *answers.METRICS,
        Metric(
            name="bleu",
            description="BLEU-2 to 5 of samples against all references, mean of sentences",
            paper="Papineni et al.",
            year=2002,
            unit="0 to 1",
            better="higher",
            needs=frozenset({"samples", "references"}),
            compute=lambda evidence: overlap.bleu(
                evidence.drawn,
                evidence.part("references"),
                smoothing=evidence.smoothing,
                count=evidence.overlap_count,
            ),
        ),
        Metric(
            name="self_bleu",
            description="BLEU-2 to 5 of each sample against the others",
            paper="Zhu et al.",
            year=2018,
            unit="0 to 1",
            better="closer to real",
            needs=frozenset({"samples"}),
            compute=lambda evidence: beside_real(
                evidence,
                lambda rows: overlap.self_bleu(rows, smoothing=evidence.smoothing, count=evidence.overlap_count),
            ),
        ),
        Metric(
            name="backward_bleu",
            description="BLEU-2 to 5 of references against samples: how much of what is real was found",
            paper="Shi et al.",
            year=2018,
            unit="0 to 1",
            better="higher",
            needs=frozenset({"samples", "references"}),
            compute=lambda evidence: overlap.backward_bleu(
                evidence.drawn,
                evidence.part("references"),
                smoothing=evidence.smoothing,
                count=evidence.overlap_count,
            ),
        ),
        Metric(
            name="bleu_f1",
            description="harmonic mean of BLEU and backward BLEU on equally many sequences",
            paper="Shi et al.",
            year=2018,
            unit="0 to 1",
            better="higher",
            needs=frozenset({"samples", "references"}),
            compute=lambda evidence: overlap.bleu_f1(
                evidence.drawn,
                evidence.part("references"),
                smoothing=evidence.smoothing,
                count=evidence.overlap_count,
            ),
        ),
        Metric(
            name="distinct",
            description="different n-grams over all n-grams, n = 1 to 4",
            paper="Li et al.",
            year=2016,
            unit="0 to 1",
            better="closer to real",
            needs=frozenset({"samples"}),
            compute=lambda evidence: beside_real(
                evidence, lambda rows: diversity.distinct(rows, count=evidence.overlap_count)
            ),
        ),
        Metric(
            name="unique_gram",
            description="different n-grams per sample, n = 1 to 4",
            paper="Zhu et al.",
            year=2018,
            unit="n-grams per sample",
            better="closer to real",
            needs=frozenset({"samples"}),
            compute=lambda evidence: beside_real(
                evidence, lambda rows: diversity.unique_gram(rows, count=evidence.overlap_count)
            ),
        ),
        Metric(
            name="ngram_entropy",
            description="entropy of the n-grams that occur, n = 1 to 4",
            paper="Zhang et al.",
            year=2018,
            unit="nats",
            better="closer to real",
            needs=frozenset({"samples"}),
            compute=lambda evidence: beside_real(
                evidence, lambda rows: diversity.ngram_entropy(rows, count=evidence.overlap_count)
            ),
        ),
        Metric(
            name="duplicates",
            description="share of samples that equal an earlier one",
            paper="",
            year=0,
            unit="0 to 1",
            better="closer to real",
            needs=frozenset({"samples"}),
            compute=lambda evidence: beside_real(evidence, diversity.duplicates),
        ),
        Metric(
            name="copies",
            description="share of samples that equal a training sequence",
            paper="",
            year=0,
            unit="0 to 1",
            better="closer to real",
            needs=frozenset({"samples", "train"}),
            compute=lambda evidence: beside_real(evidence, lambda rows: diversity.copies(rows, evidence.part("train"))),
        ),
        Metric(
            name="novelty",
            description="distance of samples to the nearest training sequence (Jaccard on sets of tokens)",
            paper="Wang and Wan",
            year=2018,
            unit="0 to 1",
            better="closer to real",
            needs=frozenset({"samples", "train"}),
            compute=lambda evidence: beside_real(
                evidence,
                lambda rows: diversity.novelty(rows, evidence.part("train"), count=evidence.overlap_count),
            ),
        ),
        Metric(
            name="jaccard_diversity",
            description="distance of samples to the nearest other sample (Jaccard on sets of tokens)",
            paper="Wang and Wan",
            year=2018,
            unit="0 to 1",
            better="closer to real",
            needs=frozenset({"samples"}),
            compute=lambda evidence: beside_real(
                evidence, lambda rows: diversity.jaccard_diversity(rows, count=evidence.overlap_count)
            ),
        ),
        Metric(
            name="music_mse",
            description="mean squared error of pitches to real tunes, in three readings",
            paper="Yu et al.",
            year=2017,
            unit="semitones²",
            better="closer to real",
            needs=frozenset({"samples", "references", "notes"}),
            compute=music_mse,
        ),
        Metric(
            name="length",
            description="mean number of tokens",
            paper="",
            year=0,
            unit="tokens",
            better="closer to real",
            needs=frozenset({"samples"}),
            compute=lambda evidence: beside_real(evidence, diversity.lengths),
        ),
    )
}
