"""Questions and answers in the SQuAD layout, 1.1 or 2.0, as pairs of a source and a text.

    data › paragraphs › context, qas › question, answers › text

A source is the question, then a window of its context: the one that shares most words with the question, which anybody
can find without knowing the answer. Words and punctuation are set apart. Questions without an answer are left out.

References: Rajpurkar, Jia and Liang (2018), arXiv:1806.03822.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqgans.data.text import read_text
from seqgans.errors import BadInput

ENDINGS = (".json", ".json.gz")
PIECES = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Questions:
    """What a file of questions holds.

    Attributes:
        sources: question and window, one a text.
        texts: answers.
        asked: questions that have an answer.
        unanswerable: questions that have none, left out.
    """

    sources: list[str]
    texts: list[str]
    asked: int
    unanswerable: int


def read_squad(path: Path, room: int, *, every: bool = False) -> Questions:
    """The questions of a file and their answers.

    Args:
        path: a `.json` or `.json.gz` file.
        room: tokens of a source.
        every: a row for each different answer to a question, as a test needs them; otherwise only the first.

    Raises:
        BadInput: the file cannot be read, is of another layout, or has no answer at all.
    """
    try:
        articles = json.loads(read_text(path))["data"]
        paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
        found = [(one["context"], qa["question"], _answers(qa)) for one in paragraphs for qa in one["qas"]]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise BadInput(
            f"{path} must be JSON in the SQuAD layout (data, paragraphs, qas), but: {reason}; convert it to a table "
            "and name --corpus.source"
        ) from error
    sources, texts, asked = [], [], 0
    for context, question, answers in found:
        asked += bool(answers)
        if answers:
            words = pieces(question)
            source = " ".join([*words, *window(pieces(context), words, room - len(words))])
            for answer in answers if every else answers[:1]:
                sources.append(source)
                texts.append(answer)
    if not texts:
        raise BadInput(f"{path} must hold at least one question with an answer, but none has one; give another file")
    return Questions(sources, texts, asked, len(found) - asked)


def pieces(text: str) -> list[str]:
    """Words and punctuation, set apart.

    >>> pieces("Beyoncé's 2,000 fans?")
    ['Beyoncé', "'", 's', '2', ',', '000', 'fans', '?']
    """
    return PIECES.findall(text)


def window(context: Sequence[str], question: Sequence[str], size: int) -> Sequence[str]:
    """The part of a context that shares most with a question, each of its words counted once; the first such part.

    Words weigh the less the more often they stand in the context; case does not count.

    Args:
        context: its words.
        question: its words.
        size: of the window, in words.

    >>> " ".join(window("a b c the d e the f".split(), "The e ?".split(), 3))
    'the d e'
    """
    words = [word.lower() for word in context]
    asked = {word: 1 / words.count(word) for word in {word.lower() for word in question} if word in words}
    if size <= 0 or len(words) <= size:
        return context[: max(size, 0)]
    inside: dict[str, int] = {}
    best, place, worth = -1.0, 0, 0.0
    for end, word in enumerate(words):
        if word in asked:
            inside[word] = inside.get(word, 0) + 1
            worth += asked[word] if inside[word] == 1 else 0.0
        left = words[end - size] if end >= size else ""
        if left in asked:
            inside[left] -= 1
            worth -= asked[left] if not inside[left] else 0.0
        if end >= size - 1 and worth > best + 1e-9:
            best, place = worth, end - size + 1
    return context[place : place + size]


def _answers(qa: dict[str, Any]) -> list[str]:
    """The different answers to a question, in their order, words and punctuation set apart."""
    return list(dict.fromkeys(text for answer in qa["answers"] if (text := " ".join(pieces(answer["text"])))))
