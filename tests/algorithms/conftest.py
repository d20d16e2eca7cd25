"""A tiny pre-trained model and prompts with answers, for the tests of what fine-tunes models."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.open import open_text_corpus
from tests.generators.models import model_folder

ANSWERS = ["w3 w4", "w5", "w6 w7 w8", "w9 w2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def corpus(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Prompts and answers; `<eos>` ends an answer and fills what is behind it."""
    path = tmp_path_factory.mktemp("pairs") / "pairs.tsv"
    rows = [f"w1 w{1 + number % 5}\t{ANSWERS[number % 4]}\n" for number in range(16)]
    path.write_text("".join(rows))
    settings = CorpusSettings(text="1", source="0", tokenizer=str(folder), valid=0.125, test=0.125, end="yes")
    return open_text_corpus(str(path), settings, 0)
