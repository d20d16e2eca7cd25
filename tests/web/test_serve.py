"""Starting the studio: at once, for this machine alone, with one clear line where it cannot.

Mutants killed: torch imported at the top, 0.0.0.0 instead of 127.0.0.1, a link printed before anybody listens.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from seqgans.__main__ import run
from seqgans.web.store import Store

from .conftest import Served

LIGHT = """
import sys
from pathlib import Path
from seqgans.cli.studio import run_studio
from seqgans.web.app import application
from seqgans.web.runs import Runs
from seqgans.web.store import Store
application(Runs([sys.argv[1]]), Store(Path(sys.argv[1]) / "store"), "key")
assert "torch" not in sys.modules
"""


def test_it_starts_without_loading_torch(tmp_path: Path):
    pytest.importorskip("starlette", reason="the studio needs the extra [studio]")
    subprocess.run([sys.executable, "-c", LIGHT, str(tmp_path)], check=True, timeout=120)


def test_it_answers_as_soon_as_the_link_is_printed_and_here_alone(
    serve: Callable[..., Served], store: Store, tmp_path: Path
):
    served = serve(tmp_path, store.path)
    assert served.link.startswith("http://127.0.0.1:")
    with urlopen(f"{served.root}/static/icon.svg", timeout=60) as response:
        assert response.status == 200
        assert "server" not in response.headers
    with socket.socket() as other:
        assert other.connect_ex(("127.0.0.2", int(served.root.rpartition(":")[2]))) != 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "at least one folder"),
        (["nowhere"], "is no folder"),
        ([".", "--port", "70000"], "--port must be"),
        ([".", "--store", "missing/folder/file"], "choose another --store"),
    ],
)
def test_one_clear_line(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert run(["studio", *words]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(["studio", str(tmp_path), "--port", str(port), "--store", str(tmp_path / "store")]) == 2
    assert "choose another" in capsys.readouterr().err
