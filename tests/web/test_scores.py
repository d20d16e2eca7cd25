"""Shares, intervals, p-values, agreement, CSV.

Mutants killed: the normal interval instead of Wilson's (ends), a test against all items instead of the real ones, no
Holm, formulas in cells.
"""

from __future__ import annotations

import csv
import io

import pytest
from scipy import stats

from seqgans.web.scores import agreement, answers_csv, scores_of
from seqgans.web.store import Answer


def answers(source: str, yes: int, no: int, text: str = "x") -> list[Answer]:
    """One answer to each of so many items."""
    said = [True] * yes + [False] * no
    return [
        Answer("ann", f"{source}{number}", source, {"text": text}, is_real, 1.0, 0.0)
        for number, is_real in enumerate(said)
    ]


def test_shares_and_wilsons_interval():
    (score,) = scores_of(answers("real", 9, 1), ["real", "never judged"])
    z = stats.norm.ppf(0.975)
    middle, half = (0.9 + z**2 / 20) / (1 + z**2 / 10), z / (1 + z**2 / 10) * (0.09 / 10 + z**2 / 400) ** 0.5
    assert (score.source, score.answers, score.taken_for_real, score.score) == ("real", 10, 9, 0.9)
    assert (score.low, score.high) == pytest.approx((middle - half, middle + half))
    assert score.fisher is None


def test_p_values_are_against_the_real_items_and_corrected():
    given = [*answers("real", 30, 10), *answers("good", 28, 12), *answers("bad", 8, 32)]
    real, good, bad = scores_of(given, ["real", "good", "bad"])
    assert real.fisher is None
    single = [stats.fisher_exact([[yes, 40 - yes], [30, 10]])[1] for yes in (28, 8)]
    assert good.fisher == pytest.approx(single[0])  # the larger of two stays
    assert bad.fisher == pytest.approx(2 * single[1])
    welch = stats.ttest_ind([1] * 8 + [0] * 32, [1] * 30 + [0] * 10, equal_var=False)
    assert bad.by_item == pytest.approx(2 * float(welch.pvalue))  # pyright: ignore


def test_an_item_of_many_answers_counts_once_by_item():
    """Ten judges of the same two items are not twenty observations."""
    many = [
        Answer(f"judge {judge}", f"{source}{item}", source, {"text": ""}, is_real, 1.0, 0.0)
        for source, is_real in (("real", True), ("run", False))
        for item in range(2)
        for judge in range(10)
    ]
    many.append(Answer("odd", "run0", "run", {"text": ""}, True, 1.0, 0.0))
    _, run = scores_of(many, ["real", "run"])
    assert run.fisher is not None
    assert run.by_item is not None
    assert run.fisher < 1e-6 < run.by_item


def test_without_real_items_there_is_nothing_to_test_against():
    (score,) = scores_of(answers("run", 3, 4), ["real", "run"])
    assert score.fisher is None
    assert score.by_item is None
    assert scores_of([], ["real"]) == []
    assert agreement(answers("run", 3, 4)) is None


def test_csv_holds_every_answer_and_no_formula():
    given = [*answers("real", 1, 1, 'two\nlines, "quoted"'), *answers("=run", 1, 0, "=HYPERLINK(1)")]
    rows = list(csv.DictReader(io.StringIO(answers_csv(given))))
    assert [row["answer"] for row in rows] == ["real", "generated", "real"]
    assert rows[0]["text"] == 'two\nlines, "quoted"'
    assert (rows[2]["text"], rows[2]["source"]) == ("'=HYPERLINK(1)", "'=run")
    assert rows[0]["at"] == "1970-01-01T00:00:00+00:00"
