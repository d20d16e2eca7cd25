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

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqgans.choices import choice
from seqgans.errors import BadInput
from seqgans.training.mapping import PARTS, mapping_of, merged
from seqgans.training.shipped import shipped

SIZES = ("quick", "full")
FOLDER = Path(__file__).parents[1] / "suites"
OWN = ("name", "label", "recipe", "start", "checkpoint", "control", *SIZES, *PARTS)  # keys of a system
NEEDED = ("title", "about", "seeds", "columns", "corpus", "systems")  # keys of a suite, and those it may do without
FURTHER = ("like", "data", "metrics", "run", "papers", *SIZES)


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


def read_mapping(name: str) -> dict[str, Any]:
    """What the file of a suite says, over what the suite says that it is like."""
    file = suite_file(name)
    said = settings_in(file)
    for system in found if isinstance(found := said.get("systems"), list) else ():
        if isinstance(system, dict) and system.get("recipe"):
            of = system["recipe"]
            system["recipe"] = (
                {size: beside(file, one) for size, one in of.items()} if isinstance(of, dict) else beside(file, of)
            )
    if "like" not in said:
        return said
    under = read_mapping(beside(file, said["like"]))
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
    if not isinstance(said["corpus"], dict) or not said["corpus"].get("spec"):
        raise BadInput(f"the suite {name} must name its corpus (corpus: {{spec: FILE}})")
    systems = said["systems"]
    if not isinstance(systems, list) or not all(isinstance(one, dict) and one.get("name") for one in systems):
        raise BadInput(f"the systems of the suite {name} must be a list, each with a name and settings")
    names = [system["name"] for system in systems]
    twice = next((one for place, one in enumerate(names) if one in names[:place]), None)
    if twice is not None:
        raise BadInput(f"the systems of the suite {name} must have different names, got {twice} twice")
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
