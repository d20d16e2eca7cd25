"""Where curves are watched while a run goes on: TensorBoard, and any tracker of accelerate (W&B, trackio, …)."""

from __future__ import annotations

from typing import Any

from seqgans.errors import BadInput
from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from seqgans.verbs.progress import Watcher

PROJECT = "seqgans"


class Boards:
    """All boards of a run; only the leading process has one.

    Args:
        folder: where TensorBoard's files go.
        recipe: which boards, and the settings they show.
        team: whose accelerator starts trackers.
        watcher: who is told what is not installed.

    Raises:
        BadInput: accelerate knows no such tracker, or it is not installed.
    """

    def __init__(self, folder: RunFolder, recipe: Recipe, team: Team, watcher: Watcher) -> None:
        self.writer: Any = None
        if recipe.run.tensorboard:
            try:
                from torch.utils.tensorboard import SummaryWriter

                self.writer = SummaryWriter(str(folder.path / "tensorboard"))
            except ImportError:
                watcher.say("TensorBoard is not installed: no scalars are written (pip install 'seqgans[board]')")
        self.accelerator = team.accelerator if tracker_names(recipe.run.trackers) else None
        if self.accelerator is not None:
            begin(self.accelerator, check_trackers(recipe.run.trackers), folder, recipe)

    def scalar(self, name: str, value: float, step: int) -> None:
        """A point of a curve."""
        if self.writer is not None:
            self.writer.add_scalar(name, value, step)
        if self.accelerator is not None:
            self.accelerator.log({name: value}, step=step)

    def text(self, name: str, text: str, step: int) -> None:
        """A text beside the curves, where there is room for it."""
        if self.writer is not None:
            self.writer.add_text(name, text, step)

    def close(self) -> None:
        """Flush what is buffered."""
        if self.writer is not None:
            self.writer.close()
        if self.accelerator is not None:
            self.accelerator.end_training()


def tracker_names(words: str) -> list[str]:
    """Trackers that were asked for.

    >>> tracker_names("wandb, trackio")
    ['wandb', 'trackio']
    """
    return [name for word in words.split(",") if (name := word.strip())]


def check_trackers(words: str) -> list[Any]:
    """Trackers as accelerate names them.

    Raises:
        BadInput: there is no such tracker, or it is not installed.
    """
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS, filter_trackers

    names = tracker_names(words)
    for name in names:
        if name not in LOGGER_TYPE_TO_CLASS:
            raise BadInput(f"run.trackers must be among {', '.join(sorted(LOGGER_TYPE_TO_CLASS))}, got {name!r}")
    there = filter_trackers([*names], ".") if names else []
    if len(there) < len(names):
        missing = set(names) - {str(getattr(one, "value", one)) for one in there}
        raise BadInput(f"run.trackers: {', '.join(sorted(missing))} must be installed first (pip install it)")
    return there


def begin(accelerator: Any, there: list[Any], folder: RunFolder, recipe: Recipe) -> None:
    """Start accelerate's trackers, as `check_trackers` gave them."""
    accelerator.log_with, accelerator.project_configuration.logging_dir = there, str(folder.path)
    plain = {f"{part}.{name}": value for part, rest in recipe.to_dict().items() for name, value in rest.items()}
    config = {name: value for name, value in plain.items() if isinstance(value, int | float | str)}
    accelerator.init_trackers(PROJECT, config=config)
