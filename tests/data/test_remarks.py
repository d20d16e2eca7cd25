"""Nothing is left out or cut without a word. Mutants killed: splits that are not counted, an end token in the room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seqgans.data.assembly import corpus_of_texts
from seqgans.data.corpus import CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.data.remarks import remarks
from seqgans.training.recipe import Recipe
from seqgans.verbs.progress import Silent
from seqgans.verbs.train import train

LINES = [f"w{number % 7} " * (1 + number % 5) for number in range(50)]
SOURCES = ["a b c d" if number % 2 else "a" for number in range(50)]


def said(sources: list[str] | None = None, lines: list[str] = LINES, **settings: Any) -> list[str]:
    sources = None if sources is None else {"train": sources}
    return remarks(
        corpus_of_texts("lines", {"train": lines}, CorpusSettings(**settings), 0, {"kind": "text"}, None, sources)
    )


def test_what_was_taken_as_it_stands_is_not_spoken_of() -> None:
    assert said() == said(SOURCES) == said(length=3, longer="cut") == []
    assert said(lines=[*LINES, ""]) == []  # no sequence
    assert remarks(open_text_corpus("world:markov", CorpusSettings(sequences=20), 0)) == []


def test_long_sequences_blank_answers_and_long_prompts_are_counted_over_all_splits() -> None:
    assert said(length=3, valid=0.2, test=0.2) == [
        "20 of 50 sequences are longer than 3 tokens and were left out; "
        "--corpus.longer cut or a larger --corpus.length keeps them"
    ]
    found = said(SOURCES, [*LINES[:-2], "", ""], source_length=3, valid=0.2, test=0.2)
    assert found == [
        "2 of 50 answers are blank and were left out with their prompts; fill them in to keep them",
        "24 of 48 prompts are longer than 3 tokens, of which only the first 3 are read; raise --corpus.source-length",
    ]


def test_a_split_of_unknown_tokens_is_said(tmp_path: Path) -> None:
    given = {"train": LINES, "valid": ["x y", "w1 w2 z"], "test": ["w1", "x w2"]}
    found = remarks(corpus_of_texts("lines", given, CorpusSettings(), 0, {"kind": "text"}))
    assert len(found) == 1
    assert found[0].startswith("60% of the tokens of the valid split are unknown, so it measures little; check that")


def test_a_run_says_it_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lines.txt").write_text("".join(f"{line}\n" for line in LINES))
    lines: list[str] = []
    monkeypatch.setattr(Silent, "say", lambda self, line: lines.append(line))
    facts = {
        "algorithm": {"name": "likelihood", "pretrain_epochs": 1},
        "corpus": {"spec": str(tmp_path / "lines.txt"), "length": 2},
        "generator": {"embedding": 4, "hidden": 4},
        "run": {"final_samples": 20, "eval_samples": 20, "tensorboard": False, "device": "cpu"},
    }
    train(Recipe.of(facts), tmp_path / "run", Silent())
    assert "warning: 30 of 50 sequences are longer than 2 tokens and were left out; " in lines[0]
