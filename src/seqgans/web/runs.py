"""Runs below given folders, by name. A name is looked up among those found, and never becomes a path itself."""

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
        roots: runs, or folders that hold runs.

    Raises:
        BadInput: one is no folder.
    """

    def __init__(self, roots: Sequence[Path | str]) -> None:
        self.roots = [Path(root) for root in roots]
        for root in self.roots:
            if not root.is_dir():
                raise BadInput(
                    f"{root} must be a run's folder or hold some, but is no folder; name the --out of a train"
                )

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
