"""Questions and answers in the SQuAD layout, 1.1 or 2.0, as pairs of a source and a text.

    data › paragraphs › context, qas › question, answers › text

A source holds the question and a window of its context: the one that shares most words with the question, which anybody
can find without knowing the answer. Questions without an answer are left out.

For vocabularies of our own, words and punctuation are set apart, the question first. A pre-trained model is asked in
text as it stands, in the order in which it goes on:

    CONTEXT
    Question: QUESTION
    Answer: ANSWER

References: Rajpurkar, Jia and Liang (2018), arXiv:1806.03822.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqgans.data.assembly import LONGEST, corpus_of_texts
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.text import read_text
from seqgans.data.tokenizer import vocabulary_of_model
from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput

ENDINGS = (".json", ".json.gz")
SQUAD = ("context", "question", "answers")  # columns of a dataset, in the order that `rows_of` takes them
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


def read_squad(path: Path, room: int, *, every: bool = False, vocabulary: Vocabulary | None = None) -> Questions:
    """The questions of a file and their answers.

    Args:
        path: a `.json` or `.json.gz` file.
        room: tokens of a source.
        every: a row for each different answer to a question, as a test needs them; otherwise only the first.
        vocabulary: that of a pre-trained model, in whose tokens sources are measured; None sets words apart.

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
    return questions_of(path, found, room, every=every, vocabulary=vocabulary)


def corpus_of_questions(
    spec: str, readers: Mapping[str, Callable[..., Questions]], settings: CorpusSettings, seed: int
) -> Corpus:
    """Questions and answers as a corpus: one row a question to learn from, one row a different answer to be judged by.

    How many questions have no answer stands in its facts.

    Args:
        spec: what was asked for.
        readers: of each split, what reads it when told `room`, `every` and `vocabulary` as `read_squad` is.
        settings: how questions are read.
        seed: how they are divided.

    Raises:
        BadInput: as the readers.
    """
    room = settings.source_length or LONGEST
    known = None if settings.tokenizer is None else vocabulary_of_model(settings.tokenizer, settings.lowercase)
    found = {split: read(room, every=split != "train", vocabulary=known) for split, read in readers.items()}
    left_out = {split: {"asked": part.asked, "unanswerable": part.unanswerable} for split, part in found.items()}
    texts, sources = ({split: getattr(part, name) for split, part in found.items()} for name in ("texts", "sources"))
    return corpus_of_texts(spec, texts, settings, seed, {"kind": "squad", "questions": left_out}, None, sources)


def is_squad(columns: Sequence[str]) -> bool:
    """Whether the columns of a dataset are those of SQuAD, one question a row, as hubs keep it."""
    return set(SQUAD) <= set(columns)


def rows_of(contexts: Sequence[str], asked: Sequence[str], answers: Sequence[Any]) -> list[tuple[str, str, list[str]]]:
    """Contexts, questions and answers of such rows; a row's answers are texts under the name `text`."""
    told = [[text.strip() for text in one["text"] if text.strip()] for one in answers]
    return list(zip(contexts, asked, told, strict=True))


def questions_of(
    path: Path | str,
    found: Sequence[tuple[str, str, list[str]]],
    room: int,
    *,
    every: bool = False,
    vocabulary: Vocabulary | None = None,
) -> Questions:
    """Sources and texts of contexts, questions and answers; arguments as of `read_squad`.

    Raises:
        BadInput: nothing has an answer, or a question is longer than a source may be.
    """
    answered = [(context, question, answers) for context, question, answers in found if answers]
    if not answered:
        raise BadInput(f"{path} must hold at least one question with an answer, but none has one; give another file")
    asked = [(context, question) for context, question, _ in answered]
    written = spaced(asked, room) if vocabulary is None else prompts(asked, room, vocabulary)
    sources, texts = [], []
    for source, (_, _, answers) in zip(written, answered, strict=True):
        spelled = dict.fromkeys(" ".join(pieces(answer)) if vocabulary is None else f" {answer}" for answer in answers)
        for answer in list(spelled)[: None if every else 1]:
            sources.append(source)
            texts.append(answer)
    return Questions(sources, texts, len(answered), len(found) - len(answered))


def spaced(asked: Sequence[tuple[str, str]], room: int) -> list[str]:
    """Sources of contexts and questions: the question, then the window, in words and punctuation set apart."""
    sources = []
    for context, question in asked:
        words = pieces(question)
        sources.append(" ".join([*words, *window(pieces(context), words, room - len(words))]))
    return sources


def prompts(asked: Sequence[tuple[str, str]], room: int, vocabulary: Vocabulary) -> list[str]:
    """Sources of contexts and questions for a pre-trained model, as text.

    Args:
        asked: contexts and questions.
        room: tokens of a prompt; the window is as long as they allow.
        vocabulary: what counts the tokens.

    Raises:
        BadInput: a question alone needs more.
    """
    words = [room] * len(asked)  # of each window; a word has at least one token
    written = [""] * len(asked)
    waiting = list(range(len(asked)))
    while waiting:
        for place in waiting:
            context, question = asked[place]
            written[place] = f"{stretch(context, question, words[place])}\nQuestion: {question.strip()}\nAnswer:"
        counts = map(len, vocabulary.encode_all(written[place] for place in waiting))
        long = [(place, count) for place, count in zip(waiting, counts, strict=True) if count > room]
        hopeless = next((place for place, _ in long if words[place] == 0), None)
        if hopeless is not None:
            raise BadInput(
                f"a prompt must have at most {room} tokens, but a question alone has more: "
                f"{asked[hopeless][1].strip()!r}; raise --corpus.source-length"
            )
        for place, count in long:
            words[place] = max(0, min(words[place] - 1, words[place] - (count - room) * 2 // 3))
        waiting = [place for place, _ in long]
    return written


def stretch(context: str, question: str, size: int) -> str:
    """The window of a context as it is written there, from its first word to its last.

    >>> stretch("It rained. The e-mail (late) came!", "Which mail came?", 7)
    'e-mail (late) came'
    """
    found = list(PIECES.finditer(context))
    start, end = place_of([one.group() for one in found], pieces(question), size)
    return context[found[start].start() : found[end - 1].end()] if end > start else ""


def pieces(text: str) -> list[str]:
    """Words and punctuation, set apart.

    >>> pieces("Beyoncé's 2,000 fans?")
    ['Beyoncé', "'", 's', '2', ',', '000', 'fans', '?']
    """
    return PIECES.findall(text)


def window(context: Sequence[str], question: Sequence[str], size: int) -> Sequence[str]:
    """The part of a context that shares most with a question, as `place_of` finds it.

    >>> " ".join(window("a b c the d e the f".split(), "The e ?".split(), 3))
    'the d e'
    """
    start, end = place_of(context, question, size)
    return context[start:end]


def place_of(context: Sequence[str], question: Sequence[str], size: int) -> tuple[int, int]:
    """Where the window of a context begins and ends that shares most with a question; the first such window.

    Each word of the question is counted once. Words weigh the less the more often they stand in the context; case does
    not count.

    Args:
        context: its words.
        question: its words.
        size: of the window, in words.
    """
    words = [word.lower() for word in context]
    asked = {word: 1 / words.count(word) for word in {word.lower() for word in question} if word in words}
    if size <= 0 or len(words) <= size:
        return 0, min(max(size, 0), len(words))
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
    return place, place + size


def _answers(qa: dict[str, Any]) -> list[str]:
    """What answers a question, in the order of the file, as it is written there."""
    return [text for answer in qa["answers"] if (text := answer["text"].strip())]
