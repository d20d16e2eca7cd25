"""Score: how real a run's discriminator finds given lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from seqgans.data.chat import is_chat, written_out
from seqgans.data.open import NESTED, TABLES, read_texts
from seqgans.data.tables import cells_of_objects, columns_of, read_sources, sources_of, texts_of, usual_columns
from seqgans.data.text import read_lines
from seqgans.discriminators.pairs import beside
from seqgans.errors import BadInput
from seqgans.evaluation.likelihood import as_sequences
from seqgans.verbs.asking import encoded_questions
from seqgans.verbs.given import checked_texts
from seqgans.verbs.loading import LoadedRun, load_run

ROWS = 256  # scored at once


@dataclass(frozen=True)
class Score:
    """One line and what the discriminator makes of it.

    Attributes:
        text: the line.
        probability: that it is real, 0 to 1; None where it could not be read.
        note: what is special about it: blank, cut to the run's length, shorter than any sequence of the run.
        source: what the line answers; None where it answers nothing.
    """

    text: str
    probability: float | None
    note: str = ""
    source: str | None = None


def score(
    path: Path | str,
    file: Path | str | Sequence[str],
    checkpoint: str = "latest",
    sources: Sequence[str] | None = None,
) -> list[Score]:
    """Score every line of a file, or every one of some texts, in their order.

    Lines are read with the vocabulary of the run. One that is longer than the run's sequences is cut; one that is
    blank, or too short where all sequences have one length, has no probability. A note says so.

    Args:
        path: the run's folder.
        file: one sequence a line, or a table with the text column of the run's corpus. Of a run that answers, pairs:
            SOURCE<TAB>RESPONSE in a .tsv or .txt, else a table with the columns of the run's corpus.
            A list is of texts.
        checkpoint: "latest", "best" or "pretrained".
        sources: what each of a list of texts answers, of a run that answers.

    Raises:
        BadInput: the run has no discriminator, or a file cannot be read.
    """
    run = load_run(path, checkpoint)
    if run.recipe.discriminator is None:
        raise BadInput(
            f"score needs a discriminator, but {path} was trained by {run.recipe.algorithm}, which has none; "
            "name a run of an adversarial algorithm"
        )
    if not isinstance(file, Path | str):
        return score_texts(run, file, sources)
    if sources is not None:
        raise BadInput("sources belong to a list of texts; a file of pairs holds its own")
    if run.corpus.source_width:
        sources, lines = read_pairs(run, Path(file))
        return score_lines(run, lines, sources)
    return score_lines(run, read_given(run, Path(file)))


def score_texts(run: LoadedRun, texts: Sequence[str], sources: Sequence[str] | None) -> list[Score]:
    """A score of each text of a list.

    Raises:
        BadInput: one is no text, or there are not as many sources as the run asks for.
    """
    texts, asked = checked_texts(texts, "text"), checked_texts(sources or (), "source")
    wanted = len(texts) if run.corpus.source_width else 0
    if len(asked) != wanted:
        raise BadInput(f"{len(texts)} texts need {wanted} sources to answer in this run, got {len(asked)}")
    return score_lines(run, texts, asked or None)


def read_given(run: LoadedRun, file: Path) -> list[str]:
    """The lines of a file, or the rows of a table's text column, as many as it has."""
    if file.name.lower().endswith(TABLES):
        settings = run.recipe.corpus_settings
        text = column_of(file, settings.text, "text") if file.name.lower().endswith(NESTED) else settings.text
        return read_texts(file, text, settings.header)
    return read_lines(file)


def read_pairs(run: LoadedRun, file: Path) -> tuple[list[str], list[str]]:
    """Sources and responses of a file, as many of one as of the other.

    Raises:
        BadInput: a source is blank, or a column is not there.
    """
    settings = run.recipe.corpus_settings
    name = file.name.lower()
    if name.endswith(NESTED):
        return read_objects(run, file)
    if name.endswith((".csv", ".csv.gz")):
        source, text = settings.source or "source", settings.text or "text"
        return read_sources(file, source, settings.header), read_texts(file, text, settings.header)
    cells = [line.split("\t") for line in read_lines(file) if line.strip()]
    wrong = next((number for number, row in enumerate(cells, start=1) if len(row) != 2), None)
    if wrong is not None:
        raise BadInput(
            f"{file} must hold SOURCE<TAB>RESPONSE in every line, but line {wrong} has {len(cells[wrong - 1])} parts; "
            "mend it, or give .jsonl"
        )
    return sources_of(file, [row[0] for row in cells]), [row[1] for row in cells]


def read_objects(run: LoadedRun, file: Path) -> tuple[list[str], list[str]]:
    """Sources and responses of a table with named columns: those of the run's corpus, found as its own were found.

    Without any of these: source and text, as `sample` writes them. Conversations are written out as they were.

    Raises:
        BadInput: a column is not there, or a cell is of another kind.
    """
    settings = run.recipe.corpus_settings
    text, source = column_of(file, settings.text, "text"), column_of(file, settings.source, "source")
    if text is None and source is None:
        text, source = usual_columns(columns_of(file))
    if is_chat(cells := cells_of_objects(file, text, "text")):
        prompts = cells_of_objects(file, source, "source") if source else None
        return written_out(file, cells, prompts, settings.tokenizer)
    return read_sources(file, source or "source"), texts_of(file, cells)


def column_of(file: Path, named: str | None, written: str) -> str | None:
    """The column that a run's corpus names; None where it names none, has numbers, or `sample` wrote another instead.

    Args:
        file: a table with named columns.
        named: the corpus' own column; a number where that has no header.
        written: what `sample` calls it.
    """
    there = columns_of(file)
    if named is None or named in there:
        return named
    return None if named.isdecimal() or written in there else named


def score_lines(run: LoadedRun, lines: Sequence[str], sources: Sequence[str] | None = None) -> list[Score]:
    """Score lines, a few at a time.

    Args:
        run: one with a discriminator.
        lines: one sequence each.
        sources: what each answers, of a run that answers.
    """
    vocabulary, length = run.corpus.vocabulary, run.corpus.length
    room = length - (vocabulary.end is not None)
    found: list[Score] = []
    for first in range(0, len(lines), ROWS):
        part = lines[first : first + ROWS]
        ids = [encoded(run, line, first + place) for place, line in enumerate(part, start=1)]
        notes = [noted(len(row), room, fixed=vocabulary.end is None) for row in ids]
        rows = [row[:room] for row, (readable, _) in zip(ids, notes, strict=True) if readable]
        asked = [None] * len(part) if sources is None else sources[first : first + ROWS]
        given = [source for source, (readable, _) in zip(asked, notes, strict=True) if readable and source is not None]
        probabilities = iter(probability_of(run, rows, given))
        found += [
            Score(line, next(probabilities) if readable else None, note, source)
            for line, (readable, note), source in zip(part, notes, asked, strict=True)
        ]
    return found


def encoded(run: LoadedRun, line: str, number: int) -> list[int]:
    """A line as ids; where a symbol does not exist the message says in which line."""
    try:
        return run.corpus.vocabulary.encode(line) if line.strip() else []
    except BadInput as error:
        raise BadInput(f"line {number}: {error}") from error


def noted(size: int, room: int, *, fixed: bool) -> tuple[bool, str]:
    """Whether a line of so many tokens can be scored, and what is special about it."""
    if not size:
        return False, "blank"
    if size > room:
        return True, f"cut from {size} to {room} tokens"
    if fixed and size < room:
        return False, f"shorter than the {room} tokens of this run"
    return True, ""


@torch.no_grad()
def probability_of(run: LoadedRun, rows: list[list[int]], sources: Sequence[str]) -> list[float]:
    """D(Y) = σ(logit) of each sequence of ids, or D(x, Y) where there are sources."""
    if not rows:
        return []
    vocabulary = run.corpus.vocabulary
    sequences = as_sequences(rows, run.corpus.length, vocabulary.end)
    source = encoded_questions(run, sources) if sources else None
    judge = beside(run.players.discriminator, source)
    return judge.scores(sequences.tokens, sequences.mask).sigmoid().tolist()
