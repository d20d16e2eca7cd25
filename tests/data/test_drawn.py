"""Corpora drawn from a known law."""

from __future__ import annotations

import pytest

from seqgans.data.corpus import CorpusSettings
from seqgans.data.drawn import world_corpus
from seqgans.data.worlds import WORLDS
from seqgans.errors import BadInput


def test_splits_are_separate_draws_of_the_asked_sizes() -> None:
    corpus = world_corpus(WORLDS["markov"], CorpusSettings(sequences=30_000, valid=0.1, test=0.001), 5)
    assert (len(corpus.train), len(corpus.valid), len(corpus.test)) == (30_000, 3_000, 1_000)
    assert not corpus.train.tokens[:1000].equal(corpus.test.tokens)
    assert (corpus.length, corpus.vocabulary.kind, corpus.vocabulary.end) == (12, "ids", None)
    assert bool(corpus.train.mask.all())
    assert corpus.facts["entropy"] == WORLDS["markov"].entropy()
    assert (corpus.facts["spec"], corpus.facts["seed"]) == ("world:markov", 5)


def test_one_size_changes_no_other_draw_and_the_seed_repeats() -> None:
    first = world_corpus(WORLDS["skewed"], CorpusSettings(sequences=10), 5)
    more = world_corpus(WORLDS["skewed"], CorpusSettings(sequences=20, valid=0.0), 5)
    other = world_corpus(WORLDS["skewed"], CorpusSettings(sequences=20), 6)
    assert first.test.tokens.equal(more.test.tokens)
    assert len(more.valid) == 0
    assert not other.test.tokens.equal(more.test.tokens)


def test_settings_of_files_are_refused() -> None:
    with pytest.raises(BadInput) as error:
        world_corpus(WORLDS["parrot"], CorpusSettings(tokens="characters"), 0)
    assert str(error.value) == "--corpus.tokens means nothing for world:parrot; leave it out"
    with pytest.raises(BadInput) as error:
        world_corpus(WORLDS["parrot"], CorpusSettings(length=9), 0)
    assert str(error.value) == "world:parrot has 8 tokens, got --corpus.length 9; leave it out"
    assert world_corpus(WORLDS["parrot"], CorpusSettings(length=8, sequences=4), 0).length == 8
