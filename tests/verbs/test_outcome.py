"""Runs and files measured afresh, side by side: what they share, and what is told while it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seqgans.evaluation.lstm_language import LstmLanguage
from seqgans.verbs.compare import compare

LSTM = {"metrics": ["lm_lstm"], "count": 40}


@pytest.fixture
def learnt(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the texts that LSTMs read."""
    sizes: list[int] = []
    learn = LstmLanguage.learn

    def listening(rows: Any, *asked: Any, **more: Any) -> LstmLanguage:
        sizes.append(len(rows))
        return learn(rows, *asked, **more)

    monkeypatch.setattr(LstmLanguage, "learn", listening)
    return sizes


def means(found: dict[str, Any]) -> dict[str, float]:
    return {system["name"]: system["figures"]["lm_lstm"]["mean"] for system in found["systems"]}


def test_runs_of_equal_references_learn_from_them_once(runs: Path, learnt: list[int]) -> None:
    """Their splits differ with the seed. Mutants killed: an LSTM for each run; one for all, whatever they learnt from.

    That of the first seed would give the runs of the second other figures than they have alone.
    """
    alone = [means(compare([runs / f"{name}-{seed}" for name in ("seqgan", "likelihood")], **LSTM)) for seed in (1, 2)]
    assert len(learnt) == 2
    found = means(compare([runs / f"{name}-{seed}" for seed in (1, 2) for name in ("seqgan", "likelihood")], **LSTM))
    assert len(learnt) == 4
    assert found == {name: pytest.approx((alone[0][name] + alone[1][name]) / 2) for name in found}
    assert alone[0] != alone[1]


def test_files_learn_once_from_references_and_from_those_of_a_run(
    runs: Path, learnt: list[int], tmp_path: Path
) -> None:
    """Mutants killed: an LSTM for each file, or a second one beside the run's."""
    for name, line in (("a", "1 1 2 0 " * 3), ("b", "2 0 1 2 " * 3), ("real", "0 1 2 1 " * 3)):
        (tmp_path / name).write_text(f"{line}\n" * 30)
    files = [tmp_path / "a", tmp_path / "b"]
    compare(files, str(tmp_path / "real"), **LSTM)
    assert len(learnt) == 1
    compare([runs / "seqgan-1", *files], **LSTM)
    assert len(learnt) == 2


def test_each_metric_of_each_target_is_told(runs: Path, tmp_path: Path) -> None:
    """Mutants killed: the metrics of runs alone, a total of one run, nothing where no metric is named."""
    (tmp_path / "a.txt").write_text(f"{'1 1 2 0 ' * 3}\n" * 30)
    told: list[tuple[str, int]] = []
    asked = {"count": 40, "watch": lambda name, total: told.append((name, total))}
    compare([runs / "seqgan-1", runs / "likelihood-1", tmp_path / "a.txt"], metrics=["lm_kn", "length"], **asked)
    names = ["seqgan-1", "likelihood-1", "a.txt"]
    assert told == [(f"{name}: {metric}", 6) for name in names for metric in ("lm_kn", "length")]
    told.clear()
    compare([runs / "seqgan-1", runs / "seqgan-2"], **asked)
    assert len(told) == told[0][1]
