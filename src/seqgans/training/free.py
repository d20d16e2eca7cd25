"""Whether a folder is free for a new run: it does not exist yet, or is empty."""

from __future__ import annotations

from pathlib import Path

from seqgans.errors import BadInput

BEFOREHAND = {"checkpoints", "samples", "corpus.safetensors", "corpus.json", "vocabulary.json", "versions.json"}
BEFOREHAND |= {"oracle.safetensors", "settings.yaml"}
"""What a run's folder holds before its first checkpoint."""


def check_free(path: Path) -> None:
    """Refuse a folder for a new run that holds something; nothing is made.

    Raises:
        BadInput: there is a run or another file already.
    """
    if path.exists() and not path.is_dir():
        raise BadInput(f"--out must be a folder, {path} is a file; choose another name")
    if never_began(path):
        raise BadInput(
            f"--out must be a new or empty folder, {path} holds a run that never began: it has no checkpoint; "
            "delete it, or choose another name"
        )
    if path.exists() and any(path.iterdir()):
        raise BadInput(f"--out must be a new or empty folder, {path} is not empty; choose another name")


def never_began(path: Path) -> bool:
    """Whether there is what a run writes before its first checkpoint, and nothing else."""
    found = {inside.name for inside in path.iterdir()} if path.is_dir() else set()
    shown = {name for name in found if not name.startswith(".")}
    return {"checkpoints", "samples"} <= shown <= BEFOREHAND and not any((path / "checkpoints").glob("[!.]*"))
