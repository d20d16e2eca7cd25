"""Checkpoints are whole or not there, and a damaged one says so in one line.

Mutants killed: written in place, the old one removed first, a fingerprint of the tensors alone or not compared, an
error of the disk that escapes as such, leftovers that stay.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from seqgans.errors import BadInput, Failed
from seqgans.training import checkpoint
from seqgans.training.checkpoint import FACTS, TENSORS, load_checkpoint, save_checkpoint, tidy, write_atomically

State = tuple[dict[str, Tensor], dict[str, Any]]


def state(number: int) -> State:
    tensors = {
        "players/weight": torch.arange(6.0).view(2, 3) + number,
        "ids": torch.tensor([number]),
        "mask": torch.tensor([True, False]),
        "half": torch.tensor([1.5], dtype=torch.bfloat16),
        "slice": torch.arange(10.0)[::2],  # not contiguous
        "none": torch.zeros(0, 3),
    }
    return tensors, {"place": {"step": number}, "best": float("inf"), "text": "ü", "list": [1, 0.1]}


def assert_state(found: State, number: int) -> None:
    tensors, facts = state(number)
    assert found[1] == facts
    assert found[0].keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[0][name].dtype == tensor.dtype
        assert torch.equal(found[0][name], tensor), name


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_checkpoint_survives_and_can_be_replaced(tmp_path: Path) -> None:
    for number in (1, 2):
        save_checkpoint(tmp_path / "step", *state(number))
        assert_state(load_checkpoint(tmp_path / "step"), number)
    assert names(tmp_path) == ["step"]
    assert names(tmp_path / "step") == sorted([TENSORS, FACTS])


def test_tensors_that_share_memory_are_kept_apart(tmp_path: Path) -> None:
    whole = torch.arange(4.0)
    save_checkpoint(tmp_path / "step", {"whole": whole, "part": whole[1:3]}, {})
    tensors, _ = load_checkpoint(tmp_path / "step")
    assert torch.equal(tensors["part"], whole[1:3])


class Disk:
    """A disk on which the n-th operation of a kind fails, as when the machine is switched off or the disk is full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: BaseException, after: int) -> None:
        self.left, self.error = after, error
        for owner, name in ((os, "fsync"), (Path, "rename"), (Path, "mkdir"), (shutil, "rmtree"), (Path, "replace")):
            self.watch(monkeypatch, owner, name)

    def watch(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        plain = getattr(owner, name)

        def counted(*arguments: Any, **more: Any) -> Any:
            self.left -= 1
            if self.left == -1:
                raise self.error
            return plain(*arguments, **more)

        monkeypatch.setattr(owner, name, counted)


class Killed(BaseException):
    """Nothing that comes later in the same call happens."""


@pytest.mark.parametrize("after", range(8))
def test_a_process_killed_at_any_operation_leaves_the_old_or_the_new(tmp_path: Path, after: int) -> None:
    save_checkpoint(tmp_path / "step", *state(1))
    with pytest.MonkeyPatch.context() as patch:
        Disk(patch, Killed(), after)
        try:
            save_checkpoint(tmp_path / "step", *state(2))
        except Killed:
            killed = True
        else:
            killed = False
    tidy(tmp_path)
    assert names(tmp_path) == ["step"]
    number = int(load_checkpoint(tmp_path / "step")[1]["place"]["step"])
    assert number in (1, 2)
    assert killed or number == 2
    assert_state(load_checkpoint(tmp_path / "step"), number)


def test_the_test_above_reaches_the_end(tmp_path: Path) -> None:
    """It kills at every operation there is."""
    save_checkpoint(tmp_path / "step", *state(1))
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(patch, Killed(), 100)
        save_checkpoint(tmp_path / "step", *state(2))
    assert 100 - disk.left <= 8


@pytest.mark.parametrize(
    ("code", "kind", "advice"),
    [(errno.ENOSPC, Failed, "make room"), (errno.EACCES, BadInput, "change its permissions")],
)
def test_a_full_disk_is_one_line_and_leaves_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[Exception], advice: str
) -> None:
    save_checkpoint(tmp_path / "step", *state(1))

    def full(number: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(kind) as caught:
        save_checkpoint(tmp_path / "step", *state(2))
    assert str(caught.value) == (
        f"cannot write checkpoint {tmp_path / 'step'}: {os.strerror(code)}; "
        f"earlier checkpoints are untouched, {advice} and run again"
    )
    assert names(tmp_path) == ["step"]
    assert_state(load_checkpoint(tmp_path / "step"), 1)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.os, "fsync", full)
        with pytest.raises(Failed, match=r"cannot write .*file: No space left on device; nothing was lost"):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


def damage(path: Path, how: str) -> None:
    content = (path / TENSORS).read_bytes()
    if how == "truncated":
        (path / TENSORS).write_bytes(content[: len(content) // 2])
    elif how == "empty":
        (path / TENSORS).write_bytes(b"")
    elif how == "flipped":
        (path / TENSORS).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif how == "no tensors":
        (path / TENSORS).unlink()
    elif how == "no facts":
        (path / FACTS).unlink()
    elif how == "facts cut":
        (path / FACTS).write_text((path / FACTS).read_text()[:20])
    elif how == "facts binary":
        (path / FACTS).write_bytes(b"\xff\xfe\x00")
    elif how == "facts a list":
        (path / FACTS).write_text("[]")
    else:
        facts = json.loads((path / FACTS).read_text())
        (path / FACTS).write_text(json.dumps({**facts, "place": {"step": 7}}))


@pytest.mark.parametrize(
    ("how", "what"),
    [
        ("truncated", "is damaged: it is not what was written"),
        ("empty", "is damaged: it is not what was written"),
        ("flipped", "is damaged: it is not what was written"),
        ("no tensors", "cannot be read: No such file or directory"),
        ("no facts", "cannot be read: No such file or directory"),
        ("facts cut", f"is damaged: {FACTS} is not JSON"),
        ("facts binary", f"is damaged: {FACTS} is not JSON"),
        ("facts a list", "is damaged: it is not what was written"),
        ("facts changed", "is damaged: it is not what was written"),
    ],
)
def test_damage_is_seen_and_said_in_one_line(tmp_path: Path, how: str, what: str) -> None:
    path = tmp_path / "step"
    save_checkpoint(path, *state(1))
    damage(path, how)
    with pytest.raises(BadInput) as caught:
        load_checkpoint(path)
    assert str(caught.value) == f"checkpoint {path} {what}; delete {path} to go on from the checkpoint before it"


def test_no_file_is_a_pickle(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "step", *state(1))
    for path in (tmp_path / "step").iterdir():
        assert path.suffix in (".json", ".safetensors")
        assert not path.read_bytes().startswith((b"\x80", b"PK"))
