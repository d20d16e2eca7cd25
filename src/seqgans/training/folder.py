"""A run's folder: everything needed to go on, to sample, to judge and to understand, in open formats.

settings.yaml      all settings, complete
vocabulary.json    the meaning of the ids
corpus.safetensors the three splits as ids;  corpus.json  how they came to be
oracle.safetensors parameters of the oracle, where there is one
versions.json      of Python, PyTorch, this library, and of the form of these files
events.jsonl       one line an event
samples/           what the generator wrote, one file an evaluation
checkpoints/       step-N: the last few; best: the best
tensorboard/       scalars
report.json, report.html
"""

from __future__ import annotations

import json
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqgans.data.corpus import Corpus
from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput, unwritten
from seqgans.sequences import Sequences
from seqgans.training.checkpoint import load_checkpoint, save_checkpoint, tidy, write_atomically
from seqgans.training.facts import from_json, to_json
from seqgans.training.free import check_free
from seqgans.training.recipe import Recipe

SPLITS = ("train", "valid", "test")
FORM = 1  # of the files of a run; grows with a change that an older library could not read


class RunFolder:
    """The files of one run.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @classmethod
    def new(cls, path: Path | str) -> RunFolder:
        """An empty folder for a new run.

        Raises:
            BadInput: there is a run or another file already, or the folder cannot be made.
        """
        folder = cls(path)
        check_free(folder.path)
        try:
            (folder.path / "checkpoints").mkdir(parents=True, exist_ok=True)
            (folder.path / "samples").mkdir(exist_ok=True)
        except OSError as error:
            raise BadInput(f"cannot make the folder {path}: {error.strerror}; choose another place") from error
        return folder

    @classmethod
    def existing(cls, path: Path | str) -> RunFolder:
        """The folder of a run that was started before.

        Raises:
            BadInput: there is no run, or one of a later version of this library.
        """
        folder = cls(path)
        if not (folder.path / "settings.yaml").is_file():
            raise BadInput(f"{path} is not the folder of a run: it has no settings.yaml; name the --out of a train")
        versions = folder.read_json("versions.json") if (folder.path / "versions.json").exists() else {}
        form = versions.get("form", FORM) if isinstance(versions, dict) else None
        if form != FORM:
            raise BadInput(
                f"{path} must be a run of form {FORM}, its versions.json says {form!r}; take the seqgans that made it"
            )
        return folder

    def read_recipe(self) -> Recipe:
        """The settings of the run.

        Raises:
            BadInput: they are missing, damaged or unknown here.
        """
        file = self.path / "settings.yaml"
        try:
            return Recipe.from_yaml(self.read_text("settings.yaml"))
        except BadInput as error:
            other = self.other_version()
            raise BadInput(f"{file} {other}: {error}" if other else f"{error} (in {file})") from error

    def other_version(self) -> str:
        """Words on the version of this library that made the run; empty where it is this one, or not known."""
        try:
            made, here = self.read_json("versions.json")["seqgans"], version("seqgans")
        except (BadInput, KeyError, TypeError):
            return ""
        words = f"was written by another version (its versions.json says {made}, this is {here}; take that one)"
        return "" if made == here else words

    def read_text(self, name: str) -> str:
        """Read one file.

        Raises:
            BadInput: it is missing or not UTF-8.
        """
        try:
            return (self.path / name).read_bytes().decode()
        except OSError as error:
            raise BadInput(f"{self.path / name} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise BadInput(f"{self.path / name} is damaged: not UTF-8 text") from error

    def write_text(self, name: str, text: str) -> None:
        """Write one file, whole or not at all."""
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path / name, text.encode())

    def write_json(self, name: str, value: Any) -> None:
        """Write one file as JSON."""
        self.write_text(name, to_json(value, 1))

    def read_json(self, name: str) -> Any:
        """Read one JSON file.

        Raises:
            BadInput: it is missing or damaged.
        """
        try:
            return from_json(self.read_text(name))
        except json.JSONDecodeError as error:
            raise BadInput(f"{self.path / name} is damaged: not JSON") from error

    def read_report(self) -> dict[str, Any]:
        """What the run wrote at its end.

        Raises:
            BadInput: it is missing or damaged.
        """
        report = self.read_json("report.json")
        if not isinstance(report, dict):
            raise BadInput(f"{self.path / 'report.json'} is damaged: it must hold names and values; delete it")
        return report

    def write_versions(self, processes: int = 1) -> None:
        """Which software made this run, in how many processes."""
        versions = {"seqgans": version("seqgans"), "torch": torch.__version__, "python": platform.python_version()}
        self.write_json("versions.json", {**versions, "processes": processes, "form": FORM})

    def write_corpus(self, corpus: Corpus) -> None:
        """Keep the splits, the vocabulary and their facts."""
        from safetensors.torch import save

        tensors: dict[str, Tensor] = {}
        for name in SPLITS:
            split: Sequences = getattr(corpus, name)
            for key, tensor in split.tensors().items():
                kind = torch.bool if tensor.dtype is torch.bool else torch.int32
                tensors[f"{name}.{key}"] = tensor.to("cpu", kind).contiguous()
        write_atomically(self.path / "corpus.safetensors", save(tensors))
        about = {"name": corpus.name, "length": corpus.length, "categories": corpus.categories, "facts": corpus.facts}
        self.write_json("corpus.json", about)
        self.write_text("vocabulary.json", corpus.vocabulary.to_json())

    def read_corpus(self) -> Corpus:
        """The corpus as the run began with it.

        Raises:
            BadInput: a file is missing or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        about = self.read_json("corpus.json")
        try:
            tensors = load_file(self.path / "corpus.safetensors")
        except (OSError, SafetensorError) as error:
            raise BadInput(f"{self.path / 'corpus.safetensors'} cannot be read: {error}") from error
        symbols = self.read_text("vocabulary.json")
        try:
            vocabulary = Vocabulary.from_json(symbols)
        except BadInput as error:
            raise BadInput(f"{self.path / 'vocabulary.json'} is damaged: {error}") from error
        try:
            tensors = {key: part if part.dtype is torch.bool else part.long() for key, part in tensors.items()}
            splits = {
                name: Sequences.holding({key[len(name) + 1 :]: tensors[key] for key in tensors if key.startswith(name)})
                for name in SPLITS
            }
            name, length, facts = (about[key] for key in ("name", "length", "facts"))
            categories = tuple(about.get("categories", ()))
            corpus = Corpus(name, **splits, vocabulary=vocabulary, length=length, facts=facts, categories=categories)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else error
            raise BadInput(f"{self.path}: corpus.json and corpus.safetensors do not fit: {reason}") from error
        every = [part for split in splits.values() for part in (split, split.source) if part is not None and len(part)]
        largest = max((int(part.tokens.max()) for part in every), default=0)
        if largest >= vocabulary.size:
            raise BadInput(
                f"{self.path / 'vocabulary.json'} is damaged: it has {vocabulary.size} symbols, the corpus id {largest}"
            )
        return corpus

    def save(self, step: int, tensors: dict[str, Tensor], facts: dict[str, Any], keep: int) -> None:
        """Keep a checkpoint, and only the last `keep`."""
        begun = bool(self.checkpoints())
        words = () if begun else ("no run has begun", f"train again after deleting {self.path}")
        save_checkpoint(self.path / "checkpoints" / f"step-{step:09d}", tensors, facts, *words)
        for old in self.checkpoints()[:-keep]:
            shutil.rmtree(old)

    def save_named(self, name: str, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Keep a checkpoint under a name ("best", "pretrained")."""
        save_checkpoint(self.path / "checkpoints" / name, tensors, facts)

    def checkpoints(self) -> list[Path]:
        """The numbered checkpoints, oldest first."""
        return sorted((self.path / "checkpoints").glob("step-*"))

    def tidy(self) -> None:
        """Clear what a killed process was writing; only for the process that writes here."""
        tidy(self.path / "checkpoints")
        for folder in (self.path, self.path / "samples"):
            for left in folder.glob(".*"):
                if left.is_file() and left.suffix.removeprefix(".").isdigit():  # .NAME.PROCESS
                    left.unlink()

    def latest(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The newest checkpoint.

        Raises:
            BadInput: there is none, or it is damaged.
        """
        found = self.checkpoints()
        if not found:
            raise BadInput(f"{self.path} has no checkpoint to go on from; delete it and train again")
        return load_checkpoint(found[-1])

    def load(self, which: str = "latest") -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The newest checkpoint, or one that goes by a name ("best", "pretrained").

        Raises:
            BadInput: there is no such checkpoint, or it is damaged.
        """
        if which == "latest":
            return self.latest()
        path = self.path / "checkpoints" / which
        if not path.is_dir():
            raise BadInput(
                f"{self.path} has no checkpoint called {which!r}; it has {', '.join(self.names()) or 'none'}"
            )
        return load_checkpoint(path)

    def names(self) -> list[str]:
        """The names of all checkpoints."""
        return sorted(path.name for path in (self.path / "checkpoints").iterdir() if not path.name.startswith("."))

    def append_event(self, line: dict[str, Any]) -> None:
        """Add a line to events.jsonl.

        Raises:
            Failed: the disk is full, or (BadInput) the file must not be written to.
        """
        try:
            with (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
                file.write(to_json(line) + "\n")
        except OSError as error:
            raise unwritten(error, self.path / "events.jsonl", "checkpoints are untouched", "resume") from error

    def events(self) -> list[dict[str, Any]]:
        """All whole lines of events.jsonl."""
        path = self.path / "events.jsonl"
        if not path.exists():
            return []
        found = []
        for line in path.read_bytes().split(b"\n")[:-1]:  # behind the last is what a killed process was writing
            try:
                event = from_json(line)
            except ValueError:
                break
            if not isinstance(event, dict) or "kind" not in event:
                break
            found.append(event)
        return found

    def keep_events(self, count: int) -> None:
        """Drop all but the first `count` lines: what happened after the checkpoint that a run goes on from."""
        kept = self.events()[:count]
        self.write_text("events.jsonl", "".join(to_json(line) + "\n" for line in kept))
