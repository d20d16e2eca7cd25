"""Imports run one way: a folder takes names only from those before it."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "seqgans"
ORDER = (
    *("errors", "spelling", "memory", "choices", "sequences", "randomness"),
    *("data", "generators", "discriminators", "rewards", "objectives", "algorithms", "options", "training"),
    *("evaluation", "report", "verbs", "web", "integrations", "cli", "__init__", "__main__"),
)
WHOLE = "seqgans"


def taken(path: Path) -> set[str]:
    """The modules of this library that a file takes names from, at the top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            names = [
                f"{node.module}.{alias.name}" if node.module == WHOLE else node.module or "" for alias in node.names
            ]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found |= {name for name in names if name.split(".")[0] == WHOLE}
    return found


def layer(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def test_every_folder_has_its_place() -> None:
    assert {layer(path) for path in SOURCE.rglob("*.py")} <= set(ORDER)


def test_imports_run_one_way() -> None:
    wrong = []
    for path in SOURCE.rglob("*.py"):
        here = ORDER.index(layer(path))
        for name in taken(path):
            part = name.split(".")[1]
            source = ORDER.index(part) if part in ORDER else ORDER.index("__init__")  # `from seqgans import name`
            version = name == f"{WHOLE}.__version__"  # a constant, known before anything is imported
            if not version and (source > here or (source == here and here < ORDER.index("data"))):
                wrong.append(f"{path.relative_to(SOURCE)} imports {name}")
    assert not wrong


def test_algorithms_do_not_see_the_loop() -> None:
    """An algorithm holds no network, optimiser, device or file: it imports nothing that does."""
    forbidden = ("torch.optim", "torch.distributed", "pathlib", "accelerate", "safetensors", "os")
    for path in (SOURCE / "algorithms").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert not {alias.name for alias in node.names} & set(forbidden), path
            if isinstance(node, ast.ImportFrom):
                assert node.module not in forbidden, path
