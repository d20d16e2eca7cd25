"""List, sample and score through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqgans.algorithms import ALGORITHMS
from seqgans.cli.verbs import as_lines
from seqgans.data import WORLDS, write_midi
from seqgans.data.midi import read_notes
from seqgans.verbs.listing import KINDS, list_all
from seqgans.verbs.suite_files import suite_names


def test_samples_that_hold_line_breaks_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(as_lines(["a b", ""])) == ["a b\n", "\n"]
    assert capsys.readouterr().err == ""
    assert list(as_lines(["a\nb", "c", "\n"])) == ["a\nb\n", "c\n", "\n\n"]
    assert capsys.readouterr().err == "2 samples hold line breaks; --format jsonl keeps each on one line\n"


def test_list_has_one_line_for_each_thing(call) -> None:
    assert len(call("list").out.splitlines()) == len(list_all())
    lines = call("list", "algorithms").out.splitlines()
    assert [line.split()[0] for line in lines] == list(ALGORITHMS)
    assert next(line for line in lines if line.startswith("seqgan")).endswith("(Yu, Zhang, Wang and Yu 2017)")
    worlds = [line.split()[0] for line in call("list", "corpora").out.splitlines()]
    assert {f"world:{name}" for name in WORLDS} <= set(worlds)
    assert [entry["name"] for entry in json.loads(call("list", "metrics", "--json").out)] == [
        entry.name for entry in KINDS["metrics"]()
    ]
    bleu = next(entry for entry in json.loads(call("list", "metrics", "--json").out) if entry["name"] == "bleu")
    assert bleu["facts"]["needs"] == "samples, references"
    assert bleu["facts"]["better"] == "higher"
    assert set(bleu["facts"]) == {"needs", "unit", "better", "sizes", "floor"}


def test_every_entry_says_what_it_is_and_where_from() -> None:
    for entry in list_all():
        assert entry.description
        if entry.kind in ("algorithms", "generators", "discriminators"):
            assert entry.source.rstrip("0123456789") != entry.source, f"{entry.name} has no year"


def test_recipes_and_suites_are_listed_by_the_names_that_calls_take(call) -> None:
    """Mutants killed: settings of another program among the recipes; a first line that keeps its # or stops mid-way."""
    recipes = {entry["name"]: entry["description"] for entry in json.loads(call("list", "recipes", "--json").out)}
    assert recipes["seqgan/oracle40"] == (
        "SeqGAN on an oracle of length 40 (Guo et al. 2018, Table 1: NLL_oracle 10.310; SeqGAN's own paper has length "
        "20 alone)"
    )
    assert recipes["catgan/oracle20"].endswith("with a limit of 1 the temperature …")
    assert {name.partition("/")[0] for name in recipes} <= set(ALGORITHMS)
    for name in ("seqgan/short", "relgan/toy"):
        assert call("train", "--config", name, "--corpus", "world:copy", "--print-config").code == 0
    suites = call("list", "suites").out.splitlines()
    assert [line.split()[0] for line in suites] == suite_names()
    assert "oracle-40   A fresh oracle, length 40" in suites


def test_list_of_nothing_known(call) -> None:
    kinds = "algorithms, corpora, discriminators, generators, metrics, recipes, suites"
    message = f"no list is called 'nonsense'; choose one of: {kinds}"
    assert call("list", "nonsense") == (2, "", f"seqgans: {message}\n")


def test_formats_show_the_same_samples(runs: Path, call) -> None:
    text = call("sample", runs / "text", "-n", 4).out.splitlines()
    ids = [
        list(map(int, line.split()))
        for line in call("sample", runs / "text", "-n", 4, "--format", "ids").out.split("\n")
    ]
    rows = [
        json.loads(line) for line in call("sample", runs / "text", "--count=4", "--format", "jsonl").out.splitlines()
    ]
    assert len(text) == 4
    assert [row["text"] for row in rows] == text
    assert [row["ids"] for row in rows] == ids[:4]


def test_seed_and_temperature_reach_the_generator(runs: Path, call) -> None:
    def sampled(*words: object) -> list[str]:
        found = call("sample", runs / "likelihood-1", "-n", 20, *words)
        assert (found.code, found.err) == (0, "")
        return found.out.splitlines()

    assert sampled("--seed", 1) == sampled("--seed", 1) != sampled("--seed", 2)
    assert len(set(sampled("--temperature", 0))) == 1
    assert sampled("--top-k", 1) == sampled("--top_k", 1) == sampled("--temperature", 0)


@pytest.mark.parametrize("words", [(), ("--temperature", 1.5, "--top-k", 8), ("--top-p", 0.99)])
def test_unknown_words_are_only_sampled_on_request(words: tuple[object, ...], runs: Path, call) -> None:
    """After two epochs every symbol is about equally likely, <unk> among them."""
    asked = ("sample", runs / "text", "-n", 100, *words)
    assert "<unk>" not in call(*asked).out
    assert "<end>" not in call(*asked, "--unknown").out
    assert words or "<unk>" in call(*asked, "--unknown").out


def test_a_file_of_samples_is_what_stdout_would_show(runs: Path, call, tmp_path: Path) -> None:
    shown = call("sample", runs / "text", "-n", 3).out
    file = tmp_path / "samples.txt"
    found = call("sample", runs / "text", "-n", 3, "--out", file)
    assert found == (0, "", f"wrote 3 samples to {file}\n")
    assert file.read_text() == shown
    assert list(tmp_path.iterdir()) == [file]


def test_tunes_are_midi_files_that_play(call, tmp_path: Path) -> None:
    tunes, run = tmp_path / "tunes", tmp_path / "run"
    tunes.mkdir()
    for number in range(6):
        write_midi([39 + (number + place) % 12 for place in range(16)], tunes / f"{number}.mid")
    words = "--corpus.length 8 --corpus.valid 0.2 --corpus.test 0.2 --run.final_samples 20 --run.tensorboard false"
    settings = [*words.split(), "--corpus", tunes, "--pretrain-epochs", 1]
    found = call("train", "likelihood", *settings, "--out", run)
    assert found.code == 0, found.err
    out = tmp_path / "out"
    assert call("sample", run, "-n", 2, "--format", "midi", "--out", out) == (0, "", f"wrote 2 tunes to {out}\n")
    assert [path.name for path in sorted(out.iterdir())] == ["sample-0001.mid", "sample-0002.mid"]
    ids = [int(word) for word in call("sample", run, "-n", 1, "--format", "ids").out.split()]
    notes = read_notes((out / "sample-0001.mid").read_bytes())
    assert notes[0].pitch == ids[0] + 21
    assert notes[-1].stop == pytest.approx(8 * 0.4)
    message = "--format midi needs --out DIR, a folder for the files"
    assert call("sample", run, "-n", 2, "--format", "midi") == (2, "", f"seqgans: {message}\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-n", 0), "the number of samples must be at least 1, got 0"),
        ((), "sample needs -n N, the number of samples"),
        (("-n", "many"), "count must be a whole number, got 'many'"),
        (("-n", "1e3"), "count must be a whole number, got '1e3'"),
        (("--count=1_0.50",), "count must be a whole number, got '1_0.50'"),
        (("-n", 1, "--count", 2), "--count must be given once, got it 2 times; see seqgans sample --help"),
        (("-n", 1, "--seed=1", "--seed", 1), "--seed must be given once, got it 2 times; see seqgans sample --help"),
        (
            ("-n", 1, "--top_k", 2, "--top-k", 3),
            "--top-k must be given once, got it 2 times; see seqgans sample --help",
        ),
        (("-n", 1, "--temperature", -1), "temperature must be a finite number of at least 0, got -1.0"),
        (("-n", 1, "--temperature", "nan"), "temperature must be a number, got 'nan'"),
        (("-n", 1, "--top-k", -2), "top_k must be at least 0 (0 keeps all tokens), got -2"),
        (("-n", 1, "--top-p", 0), "top_p must be above 0 and at most 1, got 0.0"),
        (("-n", 1, "--seed", -3), "seed must be at least 0, got -3"),
        (("-n", 1, "--format", "wav"), "no format is called 'wav'; choose one of: ids, jsonl, midi, text"),
        (
            ("-n", 1, "--format", "midi", "--out", "x"),
            "--format midi needs a run on music, but this one learnt from world:skewed; take text, ids or jsonl",
        ),
        (("-n", 1, "--out", "/"), "--out must be a file, / is a folder; name a file in it"),
        (("-n", 1, "--out", "/nowhere/x"), "--out must be in a folder that exists, there is none at /nowhere"),
        (
            ("-n", 1, "--temp", 3),
            "no setting is called --temp; did you mean --temperature? see seqgans sample --help",
        ),
    ],
)
def test_wrong_requests_for_samples(words: tuple[object, ...], message: str, runs: Path, call) -> None:
    """Mutants killed: a number shown as Python reads it; the last of two equal flags taken, under any of its names."""
    assert call("sample", runs / "likelihood-1", *words) == (2, "", f"seqgans: {message}\n")


def test_a_checkpoint_that_is_not_there(runs: Path, call) -> None:
    found = call("sample", runs / "likelihood-1", "-n", 1, "--checkpoint", "pretrained")
    assert found.code == 2
    assert found.err.startswith(f"seqgans: {runs / 'likelihood-1'} has no checkpoint called 'pretrained'; it has ")


def test_scores_stand_beside_their_lines(runs: Path, text_file: Path, call, tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("the cat sleeps\n\na dog runs and eats\na dog runs and eats and sleeps and more\n")
    found = call("score", runs / "text", file)
    assert found.code == 0
    probabilities, lines = zip(*(line.split("\t") for line in found.out.splitlines()), strict=True)
    assert list(lines) == file.read_text().splitlines()
    assert probabilities[1] == "-"
    assert all(0 < float(probabilities[place]) < 1 for place in (0, 2, 3))
    assert found.err == "line 2: blank\nline 4: cut from 9 to 5 tokens\n"
    rows = json.loads(call("score", runs / "text", file, "--json").out)["lines"]
    assert [row["probability"] is None for row in rows] == [False, True, False, False]
    assert rows[0]["probability"] == pytest.approx(float(probabilities[0]), abs=1e-6)


def test_what_cannot_be_scored(runs: Path, call, tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("0 1 2\n0 9 2\n")
    run = runs / "likelihood-1"
    message = (
        f"score needs a discriminator, but {run} was trained by likelihood, which has none; name a run of an "
        "adversarial algorithm"
    )
    assert call("score", run, file) == (2, "", f"seqgans: {message}\n")
    found = call("score", runs / "seqgan", file)
    assert found.code == 2
    assert found.err.startswith("seqgans: line 2: ids must be among 0 ... 2, got '9'; ")
    assert call("score", run) == (2, "", "seqgans: FILE is missing; see seqgans score --help\n")
    found = call("score", runs / "seqgan", tmp_path / "nowhere.txt")
    assert found.code == 2
    assert "there is none at" in found.err
