"""How much has to be read to understand an algorithm: its file, and the files it takes names from.

What every algorithm shares (the values that flow, the contract, errors) is read once, so it is counted apart.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "seqgans"
FILES, LINES = 8, 1100  # an algorithm and what it takes names from, without what all share
OWN = 200  # lines of an algorithm's own file
ANY = 300  # lines of any file
SHARED = {SOURCE / "sequences.py", SOURCE / "randomness.py", SOURCE / "errors.py", SOURCE / "choices.py"}
SHARED |= {SOURCE / "algorithms" / "base.py", SOURCE / "algorithms" / "likelihood.py"}


def read_with(path: Path) -> set[Path]:
    """A file and those it takes names from."""
    found = {path}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith("seqgans."):
            module = SOURCE.joinpath(*node.module.split(".")[1:])
            found.add(module / "__init__.py" if module.is_dir() else module.with_suffix(".py"))
    return found


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


@pytest.mark.parametrize(
    "path",
    [path for path in sorted((SOURCE / "algorithms").glob("*.py")) if path.stem not in ("__init__", "base")],
    ids=lambda path: path.stem,
)
def test_an_algorithm_is_soon_read(path: Path) -> None:
    needed = read_with(path) - SHARED
    assert lines(path) <= OWN
    assert len(needed) <= FILES, sorted(file.stem for file in needed)
    assert sum(map(lines, needed)) <= LINES, {file.stem: lines(file) for file in needed}


def test_no_file_is_long() -> None:
    assert {str(path): lines(path) for path in SOURCE.rglob("*.py") if lines(path) > ANY} == {}


def test_what_all_share_is_little() -> None:
    assert sum(map(lines, SHARED)) <= 780
