"""Evaluate: against the exact law of a world, and against files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqgans.data import WORLDS, CorpusSettings
from seqgans.data.kinds import is_law
from seqgans.errors import BadInput
from seqgans.randomness import generator_for
from seqgans.verbs.evaluate import evaluate, is_text
from seqgans.verbs.loading import load_run


def test_samples_of_a_world_have_its_exact_likelihood(tmp_path: Path) -> None:
    world = WORLDS["markov"]
    tokens = world.sample(50, generator_for(0, "test"))
    file = tmp_path / "samples.txt"
    file.write_text("\n".join(" ".join(map(str, row)) for row in tokens.tolist()))
    found = evaluate(file, "world:markov", metrics=["nll_oracle"]).flat()["nll_oracle"]
    assert found.value == pytest.approx(-world.log_probs(tokens).double().mean().item(), rel=1e-5)


def test_a_run_is_measured_on_its_test_split_unless_another_is_named(runs: Path, tmp_path: Path) -> None:
    run = load_run(runs / "likelihood-1")
    with torch.no_grad():
        expected = -run.players.generator.log_probs(run.corpus.test.tokens).double().mean().item()
    own = evaluate(runs / "likelihood-1", metrics=["nll_gen"], count=2000).flat()
    assert own["nll_gen_test"].value == pytest.approx(expected, rel=1e-5)
    file = tmp_path / "references.txt"
    file.write_text("\n".join(" ".join(map(str, row)) for row in run.corpus.train.tokens[:7].tolist()))
    named = evaluate(runs / "likelihood-1", str(file), metrics=["nll_gen"], count=2000).flat()
    assert named["nll_gen_test"].count == 7
    assert named["nll_gen_test"].value != pytest.approx(expected, rel=1e-5)


def test_references_a_run_cannot_read(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(
        BadInput,
        match="world:copy has 4 ids and sequences of 8 tokens, but the run learnt from world:markov with 20 and 12",
    ):
        evaluate(runs / "likelihood-1", "world:copy", count=10)
    file = tmp_path / "references.txt"
    file.write_text("1 2\n")
    with pytest.raises(BadInput, match="must have lines this run can read, but of 1 lines 0 are blank, 0 longer and 1"):
        evaluate(runs / "likelihood-1", str(file), count=10)


def test_case_and_characters_are_choices(tmp_path: Path) -> None:
    samples, references = tmp_path / "samples.txt", tmp_path / "references.txt"
    samples.write_text("AB\nCD\n")
    references.write_text("ab\ncd\n")

    def copies(reading: CorpusSettings) -> float:
        return evaluate(samples, str(references), str(references), ["copies"], reading=reading).flat()["copies"].value

    assert copies(CorpusSettings()) == 0
    assert copies(CorpusSettings(lowercase=True)) == 1
    words, letters = (
        evaluate(samples, str(references), metrics=["length"], reading=CorpusSettings(tokens=kind)).flat()["length"]
        for kind in ("words", "characters")
    )
    assert (words.value, letters.value) == (1, 2)


def test_specs_are_told_from_files(tmp_path: Path) -> None:
    assert all(map(is_law, ("oracle", "oracle:x.safetensors", "world:copy")))
    assert not any(map(is_law, ("oracles.txt", "hf:imdb", "worlds")))
    file = tmp_path / "samples"
    file.write_text("a\n")
    assert is_text(str(file))
    assert is_text("missing.txt")
    assert not is_text(str(tmp_path))
    assert not is_text("tunes.tar.gz")


@pytest.mark.parametrize("kind", ["text", "table", "labelled", "spec"])
def test_the_first_samples_of_a_file_are_all_that_is_measured(kind: str, tmp_path: Path) -> None:
    """Mutants killed: the number left out of any way to read a file; as many samples of a whole file by default."""
    rows = [["0 1 2", "2 1 0", "1 1 0"], ["2 2 2", "0 0 0", "1 2 1"]]
    first, later = ([row for _ in range(10) for row in some] for some in rows)
    heads, spec = ["text"] if kind == "table" else [], "world:skewed" if kind == "spec" else None
    labels = "a\t" if kind == "labelled" else ""
    reading = CorpusSettings(label="label") if kind == "labelled" else CorpusSettings()
    ending = "csv" if kind == "table" else "txt"

    def figures(samples: list[str], count: int | None) -> dict[str, float]:
        files = {"samples": samples, "real": ["0 1 2", "0 0 1", "1 2 2", "2 0 1"] * 5}
        for name, some in files.items():
            lines = [*heads, *(f"{labels}{line}" for line in some)]
            (tmp_path / f"{name}.{ending}").write_text("\n".join(lines) + "\n")
        file, real = (tmp_path / f"{name}.{ending}" for name in files)
        names = ["bleu", "self_bleu", "distinct", "duplicates", "length", "lm_kn"]
        found = evaluate(file, spec or str(real), metrics=names, count=count, reading=reading).flat()
        return {name: figure.value for name, figure in found.items() if "real" not in name}

    assert figures(first + later, len(first)) == figures(first, len(first)) == figures(first, None)
    assert figures(first + later, None) != figures(first, None)
