"""The real corpora: sizes, vocabularies and lengths as their page states them, and how fast they open."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from seqgans.data import Corpus, CorpusSettings, Vocabulary, open_text_corpus, read_texts

WHOLE = {"valid": 0.0, "test": 0.0, "length": 3000}
SPECIAL = 2  # <end> and <unk>


def opened(path: Path, **settings: str | float | None) -> Corpus:
    return open_text_corpus(str(path), CorpusSettings(**{**WHOLE, **settings}), 0)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("name", "rows", "tokens", "vocabulary", "frequent", "shortest", "longest"),
    [
        ("obama.txt.gz", 8_724, 582_988, 32_435, 12_152, 4, 333),
        ("obama_test.txt.gz", 844, 56_552, 9_259, 2_470, 4, 227),
        ("image_coco.txt.gz", 10_000, 115_563, 4_704, 1_901, 8, 37),
        ("image_coco_test.txt.gz", 10_000, 114_224, 4_261, 1_739, 7, 34),
        ("emnlp_news.txt.gz", 10_000, 280_663, 5_570, 4_990, 21, 49),
        ("emnlp_news_test.txt.gz", 7_500, 207_755, 5_463, 4_636, 21, 48),
        ("mr.tsv.gz", 8_525, 178_843, 18_930, 6_067, 2, 56),
        ("cr_test.tsv.gz", 376, 7_388, 1_674, 422, 3, 89),
        ("amazon.tsv.gz", 2_400, 33_294, 4_310, 1_255, 8, 32),
        ("yelp.tsv.gz", 38_297, 365_082, 7_958, 5_145, 2, 15),
    ],
)
def test_sentences(
    shared_data: Path, name: str, rows: int, tokens: int, vocabulary: int, frequent: int, shortest: int, longest: int
) -> None:
    column = "1" if ".tsv" in name else None
    corpus = opened(shared_data / name, text=column)
    sizes = corpus.train.mask.sum(1) - 1  # the end token not counted
    assert (len(corpus.train), int(sizes.sum())) == (rows, tokens)
    assert corpus.vocabulary.size == vocabulary + SPECIAL
    assert (int(sizes.min()), int(sizes.max()), corpus.length) == (shortest, longest, longest + 1)
    texts = read_texts(shared_data / name, column)
    assert Vocabulary.build(texts, "words", minimum_count=3).size == frequent + SPECIAL


@pytest.mark.parametrize(
    ("name", "rows", "vocabulary", "frequent"),
    [("quatrains_5char.txt.gz", 13_993, 4_663, 3_487), ("quatrains_5char_test.txt.gz", 1_000, 2_466, 1_313)],
)
def test_quatrains(shared_data: Path, name: str, rows: int, vocabulary: int, frequent: int) -> None:
    corpus = opened(shared_data / name, tokens="characters")
    assert (len(corpus.train), corpus.length, corpus.vocabulary.end) == (rows, 20, None)
    assert bool(corpus.train.mask.all())
    assert corpus.vocabulary.size == vocabulary + SPECIAL
    rare = Vocabulary.build(read_texts(shared_data / name), "characters", minimum_count=3, spaces=False)
    assert rare.size == frequent + SPECIAL


def test_repeats_of_captions(shared_data: Path) -> None:
    corpus = opened(shared_data / "image_coco.txt.gz", test_file=str(shared_data / "image_coco_test.txt.gz"))
    # the page counts 141 in test because it ignores punctuation; these are exact
    assert (corpus.facts["repeats"]["within_train"], corpus.facts["repeats"]["within_test"]) == (55, 139)
    assert (len(corpus.train), len(corpus.test)) == (10_000, 10_000)


def test_reviews_in_parquet(shared_data: Path) -> None:
    pytest.importorskip("pyarrow")
    texts = read_texts(shared_data / "imdb_test.parquet")
    assert (len(texts), sum(map(len, texts))) == (19_965, 25_761_696)


def test_captions_open_in_well_under_a_second(shared_data: Path) -> None:
    before = time.process_time()
    opened(shared_data / "image_coco.txt.gz")
    assert time.process_time() - before < 1.0
