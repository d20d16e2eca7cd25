"""Curves through the command line: a table, JSON, a page, and what is refused."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from pathlib import Path

import pytest

from seqgans.training.folder import RunFolder


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """References, and samples at two temperatures."""
    lines = ["the cat sleeps on the mat", "the dog sits on the cat", "a dog sleeps", "the mat is on the cat now"]
    contents = {"real": lines * 3, "cold": lines[:1] * 4 + lines[:2], "warm": [*lines, "mat the the a dog on"]}
    for name, some in contents.items():
        (tmp_path / f"{name}.txt").write_text("\n".join(some) + "\n")
    return [tmp_path / f"{name}.txt" for name in contents]


def test_files_of_two_temperatures(files: list[Path], call, tmp_path: Path) -> None:
    real, cold, warm = files
    words = ("evaluate", cold, warm, "--references", real, "--at", "0.5,1")
    found = call(*words, "--out", tmp_path / "page.html")
    assert found.code == 0, found
    heads, _, first, second = found.out.splitlines()[:4]
    assert heads.split()[:2] == ["drawn", "at"]
    assert "self-BLEU-5" in heads
    assert first.split()[:3] == ["cold", "temperature", "0.5"]
    assert second.split()[:3] == ["cold", "temperature", "1"]
    assert second.count(" ± ") == 4
    assert "\n\n± standard error\n" in found.out
    assert "wrote" in found.err
    assert found.err.endswith(
        "5 to 6 texts at each setting, cut into words, seed 0.\n"
        "self-BLEU rises with the number of texts: compare settings of equally many (--samples).\n"
    )
    page = (tmp_path / "page.html").read_text()
    assert 'id="plane"' in page
    assert re.search(r"temperature 0\.5: BLEU-5 [\d.]+ ± [\d.]+, self-BLEU-5 [\d.]+ ± [\d.]+", page)
    assert "bleu_5, error" in base64.b64decode(re.findall(r"base64,([^\"]+)", page)[0]).decode()
    document = json.loads(call(*words, "--json").out)
    [system] = document["systems"]
    assert [row["temperature"] for row in system["sweep"]] == [0.5, 1.0]
    assert [{*row} - {"temperature"} for row in system["sweep"]] == [{*errors} for errors in system["sweep_errors"]]
    assert all(error > 0 for error in system["sweep_errors"][1].values())


@pytest.mark.parametrize(
    "words",
    [
        ("text", "--temperature", "0.5,1", "--top-k", "3", "--top-p", "0.25,0.5", "--samples", "20", "--seed", "3"),
        ("text", "cold it's.txt", "--at", "0.7", "--references", "real.txt", "--samples", "9", "--checkpoint", "best"),
        ("cold it's.txt", "--at", "0.7", "--references", "real.txt", "--tokens", "characters", "--lowercase"),
        ("cold.csv", "--at", "1", "--references", "real.csv", "--text", "said"),
    ],
)
def test_a_page_says_what_to_type_for_it(
    words: tuple[str, ...], files: list[Path], runs: Path, call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typed, it gives the same curves. Mutants killed: any of the flags left out, names with a blank not quoted."""
    folder = files[0].parent
    monkeypatch.chdir(folder)
    (folder / "text").symlink_to(runs / "text")
    (folder / "cold it's.txt").write_text(files[1].read_text().title())
    for name in ("cold", "real"):
        rows = (folder / f"{name}.txt").read_text().splitlines()
        (folder / f"{name}.csv").write_text("said,other\n" + "".join(f"{row},x y\n" for row in rows))
    found = call("evaluate", *words, "--json", "--out", "page.html")
    assert found.code == 0, found
    [typed] = json.loads(found.out)["commands"]
    assert f'<pre class="commands"><code>{html.escape(typed)}</code></pre>' in (folder / "page.html").read_text()
    assert call(*shlex.split(typed)[1:], "--json").out == found.out


def test_texts_in_another_language_are_doubted(files: list[Path], call, tmp_path: Path) -> None:
    strange = tmp_path / "strange.txt"
    strange.write_text("die Katze liegt auf dem Teppich\nein Hund sitzt dort\n" * 3)
    found = call("evaluate", strange, files[1], "--references", files[0], "--at", "0.5,1")
    assert found.code == 0, found
    last = found.err.splitlines()[-1]
    assert last.startswith("strange, temperature 0.5: 0% of the tokens of samples occur in the references, where real")
    assert "6 texts at each setting" in found.err


def test_two_systems_have_an_area_between_them(files: list[Path], call) -> None:
    real, cold, warm = files
    found = call("evaluate", cold, warm, warm, cold, "--references", real, "--at", "0.5,1")
    assert found.code == 0, found
    assert "reverse LM Kneser-Ney against LM Kneser-Ney" in found.out
    said = found.out.partition("reverse LM Kneser-Ney against LM Kneser-Ney (a curve below is better):\n")[2]
    assert re.match(r"  warm: (above|below) cold, area between the two curves \d\.\d+", said), found.out


def test_a_run_has_references_of_its_own(runs: Path, files: list[Path], call, tmp_path: Path) -> None:
    """Those of its test split. Mutants killed: those of another split; of one run for others of another corpus."""
    words = ("--temperature", "0.5,1", "--samples", 20)
    found = call("evaluate", runs / "text", *words)
    assert found.code == 0, found
    folder = RunFolder.existing(runs / "text")
    corpus = folder.read_corpus()
    file = tmp_path / "test.txt"
    file.write_text("".join(f"{corpus.vocabulary.decode(ids)}\n" for ids in corpus.test.lists(corpus.vocabulary.end)))
    assert call("evaluate", runs / "text", *words, "--references", file).out == found.out
    message = (
        f"the test splits of {runs / 'text'} and {runs / 'seqgan'} differ; give --references, a file of real texts"
    )
    assert call("evaluate", runs / "text", runs / "seqgan", *words) == (2, "", f"seqgans: {message}\n")
    message = "curves of files and models need --references, a file of real texts; a run has its own"
    assert call("evaluate", *files[1:], "--at", "0.5,1") == (2, "", f"seqgans: {message}\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "evaluate measures one target, got 2; for curves of several name temperatures (--temperature"),
        (("--at", "1,hot"), "--at must be numbers such as 0.7,1, got '1,hot'"),
        (("--at", "1,nan"), "--at must name different temperatures of at least 0, all finite, got 1.0, nan"),
        (("--at", "inf,1"), "--at must name different temperatures of at least 0, all finite, got inf, 1.0"),
        (("--at", "1,-2"), "--at must name different temperatures of at least 0, all finite, got 1.0, -2.0"),
        (("--at", " ,"), "--at must name at least one number, got ' ,'"),
        (("--at", "1,2", "--checkpoint", "best"), "--checkpoint is of runs, but there is none among "),
        (("--at", "1,2", "--metrics", "bleu"), "curves show BLEU-5, self-BLEU-5, lm_kn and reverse_lm_kn; leave"),
        (("--out", "page.html"), "--out is the page of curves; name temperatures as well"),
    ],
)
def test_what_is_wrong_is_one_line(words: tuple[str, ...], message: str, files: list[Path], call) -> None:
    """Mutants killed: temperatures that are compared with 0 alone, which nan is not below; a flag without a number."""
    real, cold, warm = files
    found = call("evaluate", cold, warm, "--references", real, *words)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith(f"seqgans: {message}")
    assert found.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--temperature", "1,nan"), "temperature must be a finite number of at least 0, got nan"),
        (("--temperature", "inf"), "temperature must be a finite number of at least 0, got inf"),
        (("--temperature", "-1"), "temperature must be a finite number of at least 0, got -1.0"),
        (("--temperature", ","), "--temperature must name at least one number, got ','"),
        (("--top-p", "0.5,nan"), "top_p must be above 0 and at most 1, got nan"),
        (("--top-p", "inf"), "top_p must be above 0 and at most 1, got inf"),
        (("--top-k", "5,-1"), "top_k must be at least 0 (0 keeps all tokens), got -1"),
        (("--top-k", "nan"), "--top-k must be numbers such as 5,50, got 'nan'"),
    ],
)
def test_knobs_that_a_run_cannot_be_drawn_with(words: tuple[str, ...], message: str, runs: Path, call) -> None:
    """Mutants killed: a flag without a number taken for the usual temperatures; any check of `Decoding` left out."""
    assert call("evaluate", runs / "text", *words) == (2, "", f"seqgans: {message}\n")
