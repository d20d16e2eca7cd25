"""A disk that fills up ends a run with one line, and with room again the run goes on to the same end."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from seqgans.errors import BadInput, Failed
from seqgans.training import checkpoint
from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe
from seqgans.verbs.train import resume, train


@pytest.fixture(scope="module")
def recipe(recipes: dict[str, dict[str, Any]]) -> Recipe:
    return Recipe.of(recipes["likelihood"])


@pytest.fixture(scope="module")
def whole(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return train(recipe, tmp_path_factory.mktemp("whole") / "run")


def assert_equal(folder: RunFolder, whole: RunFolder) -> None:
    ours, theirs = folder.latest(), whole.latest()
    assert ours[1] == theirs[1]
    for name, tensor in ours[0].items():
        assert torch.equal(tensor, theirs[0][name]), name


@pytest.mark.parametrize("left", [3, 12, 21])
def test_no_room_at_some_moment(recipe: Recipe, whole: RunFolder, tmp_path: Path, left: int) -> None:
    """`left` files can still be written."""
    written = []
    plain = os.fsync

    def full(number: int) -> None:
        written.append(number)
        if len(written) > left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        plain(number)

    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint.os, "fsync", full)
        with pytest.raises(Failed, match="No space left on device") as caught:
            train(recipe, out)
    assert "\n" not in str(caught.value)
    if left == 3:
        assert not (out / "checkpoints" / "step-000000000").exists()  # it never began
        with pytest.raises(BadInput, match=r"holds a run that never began: it has no checkpoint; delete it, or choose"):
            train(recipe, out)
        shutil.rmtree(out)
        train(recipe, out)
    resume(out)
    assert_equal(RunFolder(out), whole)


def test_no_room_for_the_first_checkpoint(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each word of advice can be followed. Mutant killed: train sends to resume, and resume to train."""

    def full(number: int) -> None:
        if "checkpoints" in os.readlink(f"/proc/self/fd/{number}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    out = tmp_path / "run"
    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(Failed) as caught:
        train(recipe, out)
    assert str(caught.value).endswith(
        f": No space left on device; no run has begun, make room and train again after deleting {out}"
    )
    with pytest.raises(BadInput, match=r"has no checkpoint to go on from; delete it and train again"):
        resume(out)
    with pytest.raises(BadInput, match=r"holds a run that never began: it has no checkpoint; delete it, or choose"):
        train(recipe, out)
    (out / "mine.txt").write_text("")
    with pytest.raises(BadInput, match=r"is not empty; choose another name"):
        train(recipe, out)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB, where we may make one."""
    path = tmp_path / "disk"
    path.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"only root can mount a small disk: {made.stderr.strip()}")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def test_a_disk_that_is_read_only(small_disk: Path) -> None:
    """The name is the one that was given. Mutant killed: clearing up fails in words of its own."""
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    file = small_disk / "samples.txt"
    with pytest.raises(BadInput) as caught:
        checkpoint.write_atomically(file, b"text")
    assert str(caught.value) == (
        f"cannot write {file}: Read-only file system; nothing was lost, choose another place and run again"
    )


def test_a_disk_that_is_really_full(recipe: Recipe, whole: RunFolder, small_disk: Path) -> None:
    used = sum(-(-path.stat().st_size // 4096) * 4096 for path in whole.path.rglob("*"))  # in whole pages
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes((1 << 20) - used * 3 // 4))  # room for three quarters of a run
    out = small_disk / "run"
    with pytest.raises(Failed, match="No space left on device") as caught:
        train(recipe, out)
    assert "\n" not in str(caught.value)
    assert RunFolder(out).latest()[1]["place"]["step"] >= 0  # what is there can be read
    ballast.unlink()
    resume(out)
    assert_equal(RunFolder(out), whole)
