"""The way in: help without PyTorch, exit codes, one line for whatever goes wrong."""

from __future__ import annotations

import errno
import io
import re
import signal
import subprocess
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest

import seqgans
from seqgans.__main__ import run
from seqgans.cli import entry
from seqgans.errors import BadInput, Failed


def test_overview_names_every_verb(call) -> None:
    for words in ((), ("--help",), ("help",)):
        found = call(*words)
        assert (found.code, found.err) == (0, "")
        assert all(f"seqgans {verb} " in found.out for verb in entry.VERBS)
        assert "evaluate (DIR | FILE) [--references R] " in found.out
    assert call("--version") == (0, f"seqgans {seqgans.__version__}\n", "")


@pytest.mark.parametrize("verb", list(entry.VERBS))
def test_every_verb_explains_itself(verb: str, call) -> None:
    found = call(verb, "--help")
    assert found.code == 0
    assert found.out.startswith(f"usage: seqgans {verb}")


@pytest.mark.parametrize("verb", list(entry.VERBS))
def test_usage_lines_call_needed_what_is_needed(verb: str, call) -> None:
    """Outside of brackets stand the flags without which no call goes on.

    Mutants killed: --references of evaluate or -n of sample without brackets, --out of train in brackets.
    """
    usage = call(verb, "--help").out.partition("\n\n")[0].replace("...]", "]")
    bare = re.sub(r"\[.*?\]|\(.*?\)", "", usage)
    needed = ["--out"] if verb in ("train", "export", "benchmark") else []
    assert [word for word in bare.split() if word.startswith("-")] == needed


def test_unknown_verb(call) -> None:
    verbs = "list, train, resume, sample, fill, score, evaluate, export, compare, benchmark, studio"
    question = "did you mean train? choose one of"
    assert call("trian") == (2, "", f"seqgans: no verb is called 'trian'; {question}: {verbs}\n")
    assert call("qqq") == (2, "", f"seqgans: no verb is called 'qqq'; choose one of: {verbs}\n")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (BadInput("a\nb"), 2, "a b"),
        (Failed("the disk is full"), 1, "the disk is full"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (
            RuntimeError(
                "DefaultCPUAllocator: can't allocate memory: you tried to allocate 2147483648 bytes. Error code 12"
            ),
            2,
            "there is not enough memory: 2.0 GiB were asked for at once; make the players (such as "
            "--generator.hidden), --algorithm.batch or the number of samples smaller",
        ),
        (
            RuntimeError("memory of another kind"),
            1,
            "internal error: RuntimeError: memory of another kind; please report it with what SEQGANS_DEBUG=1 shows",
        ),
        (
            FileNotFoundError(errno.ENOENT, "No such file", "x.txt"),
            2,
            "cannot read or write x.txt: No such file; check the path and the disk",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "x"),
            2,
            "cannot read or write x: Permission denied; change its permissions",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "x"),
            2,
            "cannot read or write x: Read-only file system; choose another place",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            1,
            "cannot read or write: No space left on device; check the path and the disk",
        ),
        (
            ZeroDivisionError("by zero"),
            1,
            "internal error: ZeroDivisionError: by zero; please report it with what SEQGANS_DEBUG=1 shows",
        ),
    ],
)
def test_whatever_goes_wrong_is_one_line(error: BaseException, code: int, line: str, call, monkeypatch) -> None:
    def failing(words: list[str]) -> None:
        raise error

    monkeypatch.delenv("SEQGANS_DEBUG", raising=False)
    monkeypatch.setattr(entry, "dispatch", failing)
    assert call("list") == (code, "", f"seqgans: {line}\n")


def test_an_interrupt_stays_one_whatever_an_import_makes_of_it(call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutants killed: the words of the import that it ended; a handler that stays behind."""

    def importing(words: list[str]) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("half a module") from None

    monkeypatch.setattr(entry, "dispatch", importing)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        assert call("list") == (130, "", "seqgans: interrupted\n")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_interrupt_before_there_are_verbs(call, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupting(MetaPathFinder):
        def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
            if fullname == "seqgans.cli.entry":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "seqgans.cli.entry")
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    assert call("list") == (130, "", "seqgans: interrupted\n")


def test_a_model_that_memory_cannot_hold_is_one_line(call, tmp_path: Path) -> None:
    sizes = ("--generator.hidden", 10_000_000, "--out", tmp_path / "run")
    found = call("train", "likelihood", "--corpus", "world:copy", *sizes)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("seqgans: there is not enough memory")
    assert found.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_debugging_shows_where(call, monkeypatch) -> None:
    def failing(words: list[str]) -> None:
        raise ZeroDivisionError

    monkeypatch.setenv("SEQGANS_DEBUG", "1")
    monkeypatch.setattr(entry, "dispatch", failing)
    with pytest.raises(ZeroDivisionError):
        call("list")


def test_help_and_import_leave_pytorch_alone() -> None:
    code = (
        "import sys, seqgans, seqgans.__main__ as main; assert main.run(['--help']) == 0; "
        "assert 'torch' not in sys.modules and 'jsonargparse' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_public_names_are_all_there() -> None:
    for name in seqgans.__all__:
        assert getattr(seqgans, name) is not None
    assert set(seqgans.__all__) == set(seqgans._HOME)
    assert set(seqgans.__all__) <= set(dir(seqgans))
    with pytest.raises(AttributeError, match="module 'seqgans' has no attribute 'nonsense'"):
        _ = seqgans.nonsense


def test_head_ends_a_long_sample_quietly(runs: Path) -> None:
    """A reader that leaves early is no error: what came is whole, nothing is said, and it does not take long."""
    command = f"{sys.executable} -m seqgans sample {runs / 'likelihood-1'} -n 1000000"
    shell = f"{command} | head -1; exit ${{PIPESTATUS[0]}}"
    found = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=120, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    assert len(found.stdout.split()) == 3


def test_exit_codes_reach_the_shell() -> None:
    found = subprocess.run([sys.executable, "-m", "seqgans", "trian"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr.count("\n")) == (2, "", 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_behind_stdout_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "seqgans", "--help"]
        found = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    message = "seqgans: cannot read or write: No space left on device; check the path and the disk\n"
    assert (found.returncode, found.stderr) == (1, message)


def test_results_are_utf_8_in_any_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant killed: a symbol that the terminal's language lacks ends the call."""
    content = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(content, encoding="ascii"))
    assert run(["list", "metrics"]) == 0
    assert "semitones²" in content.getvalue().decode()
