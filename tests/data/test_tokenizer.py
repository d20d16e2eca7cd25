"""The vocabulary of a pre-trained model, and models that have none to give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqgans.data.tokenizer import vocabulary_of_model
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
