"""Datasets of the `datasets` library: saved folders offline, and what a failing hub comes to."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from seqgans.data.corpus import CorpusSettings
from seqgans.data.hub import hub_corpus
from seqgans.data.open import open_text_corpus
from seqgans.errors import BadInput

datasets = pytest.importorskip("datasets")

LINES = [f"word{number % 7} " * (1 + number % 3) for number in range(30)]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hub") / "saved"
    parts = {
        "train": datasets.Dataset.from_dict({"text": LINES, "label": [0] * 30}),
        "validation": datasets.Dataset.from_dict({"text": ["word1", None], "label": [0, 1]}),
        "more": datasets.Dataset.from_dict({"text": LINES[:10], "label": [0] * 10}),
    }
    datasets.DatasetDict(parts).save_to_disk(path)
    return path


def refused(name: str, **settings: str) -> str:
    with pytest.raises(BadInput) as error:
        hub_corpus(name, CorpusSettings(**settings), 0)  # pyright: ignore[reportArgumentType]
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_saved_folder_brings_its_splits(saved: Path) -> None:
    corpus = hub_corpus(f"hf:{saved}", CorpusSettings(test=0.1), 0)
    assert (len(corpus.train), len(corpus.valid), len(corpus.test)) == (27, 1, 3)
    assert corpus.vocabulary.size == 9
    assert corpus.facts["valid"]["blank"] == 1


def test_one_split_is_divided(saved: Path) -> None:
    corpus = hub_corpus(f"hf:{saved}", CorpusSettings(split="more", valid=0.1, test=0.1), 0)
    assert (len(corpus.train), len(corpus.valid), len(corpus.test)) == (8, 1, 1)
    assert refused(f"hf:{saved}", split="less") == (
        f"hf:{saved} has no split 'less'; choose --corpus.split from: train, validation, more"
    )


def test_one_dataset_without_splits(tmp_path: Path) -> None:
    datasets.Dataset.from_dict({"body": LINES}).save_to_disk(tmp_path / "one")
    corpus = hub_corpus(f"hf:{tmp_path / 'one'}", CorpusSettings(text="body", valid=0.1, test=0.1), 0)
    assert (len(corpus.train), len(corpus.valid), len(corpus.test)) == (24, 3, 3)


def test_wrong_columns(saved: Path) -> None:
    assert refused(f"hf:{saved}", text="body") == (
        f"hf:{saved} has no column 'body'; choose one with --corpus.text: text, label"
    )
    assert refused(f"hf:{saved}", text="label") == (
        f"hf:{saved} must hold text in that column, but row 1 is of type int; choose another column"
    )


def test_no_split_to_learn_from(tmp_path: Path) -> None:
    datasets.DatasetDict({"all": datasets.Dataset.from_dict({"text": LINES})}).save_to_disk(tmp_path / "d")
    assert (
        refused(f"hf:{tmp_path / 'd'}") == f"hf:{tmp_path / 'd'} has no split 'train'; choose --corpus.split from: all"
    )


def test_names_go_to_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load(name: str, configuration: str | None) -> object:
        asked.append((name, configuration))
        return datasets.Dataset.from_dict({"text": LINES})

    monkeypatch.setattr(datasets, "load_dataset", load)
    hub_corpus("hf:someone/corpus", CorpusSettings(), 0)
    hub_corpus("hf:corpus:raw", CorpusSettings(), 0)
    assert asked == [("someone/corpus", None), ("corpus", "raw")]


def test_a_failing_hub_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, configuration: str | None) -> object:
        raise ConnectionError(f"Couldn't reach '{name}' on the Hub.\nSee the documentation")

    monkeypatch.setattr(datasets, "load_dataset", load)
    assert refused("hf:corpus") == (
        "hf:corpus must be a dataset that can be loaded, but: Couldn't reach 'corpus' on the Hub; check the name and "
        "the network, or give a folder written by save_to_disk"
    )


def test_other_folders_and_no_name(tmp_path: Path) -> None:
    assert refused(f"hf:{tmp_path}").startswith(f"hf:{tmp_path} must be a dataset that can be loaded, but: ")
    assert refused("hf:") == (
        "hf: must be followed by the name of a dataset or a folder, got nothing; for example hf:imdb"
    )


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert refused("hf:imdb") == "hf:NAME needs the package datasets: pip install 'seqgans[data]'"


def test_questions_of_a_dataset_are_read_as_those_of_a_file(tmp_path: Path) -> None:
    """One row a question, as hubs keep SQuAD; the file has them by article and paragraph."""
    found = [
        ("The cat sat on a mat.", "Where did the cat sit?", ["on a mat", "a mat"]),
        ("It rained on Monday.", "When did it snow?", []),
        ("Ten men came.", "How many men?", ["Ten"]),
    ]
    columns = {
        "context": [context for context, _, _ in found],
        "question": [question for _, question, _ in found],
        "answers": [{"text": answers, "answer_start": [0] * len(answers)} for _, _, answers in found],
    }
    part = datasets.Dataset.from_dict(columns)
    datasets.DatasetDict({"train": part, "validation": part, "test": part}).save_to_disk(tmp_path / "saved")
    paragraphs = [
        {"context": context, "qas": [{"question": question, "answers": [{"text": text} for text in answers]}]}
        for context, question, answers in found
    ]
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    ours = hub_corpus(f"hf:{tmp_path / 'saved'}", CorpusSettings(), 0)
    same = CorpusSettings(valid_file=str(path), test_file=str(path))
    theirs = open_text_corpus(str(path), same, 0)
    assert ours.vocabulary == theirs.vocabulary
    for split in ("train", "valid", "test"):
        one, other = getattr(ours, split), getattr(theirs, split)
        assert one.lists() == other.lists()
        assert one.source.lists() == other.source.lists()
    assert ours.facts["questions"] == theirs.facts["questions"]
    assert (len(ours.train), len(ours.test)) == (2, 3)  # every different answer to judge by
