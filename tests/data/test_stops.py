"""Where a text first spells a stop string, by tokens and by characters.

Mutants killed: the last string instead of the first, one that is completed too early counted, one that began within a
token missed, a string counted again at every later token.
"""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch

from seqgans.data.corpus import CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.data.stops import Stops, cut_behind
from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput
from seqgans.training.recipe import Recipe
from tests.generators.models import model_folder

PIECES = Vocabulary(("<end>", "ab", "c", "bc", "a"), "characters", 0)


def test_a_string_may_begin_and_end_within_tokens() -> None:
    stops = Stops(PIECES, ("bc",))
    rows = [[1, 2, 4], [4, 3, 1], [1, 4, 4], [4, 4, 3]]  # abc|a, abc|ab, abaa, aabc
    assert stops.places(torch.tensor(rows)).tolist() == [2, 2, 4, 3]


def test_a_string_completed_by_too_few_tokens_ends_nothing() -> None:
    stops = Stops(PIECES, ("c",))
    rows = torch.tensor([[2, 4, 2, 4], [2, 4, 4, 4], [4, 2, 4, 2]])
    assert stops.places(rows, 0).tolist() == [1, 1, 2]
    assert stops.places(rows, 2).tolist() == [3, 5, 2]


def test_a_long_text_is_read_from_its_end_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills: too few tokens looked at, where some spell nothing; all of them, which makes sampling quadratic."""
    symbols = Vocabulary(("<end>", "ab", "c", "bc", "a", ""), "characters", 0)
    stops = Stops(symbols, ("bcab", "cc"))
    random = torch.Generator().manual_seed(0)
    rows = torch.randint(1, 6, (300, 60), generator=random)
    rows[:, 20:50] = torch.where(torch.rand(300, 30, generator=random) < 0.9, 5, rows[:, 20:50])  # spells nothing
    texts = [["".join(symbols.symbols[one] for one in row[: size + 1]) for size in range(60)] for row in rows.tolist()]
    for row, spelled in zip(rows.tolist(), texts, strict=True):
        first = next((size for size in range(60) if any(one in spelled[size] for one in stops.strings)), 60)
        assert stops.place(row) == first + 1
    read: list[int] = []
    decode = Vocabulary.decode
    monkeypatch.setattr(Vocabulary, "decode", lambda self, ids: (read.append(len(ids)), decode(self, ids))[1])
    stops.completes(rows[:, :20].repeat(1, 3))
    assert sum(read) < 20 * len(read)  # of 60


def test_what_lies_behind_the_end_token_is_not_read() -> None:
    assert Stops(PIECES, ("c",)).places(torch.tensor([[4, 0, 2]])).tolist() == [4]


def test_strings_have_characters_and_are_never_copied() -> None:
    for strings in ((), ("",), ("a", "")):
        with pytest.raises(ValueError, match="at least one character"):
            Stops(PIECES, strings)
    stops = Stops(PIECES, ("c",))
    assert copy.deepcopy(stops) is stops


@pytest.mark.parametrize(("text", "left"), [("a.b;", "a."), ("a;b.", "a;"), ("ab", "ab"), (".", ".")])
def test_texts_are_cut_behind_the_first(text: str, left: str) -> None:
    assert cut_behind(text, (";", ".")) == left
    assert cut_behind(text, ()) == text


def test_real_answers_end_where_written_ones_do(tmp_path: Path) -> None:
    folder, pairs = model_folder(tmp_path / "model"), tmp_path / "pairs.tsv"
    pairs.write_text("".join(f"w1\tw{number} w9 w3 w4\n" for number in range(2, 8)))
    recipe = Recipe.of(
        {
            "algorithm": {"name": "rlgaf"},
            "corpus": {"spec": str(pairs), "text": "1", "source": "0"},
            "generator": {"model": str(folder), "stop": ["w9"]},
        }
    )
    assert recipe.corpus_settings.stop == ("w9",)
    corpus = open_text_corpus(recipe.corpus, recipe.corpus_settings, 0)
    assert corpus.vocabulary.end == 0  # although all are of one length
    assert sorted(corpus.train.tokens.tolist()) == [[number, 9, 0] for number in sorted(corpus.train.tokens[:, 0])]
    assert bool(corpus.train.mask.all())
    with pytest.raises(ValueError, match=r"CorpusSettings\.stop must be strings of at least one character"):
        CorpusSettings(stop=("",))
    with pytest.raises(BadInput, match=r"--corpus\.stop means nothing for world"):
        open_text_corpus("world:markov", CorpusSettings(stop=("a",)), 0)
