"""Order, ids, round trips. Mutants killed: reversed order, no <unk>, `<end>` read as a word, lost fields."""

from __future__ import annotations

import json
import sys
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgans.data.vocabulary import Vocabulary, pieces_of
from seqgans.errors import BadInput

TEXTS = ["the man rides the bike", "a man with a hat and a bike"]


def test_most_frequent_first_then_code_point_order() -> None:
    vocabulary = Vocabulary.build(["b a c", "c b", "c d"], "words")
    assert vocabulary.symbols == ("<end>", "<unk>", "c", "b", "a", "d")
    assert (vocabulary.size, vocabulary.start, vocabulary.end, vocabulary.unknown) == (6, 0, 0, 1)


def test_order_of_texts_changes_nothing() -> None:
    assert Vocabulary.build(TEXTS, "words") == Vocabulary.build(TEXTS[::-1], "words")


def test_rare_symbols_and_the_cap() -> None:
    counted = ["b a c", "c b", "c d"]
    assert Vocabulary.build(counted, "words", minimum_count=2).symbols[2:] == ("c", "b")
    assert Vocabulary.build(counted, "words", maximum_size=5).symbols[2:] == ("c", "b", "a")
    with pytest.raises(BadInput) as error:
        Vocabulary.build(counted, "words", maximum_size=2)
    assert str(error.value) == "a vocabulary of words must have room for at least 3 ids, got 2; raise it"


def test_unknown_words_get_the_unknown_id() -> None:
    vocabulary = Vocabulary.build(TEXTS, "words")
    known, unknown = vocabulary.encode("man zebra")
    assert vocabulary.symbols[known] == "man"
    assert unknown == vocabulary.unknown == 1
    assert vocabulary.decode([known, unknown]) == "man <unk>"


def test_words_that_spell_special_symbols_stay_harmless() -> None:
    vocabulary = Vocabulary.build(["a <end> <unk> b"], "words")
    assert vocabulary.symbols == ("<end>", "<unk>", "a", "b")
    assert vocabulary.encode("a <end> <unk> b") == [2, 1, 1, 3]


def test_without_end_token_zero_is_an_ordinary_symbol() -> None:
    vocabulary = Vocabulary.build(["a b"], "words", end=False)
    assert vocabulary.end is None
    assert vocabulary.decode([2, 0, 3]) == "a <end> b"


def test_decoding_stops_at_the_end_token() -> None:
    vocabulary = Vocabulary.build(["a b"], "words")
    assert vocabulary.decode([2, 3, 0, 2]) == "a b"


def test_characters_with_and_without_spaces() -> None:
    kept = Vocabulary.build(["ab  ba "], "characters")
    dropped = Vocabulary.build(["ab  ba "], "characters", spaces=False)
    assert kept.decode(kept.encode(" ab\tba")) == "ab ba"
    assert dropped.symbols == ("<end>", "<unk>", "a", "b")
    assert dropped.encode("ab ba") == [2, 3, 3, 2]


def test_lower_case_is_remembered() -> None:
    vocabulary = Vocabulary.build(["The Man"], "words", lowercase=True)
    assert vocabulary.decode(vocabulary.encode("THE man")) == "the man"


@given(
    st.lists(st.text(alphabet="ab e\tñ世\x85", max_size=12), min_size=1, max_size=5),
    st.sampled_from(["words", "characters"]),
)
def test_known_symbols_make_a_round_trip(texts: list[str], kind: str) -> None:
    vocabulary = Vocabulary.build(texts, kind)  # pyright: ignore[reportArgumentType]
    for text in texts:
        assert vocabulary.decode(vocabulary.encode(text)) == " ".join(text.split())


@given(st.text(max_size=40))
def test_byte_pairs_write_any_text(text: str) -> None:
    vocabulary = byte_pairs()
    assert vocabulary.decode(vocabulary.encode(text)) == " ".join(text.split())


def byte_pairs(made: list[Vocabulary] = []) -> Vocabulary:  # noqa: B006 (learnt once)
    if not made:
        made.append(Vocabulary.build(TEXTS * 3, "bytepair", minimum_count=2, maximum_size=280))
    return made[0]


def test_byte_pairs_merge_and_are_learnt_the_same_twice() -> None:
    vocabulary = byte_pairs()
    assert vocabulary == Vocabulary.build(TEXTS * 3, "bytepair", minimum_count=2, maximum_size=280)
    assert vocabulary.size == 280
    assert vocabulary.symbols[:2] == ("<end>", "<unk>")
    assert len(vocabulary.encode("the man")) < len("the man")


def test_byte_pairs_read_special_symbols_as_plain_text() -> None:
    vocabulary = byte_pairs()
    ids = vocabulary.encode("a <end> <unk>")
    assert not {0, 1} & set(ids)
    assert vocabulary.decode(ids) == "a <end> <unk>"


def test_byte_pairs_need_room_for_all_bytes() -> None:
    with pytest.raises(BadInput) as error:
        Vocabulary.build(TEXTS, "bytepair", maximum_size=100)
    assert str(error.value) == "a byte-pair vocabulary must have room for at least 258 ids, got 100; raise it"


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(BadInput) as error:
        Vocabulary.build(TEXTS, "bytepair")
    assert str(error.value) == "a byte-pair vocabulary needs the package tokenizers: pip install 'seqgans[data]'"


def test_plain_ids() -> None:
    vocabulary = Vocabulary.of_ids(5)
    assert (vocabulary.size, vocabulary.start, vocabulary.end, vocabulary.unknown) == (5, 0, None, None)
    assert vocabulary.encode("4 0 3") == [4, 0, 3]
    assert vocabulary.decode([4, 0, 3]) == "4 0 3"
    with pytest.raises(BadInput) as error:
        vocabulary.encode("1 5")
    assert str(error.value) == "ids must be among 0 ... 4, got '5'; use the corpus the model was trained on"


def test_notes_are_the_keys_of_a_piano() -> None:
    vocabulary = Vocabulary.of_notes()
    assert vocabulary.size == 88
    assert vocabulary.encode("A0 C4 C8") == [0, 60 - 21, 87]
    assert vocabulary.decode([0, 39, 87]) == "A0 C4 C8"


@pytest.mark.parametrize("wrong", [-1, 5])
def test_ids_outside_are_refused(wrong: int) -> None:
    with pytest.raises(BadInput) as error:
        Vocabulary.of_ids(5).decode([0, wrong])
    assert str(error.value) == f"ids must be from 0 to 4, got {wrong}; use the vocabulary they came from"


def test_json_holds_everything() -> None:
    made = (
        Vocabulary.build(TEXTS, "words", end=False, lowercase=True),
        Vocabulary.build(["世 界"], "characters", spaces=False),
        byte_pairs(),
        Vocabulary.of_ids(7),
        Vocabulary.of_notes(),
    )
    for vocabulary in made:
        again = Vocabulary.from_json(vocabulary.to_json())
        assert again == vocabulary
        assert again.encode(vocabulary.decode([2, 3])) == vocabulary.encode(vocabulary.decode([2, 3]))


@pytest.mark.parametrize("damaged", ["", "[]", "{}", '{"symbols": ["a"]}', Vocabulary.of_ids(3).to_json()[:-5]])
def test_damaged_json_is_bad_input(damaged: str) -> None:
    with pytest.raises(BadInput, match="a vocabulary must be the JSON that seqgans wrote, but: "):
        Vocabulary.from_json(damaged)


def test_unknown_fields_in_json_are_bad_input() -> None:
    fields = json.loads(Vocabulary.of_ids(3).to_json())
    with pytest.raises(BadInput):
        Vocabulary.from_json(json.dumps({**fields, "colour": 1}))


def test_inconsistent_vocabularies_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Vocabulary\.symbols must all differ"):
        Vocabulary(("a", "a"), "words", None)
    with pytest.raises(ValueError, match=r"Vocabulary\.end must be an id from 0 to 1, got 2"):
        Vocabulary(("a", "b"), "words", 2)
    with pytest.raises(ValueError, match=r"Vocabulary\.tokenizer must be given"):
        Vocabulary(("a", "b"), "bytepair", 0)


def test_nothing_can_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Vocabulary.of_ids(3).end = 0  # pyright: ignore[reportAttributeAccessIssue]


def test_pieces_split_at_any_white_space() -> None:
    assert pieces_of([" A\u00a0b\u3000c ", ""], "words", lowercase=True) == [["a", "b", "c"], []]
    assert pieces_of([" a  b "], "bytepair") == [["a b"]]


def test_what_stands_for_no_text_is_never_to_be_written() -> None:
    """An end token that ends nothing, where all texts have one length, and what is unknown; no symbol otherwise."""
    assert Vocabulary.build(["a b"], "words", end=False).unwritten == (0, 1)
    assert Vocabulary.build(["a b"], "words").unwritten == (1,)
    assert Vocabulary(("a", "b"), "characters", None).unwritten == ()
