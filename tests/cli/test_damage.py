"""A run's folder with one damaged file: one clear line and exit code 2, whichever verb reads it.

Mutants killed: a file read without asking whether it is UTF-8, a key taken without asking whether it is there, ids
that are not in the vocabulary, a form of files that only a later version knows.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def garbage(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00garbage\x80")


def halved(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def holding(text: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(text) and None


def without(key: str) -> Callable[[Path], None]:
    def drop(path: Path) -> None:
        path.write_text(
            json.dumps({name: value for name, value in json.loads(path.read_text()).items() if name != key})
        )

    return drop


def fewer_symbols(path: Path) -> None:
    fields = json.loads(path.read_text())
    path.write_text(json.dumps({**fields, "symbols": fields["symbols"][:2]}))


SETTINGS, CORPUS, WORDS, IDS = "settings.yaml", "corpus.json", "vocabulary.json", "corpus.safetensors"
DAMAGES: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "settings-garbage": (SETTINGS, garbage, "{path} is damaged: not UTF-8 text (in {path})"),
    "settings-cut": (SETTINGS, holding("algorithm: ["), "settings must be YAML: "),
    "settings-empty": (SETTINGS, emptied, "settings must be a mapping with the keys algorithm, corpus, "),
    "settings-text": (SETTINGS, holding("algorithm: seqgan"), "algorithm must be a mapping of settings, got"),
    "settings-name": (SETTINGS, holding("algorithm: {name: [1]}\ncorpus: {spec: x}"), "algorithm.name must be text"),
    "settings-spec": (SETTINGS, holding("algorithm: {name: seqgan}\ncorpus: {spec: 3}"), "corpus.spec must be text"),
    "settings-new": (
        SETTINGS,
        holding("algorithm: {name: likelihood, depth: 3}\ncorpus: {spec: 'world:skewed'}"),
        "no setting is called algorithm.depth; ",
    ),
    "corpus-garbage": (CORPUS, garbage, "{path} is damaged: not UTF-8 text"),
    "corpus-cut": (CORPUS, halved, "{path} is damaged: not JSON"),
    "corpus-key": (CORPUS, without("length"), "{run}: corpus.json and corpus.safetensors do not fit: 'length' is"),
    "corpus-list": (CORPUS, holding("[1]"), "{run}: corpus.json and corpus.safetensors do not fit: "),
    "words-garbage": (WORDS, garbage, "{path} is damaged: not UTF-8 text"),
    "words-cut": (WORDS, halved, "{path} is damaged: a vocabulary must be the JSON that seqgans wrote, but: "),
    "words-key": (WORDS, without("symbols"), "{path} is damaged: a vocabulary must be the JSON that seqgans wrote, "),
    "words-fewer": (WORDS, fewer_symbols, "{path} is damaged: it has 2 symbols, the corpus id 2"),
    "ids-cut": (IDS, halved, "{path} cannot be read: "),
    "ids-garbage": (IDS, garbage, "{path} cannot be read: "),
    "ids-empty": (IDS, emptied, "{path} cannot be read: "),
    "form": ("versions.json", holding('{"form": 99}'), "{run} must be a run of form 1, its versions.json says 99; "),
    "older": ("versions.json", holding('{"form": 0}'), "{run} must be a run of form 1, its versions.json says 0; "),
    "versions": ("versions.json", garbage, "{path} is damaged: not UTF-8 text"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_said_in_one_line(damage: str, runs: Path, call, tmp_path: Path) -> None:
    name, harm, start = DAMAGES[damage]
    run = Path(shutil.copytree(runs / "likelihood-1", tmp_path / "run"))
    harm(run / name)
    for words in (("sample", run, "-n", 1), ("resume", run), ("evaluate", run, "--samples", 2)):
        found = call(*words)
        assert (found.code, found.out) == (2, "")
        assert found.err.startswith(f"seqgans: {start.format(path=run / name, run=run)}"), found.err
        assert found.err.count("\n") == 1


@pytest.mark.parametrize("harm", [garbage, halved, emptied], ids=lambda harm: harm.__name__)
def test_events_that_cannot_be_read_do_not_keep_a_run_from_being_used(harm, runs: Path, call, tmp_path: Path) -> None:
    run = Path(shutil.copytree(runs / "likelihood-1", tmp_path / "run"))
    harm(run / "events.jsonl")
    assert call("sample", run, "-n", 1).code == 0
    assert call("compare", run, runs / "likelihood-2").code == 0
