"""Where a call writes: a place that can be written to, and that holds nothing the call reads and nothing of a run.

Asked before any work is done, so that a place that will not do costs nothing.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from seqgans.errors import BadInput, unwritten
from seqgans.training.free import BEFOREHAND

OWN = BEFOREHAND | {"events.jsonl", "tensorboard", "report.json", "report.html", "completions.jsonl", "curves.png"}
"""What stands in a run's folder by the run's own doing: files, and folders with all that is in them."""
NEVER_READ = (".html", ".csv")
"""Endings of what calls write and no folder of data holds: a page beside its model may be written anew."""


def writable(out: str | None, *read: str | None) -> Path | None:
    """The file that a call is to write; None for none.

    Args:
        out: where, as it was given.
        read: the files, folders and specs that the call reads, as they were given.

    Raises:
        BadInput: there is a folder, no folder to hold it or one that must not be written to, or something that the
            call reads or that belongs to a run.
    """
    if out is None:
        return None
    path = Path(out)
    if path.is_dir():
        raise BadInput(f"--out must be a file, {path} is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise BadInput(f"--out must be a file, {path} is a device or a pipe; choose another name")
    if not path.absolute().parent.is_dir():
        raise BadInput(f"--out must be in a folder that exists, there is none at {path.parent}")
    check_apart(path, *read)
    try_out(path.with_name(f".{path.name}.{os.getpid()}"), path)
    return path


def writable_folder(out: str | None, *read: str | None) -> Path | None:
    """The folder that a call is to fill, which may have to be made; None for none.

    Args:
        out: where, as it was given.
        read: what the call reads, as in `writable`.

    Raises:
        BadInput: there is a file, a folder that must not be written to, or something of a run.
    """
    if out is None:
        return None
    path = Path(out)
    there = next(folder for folder in (path.absolute(), *path.absolute().parents) if os.path.lexists(folder))
    if not there.is_dir():
        raise BadInput(
            f"--out must be a folder, {out if there == path.absolute() else there} is a file; choose another name"
        )
    check_apart(path, *read)
    try_out(there / f".{path.name}.{os.getpid()}", path)
    return path


def check_apart(path: Path, *read: str | None) -> None:
    """Refuse what a call reads and the files of runs; a new file in a run's folder is none of them.

    Raises:
        BadInput: it is one of them.
    """
    if path.is_file() and comes_in(path):
        raise BadInput(f"--out must not be the file that stdin is read from, got {path}; choose another name")
    for given in filter(None, read):
        for source in places_of(given):
            if path.is_file() and source.is_file() and path.samefile(source):
                raise BadInput(f"--out must not be a file that is read, got {path}; choose another name")
            if path.is_file() and path.suffix not in NEVER_READ and within(path, source):
                raise BadInput(f"--out must not be a file of the folder {source}, which is read; choose another name")
    for place in (path.absolute().parent.resolve() / path.name, path.resolve()):
        for folder in place.parents:
            if is_run(folder) and place.relative_to(folder).parts[0] in OWN:
                raise BadInput(f"--out must not be a file of the run in {folder}, got {path}; choose another name")


def comes_in(path: Path) -> bool:
    """Whether this is the file that stdin is read from."""
    try:
        return os.path.samestat(os.fstat(0), path.stat())
    except OSError:  # stdin is closed
        return False


def places_of(given: str) -> Iterator[Path]:
    """The paths that something to be read may name: itself, and of a spec such as oracle:FILE what follows the kind."""
    yield Path(given)
    if ":" in given:
        yield Path(given.partition(":")[2])


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a run."""
    return (folder / "settings.yaml").is_file() and (folder / "checkpoints").is_dir()


def within(path: Path, source: Path) -> bool:
    """Whether a file lies in a folder all of whose files are read: a model or tunes, no run."""
    return source.is_dir() and not is_run(source) and path.resolve().is_relative_to(source.resolve())


def try_out(beside: Path, path: Path) -> None:
    """Make a file and take it away again.

    Args:
        beside: that file.
        path: what is to be written there, for messages.

    Raises:
        Failed: the disk is full, or (BadInput) nothing can be written there.
    """
    try:
        beside.open("xb").close()
        beside.unlink()
    except OSError as error:
        if isinstance(error, PermissionError) or error.errno in (errno.EROFS, errno.ENOSPC, errno.EDQUOT):
            raise unwritten(error, path, "nothing was lost") from error
        raise BadInput(
            f"--out must be a place that can be written to: {path}: {error.strerror}; choose another"
        ) from error
