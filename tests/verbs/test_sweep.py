"""Curves of runs, of plain models of transformers and of files of samples.

Mutants killed: a knob that is not handed on; files at the wrong temperatures; the baseline that is not the first; texts
of different writers numbered apart, so that nothing overlaps.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from seqgans.errors import BadInput
from seqgans.evaluation.overlap import bleu
from seqgans.generators.decoding import PLAIN, Decoding
from seqgans.verbs.evaluate import evaluate
from seqgans.verbs.sweep import sweep
from seqgans.verbs.writers import is_model, writer_of
from tests.generators.models import model_folder

WORDS = [f"w{number}" for number in range(1, 12)]


def text(seed: int, share: float, lines: int = 60) -> str:
    """Lines of a chain that goes on to the next word, or with probability `share` to any."""
    chance, found = random.Random(seed), []
    for _ in range(lines):
        place, words = chance.randrange(len(WORDS)), []
        for _ in range(chance.randrange(6, 10)):
            words.append(WORDS[place])
            place = chance.randrange(len(WORDS)) if chance.random() < share else (place + 1) % len(WORDS)
        found.append(" ".join(words))
    return "\n".join(found) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """References, files of samples at three temperatures of two systems, and a tiny random GPT-2."""
    path = tmp_path_factory.mktemp("sweep")
    (path / "real.txt").write_text(text(0, 0.2))
    for name, shift in (("near", 0.0), ("far", 0.3)):
        for place, share in enumerate((0.1, 0.25, 0.5)):
            (path / f"{name}-{place}.txt").write_text(text(place + 1, share + shift))
    model_folder(path / "gpt")
    return path


def test_files_one_temperature_each(folder: Path) -> None:
    files = [str(folder / f"{name}-{place}.txt") for name in ("near", "far") for place in range(3)]
    found = sweep(files, str(folder / "real.txt"), at=(0.5, 1.0, 1.5), count=40)
    assert [system["name"] for system in found["systems"]] == ["near", "far"]
    assert found["baseline"] == "near"
    rows = found["systems"][0]["sweep"]
    assert [row["temperature"] for row in rows] == [0.5, 1.0, 1.5]
    real = (folder / "real.txt").read_text().splitlines()
    samples = Path(files[1]).read_text().splitlines()[:40]
    ids = {word: number for number, word in enumerate(WORDS)}
    expected = bleu(
        *([[ids[word] for word in line.split()] for line in lines] for lines in (samples, real)), orders=(5,)
    )
    assert rows[1]["bleu_5"] == pytest.approx(expected["bleu_5"].value)
    assert rows[0]["bleu_5"] > rows[1]["bleu_5"] > rows[2]["bleu_5"]
    assert rows[0]["lm_kn"] < rows[1]["lm_kn"] < rows[2]["lm_kn"]
    assert [(plane["x"], list(plane["areas"])) for plane in found["planes"]] == [
        ("bleu_5", ["far"]),
        ("lm_kn", ["far"]),
    ]
    assert found["systems"][0]["samples"] == samples[:5]


def test_a_plain_model_beside_files(folder: Path) -> None:
    """Every knob is a curve that holds the law as it is, and two calls agree."""
    targets = [str(folder / "gpt"), str(folder / "near-1.txt")]
    how = {"temperatures": (0.5, 1.0), "top_ks": (2, 6), "top_ps": (0.6,), "at": (1.0,), "count": 24}
    found = sweep(targets, str(folder / "real.txt"), **how)
    assert [system["name"] for system in found["systems"]] == [
        "gpt by temperature",
        "gpt by top-k",
        "gpt by top-p",
        "near-1",
    ]
    rows = {system["name"]: system["sweep"] for system in found["systems"]}
    assert [row["temperature"] for row in rows["gpt by temperature"]] == [0.5, 1.0]
    assert [row.get("top_k") for row in rows["gpt by top-k"]] == [2, 6, None]
    assert [row.get("top_p") for row in rows["gpt by top-p"]] == [0.6, None]
    assert rows["gpt by top-k"][-1] == rows["gpt by top-p"][-1] == rows["gpt by temperature"][-1]
    two, six, whole = (row["self_bleu_5"] for row in rows["gpt by top-k"])
    assert two > six > whole
    assert sweep(targets, str(folder / "real.txt"), **how) == found


def test_a_run_of_ours_beside_a_model(runs: Path, folder: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.txt"
    real.write_text("0 1 2 0 1\n" * 5 + "2 1 0 0 1\n" * 5)
    found = sweep([str(runs / "likelihood-1"), str(folder / "gpt")], str(real), temperatures=(0.5, 1.0), count=20)
    assert [system["name"] for system in found["systems"]] == ["likelihood-1", "gpt"]
    assert set(found["systems"][0]["samples"][0].split()) <= set(map(str, range(20)))
    targets = f"{runs / 'likelihood-1'} {folder / 'gpt'}"
    typed = f"seqgans evaluate {targets} --references {real} --temperature 0.5,1.0 --samples 20"
    assert found["commands"] == [typed]
    usual = sweep([str(runs / "likelihood-1")], str(real), count=20)
    moved = usual["commands"][0].partition(" --temperature ")[2].split()[0]
    assert [float(number) for number in moved.split(",")] == [
        row["temperature"] for row in usual["systems"][0]["sweep"]
    ]


def test_a_model_writes_as_many_of_its_tokens_as_references_have(folder: Path) -> None:
    writer = writer_of(str(folder / "gpt"), ["w1 w2 w3"])
    texts = writer.write(PLAIN, 50)
    assert len(texts) == 50
    assert max(len(line.split()) for line in texts) == 4
    assert writer.write(Decoding(temperature=0.0), 3)[0] == writer.write(Decoding(temperature=0.0), 3)[1]
    assert writer.write(PLAIN, 50) == texts


def test_a_model_is_measured_as_its_texts_are(folder: Path) -> None:
    found = evaluate(folder / "gpt", str(folder / "real.txt"), metrics=["bleu", "duplicates"], count=30).flat()
    assert 0 < found["bleu_2"].value < 1
    assert 25 < found["duplicates"].count <= 30  # without those that are empty
    with pytest.raises(BadInput, match="is a model, whose texts need --references, a file of real ones"):
        evaluate(folder / "gpt", "world:markov")


def test_what_is_a_model(folder: Path, runs: Path) -> None:
    assert is_model(str(folder / "gpt"))
    assert is_model("hf:distilgpt2")
    assert is_model("small.gguf")
    assert not is_model(str(runs / "likelihood-1"))
    assert not is_model(str(folder / "real.txt"))


@pytest.mark.parametrize(
    ("targets", "how", "message"),
    [
        (["near-0.txt"], {}, "--at must name the temperatures at which files of samples were drawn, got 1 files and 0"),
        (["near-0.txt", "near-1.txt", "far-0.txt"], {"at": (0.5, 1.0)}, "as many files or a multiple, got 3"),
        (["near-0.txt", "near-1.txt"], {"at": (1.0, 1.0)}, "--at must name different temperatures of at least 0"),
        (["gpt"], {"top_ps": (1.5,)}, "top_p must be above 0 and at most 1, got 1.5"),
        (
            ["gone.txt"],
            {"at": (1.0,)},
            "evaluate needs a run's folder, a model or a file of samples, but there is none",
        ),
        (["gpt"], {"count": 1}, "the number of samples must be at least 2, got 1"),
    ],
)
def test_what_cannot_be_swept_is_said(folder: Path, targets: list[str], how: dict, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        sweep([str(folder / name) for name in targets], str(folder / "real.txt"), **how)
    assert message in str(refused.value)


def test_texts_without_a_token_are_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("w1 w2\n")
    with pytest.raises(BadInput, match=r"one, temperature 1: at least 2 of 1 texts must hold a token, got 1"):
        sweep([str(tmp_path / "one.txt")], str(folder / "real.txt"), at=(1.0,))
