"""Category accuracy: the judge learns from held-out rows, and says what it would say of real ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqgans.errors import BadInput
from seqgans.evaluation import Evidence, categories, measure
from seqgans.generators.categories import CategoryGenerator
from seqgans.generators.recurrent import LSTM

NAME = ["category_accuracy"]


def labelled(seed: int, rows: int) -> tuple[list[list[int]], list[int]]:
    """Category c speaks in ids from 4c to 4c + 3 mostly."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, rows).tolist()
    return [
        np.where(random.random(6) < 0.8, 4 * label + random.integers(0, 4, 6), random.integers(0, 12, 6)).tolist()
        for label in labels
    ], labels


REAL, LABELS = labelled(0, 300)


def test_samples_are_judged_by_what_they_were_meant_to_be() -> None:
    """Kills: intended and named swapped, the ceiling on rows that were learnt from, samples used for learning."""
    samples, meant = labelled(1, 200)
    evidence = Evidence(samples=samples, sample_categories=meant, references=REAL, categories=LABELS)
    found = measure(evidence, NAME).flat()
    assert found["category_accuracy"].value > 0.85
    assert found["category_accuracy"].value == pytest.approx(found["real_category_accuracy"].value, abs=0.12)
    assert found["real_category_accuracy"].count == 60
    assert found["category_accuracy"].details["learnt_from"] == 240
    wrong = [(label + 1) % 3 for label in meant]
    other = measure(Evidence(samples=samples, sample_categories=wrong, references=REAL, categories=LABELS), NAME).flat()
    assert other["category_accuracy"].value < 0.15
    assert other["real_category_accuracy"].value == found["real_category_accuracy"].value
    one = [4, 5, 6, 7, 4, 5]
    collapsed = Evidence(samples=[one] * 90, sample_categories=[0, 1, 2] * 30, references=REAL, categories=LABELS)
    assert measure(collapsed, NAME).flat()["category_accuracy"].value == pytest.approx(1 / 3)


def test_the_judge_learns_from_labelled_training_sequences_where_there_are_any() -> None:
    """Kills: a judge that learns from what it is tested on; labels of the other split."""
    samples, meant = labelled(1, 200)
    train, labels = labelled(3, 500)
    given = {"samples": samples, "sample_categories": meant, "references": REAL, "categories": LABELS}
    found = measure(Evidence(**given, train=train, train_categories=labels), NAME).flat()
    assert found["real_category_accuracy"].count == len(REAL)
    assert found["category_accuracy"].details["learnt_from"] == 500
    assert found["category_accuracy"].value > 0.85
    turned = [(label + 1) % 3 for label in labels]
    assert (
        measure(Evidence(**given, train=train, train_categories=turned), NAME).flat()["category_accuracy"].value < 0.15
    )


def test_shares_are_those_of_what_the_judge_sees() -> None:
    """Kills: shares of the labels for those of the samples, categories off by one."""
    samples, meant = labelled(2, 300)
    kept = [row for row, label in zip(samples, meant, strict=True) if label != 1]
    found = measure(Evidence(samples=kept, references=REAL, categories=LABELS), ["category_share"]).flat()
    assert sum(found[f"category_share_{kind}"].value for kind in range(3)) == pytest.approx(1)
    assert found["category_share_1"].value < 0.1
    assert found["category_share_0"].value == pytest.approx(
        np.mean([label == 0 for label in meant if label != 1]), abs=0.1
    )
    assert found["real_category_share_2"].value == pytest.approx(LABELS.count(2) / 300)
    named = Evidence(samples=kept, references=REAL, categories=LABELS, category_names=["bad", "so-so", "good"])
    called = measure(named, ["category_share"]).flat()
    assert [*called] == [f"{kind}category_share_{name}" for name in ("bad", "so-so", "good") for kind in ("", "real_")]
    assert called["category_share_bad"] == found["category_share_0"]


class Told(CategoryGenerator):
    """Category c writes 4c and nothing else; `mixed` exchanges the last two categories."""

    def __init__(self, mixed: bool) -> None:
        super().__init__(12, 0, None, 3)
        self.mixed = mixed
        self.output = torch.nn.Linear(1, 12)

    def within(self, categories):
        told = categories if not self.mixed or categories == 0 else 3 - categories
        law = LSTM().build(12, 0, None, torch.Generator().manual_seed(0))
        with torch.no_grad():
            for parameter in law.parameters():
                parameter.zero_()
            law.output.bias[4 * told : 4 * told + 4] = 50.0
        return law


def test_a_generator_is_told_every_category_equally_often() -> None:
    """Kills: categories drawn freely, one stream for all categories."""
    for mixed, wanted in ((False, 1.0), (True, 1 / 3)):
        evidence = Evidence(generator=Told(mixed), references=REAL, categories=LABELS, length=6, count=90)
        found = measure(evidence, NAME).flat()["category_accuracy"]
        assert found.value == pytest.approx(wanted, abs=0.02)
        assert found.count == 90
    rows, meant = categories.drawn(evidence, 3)
    assert meant == [0] * 30 + [1] * 30 + [2] * 30
    assert {token // 4 for row in rows[30:60] for token in row} == {2}


def test_what_is_missing_is_said() -> None:
    for evidence, message in (
        (Evidence(samples=[[1]] * 9, references=REAL), "needs the categories of the references"),
        (Evidence(samples=[[1]] * 9, references=REAL, categories=LABELS), "needs a generator of 3 categories, or"),
        (Evidence(samples=[[1]], references=REAL, categories=[1]), "needs a category for each of the 300 references"),
        (
            Evidence(samples=[[1]], sample_categories=[3], references=REAL, categories=LABELS),
            "at least 5 real sequences of each, got 0 of category 3",
        ),
    ):
        with pytest.raises(BadInput, match=message):
            measure(evidence, NAME)
    assert "category_accuracy" in measure(Evidence(samples=[[1], [2]])).skipped
