"""The slice of SQuAD that benchmarks/squad.py works on, in the layout it came in."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imdb_data import Place

from seqgans.data.squad import prompts, spaced
from seqgans.data.text import read_text
from seqgans.data.tokenizer import vocabulary_of_model
from seqgans.training.checkpoint import write_atomically

PROMPT, ANSWER = 64, 12  # tokens; of the LSTM, words and punctuation
TRAIN, VALID, TEST = 480, 4, 256  # questions; `sample` draws 128 rows at a time, so that 256 cost no more than 200


@dataclass(frozen=True)
class Question:
    """One question of the slice.

    Attributes:
        context: the whole paragraph.
        question: as it is asked.
        answers: references, each once.
    """

    context: str
    question: str
    answers: list[str]


def slice_file(place: Place, part: str) -> Path:
    """Where a part of the slice lies: few, valid, all, test."""
    return place.folder / f"squad_{part}.json"


def prepare(place: Place) -> None:
    """Write the parts of the slice; the same whatever the seed."""
    if slice_file(place, "test").exists():
        return
    train, test = (fitting(place, split) for split in ("train", "dev"))
    parts = {"few": train[:TRAIN], "valid": train[TRAIN : TRAIN + VALID], "all": train, "test": test[:TEST]}
    for part, rows in parts.items():
        paragraphs = [
            {"context": one.context, "qas": [{"question": one.question, "answers": [{"text": a} for a in one.answers]}]}
            for one in rows
        ]
        content = {"data": [{"paragraphs": paragraphs}], "kept": len(train if part != "test" else test)}
        write_atomically(slice_file(place, part), json.dumps(content).encode())


def fitting(place: Place, split: str) -> list[Question]:
    """Questions of a file whose window holds an answer and whose answers are short, in an order of their own."""
    vocabulary = vocabulary_of_model(str(place.model))
    found: dict[tuple[str, str], Question] = {}
    for article in json.loads(read_text(place.data / f"squad_v2_{split}.json.gz"))["data"]:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                answers = list(dict.fromkeys(text for one in asked["answers"] if (text := one["text"].strip())))
                if answers:
                    one = Question(paragraph["context"].strip(), asked["question"].strip(), answers)
                    found.setdefault((one.context, one.question), one)
    rows = list(found.values())
    windows = prompts([(one.context, one.question) for one in rows], PROMPT, vocabulary)
    kept = []
    for one, prompt in zip(rows, windows, strict=True):
        window = prompt.rsplit("\nQuestion:", 1)[0]
        longest = max(map(len, vocabulary.encode_all(f" {answer}" for answer in one.answers)))
        if any(answer in window for answer in one.answers) and longest <= ANSWER:
            kept.append(one)
    random.Random(0).shuffle(kept)
    return kept


def questions(place: Place, part: str) -> list[Question]:
    """A part of the slice."""
    content: dict[str, Any] = json.loads(slice_file(place, part).read_text())
    return [
        Question(one["context"], asked["question"], [answer["text"] for answer in asked["answers"]])
        for article in content["data"]
        for one in article["paragraphs"]
        for asked in one["qas"]
    ]


def sources(place: Place, rows: list[Question], words: bool) -> list[str]:
    """What is asked, as a run on the slice reads it: words set apart, or text."""
    asked = [(one.context, one.question) for one in rows]
    return spaced(asked, PROMPT) if words else prompts(asked, PROMPT, vocabulary_of_model(str(place.model)))
