"""What a suite says: a YAML file, read and checked.

A suite is one that comes with the library, by its name, or a file of one's own (`mine.yaml`). Paths of recipes and
suites that a file names begin at its folder; {data} in paths of a corpus is the folder of data.

like                another suite, from which comes all that is not said
title, about        what stands above the table
data                the file or folder that the corpus needs, below the folder of data; none for fresh oracles
seeds, columns      seeds of every system; names of the figures in the table
metrics             what is measured besides what every run measures at its end, where a run has the evidence for it
corpus, run         settings of all runs, the corpus in the place of what a recipe says
quick, full         further settings of all runs, by the size of the suite
systems             one mapping each: name, label, recipe (its name or a .yaml file, or one for quick and one for full),
                    start (the name of another system, whose generator it begins with), checkpoint (of that run),
                    further settings by part, quick and full, control (settings of the control arm)
papers              figures that papers state for this corpus, by system; not taken over by `like`
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from seqgans.choices import choice
from seqgans.errors import BadInput
from seqgans.evaluation import METRICS
from seqgans.training.mapping import PARTS, mapping_of, merged
from seqgans.training.shipped import shipped

SIZES = ("quick", "full")
FOLDER = Path(__file__).parents[1] / "suites"
OWN = ("name", "label", "recipe", "start", "checkpoint", "control", *SIZES, *PARTS)  # keys of a system
NEEDED = ("title", "about", "seeds", "columns", "corpus", "systems")  # keys of a suite, and those it may do without
FURTHER = ("like", "data", "metrics", "run", "papers", *SIZES)
CHECKPOINTS = ("latest", "best", "pretrained")


def suite_names() -> list[str]:
    """All suites."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def suite_file(name: str) -> Path:
    """The file of a suite: of one that comes with the library, or what a word that ends with .yaml names.

    Raises:
        BadInput: there is none of that name.
    """
    if is_file(name):
        return Path(name)
    choice(dict.fromkeys(suite_names()), name, "suite")
    return FOLDER / f"{name}.yaml"


def is_file(name: str) -> bool:
    """Whether a word names a file of settings, not a suite or recipe of the library."""
    return name.endswith((".yaml", ".yml"))


def beside(file: Path, name: str) -> str:
    """What a file calls a name: a suite or recipe of the library, or a file whose path begins at its folder."""
    return str(file.parent / name) if is_file(name) else name


def settings_in(file: Path) -> dict[str, Any]:
    """What a YAML file of settings holds.

    Raises:
        BadInput: it cannot be read, or holds something else.
    """
    try:
        return mapping_of(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadInput(f"a suite or recipe must be a YAML file, {file} cannot be read: {reason}") from error
    except BadInput as error:
        raise BadInput(f"{error} (in {file})") from error


def is_text(value: Any) -> bool:
    """Whether a value is text that says something."""
    return isinstance(value, str) and bool(value.strip())


def are_texts(value: Any) -> bool:
    """Whether a value is a list of texts."""
    return isinstance(value, list) and all(map(is_text, value))


def are_seeds(value: Any) -> bool:
    """Whether a value is a list of whole numbers."""
    return isinstance(value, list) and all(type(one) is int for one in value)


BY_SUITE = ("seed", "start", "start_checkpoint")  # settings of runs that a suite sets itself


def are_settings(value: Any) -> bool:
    """Whether a value is a mapping."""
    return isinstance(value, dict)


def are_parts(value: Any) -> bool:
    """Whether a value is settings by part."""
    return isinstance(value, dict) and all(map(are_settings, value.values()))


def are_papers(value: Any) -> bool:
    """Whether a value is numbers by system and figure."""
    return are_parts(value) and all(type(one) in (int, float) for part in value.values() for one in part.values())


def is_name(value: Any) -> bool:
    """Whether a value can name a folder."""
    return is_text(value) and value.strip(".") != "" and not set(value) & set("/\\\0")


def is_recipe(value: Any) -> bool:
    """Whether a value names a recipe, or one for each size."""
    return is_text(value) or (
        isinstance(value, dict) and set(value) == set(SIZES) and all(map(is_text, value.values()))
    )


Form = tuple[Callable[[Any], bool], str]
TEXT, TEXTS, SETTINGS = (is_text, "text"), (are_texts, "a list of texts"), (are_settings, "a mapping of settings")
BY_PART = (are_parts, "settings by part, such as {algorithm: {rounds: 10}}")
SYSTEMS = (lambda value: bool(value) and isinstance(value, list), "a list, each with a name and settings")
OF_SUITES: dict[str, Form] = {
    **dict.fromkeys(("like", "title", "about", "data"), TEXT),
    **dict.fromkeys(("columns", "metrics"), TEXTS),
    **dict.fromkeys(("corpus", "run"), SETTINGS),
    **dict.fromkeys(SIZES, BY_PART),
    "seeds": (are_seeds, "a list of whole numbers"),
    "papers": (are_papers, "numbers by system and figure"),
    "systems": SYSTEMS,
}
OF_SYSTEMS: dict[str, Form] = {
    **dict.fromkeys(("label", "start"), TEXT),
    **dict.fromkeys(PARTS, SETTINGS),
    **dict.fromkeys(("control", *SIZES), BY_PART),
    "name": (is_name, "text that can name a folder"),
    "recipe": (is_recipe, f"text, or one text for each of {', '.join(SIZES)}"),
    "checkpoint": (lambda value: value in CHECKPOINTS, f"one of: {', '.join(CHECKPOINTS)}"),
}


def well_formed(said: Mapping[str, Any], forms: Mapping[str, Form], of: str) -> dict[str, Any]:
    """What a suite or a system says, without keys that say nothing.

    Raises:
        BadInput: a value is of another kind than its key's.
    """
    for key, (fits, form) in forms.items():
        if said.get(key) is not None and not fits(said[key]):
            raise BadInput(f"{key} of {of} must be {form}, got {reprlib.repr(said[key])}")
    return {key: value for key, value in said.items() if value is not None}


def read_mapping(name: str, within: tuple[Path, ...] = ()) -> dict[str, Any]:
    """What the file of a suite says, over what the suite says that it is like.

    Args:
        name: of the suite, or its file.
        within: files that say that they are like it.

    Raises:
        BadInput: it cannot be read, is like itself, or has a value of another kind than its key's.
    """
    file = suite_file(name)
    if file.resolve() in within:
        raise BadInput(f"a suite must not be like itself, {file} is; name another in like")
    said = well_formed(settings_in(file), OF_SUITES, f"the suite {file.stem}")
    for place, system in enumerate(said.get("systems", ())):
        if not isinstance(system, dict) or system.get("name") is None:
            raise BadInput(f"systems of the suite {file.stem} must be {SYSTEMS[1]}, got {reprlib.repr(system)}")
        said["systems"][place] = known = well_formed(system, OF_SYSTEMS, f"the system {system['name']}")
        if (of := known.get("recipe")) is not None:
            known["recipe"] = (
                {size: beside(file, one) for size, one in of.items()} if isinstance(of, dict) else beside(file, of)
            )
    if "like" not in said:
        return said
    under = read_mapping(beside(file, said["like"]), (*within, file.resolve()))
    return merged({part: value for part, value in under.items() if part != "papers"}, said)


def check_keys(name: str, said: Mapping[str, Any]) -> None:
    """Refuse a suite that lacks something, says what none has, or has systems without a name.

    Raises:
        BadInput: so it is.
    """
    missing = [key for key in NEEDED if said.get(key) is None]
    if missing:
        raise BadInput(f"the suite {name} must have the keys {', '.join(NEEDED)}; {', '.join(missing)} is missing")
    unknown = sorted(map(str, set(said) - {*NEEDED, *FURTHER}))
    if unknown:
        raise BadInput(f"a suite has the keys {', '.join((*NEEDED, *FURTHER))}; {name} has {', '.join(unknown)}")
    if not said["corpus"].get("spec"):
        raise BadInput(f"the suite {name} must name its corpus (corpus: {{spec: FILE}})")
    for metric in said.get("metrics", ()):
        choice(METRICS, metric, "metric")
    systems = said["systems"]
    names = [system["name"] for system in systems]
    twice = next((one for place, one in enumerate(names) if one in names[:place]), None)
    if twice is not None:
        raise BadInput(f"the systems of the suite {name} must have different names, got {twice} twice")
    for said_here in (said, *systems):
        for settings in (said_here, *(said_here.get(key, {}) for key in ("control", *SIZES))):
            if taken := sorted(set(settings.get("run", {})).intersection(BY_SUITE)):
                raise BadInput(
                    f"run.{taken[0]} must not stand in the suite {name}, which sets it by its seeds, and by start and "
                    "checkpoint of a system; leave it out"
                )
    arms = {f"{system['name']}-control" for system in systems if system.get("control")}
    if taken := sorted(arms.intersection(names)):
        raise BadInput(f"a system of the suite {name} must not be called {taken[0]}, as a control arm is")
    for place, system in enumerate(systems):
        unknown = sorted(map(str, set(system) - set(OWN)))
        if unknown:
            raise BadInput(
                f"a system of a suite has the keys {', '.join(OWN)}; {system['name']} has {', '.join(unknown)}"
            )
        if system.get("start") and system["start"] not in names[:place]:
            raise BadInput(f"the start of {system['name']} must be a system above it, got {system['start']}")


def recipe_file(name: str) -> dict[str, Any]:
    """The settings of a recipe of the library, or of a file.

    Raises:
        BadInput: there is no such recipe.
    """
    return settings_in(Path(name) if is_file(name) else shipped(name))
