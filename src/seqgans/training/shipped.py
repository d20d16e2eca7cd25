"""Recipes that come with the library, by name ("seqgan/short"): beside the package in a checkout, in it in a wheel."""

from __future__ import annotations

from pathlib import Path

from seqgans.errors import BadInput
from seqgans.spelling import asked

PACKAGE = Path(__file__).parents[1]
FOLDERS = (PACKAGE / "recipes", PACKAGE.parents[1] / "recipes")
OF_OTHERS = "accelerate"  # a folder of settings of another program


def recipes() -> dict[str, Path]:
    """The file of each recipe by its name, in the order of names."""
    found = {
        f"{path.parent.name}/{path.stem}": path
        for folder in FOLDERS
        for path in folder.glob("*/*.yaml")
        if path.parent.name != OF_OTHERS
    }
    return dict(sorted(found.items()))


def shipped(name: str) -> Path:
    """The file of a recipe.

    Raises:
        BadInput: there is none of that name; the message names the nearest.
    """
    found = recipes()
    if name not in found:
        raise BadInput(f"no recipe is called {name!r};{asked(name, found)} seqgans list recipes shows all")
    return found[name]


def heading(path: Path) -> str:
    """The first line of a recipe, which is a comment, without what ends it; … where the next line goes on."""
    line = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("#").strip()
    return line.removesuffix(".") if line.endswith((".", ")")) else f"{line.rstrip(':,;')} …"
