"""Files whose texts have labels: categories of samples that others wrote.

Mutants killed: labels that slip against their texts where a line is blank; categories numbered by the samples; a text
that keeps its label; the label of the first tab taken from the last.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqgans.data import CorpusSettings
from seqgans.errors import BadInput
from seqgans.verbs.evaluate import evaluate
from seqgans.verbs.labelled import evidence_of_labelled, labelled_texts

LABELLED = CorpusSettings(text="1", label="0")
RAIN, SUN = ["dark rain fell", "grey rain fell", "wet rain fell"], ["warm sun", "bright sun"]
REAL = [*(f"rain\t{text}" for text in RAIN), *(f"sun\t{text}" for text in SUN)]


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Labelled real texts as a table."""
    path = tmp_path / "real.tsv"
    path.write_text("\n".join(REAL * 12) + "\n")
    return path


def test_lines_and_tables_say_the_same(tmp_path: Path) -> None:
    lines, table = tmp_path / "lines.txt", tmp_path / "table.jsonl"
    rows = [("sun", "warm\tsun"), ("rain", "wet rain")]
    lines.write_text("\n\n".join(f"{label}\t{text}" for label, text in rows) + "\n")
    table.write_text("\n".join(json.dumps({"kind": label, "text": text}) for label, text in [*rows, ("sun", " ")]))
    expected = (["warm\tsun", "wet rain"], ["sun", "rain"])
    assert labelled_texts(lines, LABELLED) == expected
    assert labelled_texts(table, CorpusSettings(label="kind")) == expected
    lines.write_text("warm sun\n")
    assert labelled_texts(lines, LABELLED) == (["warm sun"], None)


def test_categories_are_those_of_the_references(real: Path, tmp_path: Path) -> None:
    samples = tmp_path / "samples.txt"
    samples.write_text("sun\twarm sun\nrain\tgrey rain fell\n")
    found = evidence_of_labelled(samples, str(real), None, 100, 0, LABELLED)
    assert found.sample_categories == [1, 0]
    assert list(found.categories or ())[:5] == [0, 0, 0, 1, 1]
    assert [found.known.decode(list(ids)) for ids in found.drawn] == ["warm sun", "grey rain fell"]


def test_accuracy_of_a_file(real: Path, tmp_path: Path) -> None:
    """Right labels are named rightly, turned ones are not; without labels there are shares alone."""
    samples = tmp_path / "samples.txt"
    for turned, low, high in ((False, 0.9, 1.0), (True, 0.0, 0.1)):
        named = [line.split("\t") for line in REAL[:3] * 4 + REAL[3:] * 6]
        other = {"rain": "sun", "sun": "rain"}
        samples.write_text("\n".join(f"{other[label] if turned else label}\t{text}" for label, text in named))
        found = evaluate(samples, str(real), metrics=["category_accuracy"], reading=LABELLED).flat()
        assert low <= found["category_accuracy"].value <= high
    samples.write_text("\n".join(RAIN * 6 + SUN * 3))
    shares = evaluate(samples, str(real), metrics=["category_share"], reading=LABELLED).flat()
    assert shares["category_share_rain"].value == pytest.approx(0.75, abs=0.05)
    with pytest.raises(BadInput, match="samples with the category each was meant to have"):
        evaluate(samples, str(real), metrics=["category_accuracy"], reading=LABELLED)


def test_what_is_wrong_is_said(real: Path, tmp_path: Path) -> None:
    samples = tmp_path / "samples.txt"
    for content, message in (
        (
            "sun\twarm sun\nwet rain\n",
            r"sequence 2 of .*samples\.txt must be label<TAB>text, as others are, got 'wet rain'",
        ),
        ("snow\twhite\n", r"samples\.txt has the category 'snow', which the references have not: rain, sun"),
    ):
        samples.write_text(content)
        with pytest.raises(BadInput, match=message):
            evaluate(samples, str(real), reading=LABELLED)
    plain = tmp_path / "plain.txt"
    plain.write_text("wet rain\n")
    with pytest.raises(
        BadInput, match=r"plain\.txt must have a label before each text \(label<TAB>text\), but no line"
    ):
        evaluate(plain, str(plain), reading=LABELLED)
