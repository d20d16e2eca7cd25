"""What a fine-tuning writes, every few rounds: prompt, answer, score, reward and divergence, as table and as lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from seqgans.data.sources import source_texts
from seqgans.report.table import table
from seqgans.training.facts import from_json, to_json
from seqgans.training.folder import RunFolder
from seqgans.training.loop import Training
from seqgans.training.place import Event

FILE = "completions.jsonl"
HEADS = ("prompt", "answer", "score", "reward", "kl")
WIDE = 48  # characters of a cell in the terminal
KEPT = 16  # answers of a round in the file


class Completions:
    """Keeps some answers of every few rounds, in the round they were paid in.

    Args:
        folder: where the file is.
        training: whose answers.
        every: rounds between two tables; 0 for none.
        shown: rows of a table.
    """

    def __init__(self, folder: RunFolder, training: Training, every: int, shown: int) -> None:
        self.path: Path = folder.path / FILE
        self.training, self.every, self.shown = training, every, shown
        self.round = 0
        if self.path.is_file():  # of a run that goes on: what came after its checkpoint comes again
            lines = [line for line in self.rows() if line["step"] <= training.place.step]
            folder.write_text(FILE, "".join(f"{to_json(line)}\n" for line in lines))
            self.round = max((line["round"] for line in lines), default=0)

    def rows(self) -> list[dict[str, Any]]:
        """All lines of the file."""
        return [from_json(line) for line in self.path.read_bytes().splitlines()] if self.path.is_file() else []

    def hear(self, event: Event) -> str:
        """Take an event; a table where one is due, else nothing.

        Answers are there while the loop learns from them, so the first update of a round is looked at.
        """
        play = self.training.play
        due = self.every and event.round and event.kind == "update" and event.round % self.every == 0
        if not due or event.round == self.round or play is None or play.fake is None or "score" not in play.extras:
            return ""
        self.round = event.round
        vocabulary, count = self.training.corpus.vocabulary, min(KEPT, len(play))
        fake = play.fake[slice(0, count)]
        answers = [vocabulary.decode(ids) for ids in fake.lists(vocabulary.end)]
        prompts = [""] * count if fake.source is None else source_texts(fake.source, vocabulary)
        lines = []
        for row in range(count):
            numbers = {name: number(play.extras, name, row) for name in ("score", "reward", "kl")}
            known = {"step": event.step, "round": event.round, "prompt": prompts[row], "answer": answers[row]}
            lines.append({**known, **{name: value for name, value in numbers.items() if value is not None}})
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(f"{to_json(line)}\n" for line in lines)
        cells = [[cell(line.get(head)) for head in HEADS] for line in lines[: self.shown]]
        return f"round {event.round}\n{table(cells, HEADS)}" if self.shown else ""


def number(extras: dict[str, Tensor], name: str, row: int) -> float | None:
    """A figure of one answer, None where there is none of that name."""
    return round(float(extras[name][row]), 4) if name in extras else None


def cell(value: Any) -> str:
    """A cell of a table: numbers short, texts on one line and cut.

    >>> cell("a  b"), cell(0.12345), cell(None)
    ('a b', '0.123', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}"
    text = " ".join(str(value).split())
    return text if len(text) <= WIDE else f"{text[: WIDE - 1]}…"
