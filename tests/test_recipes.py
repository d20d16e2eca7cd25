"""Every recipe that comes with the library: its settings exist, survive YAML, and fit a corpus of its kind.

The corpora are tiny and made here; the networks have the sizes of the recipe, and parameters that nobody draws. Mutants
killed: a setting that is misspelt or of another type, widths and maps of unequal number, a schedule or an option that
contradicts, a player that the algorithm cannot use, features that do not fit codes, a path of somebody's machine, a
comment that names a lost file.
"""

from __future__ import annotations

import dataclasses
import functools
import gzip
import json
import math
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.music import write_midi
from seqgans.data.open import WORLD, open_text_corpus
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.training.build import ORACLE, build_players
from seqgans.training.mapping import mapping_of, merged
from seqgans.training.recipe import PRETRAINED, Recipe
from seqgans.verbs.train import train

ROOT = Path(__file__).parents[1]
FILES = {
    f"{path.parent.name}/{path.stem}": path
    for path in sorted((ROOT / "recipes").glob("*/*.yaml"))
    if path.parent.name != "accelerate"  # settings of another program
}
YOURS = {"corpus": {"spec": "lines.txt"}}
"""The corpus of recipes that name none."""

SHORT = [name for name in FILES if name.endswith("/short")]
"""Those for a corpus of one's own."""

SYMBOLS = {"words": "abcdefghijklmno", "characters": "春眠不觉晓处闻啼鸟夜来风雨声"}
ROWS = 48  # enough for every least count of a word
USUAL = 8  # tokens of a line where a recipe bounds none


@functools.cache
def recipe_of(name: str) -> Recipe:
    return Recipe.of(merged(YOURS, mapping_of(FILES[name].read_text())))


@pytest.fixture(params=FILES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_settings_exist_and_survive_yaml(name: str) -> None:
    recipe = recipe_of(name)
    assert recipe.algorithm == FILES[name].parent.name
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe
    schedule = recipe.played.schedule()
    assert recipe.algorithm == "random" or schedule.before or schedule.round


def test_the_first_line_says_what_it_is_for(name: str) -> None:
    text = FILES[name].read_text()
    first, *rest = text.splitlines()
    assert first.startswith("# ")
    assert len(first.split()) > 8
    assert rest
    assert "/" not in recipe_of(name).corpus  # a file's name alone: folders are those of whoever runs it
    for mentioned in re.findall(r"recipes/\S+?\.yaml", text):
        assert (ROOT / mentioned).is_file(), mentioned


def test_no_two_begin_alike() -> None:
    assert len({path.read_text().splitlines()[0] for path in FILES.values()}) == len(FILES)


def test_players_fit_a_corpus_of_the_kind(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipe_of(name)
    if PRETRAINED in (recipe.generator, recipe.discriminator):
        pytest.skip(
            "its players come out of a pre-trained model, which --model names; tests of such models have their own"
        )
    corpus = corpus_of(recipe, tmp_path)
    assert corpus.source_width or recipe.corpus_settings.source is None
    assert corpus.categories or recipe.corpus_settings.label is None
    for drawing in ("normal_", "uniform_"):  # most of the time of building
        monkeypatch.setattr(torch.Tensor, drawing, lambda tensor, *_, **__: tensor)
    monkeypatch.setattr(torch.nn.init, "trunc_normal_", lambda tensor, *_, **__: tensor)
    players = dict(build_players(recipe, corpus, 0).named_children())
    assert "generator" in players
    assert ("discriminator" in players) == (recipe.discriminator is not None)


def corpus_of(recipe: Recipe, folder: Path) -> Corpus:
    """A tiny corpus of the kind and with the settings that a recipe names."""
    spec, settings = recipe.corpus, dataclasses.replace(recipe.corpus_settings, sequences=ROWS)
    if spec.partition(":")[0] == ORACLE:
        return small_oracle(settings.length or 20)
    if spec.startswith(WORLD):
        return open_text_corpus(spec, settings, 0)
    writers: dict[str, Callable[[Path, CorpusSettings], None]] = {
        ".tar.gz": write_tunes,
        ".json.gz": write_questions,
        ".parquet": write_parquet,
        ".tsv": write_table,
        ".tsv.gz": write_table,
        ".txt": write_lines,
        ".txt.gz": write_lines,
    }
    fitting = dataclasses.replace(settings, sequences=CorpusSettings().sequences)  # which files have no use for
    writers["".join(Path(spec).suffixes)](folder / spec, fitting)
    return open_text_corpus(str(folder / spec), fitting, 0)


@functools.cache
def small_oracle(length: int) -> Corpus:
    return oracle_corpus(fresh_oracle(20, 0), CorpusSettings(length=length, sequences=ROWS), 0)


def lines(settings: CorpusSettings) -> list[str]:
    """Texts of the greatest length, every other of half of it unless they are poems, whose lines are all alike."""
    symbols, longest = SYMBOLS[settings.tokens], settings.length or USUAL
    sizes = [longest if settings.tokens == "characters" or row % 2 else longest // 2 for row in range(ROWS)]
    joint = "" if settings.tokens == "characters" else " "
    return [
        joint.join(symbols[(row + 2 * place) % len(symbols)] for place in range(size)) for row, size in enumerate(sizes)
    ]


def write(path: Path, text: str) -> None:
    content = text.encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_lines(path: Path, settings: CorpusSettings) -> None:
    write(path, "\n".join(lines(settings)))


def write_table(path: Path, settings: CorpusSettings) -> None:
    """Columns by number, or by name below a line of names."""
    columns = {settings.text or "text": lines(settings)}
    if settings.source is not None:
        columns[settings.source] = lines(dataclasses.replace(settings, length=settings.source_length))
    if settings.label is not None:
        columns[settings.label] = [str(row % 2) for row in range(ROWS)]
    names = sorted(columns)
    rows = ["\t".join(cells) for cells in zip(*(columns[name] for name in names), strict=True)]
    write(path, "\n".join(rows if names[0].isdecimal() else ["\t".join(names), *rows]))


def write_parquet(path: Path, settings: CorpusSettings) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({settings.text or "text": lines(settings)}), path)


def write_questions(path: Path, settings: CorpusSettings) -> None:
    """Articles in the SQuAD layout, one question each."""
    articles = [
        {
            "title": "t",
            "paragraphs": [
                {
                    "context": f"Before it {answer} and after.",
                    "qas": [{"id": answer, "question": "What?", "answers": [{"text": answer, "answer_start": 10}]}],
                }
            ],
        }
        for answer in lines(settings)
    ]
    write(path, json.dumps({"version": "v2.0", "data": articles}))


def write_tunes(path: Path, settings: CorpusSettings) -> None:
    """Scales, each from a key of its own."""
    with tarfile.open(path, "w:gz") as archive:
        for number in range(20):
            tune = path.with_name(f"{number}.mid")
            write_midi([(number + time) % 88 for time in range(settings.length or USUAL)], tune, settings.step)
            archive.add(tune, arcname=tune.name)


@pytest.mark.parametrize("name", SHORT)
def test_a_recipe_for_a_corpus_of_ones_own_plays_on_it(name: str, tmp_path: Path) -> None:
    """A round of each on a file, lengths and symbols unlike those it was tried on; no corpus stands in it."""
    settings = mapping_of(FILES[name].read_text())
    assert "corpus" not in settings
    named = {"text": "1", "label": "0"} if name == "sentigan/short" else {}
    corpus = {"spec": str(tmp_path / ("lines.tsv" if named else "lines.txt")), **named}
    (write_table if named else write_lines)(Path(corpus["spec"]), CorpusSettings(**named))
    fewer = {
        key: 1 if key.endswith("_steps") else 32
        for key in settings["algorithm"]
        if key.endswith(("pretrain_steps", "_examples"))
    }
    shorter = {
        "algorithm": {**fewer, "pretrain_epochs": 2, "rounds": 1},
        "corpus": corpus,
        "run": {"eval_every": 0, "final_samples": 40},
    }
    folder = train(Recipe.of(merged(settings, shorter)), tmp_path / "run")
    figures = folder.read_report()["evaluations"]
    values = [figure["mean"] for figure in figures["final"].values()]
    assert values
    assert all(map(math.isfinite, values))
    assert figures["final"] != figures["pretrained"], "the game moved nothing"
