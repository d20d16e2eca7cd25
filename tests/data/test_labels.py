"""Categories of a corpus: read from a column, divided with their texts, numbered by name.

Mutants killed: labels of rows that were dropped, labels divided by another order, categories numbered by first
appearance or by the split, numbers as labels that are refused, a header read for one column and not for the other.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from seqgans.data import Corpus, CorpusSettings, open_text_corpus
from seqgans.data.tables import labels_of, read_labels
from seqgans.errors import BadInput
from seqgans.training.folder import RunFolder

ROWS = [("red", f"r{number % 5} one") for number in range(30)] + [("blue", f"b{number % 5}") for number in range(50)]
ROWS += [("red", ""), ("blue", "far too many words for this one")]


def opened(path: Path, **settings: object) -> Corpus:
    return open_text_corpus(str(path), CorpusSettings(**settings), 0)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "a.tsv"
    path.write_text("".join(f"{label}\t{text}\n" for label, text in ROWS[::2] + ROWS[1::2]))
    return path


def assert_labelled(corpus: Corpus) -> None:
    assert corpus.categories == ("blue", "red")
    for split in (corpus.train, corpus.valid, corpus.test):
        assert split.categories is not None
        texts = [corpus.vocabulary.decode(ids) for ids in split.lists(corpus.vocabulary.end)]
        assert [text.startswith("r") for text in texts] == (split.categories == 1).tolist()


def test_every_text_keeps_its_label(table: Path) -> None:
    corpus = opened(table, text="1", label="0", valid=0.2, test=0.2, length=2, minimum_count=1)
    assert_labelled(corpus)
    assert corpus.facts["train"]["kept"] == len(corpus.train) < 80
    of = corpus.facts["categories"]
    assert sum(of[split]["red"] for split in of) == 30
    assert sum(of[split]["blue"] for split in of) == 50
    assert torch.bincount(corpus.train.categories).tolist() == [of["train"]["blue"], of["train"]["red"]]  # pyright: ignore[reportArgumentType]
    without = opened(table, text="1", valid=0.2, test=0.2, length=2)
    assert without.train.categories is None
    assert torch.equal(without.train.tokens, corpus.train.tokens)


def test_by_name_and_from_json(tmp_path: Path) -> None:
    named = tmp_path / "b.csv"
    named.write_text("colour,text\n" + "".join(f"{label},{text}\n" for label, text in ROWS[:80]))
    assert_labelled(opened(named, label="colour", valid=0.2, test=0.2))
    lines = tmp_path / "b.jsonl"
    lines.write_text("".join(json.dumps({"text": text, "label": label == "red"}) + "\n" for label, text in ROWS[:80]))
    assert opened(lines, label="label").categories == ("False", "True")


def test_splits_of_their_own(table: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.tsv"
    more.write_text("red\tr1 one\nblue\tb2\n")
    corpus = opened(table, text="1", label="0", length=2, test_file=str(more))
    assert corpus.test.categories is not None
    assert corpus.test.categories.tolist() == [1, 0]
    more.write_text("green\tr1\n")
    with pytest.raises(
        BadInput, match=r"the test split of .* has the category 'green', which its training split has not"
    ):
        opened(table, text="1", label="0", length=2, test_file=str(more))


def test_a_run_keeps_categories(table: Path, tmp_path: Path) -> None:
    corpus = opened(table, text="1", label="0", length=2)
    folder = RunFolder.new(tmp_path / "run")
    folder.write_corpus(corpus)
    again = folder.read_corpus()
    assert again.categories == corpus.categories
    for split in ("train", "valid", "test"):
        ours, theirs = getattr(corpus, split), getattr(again, split)
        assert torch.equal(ours.categories, theirs.categories)
        assert torch.equal(ours.tokens, theirs.tokens)


def test_what_is_refused(table: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="must both be names, or both be numbers"):
        opened(table, label="0")
    with pytest.raises(BadInput, match=r"has no column '7'; choose one with --corpus\.label by number"):
        read_labels(table, "7")
    with pytest.raises(BadInput, match=r"must hold a label in every row, but row 2 holds ''"):
        labels_of("it", ["a", ""])
    with pytest.raises(BadInput, match=r"row 1 holds 0\.5"):
        labels_of("it", [0.5])
    assert labels_of("it", [0, "b", True]) == ["0", "b", "True"]
    text = tmp_path / "a.txt"
    text.write_text("a b\nc\nd\n")
    with pytest.raises(BadInput, match=r"--corpus\.label means nothing for"):
        opened(text, label="0")


def test_a_corpus_is_labelled_as_a_whole(table: Path) -> None:
    corpus = opened(table, text="1", label="0", length=2)
    with pytest.raises(ValueError, match="if and only if"):
        dataclasses.replace(corpus, categories=())


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("mr.tsv.gz", {"0": 4_261, "1": 4_264}),
        ("cr.tsv.gz", {"0": 1_092, "1": 1_918}),
        ("amazon.tsv.gz", {"0": 1_211, "1": 1_189}),
        ("yelp.tsv.gz", {"0": 19_622, "1": 18_675}),
    ],
)
def test_reviews(shared_data: Path, name: str, counts: dict[str, int]) -> None:
    corpus = opened(shared_data / name, text="1", label="0", length=3000, valid=0.0, test=0.0)
    assert corpus.facts["categories"]["train"] == counts
