"""Sources of a corpus: read from a column, divided with their texts, in the vocabulary of both.

Mutants killed: sources of rows that were dropped, sources divided by another order, a vocabulary of texts alone or of
held-out sources, a source without its closing token, rows that lose their source in a run's folder, sources numbered by
padding.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from seqgans.data import Corpus, CorpusSettings, open_text_corpus
from seqgans.data.sources import alike, encode_sources, once_each, source_texts
from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput
from seqgans.sequences import Sequences
from seqgans.training.folder import RunFolder

ROWS = [(f"q{number} is what ?", f"a{number} of it" if number % 3 else f"a{number}") for number in range(60)]
ROWS += [("q60 is long ?", "far too many words for this one"), ("q61 has no answer", "")]


def opened(path: Path, **settings: object) -> Corpus:
    return open_text_corpus(str(path), CorpusSettings(**settings), 0)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "a.tsv"
    path.write_text("".join(f"{source}\t{text}\n" for source, text in ROWS[::2] + ROWS[1::2]))
    return path


def assert_paired(corpus: Corpus) -> None:
    """Question and answer have one number."""
    for split in (corpus.train, corpus.valid, corpus.test):
        assert split.source is not None
        asked = source_texts(split.source, corpus.vocabulary)
        texts = [corpus.vocabulary.decode(ids) for ids in split.lists(corpus.vocabulary.end)]
        assert len(texts) > 3
        known = [pair for pair in zip(asked, texts, strict=True) if "<unk>" not in f"{pair[0].split()[0]} {pair[1]}"]
        assert all(source.split()[0][1:] == text.split()[0][1:] for source, text in known)


def test_every_text_keeps_its_source(table: Path) -> None:
    corpus = opened(table, text="1", source="0", valid=0.2, test=0.2, length=3)
    assert_paired(corpus)
    assert corpus.source_width == 5
    assert sum(len(getattr(corpus, split)) for split in ("train", "valid", "test")) == 60
    symbols = set(corpus.vocabulary.symbols)
    assert sum(f"a{number}" in symbols for number in range(60)) == len(corpus.train)
    assert all((f"q{number}" in symbols) == (f"a{number}" in symbols) for number in range(60))
    assert "what" in symbols
    assert corpus.facts["sources"]["train"]["unknown_rate"] == 0
    assert corpus.facts["sources"]["test"]["unknown_rate"] == pytest.approx(1 / 4)
    without = opened(table, text="1", valid=0.2, test=0.2, length=3)
    assert without.source_width == 0
    assert len(without.train) == len(corpus.train)


def test_sources_are_cut_and_closed(table: Path) -> None:
    corpus = opened(table, text="1", source="0", length=3, source_length=2, valid=0.2, test=0.2)
    assert corpus.train.source is not None
    assert corpus.train.source.tokens.shape[1] == 3
    assert bool((corpus.train.source.tokens[:, 2] == 0).all())
    assert bool(corpus.train.source.mask.all())
    assert corpus.facts["sources"]["train"]["cut"] == len(corpus.train)
    assert "what" not in corpus.vocabulary.symbols  # what was cut off is not counted
    characters = opened(table, text="1", source="0", tokens="characters", longer="cut", length=2, end="no")
    assert characters.vocabulary.end is None
    assert characters.train.source is not None
    assert source_texts(characters.train.source[:1], characters.vocabulary)[0].endswith("?")


def test_by_name_json_and_files_of_their_own(tmp_path: Path) -> None:
    lines = tmp_path / "b.jsonl"
    lines.write_text("".join(json.dumps({"reply": text, "line": source}) + "\n" for source, text in ROWS[:50]))
    more = tmp_path / "c.jsonl"
    more.write_text("".join(json.dumps({"reply": text, "line": source}) + "\n" for source, text in ROWS[50:60]))
    corpus = opened(lines, text="reply", source="line", test_file=str(more), valid=0.2)
    assert_paired(corpus)
    assert len(corpus.test) == 10


def test_a_run_keeps_sources(table: Path, tmp_path: Path) -> None:
    corpus = opened(table, text="1", source="0", length=3)
    folder = RunFolder.new(tmp_path / "run")
    folder.write_corpus(corpus)
    again = folder.read_corpus()
    for split in ("train", "valid", "test"):
        ours, theirs = getattr(corpus, split).tensors(), getattr(again, split).tensors()
        assert ours.keys() == theirs.keys() >= {"source.tokens", "source.mask"}
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    moved = corpus.train[torch.tensor([1, 0])].to("cpu")
    assert moved.source is not None
    assert torch.equal(moved.source.tokens, corpus.train.source.tokens[:2].flip(0))  # pyright: ignore


def test_equal_sources_have_one_number() -> None:
    tokens = torch.tensor([[5, 0, 9], [6, 5, 0], [5, 0, 3], [6, 5, 0], [5, 5, 0]])
    sources = Sequences.of(tokens, end=0)
    assert alike(sources) == [0, 1, 0, 1, 2]
    assert once_each(sources).tokens.tolist() == [[5, 0, 9], [6, 5, 0], [5, 5, 0]]
    empty = encode_sources([], Vocabulary.build(["a"], "words"), 4)
    assert empty[0].tokens.shape == (0, 4)
    assert empty[1] == {"cut": 0, "tokens": 0, "unknown_rate": 0.0}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"text": "1", "source": "7"}, r"has no column '7'; choose one with --corpus\.source by number"),
        (
            {"text": "1", "source": "1"},
            r"--corpus\.source must be another column than --corpus\.text, got '1' for both",
        ),
        ({"source": "0"}, r"--corpus\.text and --corpus\.source must both be names, or both be numbers"),
        ({"text": "1", "source_length": 4}, r"--corpus\.source-length needs --corpus\.source"),
        ({"text": "0", "source": "1"}, r"must hold a source in every row, but row 62 holds none; mend it"),
    ],
)
def test_what_is_refused(table: Path, settings: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said) as error:
        opened(table, **settings)
    assert "\n" not in str(error.value)


def test_what_has_no_columns(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("a b\nc\nd\n")
    with pytest.raises(BadInput, match=r"--corpus\.source means nothing for"):
        opened(text, source="0")
    with pytest.raises(ValueError, match=r"CorpusSettings\.source_length must be at least 1, got 0"):
        CorpusSettings(source_length=0)
