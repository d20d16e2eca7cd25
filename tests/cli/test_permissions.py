"""Files and folders that may really not be read or written; root is asked to leave its privilege behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import GAME, TINY, Called

OVERRIDING = "-dac_override,-dac_read_search,-fowner"


def run(*words: object) -> Called:
    """The command in a process that permissions hold for."""
    before: tuple[str, ...] = ()
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root is refused nothing, and there is no setpriv to leave the privilege behind")
        before = ("setpriv", f"--bounding-set={OVERRIDING}", f"--inh-caps={OVERRIDING}")
    command = [*before, sys.executable, "-m", "seqgans", *(str(word) for word in words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Called(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nothing may be made."""
    path = tmp_path / "closed"
    path.mkdir(mode=0o555)
    yield path
    path.chmod(0o755)


def test_a_corpus_that_may_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("a b c\nb c d\n")
    file.chmod(0)
    line = f"seqgans: {file} must be readable, but permission was denied; change its permissions\n"
    assert run("train", "likelihood", "--corpus", file, "--out", tmp_path / "run") == (2, "", line)
    assert not (tmp_path / "run").exists()


def test_a_place_where_no_run_may_be_made(closed: Path) -> None:
    out = closed / "run"
    line = f"seqgans: cannot make the folder {out}: Permission denied; choose another place\n"
    assert run("train", "likelihood", "--corpus", "world:parrot", *TINY, "--out", out) == (2, "", line)


def test_a_run_that_may_not_be_read_or_written(tmp_path: Path, closed: Path, call) -> None:
    out = tmp_path / "run"
    assert call("train", "seqgan", "--corpus", "world:parrot", *TINY, *GAME, "--out", out).code == 0
    newest = max((out / "checkpoints").glob("step-*"))
    facts, events, samples = newest / "facts.json", out / "events.jsonl", closed / "samples.txt"

    facts.chmod(0)
    line = f"seqgans: checkpoint {newest} cannot be read: Permission denied; change its permissions\n"
    assert run("sample", out, "-n", 1) == (2, "", line)
    facts.chmod(0o644)

    out.chmod(0o555)
    events.chmod(0o444)
    done = run("resume", out)
    out.chmod(0o755)
    events.chmod(0o644)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[-1].startswith(f"seqgans: cannot write {out}")
    assert done.err.endswith(": Permission denied; nothing was lost, change its permissions and run again\n")

    line = (
        f"seqgans: cannot write {samples}: Permission denied; nothing was lost, change its permissions and run again\n"
    )
    assert run("sample", out, "-n", 1, "--out", samples) == (2, "", line)
    assert run("compare", out, tmp_path / "gone", "--out", samples) == (2, "", line)  # before anything is read

    assert run("resume", out).code == 0  # still usable
