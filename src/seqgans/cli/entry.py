"""Which verb is called, and how a call ends: one line and an exit code, never a traceback."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from io import TextIOWrapper
from types import FrameType

from seqgans import __version__
from seqgans.errors import BadInput, Failed, remedy
from seqgans.memory import shortage
from seqgans.spelling import asked

DEBUG = "SEQGANS_DEBUG"
FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130  # exit codes
MISNAMED = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


@dataclass(frozen=True)
class Verb:
    """Something the command can do.

    Attributes:
        module: where its function is; loaded only when it is called.
        function: takes the words after the verb.
        usage: what may follow it.
        summary: what it does, one line.
    """

    module: str
    function: str
    usage: str
    summary: str

    def load(self) -> Callable[[list[str]], None]:
        """The function."""
        return getattr(import_module(self.module), self.function)


VERBS = {
    "list": Verb("seqgans.cli.verbs", "run_list", "[KIND]", "what there is, one line each"),
    "train": Verb("seqgans.cli.train", "run_train", "ALGORITHM --corpus SPEC --out DIR", "train into a new folder"),
    "resume": Verb("seqgans.cli.train", "run_resume", "DIR", "go on with a run that was stopped"),
    "sample": Verb(
        "seqgans.cli.verbs", "run_sample", "DIR (-n N | --source FILE)", "write sequences of a trained generator"
    ),
    "fill": Verb("seqgans.cli.filling", "run_fill", "DIR [FILE]", "fill the blanks of given lines"),
    "score": Verb("seqgans.cli.verbs", "run_score", "DIR FILE", "probability that each line is real"),
    "evaluate": Verb(
        "seqgans.cli.judging", "run_evaluate", "(DIR | FILE) [--references R]", "measure a run or a file of samples"
    ),
    "export": Verb("seqgans.cli.exporting", "run_export", "DIR --out FOLDER", "a fine-tuned model for transformers"),
    "compare": Verb("seqgans.cli.judging", "run_compare", "DIR DIR ...", "runs side by side, with tests and curves"),
    "benchmark": Verb(
        "seqgans.cli.benchmarking", "run_benchmark", "SUITE --out DIR", "systems over seeds, beside control arms"
    ),
    "studio": Verb("seqgans.cli.studio", "run_studio", "RUNS...", "watch, try and blindly judge runs in a browser"),
}


def overview() -> str:
    """What `seqgans --help` says."""
    calls = {name: f"{name} {verb.usage}" for name, verb in VERBS.items()}
    width = max(map(len, calls.values()))
    lines = [f"  seqgans {calls[name]:{width}}  {verb.summary}" for name, verb in VERBS.items()]
    return "\n".join(
        (
            "Sequence GANs: train them, sample from them, judge them.",
            "",
            *lines,
            "",
            "Each verb explains itself: seqgans VERB --help; all settings of an algorithm: seqgans train NAME --help.",
            "Results go to stdout, everything else to stderr.",
            "Exit codes: 0, 1 (failed), 2 (bad input), 130 (interrupted).",
            "",
        )
    )


def dispatch(words: list[str]) -> None:
    """Call the verb that the words begin with."""
    if not words or words[0] in ("-h", "--help", "help"):
        sys.stdout.write(overview())
        return
    if words[0] == "--version":
        sys.stdout.write(f"seqgans {__version__}\n")
        return
    if words[0] not in VERBS:
        raise BadInput(f"no verb is called {words[0]!r};{asked(words[0], VERBS)} choose one of: {', '.join(VERBS)}")
    VERBS[words[0]].load()(words[1:])


def carry_out(words: list[str]) -> int:
    """Carry out a call and say in one line how it went wrong, if it did.

    Args:
        words: what follows the command's name.

    Returns:
        The exit code.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # results are UTF-8 as files are, whatever the terminal's language
    try:
        with interruptible():
            dispatch(words)
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return 0
    except SystemExit as leaving:  # --help
        return leaving.code if isinstance(leaving.code, int) else 0
    except KeyboardInterrupt:
        return ended("interrupted", INTERRUPTED)
    except BadInput as error:
        return ended(str(error), BAD_INPUT)
    except Failed as error:
        return ended(str(error), FAILED)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        code = BAD_INPUT if isinstance(error, MISNAMED) or error.errno in (errno.EROFS, errno.ENAMETOOLONG) else FAILED
        advice = remedy(error)
        return ended(f"cannot read or write{where}: {error.strerror or error}; {advice}", code)
    except Exception as error:
        if short := short_of_memory(error):
            return ended(short, BAD_INPUT)
        if os.environ.get(DEBUG):
            raise
        text = f"internal error: {type(error).__name__}: {error}; please report it with what {DEBUG}=1 shows"
        return ended(text, FAILED)
    return 0


def short_of_memory(error: Exception) -> str:
    """What to say of an error where memory could not be had; empty where that was not the reason."""
    short = shortage(error) if isinstance(error, MemoryError | RuntimeError) else ""
    advice = "make the players (such as --generator.hidden), --algorithm.batch or the number of samples smaller"
    return f"{short}; {advice}" if short else ""


@contextmanager
def interruptible() -> Iterator[None]:
    """Make Ctrl-C a KeyboardInterrupt whatever becomes of it: an import that it ends may fail in words of its own."""
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    here = threading.current_thread() is threading.main_thread()
    usual = here and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if usual:
        signal.signal(signal.SIGINT, note)
    try:
        yield
    except Exception as error:
        if came:
            raise KeyboardInterrupt from error
        raise
    finally:
        if usual:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def ended(message: str, code: int) -> int:
    """Say why on stderr, in one line whatever the message is."""
    sys.stderr.write(f"seqgans: {' '.join(message.split())}\n")
    return code
