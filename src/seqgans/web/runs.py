"""Runs below given folders and files of samples, by name.

A name is looked up among those found, and never becomes a path itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from seqgans.errors import BadInput
from seqgans.web.shell import Absent

SETTINGS = "settings.yaml"
DEPTH = 5  # folders below a given one
MOST = 1000  # runs


class Runs:
    """What there is to look at, also what appears later.

    Args:
        roots: runs, folders that hold runs, and files of samples, of other programs too.

    Raises:
        BadInput: one does not exist, or there are files alone.
    """

    def __init__(self, roots: Sequence[Path | str]) -> None:
        given = [Path(root) for root in roots]
        self.roots = [root for root in given if root.is_dir()]
        self.files: dict[str, Path] = {}
        for file in (root for root in given if not root.is_dir()):
            if not file.is_file():
                raise BadInput(
                    f"{file} must be a run's folder, hold some, or be a file of samples, but is no folder and no file; "
                    "name the --out of a train"
                )
            self.files[file.name if file.name not in self.files else str(file)] = file
        if self.files and not self.roots:
            raise BadInput("the studio needs a run's folder beside files of samples; its test split is what is real")

    def found(self) -> dict[str, Path]:
        """Paths by name: that within the given folder, or the name of a run that was given itself."""
        names: dict[str, Path] = {}
        for root in self.roots:
            for path in below(root):
                name = path.relative_to(root).as_posix() if path != root else path.resolve().name
                if name in names and names[name] != path:
                    name = f"{root.resolve().name}/{name}"
                if len(names) < MOST:
                    names.setdefault(name, path)
        return dict(sorted(names.items()))

    def path(self, name: str) -> Path:
        """Where a run is.

        Raises:
            Absent: there is none of that name.
        """
        found = self.found()
        if name not in found:
            raise Absent("there is no such run among those of the studio")
        return found[name]

    def sources(self, names: Sequence[str]) -> tuple[dict[str, Path], dict[str, Path]]:
        """Where the runs and where the files of samples among some names are.

        Raises:
            Absent: there is none of a name.
        """
        found = self.found()
        files = {name: self.files[name] for name in names if name in self.files and name not in found}
        return {name: self.path(name) for name in names if name not in files}, files


def below(root: Path) -> Iterator[Path]:
    """The runs in a folder; links are not followed, and a run holds no further runs."""
    for folder, inner, held in os.walk(root):
        if SETTINGS in held:
            inner.clear()
            yield Path(folder)
        elif len(Path(folder).relative_to(root).parts) >= DEPTH:
            inner.clear()
        else:
            inner[:] = sorted(name for name in inner if not name.startswith("."))
