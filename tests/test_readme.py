"""What the README says is true: its tables, its tree, its commands."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

import seqgans
from seqgans.algorithms import ALGORITHMS
from tests.generators.models import model_folder

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_table_of_algorithms_is_the_table_of_algorithms():
    rows = re.findall(r"^\| `([\w-]+)` \| .* \| \[`(\w+\.py)`\]\((\S+)\) \| \[.*\]\((\S+)\) \|$", README, re.MULTILINE)
    assert [name for name, *_ in rows] == list(ALGORITHMS)
    for name, file, source, page in rows:
        assert source.endswith(f"/{file}")
        assert ALGORITHMS[name].__module__.endswith(file.removesuffix(".py"))
        assert (ROOT / page).is_file()


def test_the_tree_is_the_tree():
    tree = re.search(r"^    src/seqgans/\n(.*?)^$", README, re.MULTILINE | re.DOTALL)
    assert tree is not None
    inner = re.findall(r"^      (\S+)  ", tree[1], re.MULTILINE)
    package = ROOT / "src" / "seqgans"
    there = {
        f"{path.name}/" if path.is_dir() else path.name for path in package.iterdir() if not path.name.startswith("__")
    }
    assert set(inner) == there
    for name in re.findall(r"^    (\w+/)  ", tree[1], re.MULTILINE):
        assert (ROOT / name).is_dir()


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_verb_of_the_table_exists():
    verbs = re.findall(r"^\| `seqgans (\w+)", README, re.MULTILINE)
    known = ["list", "train", "resume", "sample", "fill", "score", "evaluate", "export", "compare", "benchmark"]
    assert verbs == [*known, "studio"]
    assert all(verb == "list" or callable(getattr(seqgans, verb)) for verb in verbs)


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code is not None
    monkeypatch.chdir(tmp_path)
    exec(compile(code[1], "README.md", "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert (tmp_path / "runs" / "first" / "report.html").is_file()


def test_the_page_on_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    code = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), re.DOTALL)
    assert code is not None
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    exec(compile(code[1], "python.md", "exec"), found)
    assert all(text.startswith("moon") and 0 < probability < 1 for text, probability in found["judged"])
    assert "bleu_2" in capsys.readouterr().out


def test_the_commands_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Each `seqgans …` line of the first blocks runs, shortened, MODEL a tiny one."""
    from seqgans.__main__ import run

    block = README.split("## Run it")[1].split("Or in Python")[0]
    commands = [shlex.split(line, comments=True)[1:] for line in block.splitlines() if line.startswith("    seqgans ")]
    assert [words[0] for words in commands] == ["train", "sample", "train", "compare", "train", "export"]
    monkeypatch.chdir(tmp_path)
    lines = [f"{a} {b} {a}" for a in ("moon", "hill", "rain", "lake") for b in ("over", "under", "by", "on")]
    Path("poems.txt").write_text("\n".join(lines * 3))
    pairs = [{"prompt": f"w{row % 7} w{row % 5}", "completion": f"w{row % 3} w{row % 11}"} for row in range(40)]
    Path("pairs.jsonl").write_text("\n".join(map(json.dumps, pairs)))
    model_folder(Path("MODEL"))
    short = ["--pretrain-epochs", "2", "--run.final-samples", "50"]
    game = ["--rounds", "1", "--algorithm.discriminator-pretrain-steps", "1"]
    more = {"seqgan/short": [*game, "--algorithm.rollouts", "2"], "rlgaf": [*game, "--algorithm.batch", "8"]}
    for words in commands:
        shorter = [flag for name in words for flag in more.get(name, [])]
        every = [*words, *(short if words[0] == "train" else []), *shorter]
        monkeypatch.setattr("sys.argv", ["seqgans", *every])
        assert run() in (0, None), (every, capsys.readouterr().err[-500:])
    assert Path("page.html").is_file()
    assert Path("tuned", "model.safetensors").is_file()
