"""Evaluate and compare through the command line: tables, JSON, a page, and what is refused."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from seqgans.evaluation import METRICS
from seqgans.training.folder import RunFolder

SMALL_WORDS = """--run.final_samples 60 --run.tensorboard false --run.device cpu --pretrain-epochs 1
--generator.embedding 4 --generator.hidden 4 --corpus.sequences 50"""
SMALL = SMALL_WORDS.split()


def test_a_run_is_measured_against_its_own_test_split(runs: Path, call) -> None:
    words = ("evaluate", runs / "likelihood-1", "--samples", 50, "--metrics", "nll_oracle,nll_gen,copies")
    found = call(*words)
    assert (found.code, found.err) == (0, "")
    assert [line.split("  ")[0].strip() for line in found.out.splitlines()[2:]] == [
        *("NLL oracle ↓", "NLL gen test ↓", "NLL gen train ↓", "copies", "real copies")
    ]
    document = json.loads(call(*words, "--json").out)
    assert set(document["figures"]) == {"nll_oracle", "nll_gen_test", "nll_gen_train", "copies", "real_copies"}
    assert document["settings"]["count"] == 50
    assert document["target"] == str(runs / "likelihood-1")


def test_what_cannot_be_measured_is_named_on_stderr(runs: Path, call) -> None:
    found = call("evaluate", runs / "likelihood-1", "--samples", 20)
    assert found.code == 0
    lines = found.err.splitlines()
    assert lines[0] == "not measured: exact_match, f1, answer_length (needs sources (what each reference answers))"
    assert any(line.startswith("not measured: lm_kn, reverse_lm_kn") and "the law of the" in line for line in lines)
    assert "not measured: music_mse, music_pitch, music_interval, music_duration (needs tokens that are notes)" in lines


def test_a_file_against_a_file(text_file: Path, call, tmp_path: Path) -> None:
    samples = tmp_path / "samples.txt"
    samples.write_text("the cat sleeps\nthe cat sleeps\nthe dragon flies\n")
    words = ("evaluate", samples, "--references", text_file, "--train", text_file)
    figures = json.loads(call(*words, "--metrics", "bleu, copies,duplicates", "--json").out)["figures"]
    assert figures["copies"]["value"] == pytest.approx(2 / 3)
    assert figures["duplicates"]["value"] == pytest.approx(1 / 3)
    assert 0 < figures["bleu_2"]["value"] < 1


def test_samples_in_other_tokens_are_warned_of(call, tmp_path: Path) -> None:
    samples, references = tmp_path / "samples.txt", tmp_path / "references.txt"
    references.write_text("the cat sleeps on the mat\nthe dog sits on the cat\na dog sleeps\n" * 5)
    samples.write_text("t h e c a t\nt h e d o g\n")
    words = ("evaluate", samples, "--references", references, "--metrics", "length")
    found = call(*words)
    assert found.code == 0
    assert found.err.startswith("warning: 8% of the tokens of samples occur in the references, where real ones share")
    assert found.err.count("\n") == 1
    samples.write_text("the cat sits on the dog\n")
    assert call(*words).err == ""


def test_an_oracle_scores_token_ids(call, tmp_path: Path) -> None:
    samples = tmp_path / "samples.txt"
    samples.write_text("0 1 2\n2 2 2\n")
    words = ("evaluate", samples, "--references", "world:skewed", "--metrics", "nll_oracle", "--json")
    figure = json.loads(call(*words).out)["figures"]["nll_oracle"]
    assert figure["count"] == 2
    assert 0 < figure["value"] < 10


METRIC_NAMES = ", ".join(sorted(METRICS))


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        ("0 1\n", (), "{file} is a file of samples, which needs --references, a file of real sequences or a spec"),
        (
            "0 1 2\n",
            ("--references", "world:skewed", "--metrics", "x"),
            f"no metric is called 'x'; choose one of: {METRIC_NAMES}",
        ),
        (
            "0 1 2\n0 1\n",
            ("--references", "world:skewed"),
            "line 2 of {file} must have 3 tokens, got 2",
        ),
        (
            "0 1 2\n",
            ("--references", "world:skewed", "--metrics", "copies"),
            "metric 'copies': needs the training sequences",
        ),
        (
            "\n \n",
            ("--references", "world:skewed"),
            "{file} must hold at least one line of text, but all are blank; give a file with text",
        ),
        (
            "a\n",
            ("--references", "{file}", "--tokens", "letters"),
            "--tokens must be words or characters, got 'letters'",
        ),
        ("a\n", ("--references", "{file}", "--samples", "1"), "the number of samples must be at least 2, got 1"),
    ],
)
def test_wrong_requests_to_evaluate(content: str, words: tuple[str, ...], message: str, call, tmp_path: Path) -> None:
    file = tmp_path / "samples.txt"
    file.write_text(content)
    found = call("evaluate", file, *(word.format(file=file) for word in words))
    assert found == (2, "", f"seqgans: {message.format(file=file)}\n")


def test_ids_beyond_the_oracle_and_missing_files(call, tmp_path: Path) -> None:
    file = tmp_path / "samples.txt"
    file.write_text("0 1 2\n0 1 3\n")
    found = call("evaluate", file, "--references", "world:skewed")
    assert found.code == 2
    assert found.err.startswith(f"seqgans: line 2 of {file}: ids must be among 0 ... 2, got '3'; ")
    gone = tmp_path / "gone.txt"
    message = f"evaluate needs a run's folder or a file of samples, but there is none at {gone}"
    assert call("evaluate", gone, "--references", "world:skewed") == (2, "", f"seqgans: {message}\n")


def test_runs_side_by_side(runs: Path, call, tmp_path: Path) -> None:
    folders = [runs / name for name in ("seqgan", "likelihood-1", "likelihood-2")]
    page = tmp_path / "page.html"
    found = call("compare", *folders, "--out", page)
    assert found.code == 0, found.err
    assert "likelihood (baseline)" in found.out
    assert found.err.startswith(f"wrote {page}\np-values against likelihood")
    html = page.read_text()
    assert html.lstrip().lower().startswith("<!doctype html>")
    assert "http://" not in html.replace("http://www.w3.org", "")
    document = json.loads(call("compare", *folders, "--json").out)
    assert document["baseline"] == "likelihood"
    assert [system["name"] for system in document["systems"]] == ["seqgan", "likelihood"]
    assert document["seeds"] == [1, 2]


def test_what_cannot_be_compared(runs: Path, call, tmp_path: Path) -> None:
    one = runs / "likelihood-1"
    cases = [
        ((one,), "compare needs the folders of at least 2 runs, got 1"),
        ((one, one), f"compare needs different runs, {one} is named twice"),
        ((), "DIR is missing; see seqgans compare --help"),
        (
            (one, tmp_path),
            f"{tmp_path} is not the folder of a run: it has no settings.yaml; name the --out of a train",
        ),
        (
            (one, runs / "seqgan", "--metrics", " ,"),
            "--metrics must name at least one metric, got ' ,'; see `seqgans list metrics`",
        ),
        ((one, runs / "seqgan", "--samples", 1), "the number of samples must be at least 2, got 1"),
        (
            (one, runs / "seqgan", "--out", "/nowhere/page.html"),
            "--out must be in a folder that exists, there is none at /nowhere",
        ),
    ]
    for words, message in cases:
        assert call("compare", *words) == (2, "", f"seqgans: {message}\n")
    message = "DIR|SAMPLES_FILE|MODEL is missing; see seqgans evaluate --help"
    assert call("evaluate") == (2, "", f"seqgans: {message}\n")
    assert call("score") == (2, "", "seqgans: DIR and FILE are missing; see seqgans score --help\n")
    assert call("export", one) == (2, "", "seqgans: --out is missing; see seqgans export --help\n")
    found = call("compare", one, runs / "text")
    assert found.code == 2
    assert found.err.startswith(f"seqgans: compare needs runs of one corpus, but {one} learnt from world:skewed and ")


def test_damaged_runs_are_refused_in_one_line(runs: Path, call, tmp_path: Path) -> None:
    """A checkpoint cut short, one of another vocabulary, a file that is missing: exit code 2, no traceback."""
    import shutil

    def damaged(name: str) -> Path:
        return Path(shutil.copytree(runs / "likelihood-1", tmp_path / name))

    cut = damaged("cut")
    tensors = next((cut / "checkpoints").glob("step-*")) / "tensors.safetensors"
    newest = sorted((cut / "checkpoints").glob("step-*"))[-1] / tensors.name
    newest.write_bytes(newest.read_bytes()[:-10])
    message = f"checkpoint {newest.parent} is damaged: "
    other = damaged("other")
    for folder in (other / "checkpoints").glob("step-*"):
        shutil.rmtree(folder)
    last = sorted((runs / "text" / "checkpoints").glob("step-*"))[-1]
    shutil.copytree(last, other / "checkpoints" / last.name)
    gone = damaged("gone")
    (gone / "vocabulary.json").unlink()
    settings = damaged("settings")
    (settings / "settings.yaml").write_text("algorithm: [")
    for path, start in (
        (cut, message),
        (other, f"the checkpoint in {other} does not fit its settings and vocabulary: "),
        (gone, ""),
        (settings, "settings must be YAML: "),
    ):
        for words in (("sample", path, "-n", 1), ("evaluate", path)):
            found = call(*words)
            assert found.code == 2, found
            assert found.out == ""
            assert found.err.startswith(f"seqgans: {start}")
            assert found.err.count("\n") == 1
            assert "internal error" not in found.err


def test_infinite_numbers_are_strict_json_and_come_back(call, tmp_path: Path) -> None:
    """A parrot never says most sequences, so that their NLL under its law is infinite.

    Mutants killed: a bare Infinity in a file or on stdout; a name that is read back as a text.
    """

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    words = ("--corpus", "world:parrot", "--run.best", "nll_oracle", *SMALL)
    runs = [tmp_path / name for name in ("one", "two")]
    for seed, run in enumerate(runs):
        assert call("train", "likelihood", *words, "--seed", seed, "--out", run).code == 0
        lines = [line for path in sorted(run.glob("*.jsonl")) for line in path.read_text().splitlines()]
        lines += [path.read_text() for path in sorted(run.rglob("*.json"))]
        for line in lines:
            json.loads(line, parse_constant=refuse)
        assert sum('"Infinity"' in line for line in lines) >= 2  # an event and the report
        stages = RunFolder.existing(run).read_json("report.json")["evaluations"]
        assert stages["final"]["nll_oracle"]["mean"] == math.inf
    found = json.loads(
        call("evaluate", runs[0], "--samples", 50, "--metrics", "nll_oracle", "--json").out, parse_constant=refuse
    )
    assert float(found["figures"]["nll_oracle"]["value"]) == math.inf
    table = call("compare", *runs)
    assert table.code == 0
    assert re.search(r"NLL oracle ↓ +∞", table.out)
    json.loads(call("compare", *runs, "--json").out, parse_constant=refuse)
