"""The vocabulary of a pre-trained model, and models that have none to give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqgans.data.tokenizer import check_shared, vocabulary_of_model
from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput
from tests.generators.models import VOCABULARY, causal_model, model_folder


def test_its_ids_are_those_of_the_model(tmp_path: Path) -> None:
    vocabulary = vocabulary_of_model(str(model_folder(tmp_path)))
    assert (vocabulary.size, vocabulary.end, vocabulary.start, vocabulary.unknown) == (VOCABULARY, 0, 0, None)
    assert vocabulary.encode("w3 w1  w22") == [3, 1, 22]
    assert vocabulary.decode([3, 1, 0, 7]) == "w3 w1"
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary
    with pytest.raises(BadInput, match="byte pairs have none to name"):
        vocabulary.encode_with_blanks("w3 _", "_")


def test_ids_beyond_the_tokenizer_have_names_of_their_own(tmp_path: Path) -> None:
    config = json.loads((model_folder(tmp_path) / "config.json").read_text()) | {"vocab_size": VOCABULARY + 2}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert vocabulary_of_model(str(tmp_path)).symbols[-2:] == (f"<unused {VOCABULARY}>", f"<unused {VOCABULARY + 1}>")
    (tmp_path / "config.json").write_text(json.dumps(config | {"vocab_size": 5}))
    with pytest.raises(BadInput, match="has 23 ids and its network 5; resize its embeddings"):
        vocabulary_of_model(str(tmp_path))


def test_a_folder_without_a_tokenizer_is_one_line(tmp_path: Path) -> None:
    causal_model("gpt2").config.save_pretrained(tmp_path)
    with pytest.raises(BadInput) as caught:
        vocabulary_of_model(str(tmp_path))
    line = f"the model folder {tmp_path} must hold a tokenizer (tokenizer.json); save it there beside the model"
    assert str(caught.value) == line


def test_a_tokenizer_without_an_end_token_is_one_line(tmp_path: Path) -> None:
    folder = model_folder(tmp_path)
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        path = folder / name
        if path.exists():
            known = {key: value for key, value in json.loads(path.read_text()).items() if "eos" not in key}
            path.write_text(json.dumps(known))
    with pytest.raises(BadInput, match="must have an end token"):
        vocabulary_of_model(str(folder))


def test_as_many_ids_that_mean_something_else_are_refused(tmp_path: Path) -> None:
    ours, theirs = model_folder(tmp_path / "ours"), model_folder(tmp_path / "theirs")
    vocabulary = vocabulary_of_model(str(ours))
    check_shared(str(theirs), vocabulary)
    file = theirs / "tokenizer.json"
    file.write_text(file.read_text().replace('"w5"', '"w6 "').replace('"w6"', '"w5"').replace('"w6 "', '"w6"'))
    line = "must share one vocabulary, but 2 of 23 ids differ: 5 is 'w6' there and 'w5' here; choose models of one"
    with pytest.raises(BadInput, match=line):
        check_shared(str(theirs), vocabulary)
    file.unlink()
    (theirs / "tokenizer_config.json").unlink()
    check_shared(str(theirs), vocabulary)  # a judge without a tokenizer has nothing to compare


def test_a_hub_that_does_not_answer_is_asked_once(monkeypatch) -> None:
    """Each request is tried six times over half a minute; kills: the tokenizer asked for all the same."""
    transformers = pytest.importorskip("transformers")
    asked = []

    def silent(*_, **__) -> None:
        asked.append("config")
        raise OSError("We couldn't connect to the hub")

    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", silent)
    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", lambda *_, **__: asked.append("tokenizer"))
    with pytest.raises(BadInput, match=r"nobody/nothing must be a model with a tokenizer.*couldn't connect"):
        vocabulary_of_model("nobody/nothing")
    assert asked == ["config"]
