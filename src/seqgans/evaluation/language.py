"""Forward and reverse language-model scores: how likely samples are to a model of real text, and the other way round.

The forward score judges quality alone: one perfect sentence, drawn again and again, has a low one. The reverse score
judges quality and diversity: a model of samples finds everything unlikely that they leave out. Both are negative
log-likelihoods per token, ends of sequences not scored, over the ids of the references and an unknown word.

References: Caccia et al. (2020), arXiv:1811.02549 (LSTM); Liu et al. (2020), CatGAN, arXiv:1911.06641 (Kneser-Ney).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from seqgans.evaluation.base import Evidence, Lists, Metric
from seqgans.evaluation.figure import Figure
from seqgans.evaluation.kneser_ney import KneserNey
from seqgans.evaluation.lstm_language import VALID, LstmLanguage

Language = KneserNey | LstmLanguage
LARGEST = 700.0  # e^700 is all that fits


def kneser_ney(evidence: Evidence, rows: Lists) -> KneserNey:
    """The Kneser-Ney 5-gram model of some rows, over the ids of the references."""
    return KneserNey.learn(rows, evidence.words[0])


def kneser_ney_of_references(evidence: Evidence) -> KneserNey:
    """That of all references."""
    return evidence.once_for_all("kneser-ney", lambda: kneser_ney(evidence, evidence.part("references")))


def lstm(evidence: Evidence, rows: Lists) -> LstmLanguage:
    """The LSTM of some rows, over the ids that occur at least twice in the references."""
    words, counts = evidence.words
    often = counts > 1 if bool((counts > 1).any()) else counts > 0
    return LstmLanguage.learn(rows, words[often], rare=int((~often).sum()), seed=evidence.seed)


def of_references(evidence: Evidence) -> LstmLanguage:
    """The LSTM of the first `count` references, learnt once for all metrics and generators that it reads."""
    return evidence.once_for_all("lstm", lambda: lstm(evidence, evidence.part("references")[: evidence.count]))


def forward_kn(evidence: Evidence) -> dict[str, Figure]:
    """NLL of samples under the n-gram model of the references; of `train`, or of half of the references, beside it."""
    real, model = evidence.part("references"), kneser_ney_of_references(evidence)
    figures = scored("lm_kn", model, evidence.drawn[: evidence.count], references=len(real))
    if not evidence.has("train") and len(real) < 2:
        return figures

    def floor() -> Figure:
        if evidence.has("train"):
            return model.score(evidence.part("train")[: evidence.count]).nll(references=len(real))
        return kneser_ney(evidence, real[::2]).score(real[1::2]).nll(references=len(real))

    return {**figures, "real_lm_kn": evidence.once_for_all("real_lm_kn", floor)}


def reverse_kn(evidence: Evidence) -> dict[str, Figure]:
    """NLL of references under the n-gram model of equally many samples; under that of `train` beside it."""
    return reverse(evidence, "reverse_lm_kn", lambda rows: kneser_ney(evidence, rows))


def forward_lstm(evidence: Evidence) -> dict[str, Figure]:
    """NLL of samples under the LSTM of the references; beside it that of `train`, or of what stopped its training."""
    real = evidence.part("references")[: evidence.count]
    model = of_references(evidence)
    figures = scored("lm_lstm", model, evidence.drawn[: evidence.count], references=len(real), epochs=model.epochs)
    held_out = evidence.part("train")[: evidence.count] if evidence.has("train") else real[VALID - 1 :: VALID]
    floor = evidence.once_for_all("real_lm_lstm", lambda: model.score(held_out or real).nll(references=len(real)))
    return {**figures, "real_lm_lstm": floor}


def reverse_lstm(evidence: Evidence) -> dict[str, Figure]:
    """NLL of references under the LSTM of equally many samples. Real sequences would have about `real_lm_lstm`."""
    return reverse(evidence, "reverse_lm_lstm", lambda rows: lstm(evidence, rows), floor=False)


def reverse(evidence: Evidence, name: str, learn: Callable[[Lists], Language], floor: bool = True) -> dict[str, Figure]:
    """NLL of references under what was learnt from samples, and from equally many training sequences."""
    train = evidence.part("train") if evidence.has("train") else None
    both = min(evidence.count, len(evidence.drawn), len(evidence.drawn if train is None else train))
    held_out = evidence.part("references")[: evidence.count]
    figures = scored(name, learn(evidence.drawn[:both]), held_out, learnt_from=both)
    if floor and train is not None:
        figures[f"real_{name}"] = evidence.once_for_all(
            f"real_{name} from {both}", lambda: learn(train[:both]).score(held_out).nll(learnt_from=both)
        )
    return figures


def scored(name: str, model: Language, rows: Lists, **details: int | float | str) -> dict[str, Figure]:
    """NLL per token of some rows, nats, and the perplexity e^NLL."""
    nats = model.score(rows).nll(**details)
    if math.isnan(nats.value):
        return {name: nats}
    perplexity = math.exp(min(nats.value, LARGEST))
    error = None if nats.standard_error is None else perplexity * nats.standard_error
    return {
        name: nats,
        f"{name}_perplexity": Figure(value=perplexity, standard_error=error, count=nats.count, details=nats.details),
    }


def metric(
    name: str, description: str, paper: str, sizes: str, floor: str, compute: Callable[[Evidence], dict[str, Figure]]
) -> Metric:
    """A language-model score, in nats per token; a perplexity stands beside it."""
    return Metric(
        name=name,
        description=description,
        paper=paper,
        year=2020,
        unit="nats per token",
        better="lower",
        needs=frozenset({"samples", "references"}),
        sizes=sizes,
        floor=floor,
        compute=compute,
        stands_in=True,
        by_size=name.startswith("reverse"),
    )


METRICS = (
    metric(
        "lm_kn",
        "how unlikely a Kneser-Ney 5-gram model of the references finds samples; blind to collapse",
        "Liu et al.",
        "the first `count` samples, all references",
        "real_lm_kn, of train; without train of one half of the references under the other",
        forward_kn,
    ),
    metric(
        "reverse_lm_kn",
        "how unlikely a Kneser-Ney 5-gram model of samples finds the references",
        "Liu et al.",
        "`count` samples, no more than train has; `count` references",
        "real_reverse_lm_kn, learnt from equally many sequences of train",
        reverse_kn,
    ),
    metric(
        "lm_lstm",
        "how unlikely a small LSTM that read the references finds samples; blind to collapse",
        "Caccia et al.",
        "the first `count` samples and references",
        "real_lm_lstm, of train; without train of the references that stopped its training",
        forward_lstm,
    ),
    metric(
        "reverse_lm_lstm",
        "how unlikely a small LSTM that read samples finds the references",
        "Caccia et al.",
        "`count` samples, no more than train has; `count` references",
        "about real_lm_lstm, where there are as many samples as references",
        reverse_lstm,
    ),
)
