"""Questions and answers in the SQuAD layout.

Mutants killed: unanswerable questions that are kept, every answer as training row, one reference as test row, a window
that is the beginning, one that goes by the answer, one that counts a word of the question as often as it stands there.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from seqgans.data import CorpusSettings, open_text_corpus
from seqgans.data.sources import source_texts
from seqgans.data.squad import pieces, read_squad, window
from seqgans.data.tokenizer import vocabulary_of_model
from seqgans.errors import BadInput
from tests.generators.models import model_folder


def document(count: int = 12) -> dict[str, Any]:
    """Articles of one paragraph, two questions with answers and one without."""
    articles = []
    for number in range(count):
        context = (
            f"Filler one, filler two. The river number{number} is blue{number}; its mouth is far away. More filler."
        )
        qas = [
            {
                "id": f"{number}a",
                "question": f"What colour is number{number}?",
                "answers": [
                    {"text": text, "answer_start": 0} for text in (f"blue{number}", f"is blue{number}", f"blue{number}")
                ],
                "is_impossible": False,
            },
            {"id": f"{number}b", "question": "Who?", "answers": [], "is_impossible": True},
        ]
        articles.append({"title": "t", "paragraphs": [{"context": context, "qas": qas}]})
    return {"version": "v2.0", "data": articles}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "train.json.gz"
    path.write_bytes(gzip.compress(json.dumps(document()).encode()))
    return path


def test_questions_with_answers(file: Path) -> None:
    found = read_squad(file, 9)
    assert (len(found.texts), found.asked, found.unanswerable) == (12, 12, 12)
    assert found.texts[3] == "blue3"
    assert found.sources[3] == "What colour is number3 ? The river number3 is"
    every = read_squad(file, 9, every=True)
    assert every.texts[:3] == ["blue0", "is blue0", "blue1"]
    assert every.sources[0] == every.sources[1]


def test_a_pre_trained_model_is_asked_in_its_own_text(tmp_path: Path) -> None:
    """The window shrinks until the whole prompt fits, counted in the model's own tokens."""
    vocabulary = vocabulary_of_model(str(model_folder(tmp_path / "model")))
    context = "w9 w8, w7 w6 w5! w1 w2 w3 w4"
    file = tmp_path / "a.json"
    qas = [{"question": " Is w6 w5? ", "answers": [{"text": "w5"}, {"text": " w6 w5"}, {"text": "w5"}]}]
    file.write_text(json.dumps({"data": [{"paragraphs": [{"context": context, "qas": qas}]}]}))
    whole = read_squad(file, 99, every=True, vocabulary=vocabulary)
    assert whole.texts == [" w5", " w6 w5"]
    assert whole.sources[0] == f"{context}\nQuestion: Is w6 w5?\nAnswer:"
    needed = len(vocabulary.encode("\nQuestion: Is w6 w5?\nAnswer:"))
    found = read_squad(file, needed + 3, vocabulary=vocabulary)
    assert found.sources == ["w7 w6 w5\nQuestion: Is w6 w5?\nAnswer:"]
    assert read_squad(file, needed, vocabulary=vocabulary).sources == ["\nQuestion: Is w6 w5?\nAnswer:"]
    with pytest.raises(BadInput, match=r"at most 2 tokens, but a question alone has more: 'Is w6 w5\?'; raise"):
        read_squad(file, 2, vocabulary=vocabulary)


def test_a_window_does_not_know_the_answer() -> None:
    context = pieces("a b what c d e what f river g h")
    assert window(context, pieces("what river ?"), 4) == pieces("e what f river")
    assert window(context, pieces("what what what what river"), 3) == pieces("what f river")
    assert window(context, pieces("nothing of it"), 3) == pieces("a b what")
    assert window(context, pieces("what"), 0) == []
    assert window(context, pieces("h"), 40) == context


def test_a_corpus_of_questions(file: Path, tmp_path: Path) -> None:
    test = tmp_path / "dev.json"
    test.write_text(json.dumps(document(4)))
    corpus = open_text_corpus(
        str(file), CorpusSettings(test_file=str(test), valid=0.25, source_length=9, lowercase=True), 0
    )
    assert (len(corpus.train), len(corpus.valid), len(corpus.test)) == (9, 3, 8)
    assert corpus.facts["questions"] == {
        "train": {"asked": 12, "unanswerable": 12},
        "test": {"asked": 4, "unanswerable": 4},
    }
    assert corpus.source_width == 10
    assert corpus.train.source is not None
    for source, ids in zip(source_texts(corpus.train.source, corpus.vocabulary), corpus.train.lists(0), strict=True):
        assert corpus.vocabulary.decode(ids)[4:] == source.split()[3][6:]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", r"must be JSON in the SQuAD layout \(data, paragraphs, qas\), but: Expecting"),
        ("{}", r"but: 'data' is missing; convert it to a table and name --corpus\.source"),
        ("[]", r"but: list indices must be integers"),
        (json.dumps({"data": []}), r"must hold at least one question with an answer"),
    ],
)
def test_another_layout(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(BadInput, match=said) as error:
        open_text_corpus(str(path), CorpusSettings(), 0)
    assert "\n" not in str(error.value)


def test_it_has_its_own_columns(file: Path) -> None:
    with pytest.raises(BadInput, match=r"--corpus\.source means nothing for"):
        open_text_corpus(str(file), CorpusSettings(source="question"), 0)
