"""Where a game collapses: go back to the last checkpoint from before, end there, and say so.

A detector speaks a few gatherings after things went wrong, so a checkpoint is a candidate for as many rounds before it
counts as good.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from seqgans.training.alarms import STOPS, SUSTAINED
from seqgans.training.checkpoint import FACTS, load_checkpoint
from seqgans.training.facts import from_json
from seqgans.training.folder import RunFolder
from seqgans.training.loop import Training
from seqgans.training.place import Event
from seqgans.training.recipe import PRETRAINED, Recipe

GOOD, CANDIDATE = "good", "candidate"


class Rescue:
    """Keeps a checkpoint from before any alarm, and knows whether there was one.

    Args:
        folder: where checkpoints are.
        recipe: whether the run is to stop at all.
    """

    def __init__(self, folder: RunFolder, recipe: Recipe) -> None:
        asked = recipe.run.on_collapse
        self.active = asked == "stop" or (asked == "auto" and recipe.generator == PRETRAINED)
        self.there = folder.path / "checkpoints"
        self.collapsed = ""  # by which detector

    def watch(self, line: dict[str, Any]) -> None:
        """Take a line of events.jsonl."""
        if self.active and line.get("kind") == "finding" and line.get("detector") in STOPS and line.get("round"):
            self.collapsed = line["detector"]

    def kept(self, round: int, checkpoint: Path) -> None:
        """A numbered checkpoint was written: it becomes the candidate where the last one has stood the time."""
        if not self.active or self.collapsed or not round:
            return
        candidate = self.there / CANDIDATE
        if candidate.is_dir():
            before = from_json((candidate / FACTS).read_bytes())["place"]["round"]
            if round - before < SUSTAINED:
                return
            shutil.rmtree(self.there / GOOD, ignore_errors=True)
            candidate.rename(self.there / GOOD)
        beside = self.there / f".{CANDIDATE}"  # whole or not there at all, whenever the process is killed
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        for file in checkpoint.iterdir():  # files of a checkpoint are never written to again
            try:
                os.link(file, beside / file.name)
            except OSError:
                shutil.copyfile(file, beside / file.name)
        beside.rename(candidate)

    def forget(self, step: int) -> None:
        """Drop numbered checkpoints from after the one that was gone back to, or a resume would begin there."""
        for path in self.there.glob("step-*"):
            if int(path.name.removeprefix("step-")) > step:
                shutil.rmtree(path)


def rescued(training: Training, folder: RunFolder) -> Event:
    """Put the players back to the last good checkpoint, or to what the game began with, and end the schedule there.

    Every process does it. Where there is no such checkpoint the players stay as they are.

    Returns:
        The event that ends the game.
    """
    there = folder.path / "checkpoints"
    source = next((path for name in (GOOD, "pretrained") if (path := there / name).is_dir()), None)
    if source is not None:
        training.restore(*load_checkpoint(source))
    training.place.done = True
    return Event("end", training.place.step, training.place.round, phase=source.name if source else "")
