"""The metrics of known laws: likelihoods and the divergences between generator and oracle."""

from __future__ import annotations

from seqgans.evaluation import likelihood
from seqgans.evaluation.base import Evidence, Metric
from seqgans.evaluation.figure import Figure


def nll_gen(evidence: Evidence) -> dict[str, Figure]:
    """NLL of the first `count` real sequences under the generator: the test and, if there is one, the training part."""
    found = {"nll_gen_test": evidence.scores(evidence.learnt, evidence.real("references")).nll()}
    if evidence.has("train"):
        found["nll_gen_train"] = evidence.scores(evidence.learnt, evidence.real("train")).nll()
    return found


METRICS = (
    Metric(
        name="nll_oracle",
        description="how unlikely the oracle finds the samples; low for good and for collapsed ones",
        paper="Yu et al.",
        year=2017,
        unit="nats per token",
        better="lower",
        needs=frozenset({"samples", "oracle"}),
        sizes="`count` samples",
        floor="the entropy of the oracle per token; lower than that is collapse",
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
        sizes="the first `count` references, and of train",
        floor="the entropy of the data per token",
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
        sizes="`count` samples",
        floor="the entropy of the data per token",
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
        sizes="`count` samples",
        floor="0",
        compute=lambda evidence: likelihood.reverse_kl(evidence.samples_under_generator, evidence.samples_under_oracle),
    ),
    Metric(
        name="forward_kl",
        description="KL(oracle ‖ G), which punishes what is left out",
        paper="Kullback and Leibler",
        year=1951,
        unit="nats",
        better="lower",
        needs=frozenset({"generator", "oracle"}),
        sizes="`count` samples of the oracle",
        floor="0",
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
        sizes="`count` samples of both laws",
        floor="0",
        compute=lambda evidence: likelihood.jsd(
            (evidence.samples_under_generator, evidence.samples_under_oracle), evidence.oracle_under_both
        ),
    ),
)
