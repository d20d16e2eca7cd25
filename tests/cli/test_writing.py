"""--out through the command line: a place that will not do costs no work and destroys nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seqgans.cli.writing import writable
from seqgans.errors import BadInput


def refused(call, message: str, *words: object) -> None:
    """A call ends with one line and exit code 2, before any bar, page or sample."""
    found = call(*words)
    assert (found.code, found.out, found.err) == (2, "", f"seqgans: {message}\n"), words


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def texts(tmp_path: Path, text_file: Path) -> dict[str, Path]:
    """Samples, references and lines with blanks."""
    found = {name: tmp_path / f"{name}.txt" for name in ("one", "two", "real", "blanks")}
    for path in found.values():
        shutil.copy(text_file, path)
    found["blanks"].write_text("the _ sleeps\n")
    return found


CALLS: dict[str, Callable[[Path, dict[str, Path]], tuple[tuple[object, ...], Path]]] = {
    "compare-file": lambda run, at: (("compare", at["one"], at["two"], "--references", at["real"]), at["two"]),
    "compare-references": lambda run, at: (("compare", at["one"], at["two"], "--references", at["real"]), at["real"]),
    "compare-beside": lambda run, at: (("compare", run, at["one"]), at["one"]),
    "curves-file": lambda run, at: (
        ("evaluate", at["one"], at["two"], "--at", "1,2", "--references", at["real"]),
        at["one"],
    ),
    "curves-references": lambda run, at: (
        ("evaluate", run, "--temperature", "1", "--references", at["real"]),
        at["real"],
    ),
    "fill": lambda run, at: (("fill", run, at["blanks"]), at["blanks"]),
    "source": lambda run, at: (("sample", run, "--source", at["one"]), at["one"]),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_a_call_reads_is_not_what_it_writes(name: str, runs: Path, texts, call, tmp_path: Path) -> None:
    """Under any name that it goes by. Mutants killed: a kind of input left out; names compared instead of files."""
    words, read = CALLS[name](runs / "text", texts)
    other = tmp_path / "other.html"
    other.symlink_to(read)
    before = contents(tmp_path)
    for out in (read, other, read.parent / ".." / read.parent.name / read.name):
        refused(call, f"--out must not be a file that is read, got {out}; choose another name", *words, "--out", out)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "inside",
    [
        *("report.json", "settings.yaml", "vocabulary.json", "corpus.json", "corpus.safetensors", "events.jsonl"),
        *("curves.png", "checkpoints/mine.txt", "samples/mine.txt"),
    ],
)
def test_the_files_of_a_run_are_its_own(inside: str, runs: Path, texts, call) -> None:
    """Those that it has yet to write as well, and of any run, not only of those that are read.

    Mutants killed: only files that are there; only runs that the call names; one verb that does not ask.
    """
    run = runs / "text"
    before = contents(run)
    out = run / inside
    message = f"--out must not be a file of the run in {run.resolve()}, got {out}; choose another name"
    files = ("compare", texts["one"], texts["two"], "--references", texts["real"])
    calls = (
        ("sample", run, "-n", 2),
        ("sample", runs / "seqgan", "-n", 2),
        ("fill", run, texts["blanks"]),
        ("compare", runs / "likelihood-1", runs / "likelihood-2"),
        files,
        ("evaluate", run, "--temperature", "0.5,1"),
    )
    for words in calls:
        refused(call, message, *words, "--out", out)
    assert contents(run) == before


def test_a_new_file_in_the_folder_of_a_run(runs: Path, call, tmp_path: Path) -> None:
    """May be written, and again. Mutants killed: whole folders of runs refused; what was written taken for an input."""
    run = tmp_path / "run"
    shutil.copytree(runs / "likelihood-1", run)
    for _ in range(2):
        assert call("sample", run, "-n", 2, "--out", run / "mine.txt").code == 0
        assert call("compare", run, runs / "likelihood-2", "--out", run / "page.html").code == 0
    assert (run / "page.html").read_text().lower().startswith("<!doctype html>")
    assert call("sample", run, "-n", 1).code == 0


def test_folders_that_are_written_to(runs: Path, call, tmp_path: Path) -> None:
    """Tunes and exported models. Mutants killed: a folder within a run's own, or below a file."""
    run, file = runs / "likelihood-1", tmp_path / "file"
    file.write_text("")
    tunes = ("sample", run, "-n", 1, "--format", "midi")
    inside = run / "checkpoints" / "model"
    message = f"--out must not be a file of the run in {run.resolve()}, got {inside}; choose another name"
    for words in (tunes, ("export", run)):
        refused(call, message, *words, "--out", inside)
        refused(call, f"--out must be a folder, {file} is a file; choose another name", *words, "--out", file)
        below = file / "model"
        refused(call, f"--out must be a folder, {file} is a file; choose another name", *words, "--out", below)


def test_a_place_that_cannot_be_written_is_said_before_the_work(runs: Path, texts, call, tmp_path: Path) -> None:
    """The lines are those of `sample`. Mutants killed: a place that is asked about after measuring."""
    pipe, folder = tmp_path / "pipe", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    below = texts["one"] / "page.html"
    long = tmp_path / ("a" * 254)
    cases = {
        folder: f"--out must be a file, {folder} is a folder; name a file in it",
        pipe: f"--out must be a file, {pipe} is a device or a pipe; choose another name",
        below: f"--out must be in a folder that exists, there is none at {texts['one']}",
        long: f"--out must be a place that can be written to: {long}: File name too long; choose another",
    }
    calls = (
        ("sample", runs / "text", "-n", 2),
        ("fill", runs / "text", texts["blanks"]),
        ("compare", texts["one"], texts["two"], "--references", texts["real"]),
        ("evaluate", texts["one"], "--at", "1", "--references", texts["real"]),
    )
    for out, message in cases.items():
        for words in calls:
            refused(call, message, *words, "--out", out)
    found = call("sample", runs / "text", "-n", 1, "--out", tmp_path / ("a" * 300))
    assert (found.code, found.err.count("\n")) == (2, 1)


def test_the_files_of_a_folder_that_is_read(tmp_path: Path) -> None:
    """A model's, say. Mutants killed: files named alone; new files refused; specs not looked into; pages taken."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    for spec in (str(model), f"oracle:{model / 'config.json'}"):
        with pytest.raises(BadInput, match="--out must not be a file "):
            writable(str(model / "config.json"), None, spec)
    assert writable(str(model / "page.html"), str(model)) == model / "page.html"
    assert contents(tmp_path) == {model / "config.json": b"{}"}
    (model / "page.html").write_text("an older one")
    assert writable(str(model / "page.html"), str(model)) == model / "page.html"


def test_the_file_that_stdin_comes_from(tmp_path: Path) -> None:
    """`seqgans fill RUN < lines.txt --out lines.txt`. Mutants killed: a name compared, which stdin does not have."""
    lines = tmp_path / "lines.txt"
    lines.write_text("the _ sleeps\n")
    asked = f"from seqgans.cli.writing import writable; writable({str(lines)!r})"
    with lines.open() as given:
        found = subprocess.run([sys.executable, "-c", asked], stdin=given, capture_output=True, text=True, check=False)
    assert "--out must not be the file that stdin is read from" in found.stderr
    free = subprocess.run([sys.executable, "-c", asked], stdin=subprocess.DEVNULL, check=False)
    assert free.returncode == 0
    assert lines.read_text() == "the _ sleeps\n"
