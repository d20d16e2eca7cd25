"""From texts to a corpus. Mutants killed: test lines counted, an end token too many, lines moved by length."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from seqgans.data.assembly import corpus_of_texts
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.errors import BadInput
from tests.generators.models import model_folder

LINES = [f"w{number} " * (1 + number % 4) for number in range(40)]
PLAIN: dict[str, Any] = {"valid": 0.0, "test": 0.0}


def corpus(lines: Sequence[str], seed: int = 0, **settings: Any) -> Corpus:
    return corpus_of_texts("lines", {"train": lines}, CorpusSettings(**settings), seed, {"kind": "text"})


def refused(lines: Sequence[str], **settings: Any) -> str:
    with pytest.raises(BadInput) as error:
        corpus(lines, **settings)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_lengths_vocabulary_and_end_token() -> None:
    made = corpus(LINES, **PLAIN)
    assert made.length == 5
    assert (made.vocabulary.size, made.vocabulary.end) == (42, 0)
    assert (len(made.train), len(made.valid), len(made.test)) == (40, 0, 0)
    assert [made.vocabulary.decode(row) for row in made.train.lists(0)] == [line.strip() for line in LINES]


def test_lines_of_one_length_have_no_end_token() -> None:
    lines = [f"a{number} b" for number in range(5)]
    assert corpus(lines, **PLAIN).vocabulary.end is None


def test_what_a_model_reads_ends_though_all_have_one_length(tmp_path: Path) -> None:
    lines, model = [f"w{number} w2" for number in range(1, 9)], str(model_folder(tmp_path))
    made = corpus(lines, tokenizer=model, **PLAIN)
    assert (made.vocabulary.end, made.length) == (0, 3)
    assert all(row[-1] == 0 for row in made.train.lists())
    assert corpus(lines, tokenizer=model, end="no", **PLAIN).vocabulary.end is None
    assert corpus(lines, **PLAIN).length == 2
    assert corpus(lines, **PLAIN, end="yes").length == 3
    assert corpus([*lines, "c"], **PLAIN).vocabulary.end == 0
    assert refused([*lines, "c"], **PLAIN, end="no") == (
        "lines must have lines of one length when --corpus.end is no, but they have 1 to 2 tokens; set --corpus.end yes"
    )


def test_all_lines_cut_to_one_length_need_no_end_token() -> None:
    made = corpus(["a b c", "a b c d", "b a"], **PLAIN, length=2, longer="cut")
    assert (made.vocabulary.end, made.length) == (None, 2)
    assert made.vocabulary.symbols == ("<end>", "<unk>", "a", "b")  # what was cut off is not counted
    assert made.facts["train"]["cut"] == 2


def test_the_vocabulary_is_that_of_the_training_lines_kept() -> None:
    made = corpus_of_texts(
        "lines",
        {"train": ["a b", "b c", "b", "x y z"], "test": ["a q", "b"]},
        CorpusSettings(valid=0.0, length=2),
        0,
        {},
    )
    assert set(made.vocabulary.symbols) == {"<end>", "<unk>", "a", "b", "c"}
    assert made.facts["test"]["unknown_rate"] == 1 / 3
    assert made.facts["train"]["longer"] == 1


def test_facts_are_json_and_say_everything() -> None:
    made = corpus([*LINES, "", "w1", "w1"], seed=7)
    facts = json.loads(json.dumps(made.facts))
    assert facts == made.facts
    assert (facts["kind"], facts["spec"], facts["seed"], facts["settings"]["valid"]) == ("text", "lines", 7, 0.05)
    assert sum(facts[split]["read"] for split in ("train", "valid", "test")) == 43
    assert sum(facts[split]["blank"] for split in ("train", "valid", "test")) == 1
    assert facts["repeats"]["within_train"] >= 1


def test_a_shorter_limit_moves_no_line_between_splits() -> None:
    short, whole = corpus(LINES, valid=0.3, test=0.3, length=2), corpus(LINES, valid=0.3, test=0.3)
    for split in ("train", "valid", "test"):
        rows = {
            size: {made.vocabulary.decode(row) for row in getattr(made, split).lists(0)}
            for size, made in (("short", short), ("whole", whole))
        }
        if split == "train":
            assert rows["short"] < rows["whole"]
        assert len(rows["short"]) == sum(len(row.split()) <= 2 for row in rows["whole"])


def test_the_default_limit_is_the_longest_line_up_to_64() -> None:
    lines = [*LINES, " ".join(["w"] * 64), " ".join(["w"] * 65)]
    made = corpus(lines, **PLAIN)
    assert made.length == 65
    assert made.facts["train"]["longer"] == 1


def test_one_token_lines_are_sequences() -> None:
    made = corpus(["a", "b", "a"], **PLAIN)
    assert made.train.tokens.tolist() == [[2], [3], [2]]


def test_characters_of_unspaced_scripts_drop_their_spaces() -> None:
    poems = ["秦川雄帝宅 函谷壮皇居", "塞外悲风切 交河冰已结", "石鲸分玉溜 劫烬隐平沙"]
    made = corpus(poems, **PLAIN, tokens="characters")
    assert (made.length, made.vocabulary.end) == (10, None)
    assert made.vocabulary.decode(made.train.lists()[0]) == "秦川雄帝宅函谷壮皇居"
    assert corpus(poems, **PLAIN, tokens="characters", spaces="keep").length == 11
    english = corpus(["ab cd", "ef gh", "ab ef"], **PLAIN, tokens="characters")
    assert english.vocabulary.decode(english.train.lists()[1]) == "ef gh"
    assert corpus(["ab cd", "ef gh", "ab ef"], **PLAIN, tokens="characters", spaces="drop").length == 4


def test_byte_pairs() -> None:
    made = corpus(
        ["the man", "the bike rides", "the man rides", "a man"], **PLAIN, tokens="bytepair", vocabulary_size=270
    )
    assert made.vocabulary.size == 270
    assert [made.vocabulary.decode(row) for row in made.train.lists(0)][1] == "the bike rides"
    assert made.facts["train"]["unknown"] == 0


def test_lower_case() -> None:
    assert corpus(["A b", "a B", "B b"], **PLAIN, lowercase=True).vocabulary.symbols[2:] == ("b", "a")


def test_all_lines_longer_than_the_limit() -> None:
    assert refused(["a b c", "a b c d", "b b b"], length=2) == (
        "lines must have lines of at most 2 tokens, but the shortest has 3; raise --corpus.length or set "
        "--corpus.longer cut"
    )


def test_too_few_lines() -> None:
    assert refused(["a b", "c d"]) == (
        "lines must have at least 3 usable lines, got 2 (not blank, at most 2 tokens); give more text or raise "
        "--corpus.length"
    )
    assert refused(["a b", "c d", " ", "a b c"], length=2) == (
        "lines must have at least 3 usable lines, got 2 (not blank, at most 2 tokens); give more text or raise "
        "--corpus.length"
    )
    assert len(corpus(["a", "b", "c"], **PLAIN).train) == 3


def test_blank_lines_only() -> None:
    assert refused(["", " "]) == "lines must hold at least one line of text, but all are blank; give a file with text"


def test_a_split_without_usable_lines() -> None:
    with pytest.raises(BadInput) as error:
        corpus_of_texts("lines", {"train": LINES, "test": ["", "a b c d"]}, CorpusSettings(valid=0.0, length=3), 0, {})
    assert str(error.value) == (
        "the test split of lines must have a usable line, but all 2 are blank or longer than 3 tokens; raise "
        "--corpus.length or change the shares of the splits"
    )


def test_a_vocabulary_of_one() -> None:
    advice = "give richer data, or set --corpus.tokens characters or a lower --corpus.minimum_count"
    assert refused(["a", "a a", "a a a"], **PLAIN) == (
        f"lines must have at least 2 distinct symbols, but its training sequences have only 'a'; {advice}"
    )
    assert refused(["a b", "c d", "e f"], **PLAIN, minimum_count=2) == (
        f"lines must have at least 2 distinct symbols, but its training sequences have only '<unk>'; {advice}"
    )


def test_the_seed_repeats() -> None:
    first, again, other = corpus(LINES, 1), corpus(LINES, 1), corpus(LINES, 2)
    assert first.valid.tokens.equal(again.valid.tokens)
    assert [first.vocabulary.decode(row) for row in first.valid.lists(0)] != [
        other.vocabulary.decode(row) for row in other.valid.lists(0)
    ]
