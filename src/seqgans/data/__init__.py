"""A corpus into symbols, ids and padded rows; also tiny worlds whose entropy is known."""

from seqgans.data.corpus import Corpus, CorpusSettings, Counts, encode_texts
from seqgans.data.drawn import drawn_corpus
from seqgans.data.kinds import CORPORA, CorpusKind
from seqgans.data.music import write_midi
from seqgans.data.open import open_text_corpus, read_texts
from seqgans.data.vocabulary import Vocabulary
from seqgans.data.worlds import WORLDS, World

__all__ = [
    "CORPORA",
    "WORLDS",
    "Corpus",
    "CorpusKind",
    "CorpusSettings",
    "Counts",
    "Vocabulary",
    "World",
    "drawn_corpus",
    "encode_texts",
    "open_text_corpus",
    "read_texts",
    "write_midi",
]
