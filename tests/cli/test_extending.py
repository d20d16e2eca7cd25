"""Parts of one's own, as docs/extending.md writes them, do what the library's own do."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import seqgans
from seqgans.data import CorpusSettings, open_text_corpus
from tests.contracts import test_algorithms as contract

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
TABLES: tuple[dict[str, Any], ...] = (
    seqgans.ALGORITHMS,
    seqgans.DISCRIMINATORS,
    seqgans.GENERATORS,
    seqgans.METRICS,
    seqgans.CORPORA,
)
TINY = ("--generator.hidden", "4", "--generator.layers", "1")
SMALL = ("--algorithm.pretrain-epochs", "1", "--algorithm.rounds", "1", "--algorithm.batch", "4")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a file of the page's kind of corpus; the page's program has been imported."""
    before = [dict(table) for table in TABLES]
    file = tmp_path / "mygans.py"
    file.write_text("\n\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)))
    spec = importlib.util.spec_from_file_location("mygans", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "mygans", module)
    spec.loader.exec_module(module)
    records = [f">{number}\nM{'ACDE'[number % 4]}\n{'FGHI'[number % 3] * (number % 5)}\n" for number in range(40)]
    (tmp_path / "proteins.fasta").write_text("".join(records))
    yield tmp_path
    for table, entries in zip(TABLES, before, strict=True):
        table.clear()
        table.update(entries)


def test_the_page_is_true(own: Path, call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills: a list, a flag, a recipe, a metric or a resume that knows the library's own parts alone."""
    monkeypatch.chdir(own)
    assert call("list", "algorithms").out.splitlines()[-1].startswith("ls-seqgan  ")
    assert "--algorithm.shuffled" in call("train", "ls-seqgan", "--help").out
    corpus = ("--corpus", "fasta:proteins.fasta", "--corpus.tokens", "characters")
    words = ("train", "ls-seqgan", *corpus, "--generator.name", "window", *SMALL, "--run.final-samples", "30")
    printed = call(*words, "--print-config")
    Path("own.yaml").write_text(printed.out)
    found = call("train", "--config", "own.yaml", "--out", "run")
    assert found.code == 0, found.err
    measured = call("evaluate", "run", "--metrics", "starts,length", "--samples", "30")
    assert measured.code == 0, measured.err
    assert "starts" in measured.out
    assert call("resume", "run").code == 0
    assert len(call("sample", "run", "-n", "2").out.splitlines()) == 2
    refused = call("train", "ls-seqgan", "--corpus", "fasta:none.fasta", "--out", "other")
    assert (refused.code, refused.err) == (2, "seqgans: fasta:FILE needs a file, there is no none.fasta\n")
    refused = call(*words, "--corpus.lowercase", "true", "--out", "other")
    assert refused.err.endswith("--corpus.lowercase means nothing for fasta:proteins.fasta; leave it out\n")


def test_an_algorithm_of_ones_own_answers_sources(own: Path, call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills: a written-out list of those that may be given sources."""
    monkeypatch.chdir(own)
    Path("pairs.tsv").write_text("".join(f"a{row % 5}\tb{row % 5} c{row % 3}\n" for row in range(40)))
    words = ("--corpus", "pairs.tsv", "--corpus.source", "0", "--corpus.text", "1", "--generator.name", "seq2seq")
    found = call("train", "ls-seqgan", *words, *SMALL, "--run.final-samples", "10", *TINY, "--out", "run")
    assert found.code == 0, found.err
    monkeypatch.setattr(seqgans.ALGORITHMS["ls-seqgan"], "reads_sources", False)
    refused = call("train", "ls-seqgan", *words, *SMALL, "--out", "other")
    assert "ls-seqgan gives its generator none" in refused.err


def test_the_contract_holds_for_it(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = contract.cut(
        open_text_corpus("world:markov", CorpusSettings(sequences=40), 0),
    )
    contract.small.cache_clear()
    contract.test_updates_move_their_player_alone_and_reach_every_parameter("ls-seqgan", corpus, monkeypatch)
    contract.test_going_on_from_any_event_is_not_stopping("ls-seqgan", corpus, tmp_path)
    contract.small.cache_clear()
