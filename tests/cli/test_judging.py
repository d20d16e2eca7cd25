"""Evaluate and compare through the command line: tables, JSON, a page, and what is refused."""

from __future__ import annotations

import json
import math
import re
import shlex
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
        ("a\n", ("--references", "{file}", "--samples", "1e3"), "samples must be a whole number, got '1e3'"),
        (
            "a\n",
            ("--references", "{file}", "--checkpoint", "best"),
            "--checkpoint is of runs, but there is none among {file}; leave it out",
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
        ((one,), "compare needs at least 2 runs or files of samples, got 1"),
        ((one, one), f"compare needs different runs and files, {one} is named twice"),
        ((), "DIR|SAMPLES_FILE is missing; see seqgans compare --help"),
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


def test_files_of_samples_stand_beside_runs(runs: Path, text_file: Path, call, tmp_path: Path) -> None:
    """Judged in the ids of the run, against its test split; no likelihoods; doubted where they are of another kind.

    Mutants killed: figures of a file on other references than the runs'; a file whose unknown words match each other;
    a file taken for generators before their game, whose samples are not shown; a warning that does not say of whom.
    """
    lines = text_file.read_text().splitlines()
    real, foreign, page = tmp_path / "real.txt", tmp_path / "foreign.txt", tmp_path / "page.html"
    real.write_text("\n".join(lines) + "\n")
    foreign.write_text("el gato duerme\nel perro corre\n" * 10)
    asked = call("compare", runs / "text", real, foreign, "--baseline", real, "--out", page, "--json")
    assert asked.code == 0, asked.err
    found = json.loads(asked.out)
    names = ["before the game", "seqgan", "real.txt", "foreign.txt"]
    assert [system["name"] for system in found["systems"]] == names
    figures = {system["name"]: system["figures"] for system in found["systems"]}
    assert figures["real.txt"]["bleu_2"]["mean"] > 0.3 > 0.1 > figures["foreign.txt"]["bleu_2"]["mean"]
    assert figures["real.txt"]["copies"]["mean"] > 0.5
    assert "nll_gen_test" in figures["seqgan"]
    assert not [name for name in figures["real.txt"] if "nll" in name]
    assert found["baseline"] == "real.txt"
    assert {test["kind"] for test in found["tests"]} == {"within-run"}
    assert f"real.txt: its first {len(lines)} sequences." in found["notes"]
    [doubt] = [note for note in found["notes"] if "cut into tokens alike" in note]
    assert doubt.startswith("foreign.txt: 0% of the tokens of samples occur in the references")
    samples = {system["name"]: system["samples"] for system in found["systems"]}
    assert [row["text"] for row in samples["real.txt"]] == lines[:5]
    assert samples["real.txt"][0]["nearest"]
    assert "el gato" in page.read_text()


def test_files_alone_need_references(call, tmp_path: Path) -> None:
    """And are read as words or characters.

    Mutants killed: the same references twice; one way to read all; a checkpoint of files taken in silence.
    """
    one, two, empty, test = (tmp_path / f"{name}.txt" for name in ("one", "two", "empty", "test"))
    one.write_text("a b c\nb c a\n" * 8)
    two.write_text("a b\nc b\n" * 8)
    test.write_text("a b c\nb c a\nc a b\n" * 5)
    empty.write_text("")
    asked = call("compare", one, two, "--references", test, "--json", "--out", tmp_path / "page.html")
    assert asked.code == 0, asked.err
    document = json.loads(asked.out)
    figures = {system["name"]: system["figures"] for system in document["systems"]}
    assert figures["one.txt"]["bleu_2"]["mean"] == pytest.approx(1.0)
    assert figures["two.txt"]["bleu_2"]["mean"] < 0.9
    assert document["seeds"] == []
    assert document["systems"][0]["samples"] == ["a b c", "b c a"] * 2 + ["a b c"]
    letters = json.loads(call("compare", one, two, "--references", test, "--json", "--tokens", "characters").out)
    assert letters["systems"][1]["figures"]["bleu_2"] != figures["two.txt"]["bleu_2"]
    assert letters["commands"][0].endswith(f"--references {test} --tokens characters")
    gone = tmp_path / "gone.txt"
    cases = [
        ((one, two), "compare needs --references FILE where there are files of samples alone, got none"),
        ((one, gone), f"compare needs runs' folders and files of samples, but there is none at {gone}"),
        ((one, empty, "--references", test), f"{empty} must hold at least one line, but it is empty; give a file with"),
        ((one, two, "--references", gone), f"{gone} must be a readable file, but: No such file or directory"),
        ((one, two, "--references", test, "--tokens", "bytes"), "--tokens must be words or characters, got 'bytes'"),
        (
            (one, two, "--references", test, "--checkpoint", "best"),
            f"--checkpoint is of runs, but there is none among {one}, {two}; leave it out\n",
        ),
    ]
    for words, message in cases:
        found = call("compare", *words)
        assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
        assert found.err.startswith(f"seqgans: {message}")


def test_names_with_blanks_can_be_typed_again(runs: Path, text_file: Path, call, tmp_path: Path) -> None:
    """Typed, it gives the same. Mutants killed: runs, files, references or the baseline not quoted, or quoted twice."""
    folder = tmp_path / "my runs"
    folder.mkdir()
    (folder / "a b").symlink_to(runs / "text")
    for name in ("it's real.txt", "g x.txt"):
        (folder / name).write_text(text_file.read_text())
    given = (folder / "a b", folder / "g x.txt", "--references", folder / "it's real.txt", "--samples", 20)
    words = ("compare", *given, "--baseline", folder / "g x.txt")
    found = call(*words, "--json")
    assert found.code == 0, found
    [typed] = json.loads(found.out)["commands"]
    assert shlex.split(typed) == ["seqgans", *map(str, words)]


def test_ids_beside_runs_of_a_world(runs: Path, call, tmp_path: Path) -> None:
    """The law of the world scores them. Kills: a file without the law; a symbol that does not exist taken for one."""
    ids, wrong = tmp_path / "ids.txt", tmp_path / "wrong.txt"
    rows = (runs / "seqgan" / "samples").glob("*.txt")
    ids.write_text(max(rows).read_text())
    wrong.write_text(ids.read_text().replace("0", "7"))
    document = json.loads(call("compare", runs / "seqgan", ids, "--json").out)
    figures = {system["name"]: system["figures"] for system in document["systems"]}
    assert "nll_oracle" in figures["ids.txt"]
    assert "nll_div" not in figures["ids.txt"]
    found = call("compare", runs / "seqgan", wrong)
    assert found.code == 2
    assert "ids must be among" in found.err
    found = call("compare", runs / "seqgan", ids, "--tokens", "characters")
    assert (found.code, found.err) == (
        2,
        "seqgans: --tokens and --lowercase are for files alone; runs say themselves how text is read\n",
    )


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
