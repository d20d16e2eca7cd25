"""The words after `seqgans benchmark`."""

from __future__ import annotations

import pytest

from seqgans.verbs.suite_files import suite_names


def test_a_plan_says_what_would_run_and_does_nothing(call, tmp_path) -> None:
    found = call("benchmark", "oracle-40", "--out", tmp_path / "new", "--only", "maligan", "--seeds", "7", "--plan")
    assert found.code == 0, found
    runs = tmp_path / "new" / "runs"
    assert found.out.splitlines() == [
        f"{runs}/likelihood-7: likelihood on oracle, seed 7",
        f"{runs}/maligan-7: maligan on oracle, seed 7, from {runs}/likelihood-7:best",
        f"{runs}/maligan-control-7: maligan on oracle, seed 7, from {runs}/likelihood-7:best",
    ]
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("oracle-40",), "benchmark needs --out DIR, a folder for its runs"),
        (
            ("oracle", "--out", "x"),
            f"no suite is called 'oracle'; did you mean oracle-40? choose one of: {', '.join(suite_names())}",
        ),
        (("coco", "--out", "x"), "the suite coco needs --data FOLDER, a folder with image_coco.txt.gz"),
        (
            ("oracle-40", "--out", "x", "--seeds", "0,-1"),
            "--seeds must be whole numbers from 0 on, such as 0,1,2, got '-1'",
        ),
    ],
)
def test_what_is_wrong_is_one_line(words: tuple[str, ...], message: str, call) -> None:
    found = call("benchmark", *words)
    assert (found.code, found.out, found.err) == (2, "", f"seqgans: {message}\n")
