"""A run's folder: everything needed to go on, to sample, to judge and to understand, in open formats.

settings.yaml      all settings, complete
vocabulary.json    the meaning of the ids
corpus.safetensors the three splits as ids;  corpus.json  how they came to be
oracle.safetensors parameters of the oracle, where there is one
versions.json      of Python, PyTorch, this library
events.jsonl       one line an event
samples/           what the generator wrote, one file an evaluation
checkpoints/       step-N: the last few; best: the best
tensorboard/       scalars
report.json, report.html
"""

from __future__ import annotations

import platform
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqgans.data.corpus import Corpus
from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput, Failed
from seqgans.sequences import Sequences
from seqgans.training.checkpoint import load_checkpoint, save_checkpoint, tidy, write_atomically
from seqgans.training.facts import from_json, to_json

SPLITS = ("train", "valid", "test")


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
        if folder.path.exists() and not folder.path.is_dir():
            raise BadInput(f"--out must be a folder, {path} is a file; choose another name")
        if folder.path.exists() and any(folder.path.iterdir()):
            raise BadInput(f"--out must be a new or empty folder, {path} is not empty; choose another name")
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
            BadInput: there is no run.
        """
        folder = cls(path)
        if not (folder.path / "settings.yaml").is_file():
            raise BadInput(f"{path} is not the folder of a run: it has no settings.yaml; name the --out of a train")
        return folder

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
            return from_json((self.path / name).read_bytes())
        except OSError as error:
            raise BadInput(f"{self.path / name} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise BadInput(f"{self.path / name} is damaged: not JSON") from error

    def write_versions(self) -> None:
        """Which software made this run."""
        from importlib.metadata import version

        self.write_json(
            "versions.json",
            {"seqgans": version("seqgans"), "torch": torch.__version__, "python": platform.python_version()},
        )

    def write_corpus(self, corpus: Corpus) -> None:
        """Keep the splits, the vocabulary and their facts."""
        from safetensors.torch import save

        tensors: dict[str, Tensor] = {}
        for name in SPLITS:
            split: Sequences = getattr(corpus, name)
            tensors[f"{name}.tokens"] = split.tokens.to("cpu", torch.int32).contiguous()
            tensors[f"{name}.mask"] = split.mask.cpu().contiguous()
        write_atomically(self.path / "corpus.safetensors", save(tensors))
        self.write_json("corpus.json", {"name": corpus.name, "length": corpus.length, "facts": corpus.facts})
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
        splits = {name: Sequences(tensors[f"{name}.tokens"].long(), tensors[f"{name}.mask"]) for name in SPLITS}
        vocabulary = Vocabulary.from_json((self.path / "vocabulary.json").read_text(encoding="utf-8"))
        return Corpus(about["name"], **splits, vocabulary=vocabulary, length=about["length"], facts=about["facts"])

    def save(self, step: int, tensors: dict[str, Tensor], facts: dict[str, Any], keep: int) -> None:
        """Keep a checkpoint, and only the last `keep`."""
        save_checkpoint(self.path / "checkpoints" / f"step-{step:09d}", tensors, facts)
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
            raise BadInput(f"{self.path} has no checkpoint to go on from; start it again with train")
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
            Failed: the disk is full.
        """
        try:
            with (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
                file.write(to_json(line) + "\n")
        except OSError as error:
            raise Failed(f"cannot write {self.path / 'events.jsonl'}: {error.strerror}; go on with resume") from error

    def events(self) -> list[dict[str, Any]]:
        """All whole lines of events.jsonl."""
        path = self.path / "events.jsonl"
        if not path.exists():
            return []
        found = []
        for line in path.read_bytes().split(b"\n")[:-1]:  # behind the last is what a killed process was writing
            try:
                found.append(from_json(line))
            except ValueError:
                break
        return found

    def keep_events(self, count: int) -> None:
        """Drop all but the first `count` lines: what happened after the checkpoint that a run goes on from."""
        kept = self.events()[:count]
        self.write_text("events.jsonl", "".join(to_json(line) + "\n" for line in kept))
