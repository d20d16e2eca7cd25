"""Suites: named sets of runs over seeds, each with its start and its control arm; `suite_files` reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seqgans.choices import choice
from seqgans.errors import BadInput
from seqgans.training.mapping import PARTS, merged
from seqgans.training.recipe import Recipe
from seqgans.verbs.suite_files import SIZES, check_keys, read_mapping, recipe_file, suite_file

PLACES = ("spec", "valid_file", "test_file")  # settings of a corpus that are paths


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run of a suite.

    Attributes:
        name: of its folder and its results, unique within the suite.
        label: of its row.
        system: name of the system.
        control: whether it is the control arm.
        seed: its seed.
        recipe: all its settings.
        start: name of the run that it begins from, None where it begins afresh.
        paper: what the paper says of the same figures.
    """

    name: str
    label: str
    system: str
    control: bool
    seed: int
    recipe: Recipe
    start: str | None = None
    paper: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A named set of runs.

    Attributes:
        name: of its file.
        size: quick or full.
        title: what stands above the table.
        about: a few words on the conditions.
        columns: names of the figures in the table.
        metrics: what is measured besides what every run measures at its end.
        trials: the runs, each after the one that it starts from.
        systems: names of all systems of the suite, also of those that nobody asked for.
        data: the folder of its corpora; None where it needs none.
        call: what it is asked for by, its name or its file.
    """

    name: str
    size: str
    title: str
    about: str
    columns: Sequence[str]
    metrics: Sequence[str]
    trials: Sequence[Trial]
    systems: Sequence[str] = ()
    data: Path | None = None
    call: str = ""


def read_suite(
    name: str,
    out: Path,
    data: Path | None = None,
    size: str = "quick",
    seeds: Sequence[int] | None = None,
    only: Sequence[str] | None = None,
) -> Suite:
    """A suite with the settings of every run.

    Args:
        name: of the suite, or a .yaml file that holds one.
        out: the folder in which its runs stand, each below `runs`.
        data: the folder of data; a suite on fresh oracles needs none.
        size: quick or full.
        seeds: instead of the suite's own.
        only: names of systems; those that they start from are added.

    Raises:
        BadInput: a name, a seed, a size or the data does not exist.
    """
    if size not in SIZES:
        raise BadInput(f"the size of a suite must be one of: {', '.join(SIZES)}, got {size!r}")
    said = read_mapping(name)
    call, name = name, suite_file(name).stem
    check_keys(name, said)
    systems = {system["name"]: system for system in said["systems"]}
    wanted = chosen(systems, only)
    place = found_data(name, said.get("data"), data)
    common = merged({part: said[part] for part in ("corpus", "run") if part in said}, said.get(size) or {})
    trials, papers = [], said.get("papers", {})
    for stranger in sorted(set(papers) - set(systems)):
        raise BadInput(f"the papers of the suite {name} must be about its systems, got {stranger}")
    for seed in checked_seeds(said["seeds"] if seeds is None else seeds):
        for system in wanted:
            trials += arms(systems[system], common, place, out, size, seed, papers.get(system, {}))
    return Suite(
        name=name,
        size=size,
        title=said["title"],
        about=said["about"].strip(),
        columns=said["columns"],
        metrics=said.get("metrics", []),
        trials=trials,
        systems=tuple(systems),
        data=data if "data" in said else None,
        call=call,
    )


def chosen(systems: Mapping[str, Mapping[str, Any]], only: Sequence[str] | None) -> list[str]:
    """Names of the systems asked for and of those that they start from, in the order of the suite."""
    wanted = set(systems if only is None else only)
    for system in only or ():
        choice(systems, system, "system of this suite")
    while missing := {start for name in wanted if (start := systems[name].get("start"))} - wanted:
        wanted |= missing
    return [name for name in systems if name in wanted]


def found_data(name: str, needed: str | None, data: Path | None) -> Path | None:
    """The folder of data, which holds what the suite needs; None where it needs nothing."""
    if needed is None:
        return None
    if data is None:
        raise BadInput(f"the suite {name} needs --data FOLDER, a folder with {needed}")
    if not (data / needed).exists():
        raise BadInput(f"the suite {name} needs {needed} in the folder of data, there is none in {data}; name another")
    return data.absolute()


def checked_seeds(seeds: Sequence[int]) -> list[int]:
    """Seeds, each once, none negative."""
    wrong = next((seed for place, seed in enumerate(seeds) if seed < 0 or seed in seeds[:place]), None)
    if wrong is not None or not seeds:
        raise BadInput(f"seeds must be different whole numbers from 0 on, got {', '.join(map(str, seeds)) or 'none'}")
    return list(seeds)


def recipe_of(settings: Mapping[str, Any], data: Path | None) -> Recipe:
    """The settings of a run, {data} in paths of its corpus being the folder of data.

    Raises:
        BadInput: a setting cannot be, or a path names {data} in a suite that needs none.
    """
    corpus = dict(settings["corpus"])
    for name in PLACES:
        if isinstance(path := corpus.get(name), str) and "{data}" in path:
            if data is None:
                raise BadInput(f"corpus.{name} is {path}, so the suite must say what it needs there (data: FILE)")
            corpus[name] = path.replace("{data}", str(data))
    return Recipe.of({**settings, "corpus": corpus})


def arms(
    system: Mapping[str, Any],
    common: Mapping[str, Any],
    data: Path | None,
    out: Path,
    size: str,
    seed: int,
    paper: Mapping[str, float],
) -> list[Trial]:
    """A system's run of one seed, and its control arm's where it has one."""
    file = system.get("recipe")
    if isinstance(file, Mapping):
        file = file[size]
    settings = {**merged(recipe_file(file) if file else {}, common), "corpus": common["corpus"]}
    settings = merged(settings, {part: system[part] for part in PARTS if part in system})
    settings = merged(settings, system.get(size) or {})
    run: dict[str, Any] = {"seed": seed}
    start = f"{system['start']}-{seed}" if system.get("start") else None
    if start is not None:
        run |= {"start": str(out / "runs" / start)}
        run |= {"start_checkpoint": system.get("checkpoint", "latest")}
    settings = merged(settings, {"run": run})
    name = system["name"]
    label = system.get("label") or name
    trial = Trial(
        name=f"{name}-{seed}",
        label=label,
        system=name,
        control=False,
        seed=seed,
        recipe=recipe_of(settings, data),
        start=start,
        paper=paper,
    )
    if not system.get("control"):
        return [trial]
    other = Trial(
        name=f"{name}-control-{seed}",
        label=f"{label}: control",
        system=name,
        control=True,
        seed=seed,
        recipe=recipe_of(merged(settings, system["control"]), data),
        start=start,
    )
    return [trial, other]
