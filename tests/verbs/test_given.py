"""Texts handed over as lists are measured as those of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqgans.data import WORLDS, CorpusSettings
from seqgans.errors import BadInput
from seqgans.randomness import generator_for
from seqgans.verbs.evaluate import evaluate
from seqgans.verbs.given import checked_texts
from seqgans.verbs.loading import load_run

SAMPLES = ["the moon over sand", "rain on the hill", "", "the moon over sand", "snow on wood"]
REAL = ["the moon over snow", "rain on the lake", "sand on the hill"]
LEARNT = ["the moon over sand", "a hill"]
NAMES = ["bleu", "copies", "duplicates"]


def written(folder: Path, name: str, texts: list[str]) -> Path:
    file = folder / name
    file.write_text("\n".join(texts), encoding="utf-8")
    return file


def test_lists_are_measured_as_files_are(tmp_path: Path) -> None:
    files = [written(tmp_path, f"{n}.txt", texts) for n, texts in enumerate((SAMPLES, REAL, LEARNT))]
    expected = evaluate(files[0], str(files[1]), str(files[2]), NAMES).flat()
    assert evaluate(SAMPLES, REAL, LEARNT, NAMES).flat() == expected
    assert evaluate(tuple(SAMPLES), str(files[1]), LEARNT, NAMES).flat() == expected
    assert evaluate(files[0], REAL, files[2], NAMES).flat() == expected
    assert expected["copies"].value == pytest.approx(0.5)
    assert evaluate(SAMPLES, REAL, LEARNT, NAMES, count=2).flat()["duplicates"].value == 0


def test_a_list_beside_a_law(tmp_path: Path) -> None:
    world = WORLDS["markov"]
    texts = [" ".join(map(str, row)) for row in world.sample(20, generator_for(0, "test")).tolist()]
    file = written(tmp_path, "samples.txt", texts)
    expected = evaluate(file, "world:markov", metrics=["nll_oracle"]).flat()
    assert evaluate(texts, "world:markov", metrics=["nll_oracle"]).flat() == expected
    with pytest.raises(BadInput, match=r"^line 2 of the list must have 12 tokens, got 1$"):
        evaluate([texts[0], "3"], "world:markov", metrics=["nll_oracle"])


def test_a_run_beside_lists(runs: Path, tmp_path: Path) -> None:
    run = load_run(runs / "likelihood-1")
    rows = [" ".join(map(str, row)) for row in run.corpus.train.tokens[:7].tolist()]
    file = written(tmp_path, "references.txt", rows)
    expected = evaluate(runs / "likelihood-1", str(file), str(file), metrics=["nll_gen", "copies"], count=50).flat()
    assert evaluate(runs / "likelihood-1", rows, rows, metrics=["nll_gen", "copies"], count=50).flat() == expected
    with pytest.raises(BadInput, match=r"^the list must have lines this run can read, but of 1 lines 0 are blank"):
        evaluate(runs / "likelihood-1", ["1 2"], count=10)


@pytest.mark.parametrize(
    ("samples", "references", "reading", "said"),
    [
        (["", " "], REAL, CorpusSettings(), "the list must hold at least one sequence, but all are blank"),
        (SAMPLES, [], CorpusSettings(), "the list must hold at least one sequence, but all are blank"),
        (SAMPLES, None, CorpusSettings(), "the list is one of samples, which needs --references, a file of real"),
        (SAMPLES, REAL, CorpusSettings(label="kind"), "labels stand in files, a list has none"),
    ],
)
def test_lists_that_cannot_be_measured_are_refused(
    samples: list[str], references: list[str] | None, reading: CorpusSettings, said: str
) -> None:
    with pytest.raises(BadInput) as refused:
        evaluate(samples, references, metrics=["bleu"], reading=reading)
    assert str(refused.value).startswith(said)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(BadInput, match=r"^each sequence must be text, got 3$"):
        checked_texts(["moon", 3], "sequence")
    with pytest.raises(BadInput, match=r"^texts must be a list of them, or the path of a file, got 3$"):
        checked_texts(3, "sequence")
