"""Facts in files: strict JSON, and the same facts again.

Mutants killed: infinities of one sign, nan as infinity, numbers below lists left out, texts of a list made numbers.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from seqgans.training.checkpoint import load_checkpoint, save_checkpoint
from seqgans.training.facts import from_json, to_json
from seqgans.training.folder import RunFolder

FACTS: dict[str, Any] = {
    "kind": "evaluation",
    "figures": {"kl": math.inf, "least": -math.inf, "nll": 1.5},
    "sweep": [{"temperature": 0.3, "kl": math.inf}],
    "samples": ["NaN", "Infinity and more", "ü"],
    "none": None,
    "text": "Infinity and more",
}


def strictly(text: str) -> Any:
    """JSON by the letter of its standard."""

    def refuse(constant: str) -> Any:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("indent", [None, 1])
def test_facts_come_back(indent: int | None) -> None:
    text = to_json(FACTS, indent)
    assert strictly(text)["figures"] == {"kl": "Infinity", "least": "-Infinity", "nll": 1.5}
    assert from_json(text) == from_json(text.encode()) == FACTS
    found = from_json(to_json({"loss": math.nan}))
    assert math.isnan(found["loss"])


def test_python_reads_the_names_as_numbers() -> None:
    found = strictly(to_json({"a": math.inf, "b": -math.inf, "c": math.nan}))
    assert (float(found["a"]), float(found["b"])) == (math.inf, -math.inf)
    assert math.isnan(float(found["c"]))


def test_every_file_of_a_folder_is_strict(tmp_path: Path) -> None:
    folder = RunFolder.new(tmp_path / "run")
    folder.append_event(FACTS)
    folder.append_event({"kind": "end"})
    folder.keep_events(1)
    folder.write_json("report.json", FACTS)
    save_checkpoint(tmp_path / "step", {"weight": torch.ones(1)}, {"best": {"value": math.inf}})
    for path in (folder.path / "events.jsonl", folder.path / "report.json", tmp_path / "step" / "facts.json"):
        assert isinstance(strictly(path.read_text()), dict)
    assert folder.events() == [FACTS]
    assert folder.read_json("report.json") == FACTS
    assert load_checkpoint(tmp_path / "step")[1] == {"best": {"value": math.inf}}


def test_files_written_before_are_still_read(tmp_path: Path) -> None:
    """Python's own spelling, a bare Infinity, as runs had it until 0.1."""
    folder = RunFolder.new(tmp_path)
    (tmp_path / "report.json").write_text('{"kl": Infinity}')
    assert folder.read_json("report.json") == {"kl": math.inf}
