"""From a table of pairs to answers and figures, through the command line.

Mutants killed: a generator sampled without the sources it was asked about, answers to the sources in another order, a
discriminator that does not see the source, a source that jsonl leaves out.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqgans.__main__ import run
from tests.cli.conftest import Call

COLOURS = ("red", "blue", "green", "black")
SMALL_WORDS = """--corpus.text 1 --corpus.source 0 --corpus.valid 0.1 --corpus.test 0.1 --run.device cpu
--run.tensorboard false --run.final_samples 50 --run.eval_samples 20 --run.eval_every 0 --generator.name seq2seq
--generator.hidden 16 --generator.layers 1 --generator.dropout 0 --pretrain-epochs 60 --algorithm.pretrain_rate 0.02"""
GAME_WORDS = """--rounds 1 --algorithm.discriminator_steps 1 --algorithm.discriminator_epochs 1 --algorithm.rollouts 1
--algorithm.discriminator_pretrain_steps 12 --algorithm.batch 8 --algorithm.generator_rate 0.0001
--algorithm.discriminator_rate 0.01 --algorithm.discriminator_examples 60 --discriminator.widths [1,2,3]
--discriminator.maps [8,8,8] --discriminator.embedding 8"""
SMALL, GAME = SMALL_WORDS.split(), GAME_WORDS.split()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What colour is a thing? It is said in the question."""
    path = tmp_path_factory.mktemp("pairs") / "colours.tsv"
    rows = [f"the {thing} is {colour}\t{colour} it is" for colour in COLOURS for thing in ("car", "hat", "door")]
    path.write_text("\n".join(rows * 6) + "\n")
    return path


@pytest.fixture(scope="module")
def answering(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of SeqGAN that has learnt to answer."""
    folder = tmp_path_factory.mktemp("answering") / "run"
    assert run(["train", "seqgan", "--corpus", str(table), *SMALL, *GAME, "--out", str(folder)]) == 0
    return folder


def test_answers_to_a_file_of_sources(answering: Path, tmp_path: Path, call: Call) -> None:
    asked = tmp_path / "asked.txt"
    lines = [f"the hat is {colour}" for colour in COLOURS]
    asked.write_text("\n".join(lines))
    found = call("sample", answering, "--source", asked, "--temperature", 0)
    assert (found.code, found.out.splitlines()) == (0, [f"{colour} it is" for colour in COLOURS])
    found = call("sample", answering, "--source", asked, "-n", 6, "--temperature", 0, "--format", "jsonl")
    rows = [json.loads(line) for line in found.out.splitlines()]
    assert [row["source"] for row in rows] == [*lines, *lines[:2]]
    assert [row["text"].split()[0] for row in rows] == [*COLOURS, *COLOURS[:2]]
    scored = tmp_path / "answers.jsonl"
    scored.write_text(found.out)
    back = call("score", answering, scored, "--json")  # what sample wrote is what score reads
    assert [(line["source"], line["text"]) for line in json.loads(back.out)["lines"]] == [
        (row["source"], row["text"]) for row in rows
    ]


def test_answers_to_test_sources(answering: Path, call: Call) -> None:
    found = call("sample", answering, "-n", 5, "--format", "jsonl", "--temperature", 0)
    rows = [json.loads(line) for line in found.out.splitlines()]
    assert len(rows) == 5
    assert all(row["source"].split()[3] == row["text"].split()[0] for row in rows)
    kept = sorted((answering / "samples").glob("*.txt"))[-1].read_text().splitlines()
    assert all(len(line.split("\t")) == 2 for line in kept)


def test_the_discriminator_sees_the_pair(answering: Path, tmp_path: Path, call: Call) -> None:
    pairs = tmp_path / "pairs.tsv"
    rows = [f"the car is {one}\t{other} it is" for one in COLOURS for other in COLOURS]
    pairs.write_text("\n".join(rows))
    found = call("score", answering, pairs)
    assert found.code == 0
    scores = [line.partition("\t") for line in found.out.splitlines()]
    assert [line for _, _, line in scores] == rows
    assert len({score for score, _, _ in scores}) == len(rows)  # one response, four sources: four scores


def test_figures_of_answers(answering: Path, call: Call) -> None:
    found = json.loads(call("evaluate", answering, "--json", "--metrics", "exact_match,f1,answer_length,nll_gen").out)
    figures = {name: figure["value"] for name, figure in found["figures"].items()}
    assert figures["exact_match"] == figures["f1"] == 1
    assert figures["answer_length"] == figures["real_answer_length"] == 3
    assert figures["nll_gen_test"] < 0.3


def test_one_line_for_each_mistake(answering: Path, table: Path, tmp_path: Path, call: Call, text_file: Path) -> None:
    blank = tmp_path / "blank.txt"
    blank.write_text("the car is red\n\nthe hat is blue\n")
    plain = tmp_path / "plain"
    words = ("--pretrain-epochs", 1, "--run.final_samples", 10, "--run.tensorboard", "false", "--generator.hidden", 4)
    assert call("train", "likelihood", "--corpus", text_file, *words, "--out", plain).code == 0
    pairs = ("--corpus", table, "--corpus.text", 1, "--corpus.source", 0, "--out", tmp_path / "new")
    for call_words, said in (
        (("sample", answering, "--source", blank), "must hold a source in every row, but row 2 holds none"),
        (("sample", answering, "--source", tmp_path / "none.txt"), "there is none at"),
        (("sample", answering), "sample needs -n N"),
        (("sample", plain, "--source", blank), "--source needs a generator that answers"),
        (("score", answering, text_file), "must hold SOURCE<TAB>RESPONSE in every line, but line 1 has 1 parts"),
        (("fill", answering, blank), "learnt to answer sources, not to fill in blanks"),
        (("evaluate", answering, "--references", text_file), "is measured on its own splits"),
        (("train", "seqgan", *pairs), "choose --generator.name seq2seq"),
        (("train", "relgan", *pairs), "has sources to answer, but relgan gives its generator none; choose one of"),
    ):
        found = call(*call_words)
        assert found.code == 2, said
        assert said in found.err.splitlines()[-1]
    assert not (tmp_path / "new").exists()
