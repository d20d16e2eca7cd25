"""Small runs on text that holds markup and on tunes, and clients of a studio over them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from seqgans.data import write_midi
from seqgans.training.recipe import Recipe
from seqgans.verbs.train import train
from seqgans.web.runs import Runs
from seqgans.web.store import Item, Store

HERE = "http://127.0.0.1:8642"
KEY = "the-key-of-the-admin"
HOSTILE = "<script>document.title='taken'</script>"
COMMON: dict[str, Any] = {
    "generator": {"embedding": 4, "hidden": 4},
    "run": {"final_samples": 40, "eval_samples": 20, "eval_every": 1, "tensorboard": False, "device": "cpu", "show": 4},
}
SEQGAN = {
    "algorithm": {
        "name": "seqgan",
        "pretrain_epochs": 2,
        "rounds": 2,
        "discriminator_pretrain_steps": 1,
        "discriminator_steps": 1,
        "discriminator_epochs": 1,
        "rollouts": 1,
        "batch": 8,
    },
    "discriminator": {"widths": [1, 2], "maps": [2, 2], "embedding": 4},
}
LIKELIHOOD = {"algorithm": {"name": "likelihood", "pretrain_epochs": 2}}


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `text/seqgan`, `text/likelihood` and `tunes`."""
    pytest.importorskip("starlette", reason="the studio needs the extra [studio]")
    folder = tmp_path_factory.mktemp("studio")
    text = folder / "corpora" / "animals.txt"
    text.parent.mkdir()
    animals, verbs = ("cat", "dog", "<b>cow</b>", "hen"), ("sleeps", "runs", "&amp;", HOSTILE)
    lines = [f"the {animal} {verb} and {other}" for animal in animals for verb in verbs for other in verbs]
    lines += [f"the {animal} {verb}" for animal in animals for verb in verbs]
    text.write_text("".join(f"{line}\n" for line in lines))
    tunes = folder / "corpora" / "tunes"
    tunes.mkdir()
    for number in range(40):
        write_midi([39 + (number * place) % 12 for place in range(8)], tunes / f"{number}.mid")
    spoken, played = {"corpus": {"spec": str(text)}}, {"corpus": {"spec": str(tunes), "length": 8, "test": 0.3}}
    train(Recipe.of({**COMMON, **SEQGAN, **spoken}), folder / "runs" / "text" / "seqgan")
    train(Recipe.of({**COMMON, **LIKELIHOOD, **spoken}), folder / "runs" / "text" / "likelihood")
    train(Recipe.of({**COMMON, **LIKELIHOOD, **played}), folder / "runs" / "tunes")
    return folder / "runs"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty one."""
    return Store(tmp_path / "turing.sqlite")


@pytest.fixture
def judged() -> list[Item]:
    """Six real items and six of a run, whose name and texts no judge may see together."""
    real = [Item("real", {"text": f"a real text {number}"}) for number in range(6)]
    return [*real, *(Item("runs/secret-name", {"text": f"{HOSTILE} {number}"}) for number in range(6))]


@pytest.fixture
def client(tmp_path: Path, store: Store) -> Iterator[Any]:
    """A browser of nobody in particular, at a studio without runs."""
    with client_of(tmp_path, store) as found:
        yield found


@contextmanager
def client_of(folder: Path, store: Store, *files: Path) -> Iterator[Any]:
    pytest.importorskip("starlette", reason="the studio needs the extra [studio]")
    from starlette.testclient import TestClient

    from seqgans.web.app import application

    with TestClient(application(Runs([folder, *files]), store, KEY), base_url=HERE, headers={"origin": HERE}) as client:  # pyright: ignore
        yield client


@pytest.fixture
def admin(client: Any) -> Any:
    """The same browser, let in."""
    return let_in(client)


def let_in(client: Any) -> Any:
    assert client.get("/enter", params={"key": KEY}, follow_redirects=False).status_code == 303
    return client


class Served:
    """A studio in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.link = process.stdout.readline().strip()
        self.root = self.link.partition("/enter")[0]

    def kill(self) -> None:
        """As `kill -9` does: nothing is flushed or closed."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Starts studios, and ends them after the test."""
    pytest.importorskip("uvicorn", reason="the studio needs the extra [studio]")
    started: list[subprocess.Popen[str]] = []

    def serving(folder: Path, store: Path, port: int = 0) -> Served:
        words = ["studio", str(folder), "--port", str(port), "--store", str(store)]
        process = subprocess.Popen([sys.executable, "-m", "seqgans", *words], stdout=subprocess.PIPE, text=True)
        started.append(process)
        return Served(process)

    yield serving
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
