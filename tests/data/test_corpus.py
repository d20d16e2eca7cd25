"""Settings and encoding. Mutants killed: end unmasked, padding unmasked, cut and drop swapped, counts shifted."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
import torch

from seqgans.data.corpus import Corpus, CorpusSettings, Counts, encode_texts
from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput
from seqgans.sequences import Sequences

TEXTS = ["a b c", "b", "", "a b c d e", "c z"]
VOCABULARY = Vocabulary(("<end>", "<unk>", "a", "b", "c", "d", "e"), "words", end=0, unknown=1)


def test_longer_texts_are_dropped() -> None:
    sequences, counts = encode_texts(TEXTS, VOCABULARY, 4)
    assert sequences.tokens.tolist() == [[2, 3, 4, 0], [3, 0, 0, 0], [4, 1, 0, 0]]
    assert sequences.mask.long().tolist() == [[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]]
    assert counts == Counts(read=5, blank=1, longer=1, shorter=0, cut=0, kept=3, tokens=6, unknown=1)
    assert counts.unknown_rate == 1 / 6


def test_longer_texts_are_cut_and_end() -> None:
    sequences, counts = encode_texts(TEXTS, VOCABULARY, 4, "cut")
    assert sequences.tokens[2].tolist() == [2, 3, 4, 0]
    assert bool(sequences.mask[2].all())
    assert counts == Counts(read=5, blank=1, longer=0, shorter=0, cut=1, kept=4, tokens=9, unknown=1)


def test_without_end_token_every_row_is_full() -> None:
    sequences, counts = encode_texts(TEXTS, replace(VOCABULARY, end=None), 2, "cut")
    assert sequences.tokens.tolist() == [[2, 3], [2, 3], [4, 1]]
    assert bool(sequences.mask.all())
    assert (counts.shorter, counts.cut) == (1, 2)


def test_the_way_back() -> None:
    sequences, _ = encode_texts(TEXTS, VOCABULARY, 6)
    assert [VOCABULARY.decode(row) for row in sequences.lists(0)] == ["a b c", "b", "a b c d e", "c <unk>"]


def test_nothing_to_encode() -> None:
    sequences, counts = encode_texts([], VOCABULARY, 4)
    assert tuple(sequences.tokens.shape) == tuple(sequences.mask.shape) == (0, 4)
    assert counts.unknown_rate == 0.0


def test_a_corpus_has_rows_of_one_length() -> None:
    rows = Sequences.of(torch.zeros(2, 3, dtype=torch.long))
    with pytest.raises(ValueError, match=r"Corpus\.train must have rows of 4 positions, got 3"):
        Corpus("a", rows, rows, rows, VOCABULARY, 4, {})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"valid": -0.1}, "CorpusSettings.valid must be at least 0 and below 1, got -0.1"),
        ({"test": 1.0}, "CorpusSettings.test must be at least 0 and below 1, got 1.0"),
        ({"valid": float("nan")}, "CorpusSettings.valid must be at least 0 and below 1, got nan"),
        ({"valid": 0.5, "test": 0.5}, "CorpusSettings.valid + test must be below 1, got 0.5 + 0.5"),
        ({"minimum_count": 0}, "CorpusSettings.minimum_count must be at least 1, got 0"),
        ({"vocabulary_size": 2}, "CorpusSettings.vocabulary_size must be at least 3, got 2"),
        ({"length": 0}, "CorpusSettings.length must be at least 1, got 0"),
        ({"sequences": 0}, "CorpusSettings.sequences must be at least 1, got 0"),
        ({"track": -1}, "CorpusSettings.track must be at least 0, got -1"),
        ({"step": 0.0}, "CorpusSettings.step must be from 0.01 to 16 seconds, got 0.0"),
    ],
)
def test_impossible_settings(given: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the whole message is compared)
        CorpusSettings(**given)  # pyright: ignore[reportArgumentType]
    assert str(error.value) == message


def test_every_setting_is_explained() -> None:
    explained = CorpusSettings.__doc__ or ""
    assert [name for name in asdict(CorpusSettings()) if f"\n        {name}: " not in explained] == []


def test_settings_without_meaning_are_refused() -> None:
    CorpusSettings(length=3).check_meaning("a.txt", ["length"])
    with pytest.raises(BadInput) as error:
        CorpusSettings(step=0.2).check_meaning("a.txt", ["length"])
    assert str(error.value) == "--corpus.step means nothing for a.txt; leave it out"
