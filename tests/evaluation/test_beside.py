"""What is learnt from real sequences: once for several generators, and never from other sizes or another seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqgans.data.vocabulary import Vocabulary
from seqgans.evaluation import Evidence, Figure, measure
from seqgans.evaluation.classifier import Classifier
from seqgans.evaluation.evidence import Beside
from seqgans.evaluation.kneser_ney import KneserNey
from seqgans.evaluation.lstm_language import LstmLanguage

NAMES = ["lm_kn", "reverse_lm_kn", "lm_lstm", "embsim", "fed", "mauve", "c2st", "category_share"]
ONE, OTHER, REFERENCES, TRAIN = np.random.default_rng(0).zipf(1.2, (4, 60, 6)).clip(max=30).tolist()
LABELS = np.random.default_rng(1).integers(0, 2, 60).tolist()


def figures(samples: list[list[int]], beside: Beside, **more: Any) -> dict[str, Figure]:
    real = {"references": REFERENCES, "train": TRAIN, "categories": LABELS, "vocabulary": Vocabulary.of_ids(31)}
    return measure(Evidence(**{"samples": samples, "beside": beside, **real, **more}), NAMES).flat()


@pytest.mark.parametrize("train", [TRAIN, None], ids=["train", "halves"])
def test_what_is_remembered_changes_no_figure(train: list[list[int]] | None) -> None:
    """Mutants killed: something of the samples remembered; a seed, a count or a number of samples passed over."""
    beside: Beside = {}
    figures(ONE, beside, train=train)
    for samples, more in ((OTHER, {}), (OTHER[:40], {}), (OTHER, {"seed": 1}), (OTHER, {"count": 50})):
        assert figures(samples, beside, train=train, **more) == figures(samples, {}, train=train, **more)


def test_a_second_generator_costs_what_depends_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutants killed: a model of the references, of train or of labels that is learnt again."""
    learnt: list[str] = []
    for kind in (KneserNey, LstmLanguage, Classifier):
        learn = kind.learn

        def listening(*asked: Any, name: str = kind.__name__, learn: Any = learn, **more: Any) -> Any:
            learnt.append(name)
            return learn(*asked, **more)

        monkeypatch.setattr(kind, "learn", listening)
    beside: Beside = {}
    figures(ONE, beside)
    assert sorted(learnt) == sorted(["KneserNey"] * 3 + ["LstmLanguage"] + ["Classifier"] * 3)
    learnt.clear()
    figures(OTHER, beside)
    assert sorted(learnt) == ["Classifier", "KneserNey"]  # which tell the samples, and read them
