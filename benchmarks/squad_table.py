"""What the arms of benchmarks/squad.py answer, beside what people did, and the table."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from imdb_data import Place
from squad_data import ANSWER, PROMPT, TEST, TRAIN, Question, questions, slice_file, sources

from seqgans.data.squad import pieces
from seqgans.evaluation.answers import exact_match, token_f1
from seqgans.evaluation.diversity import distinct
from seqgans.evaluation.figure import Figure
from seqgans.training.checkpoint import write_atomically
from seqgans.training.facts import to_json
from seqgans.training.folder import RunFolder
from seqgans.verbs.sample import sample

RESULTS = Path(__file__).parent / "results" / "squad.json"
ORDER = (
    "people", "as it is", "sft", "reinforce", "reinforce, slower", "reinforce, control", "ppo", "gumbel", "coldgan",
    "ready", "ready reinforce", "ready reinforce, faster", "ready control, faster", "ready ppo, faster",
    "ready gumbel, faster", "lstm likelihood", "lstm seqgan",
)  # fmt: skip
COLUMNS = {
    "exact match": "exact_match", "F1": "f1", "begins with it": "begins", "words": "words", "empty": "empty",
    "in the paragraph": "verbatim", "distinct-2": "distinct_2",
}  # fmt: skip


def measured(place: Place, arm: str, run: Path, sampled: int, checkpoint: str = "latest") -> None:
    """A row for an arm, and one for the people it is compared with, in benchmarks/results/squad.json."""
    asked = questions(place, "test")
    row: dict[str, Any] = {"name": arm, "seed": place.seed, "questions": len(asked)}
    given, seconds = answers(place, arm, run, asked, 0.0, checkpoint)
    row |= figures(asked, given, spelled_apart(run))
    row["first"] = [
        {"question": one.question, "answer": answer, "real": one.answers[0]}
        for one, answer in zip(asked[:12], given, strict=False)
    ]
    row["answer_cpu_seconds"] = seconds
    if sampled:
        part = asked[:sampled]
        drawn = answers(place, arm, run, part, 1.0, checkpoint)[0]
        row["sampled"] = {"questions": len(part), **figures(part, drawn, spelled_apart(run))}
    row |= history(run, checkpoint)
    people = figures(asked, [one.answers[0] for one in asked], False)
    people |= {"name": "people", "seed": place.seed, "questions": len(asked)}
    for name in ("exact_match", "f1", "begins"):  # of each it is one reference that is looked at
        del people[name], people[f"{name}_error"]
    kept([people, row], place)


def answers(
    place: Place, arm: str, run: Path, asked: Sequence[Question], temperature: float, checkpoint: str
) -> tuple[list[str], float]:
    """The first line with text of an answer to each question, drawn once and kept; and the CPU-seconds of drawing."""
    file = place.folder / f"answers-{file_name(arm)}-{place.seed}-{temperature:g}-{len(asked)}.json"
    if not file.exists():
        began = time.process_time()
        texts = sources(place, list(asked), spelled_apart(run))
        drawn = sample(run, len(texts), temperature, seed=place.seed, checkpoint=checkpoint, sources=texts)
        lines = [one.text.strip().split("\n")[0].strip() for one in drawn]
        found = {"answers": lines, "seconds": time.process_time() - began}
        write_atomically(file, to_json(found).encode())
    found = json.loads(file.read_text())
    return found["answers"], found["seconds"]


def file_name(arm: str) -> str:
    """An arm's name without blanks and commas."""
    return arm.replace(",", "").replace(" ", "-")


def spelled_apart(run: Path) -> bool:
    """Whether a run reads words and punctuation apart, rather than a model's tokens."""
    return RunFolder.existing(run).read_recipe().corpus_settings.tokenizer is None


def figures(asked: Sequence[Question], given: Sequence[str], apart: bool) -> dict[str, Any]:
    """Means over questions with their standard errors.

    Args:
        asked: the questions.
        given: an answer to each.
        apart: whether answers are words and punctuation set apart; references are then written that way, too.
    """
    exact, shared, begins, length, empty, verbatim = [], [], [], [], [], []
    for one, answer in zip(asked, given, strict=True):
        references = [" ".join(pieces(text)) for text in one.answers] if apart else one.answers
        exact.append(exact_match(answer, references))
        shared.append(token_f1(answer, references))
        words = pieces(answer.lower())
        begins.append(any(words[: len(known)] == known for known in (pieces(text.lower()) for text in references)))
        length.append(sum(word[0].isalnum() for word in words))
        empty.append(not words)
        verbatim.append(bool(words) and f" {' '.join(words)} " in f" {' '.join(pieces(one.context.lower()))} ")
    means = {"exact_match": exact, "f1": shared, "begins": begins}
    means |= {"words": length, "empty": empty, "verbatim": verbatim}
    found: dict[str, Any] = {}
    for name, values in means.items():
        figure = Figure.of(np.asarray(values, np.float64))
        found |= {name: figure.value, f"{name}_error": figure.standard_error}
    numbers: dict[str, int] = {}
    ids = [[numbers.setdefault(word, len(numbers)) for word in pieces(answer.lower())] for answer in given]
    different = len({answer.lower() for answer in given}) / len(given)
    return found | {"distinct_2": distinct(ids, orders=(2,))["distinct_2"].value, "different": different}


def history(run: Path, checkpoint: str) -> dict[str, Any]:
    """How far a run came and the CPU-seconds of its phases, without loading and its own evaluations."""
    folder = RunFolder.existing(run)
    where, seconds = folder.load(checkpoint)[1]["place"], folder.read_json("report.json")["cpu_seconds"]
    if checkpoint == "pretrained":
        seconds = {name: value for name, value in seconds.items() if name == "likelihood"}
    return {"updates": where["step"], "rounds": where["round"], "cpu_seconds": seconds}


def kept(rows: Sequence[dict[str, Any]], place: Place) -> None:
    """Put rows in the place of those of the same name and seed."""
    known = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    new = {(row["name"], row["seed"]): row for row in (*known, *rows)}
    order = sorted(new.values(), key=lambda row: (row["seed"], ORDER.index(row["name"])))
    facts = {
        "command": "python benchmarks/squad.py --data DIR --out DIR",
        "prompt_tokens": PROMPT,
        "answer_tokens": ANSWER,
        "train": TRAIN,
        "train_lstm": json.loads(slice_file(place, "all").read_text())["kept"],
        "held_out": TEST,
        "rows": order,
    }
    write_atomically(RESULTS, (to_json(facts, 1) + "\n").encode())


def printed() -> str:
    """The rows of the results as a table in markdown."""
    rows = json.loads(RESULTS.read_text())["rows"]
    names = ["arm", "seed", *COLUMNS, "F1, sampled", "CPU-minutes"]
    lines = [f"| {' | '.join(names)} |", f"| --- |{' ---: |' * (len(names) - 1)}"]
    for row in rows:
        cells = [row["name"], str(row["seed"]), *(with_error(row, column) for column in COLUMNS.values())]
        seconds = row.get("cpu_seconds", {}).values()
        cells += [with_error(row.get("sampled", {}), "f1"), f"{sum(seconds) / 60:.1f}" if "cpu_seconds" in row else ""]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def with_error(row: dict[str, Any], column: str) -> str:
    """A figure of a row, and its standard error where it has one; empty where it was not measured."""
    if column not in row:
        return ""
    error = row.get(f"{column}_error")
    return f"{row[column]:.3f}" + ("" if error is None else f" ± {error:.3f}")
