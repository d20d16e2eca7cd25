"""Specs: every form that `list corpora` shows opens, and what is none is refused in one line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from seqgans.data import CORPORA, WORLDS, Corpus, CorpusSettings, open_text_corpus, read_texts, write_midi
from seqgans.errors import BadInput
from seqgans.verbs.evaluate import read_sequences

LINES = [f"word{number % 7} " * (1 + number % 3) for number in range(30)]


def opened(spec: Path | str, **settings: str | float) -> Corpus:
    return open_text_corpus(str(spec), CorpusSettings(**settings), 0)  # pyright: ignore[reportArgumentType]


def refused(spec: Path | str, **settings: str | float) -> str:
    with pytest.raises(BadInput) as error:
        opened(spec, **settings)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_every_world_is_listed_and_opens() -> None:
    for name in WORLDS:
        spec = CORPORA[f"world:{name}"].example
        assert opened(spec, sequences=8).name == spec == f"world:{name}"
    assert all(kind.name == name and "\n" not in kind.description for name, kind in CORPORA.items())


def test_an_unknown_world_lists_those_there_are() -> None:
    assert refused("world:flat") == (
        "no world is called 'flat'; choose one of: arithmetic, brackets, copy, markov, parrot, skewed"
    )


def test_text_and_its_further_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(LINES))
    (tmp_path / "b.TXT.gz").write_bytes(gzip.compress(b"word1\nword2 other"))
    corpus = opened(tmp_path / "a.txt", valid=0.1, test_file=str(tmp_path / "b.TXT.gz"))
    assert (len(corpus.train), len(corpus.valid), len(corpus.test)) == (27, 3, 2)
    assert corpus.facts["kind"] == "text"
    assert corpus.facts["test"]["unknown"] == 1


def test_molecules_are_read_without_their_names(tmp_path: Path) -> None:
    """Also where they are judged. Kills: names learnt as parts of molecules; a blank line that ends the reading."""
    path = tmp_path / "drugs.SMI"
    path.write_text("CCO ethanol\n\nc1ccccc1\tbenzene, an aromatic\nCC(=O)O\n")
    settings = CorpusSettings(tokens="characters", valid=0.0, test=0.0)
    corpus = open_text_corpus(str(path), settings, 0)
    assert sorted(map(corpus.vocabulary.decode, corpus.train.lists(corpus.vocabulary.end))) == [
        "CC(=O)O",
        "CCO",
        "c1ccccc1",
    ]
    assert read_sequences(path, settings) == ["CCO", "c1ccccc1", "CC(=O)O"]


def test_tables(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("".join(f"1\t{line}\n" for line in LINES))
    corpus = opened(tmp_path / "a.tsv", text="1")
    assert corpus.facts["kind"] == "table"
    assert corpus.vocabulary.size == 9


def test_folders_and_tars_are_music(tmp_path: Path) -> None:
    for number in range(3):
        write_midi([number, 4] * 4, tmp_path / f"{number}.mid")
    corpus = opened(tmp_path, length=4, valid=0.0, test=0.0)
    assert (corpus.facts["kind"], len(corpus.train)) == ("music", 6)


def test_what_is_no_corpus(tmp_path: Path) -> None:
    examples = ", ".join(kind.example for kind in CORPORA.values())
    assert "oracle, oracle:seqgan_oracle.safetensors, world:parrot, " in examples
    assert refused("nothing.txt") == (
        f"no file or corpus is called 'nothing.txt'; give a path or a spec such as: {examples}"
    )
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert refused(tmp_path / "loop") == (
        f"{tmp_path / 'loop'} must be a readable file, but is a link that leads nowhere; check the path"
    )
    (tmp_path / "a.doc").touch()
    assert refused(tmp_path / "a.doc") == (
        f"{tmp_path / 'a.doc'} must end with one of .txt, .txt.gz, .smi, .smi.gz, .tsv, .tsv.gz, .csv, .csv.gz, "
        ".jsonl, .jsonl.gz, .parquet; rename or convert it"
    )
    (tmp_path / "dataset_info.json").touch()
    assert refused(tmp_path) == f"{tmp_path} is a folder that the datasets library saved; give it as hf:{tmp_path}"


def test_a_place_that_may_not_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", denied)
    assert refused("hidden/a.txt") == "hidden/a.txt must be readable, but permission was denied; change its permissions"


@pytest.mark.parametrize("setting", ["text", "split", "step", "sequences"])
def test_settings_of_other_corpora_are_refused(tmp_path: Path, setting: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n".join(LINES))
    value = {"step": 0.2, "sequences": 5}.get(setting, "x")
    assert refused(path, **{setting: value}) == f"--corpus.{setting} means nothing for {path}; leave it out"


def test_texts_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a\n\nb\n")
    assert read_texts(path) == ["a", "", "b"]
    with pytest.raises(BadInput) as error:
        read_texts(path, "text")
    assert str(error.value) == f"{path} is text without columns, but --corpus.text is text; leave that setting out"
