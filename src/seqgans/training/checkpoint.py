"""Checkpoints: tensors as safetensors, facts as JSON, written whole or not at all.

A checkpoint is a folder. It is written beside its place, flushed to disk, and renamed into it, so that a
process killed at any moment leaves either the old checkpoints or the old ones and a new one. One that is replaced
stands aside meanwhile; `tidy` brings it back where the process was killed before the new one was in its place.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from seqgans.errors import BadInput, remedy, unwritten
from seqgans.training.facts import from_json, to_json

TENSORS, FACTS = "tensors.safetensors", "facts.json"
BEFORE = ".before"  # ends the name of a checkpoint that is being replaced


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        Failed: the disk is full, or (BadInput) the folder must not be written to; the old file, if any, is untouched.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):  # where nothing can be written nothing can be cleared either
            beside.unlink()
        raise unwritten(error, path, "nothing was lost") from error


def save_checkpoint(
    folder: Path,
    tensors: dict[str, Tensor],
    facts: dict[str, Any],
    stands: str = "earlier checkpoints are untouched",
    then: str = "run again",
) -> None:
    """Write a checkpoint whole or not at all.

    Args:
        folder: where it will stand; replaced if it is there already.
        tensors: all tensors, by name.
        facts: what else there is to know, ready for JSON.
        stands: what becomes of what is there where this cannot be written, for messages.
        then: what to do when it can be written, for messages.

    Raises:
        Failed: the disk is full, or (BadInput) the folder must not be written to; what was there before is untouched.
    """
    from safetensors.torch import save

    content = save({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()})
    known = {**facts, "sha256": digest(content, facts)}
    beside, aside = folder.with_name(f".{folder.name}.{os.getpid()}"), folder.with_name(f".{folder.name}{BEFORE}")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        for name, part in ((TENSORS, content), (FACTS, to_json(known, 1).encode())):
            with (beside / name).open("wb") as file:
                file.write(part)
                file.flush()
                os.fsync(file.fileno())
        if folder.exists():
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)
        beside.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise unwritten(error, f"checkpoint {folder}", stands, then) from error


def digest(content: bytes, facts: dict[str, Any]) -> str:
    """A fingerprint of everything in a checkpoint."""
    return hashlib.sha256(content + json.dumps(facts, sort_keys=True).encode()).hexdigest()


def tidy(folder: Path) -> None:
    """Clear a folder of checkpoints of what a killed process was writing; only for the process that writes there."""
    for left in (path for path in folder.glob(".*") if path.is_dir()):  # files of others are none of ours
        whole = left.with_name(left.name.removeprefix(".").removesuffix(BEFORE))
        if left.name.endswith(BEFORE) and not whole.exists():
            left.rename(whole)
        else:
            shutil.rmtree(left)


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a checkpoint and make sure it is what was written.

    Raises:
        BadInput: a file is missing, cut short or changed.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    advice = f"delete {folder} to go on from the checkpoint before it"
    try:
        facts = from_json((folder / FACTS).read_bytes())
        content = (folder / TENSORS).read_bytes()
    except OSError as error:
        raise BadInput(f"checkpoint {folder} cannot be read: {error.strerror}; {remedy(error, advice)}") from error
    except ValueError as error:
        raise BadInput(f"checkpoint {folder} is damaged: {FACTS} is not JSON; {advice}") from error
    expected = facts.pop("sha256", None) if isinstance(facts, dict) else None
    if expected is None or digest(content, facts) != expected:
        raise BadInput(f"checkpoint {folder} is damaged: it is not what was written; {advice}")
    try:
        return load(content), facts
    except SafetensorError as error:
        raise BadInput(f"checkpoint {folder} is damaged: {error}; {advice}") from error
