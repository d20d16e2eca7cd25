"""Which runs are one system: those that differ in nothing but their seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from seqgans.data.kinds import without_folders
from seqgans.errors import BadInput
from seqgans.evaluation import Figure
from seqgans.verbs.outcome import Moment, Outcome

BEFORE = "before the game"
UNSEEN = ("run", "corpus.spec")  # settings in which runs of one system may differ
TELLING = ("precision", "eval_samples", "final_samples", "best", "on_collapse", "start", "start_checkpoint")
"""Settings of a run that figures may depend on."""


@dataclass(frozen=True)
class System:
    """Runs that differ in their seed, or a file of samples.

    Attributes:
        name: algorithm and the settings that tell it from others, or the file's name.
        settings: all of them, by dotted name; none of generators before their game and of files.
        runs: one a seed.
        moments: the generators compared, one a run.
    """

    name: str
    settings: Mapping[str, Any]
    runs: Sequence[Outcome]
    moments: Sequence[Moment]

    @property
    def before(self) -> bool:
        """Whether these are generators before their game."""
        return not self.settings and self.runs[0].recipe is not None

    def by_seed(self, figure: str) -> dict[int | None, Figure]:
        """A figure of each seed that has it, infinite ones too: an oracle rules out what it never writes."""
        pairs = zip(self.runs, self.moments, strict=True)
        found = {run.seed: moment.figures[figure] for run, moment in pairs if figure in moment.figures}
        return {seed: value for seed, value in found.items() if not math.isnan(value.value)}

    def figure_names(self) -> list[str]:
        """All figures of all runs, in order."""
        return list(dict.fromkeys(name for moment in self.moments for name in moment.figures))


def check_one_corpus(outcomes: Sequence[Outcome]) -> None:
    """Refuse runs that learnt from different data.

    Raises:
        BadInput: two specs differ.
    """
    for first, other in pairwise(outcomes):
        if resolved(other.trained.corpus) != resolved(first.trained.corpus):
            raise BadInput(
                f"compare needs runs of one corpus, but {first.path} learnt from {first.trained.corpus} and "
                f"{other.path} from {other.trained.corpus}"
            )


def resolved(spec: str) -> str:
    """A spec, one path for all ways to write it."""
    kind, colon, rest = spec.rpartition(":")
    return f"{kind}{colon}{Path(rest).resolve()}" if Path(rest).exists() else spec


def grouped(outcomes: Sequence[Outcome]) -> list[System]:
    """The systems among some runs, in the order of their first run.

    Raises:
        BadInput: two runs of a system have the same seed.
    """
    flat = [flattened(outcome.trained.to_dict()) for outcome in outcomes]
    groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for place, settings in enumerate(flat):
        key = tuple(sorted((name, repr(value)) for name, value in settings.items()))
        groups.setdefault(key, []).append(place)
    systems = []
    for places in groups.values():
        check_seeds([outcomes[place] for place in places])
        settings = flat[places[0]]
        others = [other for other in flat if other["algorithm.name"] == settings["algorithm.name"]]
        told = [f"{name.partition('.')[2]}={value}" for name, value in settings.items() if varies(name, others)]
        runs = [outcomes[place] for place in places]
        name = " ".join((settings["algorithm.name"], *told))
        systems.append(System(name, settings, runs, [run.final for run in runs]))
    return systems


def of_files(files: Sequence[Outcome]) -> list[System]:
    """Each file of samples as a system, by its name, by its path where another has that name."""
    names = [file.path.name for file in files]
    shown = [str(file.path) if names.count(name) > 1 else name for file, name in zip(files, names, strict=True)]
    return [System(name, {}, [file], [file.final]) for file, name in zip(files, shown, strict=True)]


def check_seeds(runs: Sequence[Outcome]) -> None:
    """Refuse a system that has a seed twice: only one of its runs could stand for it.

    Raises:
        BadInput: two runs have the same seed; the message says in what they differ.
    """
    by_seed: dict[int, Outcome] = {}
    for run in runs:
        seed = run.trained.run.seed
        first = by_seed.setdefault(seed, run)
        if first is run:
            continue
        ours, theirs = (
            {**{f"run.{name}": value for name, value in one["run"].items()}, "corpus.spec": one["corpus"]["spec"]}
            for one in (first.trained.to_dict(), run.trained.to_dict())
        )
        told = [f"{name} ({ours[name]}, {theirs[name]})" for name in ours if ours[name] != theirs[name]]
        differ = f"differ only in {', '.join(told)}" if told else "differ in no setting"
        raise BadInput(
            f"compare needs one run a seed of each system, but {first.path} and {run.path} both have seed {seed} and "
            f"{differ}; leave one of them out"
        )


def flattened(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by dotted name, without those in which runs of one system may differ."""
    found = {
        f"{part}.{name}": value
        for part, settings in recipe.items()
        if part not in UNSEEN
        for name, value in settings.items()
    }
    return {name: value for name, value in found.items() if name not in UNSEEN}


def varies(name: str, settings: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a setting is not the same in all that have it."""
    return len({repr(one[name]) for one in settings if name in one}) > 1


def run_differences(systems: Sequence[System]) -> dict[str, dict[str, Any]]:
    """Settings that some systems do not have, and those of runs that are not the same in all; folders by their name.

    Args:
        systems: those without settings, the generators before their game, are left out.

    Returns:
        By setting what each system that has it has.
    """
    trained = [system for system in systems if system.settings]
    settings = [system.settings for system in trained]
    found: dict[str, dict[str, Any]] = {
        name: {system.name: system.settings[name] for system in trained if name in system.settings}
        for name in dict.fromkeys(name for one in settings for name in one)
        if not all(name in one for one in settings)
    }
    for name in TELLING:
        values = {system.name: [shown(getattr(run.trained.run, name)) for run in system.runs] for system in trained}
        if len({value for several in values.values() for value in several}) > 1:
            found[f"run.{name}"] = {who: ", ".join(dict.fromkeys(several)) for who, several in values.items()}
    return found


def shown(value: Any) -> str:
    """A setting of a run, a folder by its name."""
    return "–" if value is None else without_folders(str(value))


def starts(systems: Sequence[System]) -> System | None:
    """The generators before their game, one of each seed, as a system; None where no run kept them."""
    found: dict[int, tuple[Outcome, Moment]] = {}
    for system in systems:
        for run in system.runs:
            if run.pretrained is not None:
                found.setdefault(run.trained.run.seed, (run, run.pretrained))
    if not found:
        return None
    return System(BEFORE, {}, [run for run, _ in found.values()], [moment for _, moment in found.values()])


def not_numbers(systems: Sequence[System]) -> list[str]:
    """A line for each system with figures that are not a number, and whose they are."""
    found = []
    for system in systems:
        names = [
            f"{name}{'' if run.seed is None else f' (seed {run.seed})'}"
            for run, moment in zip(system.runs, system.moments, strict=True)
            for name, figure in moment.figures.items()
            if math.isnan(figure.value)
        ]
        if names:
            found.append(f"not a number, so left out of {system.name}: {', '.join(names)}")
    return found
