"""A run's folder: what is written comes back, and what is not there is said in one line."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from seqgans.data.corpus import CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.errors import BadInput, Failed
from seqgans.training.folder import RunFolder


def saved(folder: RunFolder, step: int, keep: int = 2) -> None:
    folder.save(step, {"weight": torch.tensor([float(step)])}, {"step": step}, keep=keep)


def test_a_new_folder_must_be_new_or_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("new/deep", "empty"):
        assert (RunFolder.new(tmp_path / name).path / "checkpoints").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match=r"--out must be a folder, .*file is a file; choose another name"):
        RunFolder.new(tmp_path / "file")
    with pytest.raises(BadInput, match=r"--out must be a new or empty folder, .* is not empty; choose another name"):
        RunFolder.new(tmp_path)
    with pytest.raises(BadInput, match=r"cannot make the folder .*: Not a directory; choose another place"):
        RunFolder.new(tmp_path / "file" / "below")


def test_an_existing_run_has_settings(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"is not the folder of a run: it has no settings\.yaml"):
        RunFolder.existing(tmp_path)
    (tmp_path / "settings.yaml").write_text("")
    assert RunFolder.existing(tmp_path).path == tmp_path


def test_settings_of_another_version_are_said_to_be_so(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_text(
        "settings.yaml", "algorithm: {name: seqgan, gone_setting: 1}\ncorpus: {spec: world:copy}\ngenerator: {}\n"
    )
    wrong = r"^no setting is called algorithm\.gone_setting; choose one of: .* \(in .*settings\.yaml\)$"
    with pytest.raises(BadInput, match=wrong):  # no word on versions where none is known
        folder.read_recipe()
    folder.write_versions()
    with pytest.raises(BadInput, match=wrong):
        folder.read_recipe()
    folder.write_json("versions.json", {**folder.read_json("versions.json"), "seqgans": "0.0.7"})
    said = (
        r"settings\.yaml was written by another version \(its versions\.json says 0\.0\.7, this is .*; take that one\)"
    )
    with pytest.raises(BadInput, match=said + r": no setting is called algorithm\.gone_setting"):
        folder.read_recipe()


def test_only_the_last_checkpoints_stay(tmp_path: Path) -> None:
    folder = RunFolder.new(tmp_path)
    with pytest.raises(BadInput, match="has no checkpoint to go on from"):
        folder.latest()
    for step in (0, 5, 10, 10, 200):
        saved(folder, step)
        assert folder.latest()[1] == {"step": step}
    assert [path.name for path in folder.checkpoints()] == ["step-000000010", "step-000000200"]
    folder.save_named("best", {"weight": torch.tensor([3.0])}, {"step": 3})
    saved(folder, 300, keep=1)
    assert folder.names() == ["best", "step-000000300"]
    assert folder.load("best")[1] == {"step": 3}
    assert folder.load()[1] == {"step": 300}
    with pytest.raises(BadInput, match=r"no checkpoint called 'pretrained'; it has best, step-000000300"):
        folder.load("pretrained")


def test_tidying_clears_what_a_killed_process_left(tmp_path: Path) -> None:
    folder = RunFolder.new(tmp_path)
    saved(folder, 1)
    saved(folder, 2)
    checkpoints = tmp_path / "checkpoints"
    (checkpoints / ".step-000000003.4711").mkdir()
    (checkpoints / "step-000000002").rename(checkpoints / ".step-000000002.before")
    (checkpoints / ".DS_Store").write_text("a file of somebody else")
    assert folder.latest()[1] == {"step": 1}
    folder.tidy()
    assert folder.latest()[1] == {"step": 2}
    assert sorted(os.listdir(checkpoints)) == [".DS_Store", "step-000000001", "step-000000002"]


def test_events_come_back_up_to_a_broken_line(tmp_path: Path) -> None:
    folder = RunFolder.new(tmp_path)
    assert folder.events() == []
    lines: list[dict[str, Any]] = [{"kind": "update", "step": step, "text": "ü\n"} for step in range(4)]
    for line in lines:
        folder.append_event(line)
    assert folder.events() == lines
    path = tmp_path / "events.jsonl"
    with path.open("a") as file:
        file.write('{"kind": "upd')
    assert folder.events() == lines
    folder.keep_events(3)
    assert folder.events() == lines[:3]
    folder.append_event(lines[3])
    assert folder.events() == lines


def test_an_event_that_does_not_fit_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder.new(tmp_path)

    def full(*arguments: Any, **more: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "open", full)
    line = r"cannot write .*events.jsonl: No space left on device; checkpoints are untouched, make room and resume"
    with pytest.raises(Failed, match=line):
        folder.append_event({})


@pytest.mark.parametrize("ends", [True, False])
def test_a_corpus_comes_back(tmp_path: Path, ends: bool) -> None:
    text = tmp_path / "lines.txt"
    text.write_text("".join(f"a b {'c' if ends and row % 2 else 'd e'}\n" for row in range(40)))
    corpus = open_text_corpus(str(text), CorpusSettings(valid=0.2, test=0.2), 0)
    assert (corpus.vocabulary.end is None) != ends
    folder = RunFolder.new(tmp_path / "run")
    folder.write_corpus(corpus)
    again = folder.read_corpus()
    assert (again.name, again.length, again.facts) == (corpus.name, corpus.length, corpus.facts)
    assert again.vocabulary == corpus.vocabulary
    for split in ("train", "valid", "test"):
        assert torch.equal(getattr(again, split).tokens, getattr(corpus, split).tokens)
        assert torch.equal(getattr(again, split).mask, getattr(corpus, split).mask)


def test_a_damaged_corpus_is_said_in_one_line(tmp_path: Path) -> None:
    folder = RunFolder.new(tmp_path)
    with pytest.raises(BadInput, match=r"corpus.json cannot be read: No such file or directory"):
        folder.read_corpus()
    folder.write_json("corpus.json", {"name": "x", "length": 1, "facts": {}})
    with pytest.raises(BadInput, match=r"corpus.safetensors cannot be read"):
        folder.read_corpus()
    (tmp_path / "corpus.safetensors").write_bytes(b"nonsense")
    with pytest.raises(BadInput, match=r"corpus.safetensors cannot be read"):
        folder.read_corpus()
    folder.write_text("corpus.json", "{")
    with pytest.raises(BadInput, match=r"corpus.json is damaged: not JSON"):
        folder.read_corpus()
