"""Files that are loaded cannot run code: nothing in the library reads or writes pickles."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "seqgans"
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CALLS = {("torch", "save"), ("torch", "load"), ("torch", "jit"), ("np", "load"), ("numpy", "load")}


def found(text: str) -> list[str]:
    """What a file does that it must not do."""
    wrong = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            wrong += [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            inside = {(node.module.split(".")[0], alias.name) for alias in node.names}
            wrong += [node.module] if node.module.split(".")[0] in MODULES else [str(pair) for pair in inside & CALLS]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            wrong += [f"{node.value.id}.{node.attr}"] if (node.value.id, node.attr) in CALLS else []
    return wrong


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_pickles(path: Path) -> None:
    assert not found(path.read_text())


@pytest.mark.parametrize(
    "line", ["import pickle", "from pickle import loads", "torch.save(x, y)", "from torch import load", "np.load(x)"]
)
def test_the_test_would_see_them(line: str) -> None:
    assert found(line)
