"""Conversations become prompts and answers as the model's template writes them; what is none is one line.

Mutants killed: an answer that begins with the prompt's words, an end that the template wrote and the corpus once more,
special tokens read as plain text, a conversation that the user ends, usual names of columns that are not known.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seqgans.data.corpus import CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.data.remarks import remarks
from seqgans.errors import BadInput
from tests.generators.models import model_folder

TEMPLATE = (
    "{% for one in messages %}{{ 'w20 ' if one['role'] == 'user' else 'w21 ' }}{{ one['content'] }}"
    "{{ ' <eos> ' if one['role'] == 'assistant' else ' ' }}{% endfor %}{{ 'w21 ' if add_generation_prompt else '' }}"
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = model_folder(tmp_path / "model", weights=False)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "chat_template": TEMPLATE}))
    return folder


def talk(number: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"w1 w{number}"}, {"role": "assistant", "content": f"w3 w{number}"}]


def read(path: Path | str, model: Path | None, **more: Any) -> Any:
    settings = CorpusSettings(tokenizer=str(model) if model else None, valid=0.0, test=0.0, end="yes", **more)
    return open_text_corpus(str(path), settings, 0)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("kind", ["jsonl", "parquet", "pair", "saved"])
def test_the_last_message_answers_what_stands_before_it(model: Path, tmp_path: Path, kind: str, named: bool) -> None:
    rows = [{"messages": talk(number)} for number in range(4, 10)]
    path = tmp_path / ("talks.parquet" if kind == "parquet" else "talks.jsonl")
    if kind == "parquet":
        arrow = pytest.importorskip("pyarrow", reason="parquet needs the extra [data]")
        parquet = pytest.importorskip("pyarrow.parquet", reason="parquet needs the extra [data]")
        parquet.write_table(arrow.Table.from_pylist(rows), path)
    else:
        if kind == "pair":
            rows = [{"prompt": row["messages"][:1], "completion": row["messages"][1:]} for row in rows]
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    if kind == "saved":
        datasets = pytest.importorskip("datasets", reason="datasets need the extra [data]")
        datasets.Dataset.from_list(rows).save_to_disk(tmp_path / "saved")
        path = f"hf:{tmp_path / 'saved'}"
    columns = {"text": "completion", "source": "prompt"} if kind == "pair" else {"text": "messages"}
    corpus = read(path, model, **(columns if named else {}))  # they are called as usual
    found = {
        (tuple(source), tuple(answer))
        for source, answer in zip(corpus.train.source.lists(), corpus.train.lists(), strict=True)
    }
    assert found == {((20, 1, number, 21), (3, number, 0)) for number in range(4, 10)}  # one end, the corpus's own
    assert corpus.facts["kind"] == "chat"
    assert corpus.vocabulary.specials
    assert type(corpus.vocabulary).from_json(corpus.vocabulary.to_json()) == corpus.vocabulary


def test_a_long_conversation_keeps_its_end(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    path.write_text("".join(f"{json.dumps({'messages': talk(number)})}\n" for number in range(4, 10)))
    corpus = read(path, model, source_length=2)
    assert sorted(corpus.train.source.lists()) == [[number, 21] for number in range(4, 10)]  # the answer's beginning
    assert remarks(corpus) == [
        "6 of 6 prompts are longer than 2 tokens, of which only the last 2 are read; raise --corpus.source-length"
    ]
    assert remarks(read(path, model, source_length=4)) == []


def test_a_column_that_is_not_there_is_named(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"prompt": "w1", "completion": "w2"}\n' * 3)
    with pytest.raises(BadInput, match=r"has no column 'zzz'; choose one with --corpus\.source: prompt, completion"):
        read(path, model, source="zzz")
    path.write_text('{"prompt": "w1", "completion": "w2"}\n' * 3 + '{"prompt": "w1"}\n')
    with pytest.raises(BadInput, match=r"must have 'completion' in every row, but row 4 has none; mend it"):
        read(path, model)


@pytest.mark.parametrize(
    ("messages", "line"),
    [
        (talk(4)[:1], "must hold conversations that end with a message of the assistant, row 1 does not; mend it"),
        (talk(4)[1:], "must hold conversations that end with a message of the assistant, row 1 does not; mend it"),
        ([{"role": "user"}], "must hold messages with a role and a content, but row 1 does not; mend it"),
    ],
)
def test_what_is_no_conversation_is_one_line(model: Path, tmp_path: Path, messages: Any, line: str) -> None:
    path = tmp_path / "talks.jsonl"
    path.write_text(json.dumps({"messages": messages}) + "\n")
    with pytest.raises(BadInput, match=line):
        read(path, model, text="messages")


def test_a_template_is_needed(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    path.write_text(json.dumps({"messages": talk(4)}) + "\n")
    with pytest.raises(BadInput, match=r"give --model or --corpus\.tokenizer"):
        read(path, None, text="messages")
    plain = model_folder(tmp_path / "plain", weights=False)
    with pytest.raises(BadInput, match="must have a chat template for conversations"):
        read(path, plain, text="messages")


@pytest.mark.parametrize("place", [0, 1])
def test_a_message_that_spells_a_control_token_is_refused(model: Path, tmp_path: Path, place: int) -> None:
    """It would be read as the token itself: a prompt ends, an answer is cut. Mutants killed: the user's words alone."""
    rows = [talk(number) for number in range(4, 10)]
    rows[2][place]["content"] += " <eos> w5"
    path = tmp_path / "talks.jsonl"
    path.write_text("".join(f"{json.dumps({'messages': row})}\n" for row in rows))
    with pytest.raises(BadInput, match=r"plain text, but row 3 spells '<eos>', .* control token; write it otherwise"):
        read(path, model)


def test_so_is_one_that_spells_a_mark_without_a_part(model: Path, tmp_path: Path) -> None:
    """Models mark roles with special tokens that are neither start, end nor padding. Kills: those with a part alone."""
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    mark = {**tokenizer["added_tokens"][0], "id": tokenizer["model"]["vocab"]["w20"], "content": "w20"}
    tokenizer["added_tokens"].append(mark)
    (model / "tokenizer.json").write_text(json.dumps(tokenizer))
    path = tmp_path / "talks.jsonl"
    path.write_text("".join(f"{json.dumps({'messages': talk(number)})}\n" for number in (*range(4, 9), 20)))
    with pytest.raises(BadInput, match=r"plain text, but row 6 spells 'w20', "):
        read(path, model)
