"""Tables for the terminal.

Mutants killed: a lost column; brackets at the worst; "better" for a figure that rose but should fall; a difference
within its error, or without
one, called better; columns that do not align where a cell is wide or missing.
"""

from __future__ import annotations

from typing import Any

import pytest

from seqgans.report.table import before_after, comparison_table, figures_table, sparkline, table, verdict, width


def of(mean: float) -> dict[str, float]:
    return {"mean": mean, "error": 0.01}


def test_a_comparison(comparison: dict[str, Any]) -> None:
    lines = comparison_table(comparison).splitlines()
    assert lines[0].split() == ["likelihood", "(baseline)", "seqgan", "seqgan-shuffled", "leakgan"]
    oracle = lines[2]
    assert oracle.startswith("NLL oracle ↓")
    assert "4.923 ± 0.012" in oracle
    assert "[4.603 ± 0.015]***" in oracle
    assert oracle.rstrip().endswith("4.723 ± 0.014 *")
    assert "[" not in lines[4]  # NLL_div has no better direction
    assert {line.index("± 0.012") for line in lines[2:7]} == {oracle.index("± 0.012")}
    assert lines[-1].endswith("* p < 0.05, ** p < 0.01, *** p < 0.001 against likelihood")
    assert "spread over 3 seeds" in lines[-1]


def test_a_comparison_without_p_values_and_with_gaps() -> None:
    systems = [
        {"name": "a", "figures": {"bleu_4": {"mean": 0.4}, "jsd": {"mean": 0.1}}},
        {"name": "b", "figures": {"bleu_4": {"mean": 0.5}}},
        {"name": "c"},
    ]
    text = comparison_table({"systems": systems})
    bleu, jsd = text.splitlines()[2:4]
    assert bleu.startswith("BLEU-4 ↑")
    assert "[0.5000]" in bleu
    assert bleu.split()[-1] == "–"
    assert jsd.count("–") == 2
    assert "p < " not in text
    assert text.splitlines()[-1] == "[best of the row]; –: not measured, or not a number"


def test_marks_that_are_not_there_are_not_explained() -> None:
    """Of two runs within their errors none is the best; of one figure without an error nothing is left to say."""
    systems = [{"name": name, "figures": {"bleu_4": of(0.4)}} for name in "ab"]
    assert comparison_table({"systems": systems}).splitlines()[-1] == "± standard error"
    systems = [{"name": name, "figures": {"nll_div": {"mean": 0.4, "error": None}}} for name in "ab"]
    lines = comparison_table({"systems": systems}).splitlines()
    assert len(lines) == 3
    assert lines[-1].startswith("NLL div")


@pytest.mark.parametrize(
    ("before", "after", "direction", "words"),
    [
        (of(2.0), of(1.0), "lower", "better"),
        (of(1.0), of(2.0), "lower", "worse"),
        (of(1.0), of(2.0), "higher", "better"),
        (of(2.0), of(1.0), "higher", "worse"),
        (of(2.0), of(1.0), None, ""),
        (of(2.0), of(2.0), "lower", ""),
        (None, of(2.0), "lower", ""),
        (2.0, 1.0, "lower", ""),
        ({"mean": 2.0, "error": None}, of(1.0), "lower", ""),
        (of(2.0), {"mean": 1.0, "error": None}, "lower", ""),
        ({"mean": 2.0, "error": 0.4}, {"mean": 1.0, "error": 0.4}, "lower", "within error"),
        ({"mean": 2.0, "error": 0.3}, {"mean": 1.0, "error": 0.3}, "lower", "better"),
    ],
)
def test_verdicts(before: Any, after: Any, direction: str | None, words: str) -> None:
    assert verdict(before, after, direction) == words


def test_before_and_after() -> None:
    columns = {
        "maximum likelihood": {"nll_oracle": {"mean": 9.0, "error": 0.01}, "nll_div": {"mean": 7.0, "error": 0.01}},
        "after the game": {"nll_oracle": {"mean": 8.8, "error": 0.01}, "duplicates": {"mean": 0.0, "error": None}},
    }
    lines = before_after(columns).splitlines()
    assert lines[2].split() == ["NLL", "oracle", "↓", "9.000", "±", "0.010", "8.800", "±", "0.010", "better"]
    assert lines[3].split() == ["NLL", "div", "7.000", "±", "0.010", "–"]
    assert lines[4].split() == ["duplicates", "–", "0.000"]
    assert lines[5:] == ["", "–: not measured, or not a number"]
    assert before_after(columns, order=["nll_oracle", "unheard_of"]).count("\n") == 2


def test_other_columns_can_be_compared() -> None:
    columns = {"untrained": {"jsd": of(0.7)}, "before": {"jsd": of(0.2)}, "after": {"jsd": of(0.3)}}
    assert before_after(columns).splitlines()[2].endswith("better")
    assert before_after(columns, marked=("before", "after")).splitlines()[2].endswith("worse")


def test_figures_of_one() -> None:
    assert (
        figures_table({"self_bleu_4": {"mean": 0.512, "error": 0.02}}).splitlines()[2] == "self-BLEU-4  0.512 ± 0.020"
    )


def test_wide_letters_take_two_columns() -> None:
    assert width("春眠") == 4
    assert width("e\u0301") == 1
    lines = table([["春眠", "1"], ["ab", "2"]], ["", "x"]).splitlines()
    assert {width(line) for line in lines} == {7}


def test_sparklines() -> None:
    assert sparkline([]) == ""
    assert sparkline([1.0, 1.0]) == "▁▁"
    assert sparkline([0.0, 7.0, 3.0]) == "▁█▄"
