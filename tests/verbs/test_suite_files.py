"""Suites of one's own: read, carried out, and refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqgans.errors import BadInput
from seqgans.verbs.benchmark import carried_out, command
from seqgans.verbs.progress import Silent
from seqgans.verbs.suites import read_suite
from tests.verbs.test_benchmark import TINY


def test_a_suite_of_ones_own_is_a_file(tmp_path: Path) -> None:
    """Kills: paths that begin where the call is made instead of at the file; a page that tells of another call."""
    folder = tmp_path / "my own"
    folder.mkdir()
    (folder / "plain.yaml").write_text("algorithm: {name: likelihood, pretrain_epochs: 1, patience: 0}\n")
    (folder / "base.yaml").write_text(
        TINY.replace("algorithm: {name: likelihood, pretrain_epochs: 2, patience: 0}", "")
    )
    (folder / "mine.yaml").write_text(
        "like: base.yaml\ntitle: Mine\ncolumns: [duplicates, nonsense]\n"
        "systems: [{name: plain, recipe: plain.yaml, generator: {embedding: 4, hidden: 4}}]\n"
    )
    suite = read_suite(str(folder / "mine.yaml"), tmp_path / "out", seeds=[0])
    assert (suite.name, suite.title, suite.trials[0].label) == ("mine", "Mine", "plain")
    assert suite.trials[0].recipe.to_dict()["algorithm"]["pretrain_epochs"] == 1
    watcher = Heard()
    results = carried_out(suite, tmp_path / "out", watcher)
    assert "duplicates" in results[0]["figures"]
    assert any("no run has the figures nonsense" in line for line in watcher.lines)
    assert f"'{folder}/mine.yaml'" in command(suite, tmp_path / "out", results)


class Heard(Silent):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("title: A world of two tokens", ""), "title is missing"),
        (("metrics: [duplicates]", "metric: [duplicates]"), "own has metric"),
        (("corpus: {spec: 'world:markov', sequences: 120}", "corpus: {sequences: 120}"), "must name its corpus"),
        (("name: game", "name: likelihood"), "different names, got likelihood twice"),
        (("start: likelihood", "start: liklihood"), "the start of game must be a system above it, got liklihood"),
        (("    label: the game", "    lable: the game"), "game has lable"),
        (("systems:", "systems: none\nrun2:"), "must be a list|keys"),
        (("seeds: [0, 1]", "seeds: 3"), "seeds of the suite own must be a list of whole numbers, got 3"),
        (("seeds: [0, 1]", "seeds: ['0']"), "seeds of the suite own must be a list of whole numbers"),
        (("about: Nothing but a test.", "about: 3"), "about of the suite own must be text, got 3"),
        (("[nll_oracle, nll_gen_test, duplicates]", "duplicates"), "columns of the suite own must be a list of texts"),
        (("metrics: [duplicates]", "metrics: duplicates"), "metrics of the suite own must be a list of texts"),
        (("metrics: [duplicates]", "metrics: [duplicate]"), "no metric is called 'duplicate'; did you mean"),
        (("title:", "like: own.yaml\ntitle:"), "must not be like itself"),
        (("title:", "like: 3\ntitle:"), "like of the suite own must be text, got 3"),
        (("title:", "run2: 3\ntitle:"), "own has run2"),
        (("title:", "quick: 3\ntitle:"), "quick of the suite own must be settings by part"),
        (("game: {nll_oracle: 1.25}", "game: 3"), "papers of the suite own must be numbers by system and figure"),
        (("name: game", "name: games/one"), "must be text that can name a folder, got 'games/one'"),
        (("name: game", "name: [game]"), "must be text that can name a folder"),
        (
            ("    start:", "    recipe: 3\n    start:"),
            "recipe of the system game must be text, or one text for each of",
        ),
        (("    start:", "    recipe: {full: seqgan/short}\n    start:"), "one text for each of quick, full"),
        (("checkpoint: best", "checkpoint: bets"), "checkpoint of the system game must be one of: latest, best"),
        (("{algorithm: {shuffled: true}}", "shuffled"), "control of the system game must be settings by part"),
        (("systems:", "systems:\n  - {name: game-control}"), "must not be called game-control, as a control arm is"),
        (("spec: 'world:markov'", "spec: '{data}/a.txt'"), "the suite must say what it needs there"),
        (("run: {eval", "run: {seed: 3, eval"), r"^run\.seed must not stand in the suite own"),
        (("{algorithm: {shuffled: true}}", "{run: {start: x}}"), r"^run\.start must not stand in the suite own"),
        (("full: {run: {", "full: {run: {start_checkpoint: best, "), r"^run\.start_checkpoint must not stand in"),
        (("title:", "{"), r"settings must be YAML.*own\.yaml"),
    ],
)
def test_what_is_wrong_with_a_suite_is_one_line(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(TINY.replace(*change))
    with pytest.raises(BadInput, match=message) as refused:
        read_suite(str(file), tmp_path)
    assert "\n" not in str(refused.value)


def test_a_suite_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.yaml cannot be read: No such file"):
        read_suite(str(tmp_path / "none.yaml"), tmp_path)


def test_keys_that_say_nothing_are_as_if_left_out(tmp_path: Path) -> None:
    """What stands below a key may be commented out."""
    file = tmp_path / "own.yaml"
    file.write_text(TINY.replace("metrics: [duplicates]", "metrics:\nlike:\nquick:\ndata:"))
    suite = read_suite(str(file), tmp_path)
    assert (list(suite.metrics), suite.data, len(suite.trials)) == ([], None, 6)


def test_a_system_has_its_own_corpus_in_the_folder_of_data(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    (tmp_path / "a.txt").write_text("a b\n")
    own = "    label: the game\n    corpus: {spec: '{data}/b.txt', valid_file: '{data}/c.txt'}"
    file.write_text(TINY.replace("    label: the game", own).replace("title:", "data: a.txt\ntitle:"))
    recipes = [trial.recipe for trial in read_suite(str(file), tmp_path, tmp_path, seeds=[0]).trials]
    assert [recipe.corpus for recipe in recipes] == ["world:markov", *[str(tmp_path / "b.txt")] * 2]
    assert recipes[2].corpus_settings.valid_file == str(tmp_path / "c.txt")
