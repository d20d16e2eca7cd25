"""Suites: a tiny one carried out, stopped, gone on with, and every shipped one read."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from seqgans.data.packages import optional_package
from seqgans.errors import BadInput
from seqgans.evaluation import METRICS, Evidence, Figure, Measures, measure
from seqgans.report.figures import metric_of
from seqgans.training.build import build_players, open_corpus
from seqgans.training.folder import RunFolder
from seqgans.training.loop import Training
from seqgans.training.team import Team
from seqgans.verbs import suite_files
from seqgans.verbs.benchmark import benchmark, carried_out, command, differences
from seqgans.verbs.suite_files import SIZES, suite_names
from seqgans.verbs.suites import read_suite
from seqgans.verbs.train import Interrupted

TINY = """
title: A world of two tokens
about: Nothing but a test.
seeds: [0, 1]
columns: [nll_oracle, nll_gen_test, duplicates]
metrics: [duplicates]
corpus: {spec: 'world:markov', sequences: 120}
run: {eval_every: 0, final_samples: 50, tensorboard: false, checkpoint_every: 1}
full: {run: {final_samples: 60}}
systems:
  - name: likelihood
    label: maximum likelihood
    algorithm: {name: likelihood, pretrain_epochs: 2, patience: 0}
    generator: {embedding: 4, hidden: 4}
  - name: game
    label: the game
    start: likelihood
    checkpoint: best
    algorithm: {name: maligan, pretrain_epochs: 0, discriminator_pretrain_steps: 0, rounds: 1, generator_steps: 1,
      discriminator_epochs: 1, mixed_share: 0.0, batch: 8}
    generator: {embedding: 4, hidden: 4}
    discriminator: {name: cnn, embedding: 4, widths: [1, 2], maps: [2, 2]}
    control: {algorithm: {shuffled: true}}
papers:
  game: {nll_oracle: 1.25}
"""


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one suite, in the place of the shipped ones."""
    folder = tmp_path / "suites"
    folder.mkdir()
    (folder / "tiny.yaml").write_text(TINY)
    monkeypatch.setattr(suite_files, "FOLDER", folder)
    return tmp_path / "out"


def test_a_suite_is_carried_out_and_what_is_done_is_kept(tiny: Path) -> None:
    """Mutants killed: the control arm not shuffled; a game that does not begin at its start; runs trained twice.

    A run that is deleted is made again and equals what it was: nothing depends on the order of a call.
    """
    suite = read_suite("tiny", tiny)
    assert [trial.name for trial in suite.trials] == [
        f"{name}-{seed}" for seed in (0, 1) for name in ("likelihood", "game", "game-control")
    ]
    assert [trial.recipe.to_dict()["algorithm"].get("shuffled") for trial in suite.trials[:3]] == [None, False, True]
    assert suite.trials[1].recipe.run.start == str(tiny / "runs" / "likelihood-0")
    results = carried_out(suite, tiny)
    assert all(set(result["figures"]) >= {"nll_oracle", "nll_gen_test", "duplicates"} for result in results)
    table = (tiny / "RESULTS.md").read_text()
    assert table.startswith("## A world of two tokens\n")
    row = next(line for line in table.splitlines() if line.startswith("| the game |"))
    assert row.startswith("| the game | 0, 1 | ")
    assert " ± " in row
    assert " (1.25) | " in row
    assert "the game: control" in (tiny / "RESULTS.md").read_text()
    assert (tiny / "page.html").read_text().startswith("<!DOCTYPE html>")
    seconds = [
        json.loads((tiny / "results" / f"{trial.name}.json").read_text())["cpu_seconds"] for trial in suite.trials
    ]
    written = {path: path.stat().st_mtime_ns for path in (tiny / "results").iterdir()}
    stopped = tiny / "runs" / "game-0"
    (stopped / "report.json").unlink()
    shutil.rmtree(max((stopped / "checkpoints").glob("step-*")))  # as if it had been stopped before its end
    again = carried_out(suite, tiny)
    assert again[1]["figures"] == results[1]["figures"]
    assert [result["cpu_seconds"] for result in again[2:]] == seconds[2:]  # not trained again: seconds never repeat
    same = [path for path, before in written.items() if path.stat().st_mtime_ns == before]
    assert len(same) >= len(written) - 1


def test_the_table_holds_what_earlier_calls_left(tiny: Path) -> None:
    """Kills: the runs of the last call alone, another order than the suite's, results of another suite."""
    benchmark("tiny", tiny, seeds=[1])
    other = json.loads((tiny / "results" / "game-1.json").read_text())
    (tiny / "results" / "other.json").write_text(json.dumps(other | {"suite": "huge", "label": "of another suite"}))
    (tiny / "results" / "damaged.json").write_text("{")
    benchmark("tiny", tiny, seeds=[0], only=["likelihood"])
    rows = [line.split(" | ")[:2] for line in (tiny / "RESULTS.md").read_text().splitlines() if line.startswith("| ")]
    assert [seeds for _, seeds in rows[2:]] == ["0, 1", "1", "1"]
    assert [label.removeprefix("| ") for label, _ in rows[3:]] == ["the game", "the game: control"]


def test_the_table_holds_nothing_of_another_file_of_the_same_name(tiny: Path) -> None:
    """Mutants killed: rows of systems that this file does not have, or of other seeds on another corpus."""
    benchmark("tiny", tiny, seeds=[0, 1], only=["game"])
    text = (suite_files.FOLDER / "tiny.yaml").read_text()
    own = tiny.with_name("more") / "tiny.yaml"
    own.parent.mkdir()
    own.write_text(
        text.replace("name: game", "name: match").replace("the game", "the match").replace("  game: {", "  match: {")
    )
    benchmark(str(own), tiny, seeds=[0], only=["match"])
    labels = [line.split(" | ")[0] for line in (tiny / "RESULTS.md").read_text().splitlines() if line.startswith("| ")]
    assert labels[3:] == ["| the match", "| the match: control"]
    own.write_text(text.replace("sequences: 120", "sequences: 130"))
    benchmark(str(own), tiny, seeds=[2], only=["likelihood"])
    row = next(line for line in (tiny / "RESULTS.md").read_text().splitlines()[6:] if line.startswith("| "))
    assert row.split(" | ")[1] == "2"


def test_what_hangs_on_real_sequences_is_learnt_once_for_the_systems_of_a_seed(tiny: Path, learnt: list[int]) -> None:
    """And the page says what to type for all its figures, those of an earlier call included.

    Mutants killed: an LSTM of the references for each run, or one for all seeds, whose sequences differ; another figure
    than without sharing; `seqgans compare` as the page's command, which would not measure lm_lstm.
    """
    text = (suite_files.FOLDER / "tiny.yaml").read_text()
    (suite_files.FOLDER / "tiny.yaml").write_text(text.replace("metrics: [duplicates]", "metrics: [lm_lstm]"))
    alone = benchmark("tiny", tiny / "alone", only=["likelihood"], seeds=[1])
    assert len(learnt) == 1
    learnt.clear()
    results = benchmark("tiny", tiny, seeds=[0, 1])
    assert len(learnt) == 2
    assert results[3]["name"] == "likelihood-1"
    assert results[3]["figures"]["lm_lstm"] == alone[0]["figures"]["lm_lstm"]
    benchmark("tiny", tiny, seeds=[0], only=["likelihood"])
    assert f"<code>seqgans benchmark tiny --out {tiny} --seeds 0,1</code>" in (tiny / "page.html").read_text()
    part = read_suite("tiny", Path("a b"), seeds=[1], only=["likelihood"], size="full")
    said = command(replace(part, data=Path("corpora")), Path("a b"), results[3:4])
    assert said == "seqgans benchmark tiny --out 'a b' --data corpora --size full --seeds 1 --only likelihood"


def test_metrics_that_a_suite_asks_for_later_join_what_is_there(tiny: Path) -> None:
    """The others are not measured again, what cannot be measured is said and left out, the page shows all of them.

    Mutants killed: a metric without evidence that ends the suite; old figures measured anew; a page of reports alone;
    an old result of other systems that lacks the figures and takes the table down, or leaves its cell empty.
    """
    benchmark("tiny", tiny, seeds=[0], only=["game"])
    place = tiny / "results" / "likelihood-0.json"
    before = json.loads(place.read_text())
    assert "skipped" not in before
    place.write_text(json.dumps(before | {"figures": before["figures"] | {"duplicates": [0.123, None]}}))
    text = (suite_files.FOLDER / "tiny.yaml").read_text()
    text = text.replace("metrics: [duplicates]", "metrics: [duplicates, music_mse, mauve, c2st]")
    (suite_files.FOLDER / "tiny.yaml").write_text(
        text.replace("gen_test, dup", "gen_test, c2st, mauve_lstm, mse_mean, dup")
    )
    result = benchmark("tiny", tiny, seeds=[0], only=["likelihood"])[0]
    assert result["figures"]["duplicates"] == [0.123, None]
    assert result["metrics"] == ["duplicates", "music_mse", "mauve", "c2st"]
    assert result["skipped"] == {"music_mse": "needs tokens that are notes"}
    assert {"c2st", "mauve_lstm"} <= result["figures"].keys()
    head, _, row, other, *_ = [line for line in (tiny / "RESULTS.md").read_text().splitlines() if line[:1] == "|"]
    assert head == "| system | seeds | nll_oracle | nll_gen_test | c2st | mauve_lstm | duplicates | CPU-minutes |"
    assert row.split(" | ")[6] == "0.123"
    assert other.split(" | ")[4:6] == ["–", "–"]
    page = (tiny / "page.html").read_text()
    assert ">C2ST <abbr" in page
    assert ">MAUVE LSTM <abbr" in page


def test_what_waits_for_a_package_is_measured_once_it_is_installed(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be had by installing is not tried again, and nothing is while the package is missing.

    Mutants killed: reasons all alike (tried on every call, or never); figures of before measured anew; a metric that
    has figures among `skipped`, or twice among `metrics`.
    """

    def tomorrow(_: Evidence) -> dict[str, Figure]:
        return {"tomorrow": Figure(value=optional_package("package_of_tomorrow.inside", "the metric").VALUE)}

    monkeypatch.setitem(METRICS, "tomorrow", replace(METRICS["duplicates"], name="tomorrow", compute=tomorrow))
    text = (suite_files.FOLDER / "tiny.yaml").read_text()
    (suite_files.FOLDER / "tiny.yaml").write_text(text.replace("[duplicates]", "[tomorrow, duplicates, music_mse]"))
    asked: list[list[str]] = []

    def watched(evidence: Evidence, names: list[str], strict: bool) -> Measures:
        asked.append(names)
        return measure(evidence, names, strict)

    monkeypatch.setattr("seqgans.verbs.benchmark.measure", watched)
    before = benchmark("tiny", tiny, seeds=[0], only=["likelihood"])[0]
    needs = "the metric needs the package package_of_tomorrow: pip install 'seqgans[data]'"
    assert before["skipped"] == {"tomorrow": needs, "music_mse": "needs tokens that are notes"}
    assert benchmark("tiny", tiny, seeds=[0], only=["likelihood"])[0] == before
    assert asked == [["tomorrow", "duplicates", "music_mse"]]
    (tmp_path / "site" / "package_of_tomorrow").mkdir(parents=True)
    (tmp_path / "site" / "package_of_tomorrow" / "inside.py").write_text("VALUE = 0.5\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    after = benchmark("tiny", tiny, seeds=[0], only=["likelihood"])[0]
    assert after["figures"] == before["figures"] | {"tomorrow": [0.5, None, 1]}
    assert (after["skipped"], after["metrics"]) == ({"music_mse": "needs tokens that are notes"}, before["metrics"])
    assert benchmark("tiny", tiny, seeds=[0], only=["likelihood"])[0] == after
    assert asked[1:] == [["tomorrow"]]
    assert json.loads((tiny / "results" / "likelihood-0.json").read_text()) == after


def test_a_report_that_was_deleted_is_asked_for(tiny: Path) -> None:
    suite = read_suite("tiny", tiny, only=["likelihood"], seeds=[0])
    carried_out(suite, tiny)
    (tiny / "runs" / "likelihood-0" / "report.json").unlink()
    with pytest.raises(BadInput, match=r"must hold the report\.json of its finished run; delete the folder"):
        carried_out(suite, tiny)


def test_a_run_that_fails_is_a_row(tiny: Path) -> None:
    """A loss that is no number ends one run, not the suite."""
    text = (suite_files.FOLDER / "tiny.yaml").read_text().replace("batch: 8}", "batch: 8, generator_rate: 1.0e+38}")
    (suite_files.FOLDER / "tiny.yaml").write_text(text.replace("rounds: 1,", "rounds: 9,"))
    results = benchmark("tiny", tiny, seeds=[0])
    failed = [result["name"] for result in results if "failed" in result]
    assert "game-0" in failed
    assert "figures" in results[0]
    assert "| the game | seed 0 failed |" in (tiny / "RESULTS.md").read_text()


def test_a_suite_that_is_stopped_says_how_to_go_on(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise Interrupted("stopped at update 3; go on with: seqgans resume runs/likelihood-0")

    monkeypatch.setattr("seqgans.verbs.benchmark.finish", stop)
    with pytest.raises(Interrupted, match=r"^likelihood-0 was stopped and has a checkpoint; the same command goes on"):
        benchmark("tiny", tiny)


def test_what_begins_from_a_run_that_failed_fails_with_it(tiny: Path) -> None:
    """The suite comes to its end: the game and its control are rows that name the start, nobody trains them.

    Mutants killed: the game trained from a folder without a generator, which ends the suite.
    """
    text = (suite_files.FOLDER / "tiny.yaml").read_text().replace("patience: 0}", "patience: 0, rate: 1.0e+38}")
    (suite_files.FOLDER / "tiny.yaml").write_text(text)
    start, game, control = benchmark("tiny", tiny, seeds=[0])
    assert start["failed"].startswith("the loss of the generator is nan")
    assert game["failed"] == control["failed"] == "its start likelihood-0 failed"
    assert json.loads((tiny / "results" / "game-0.json").read_text())["failed"] == game["failed"]
    assert not (tiny / "runs" / "game-0").exists()
    table = (tiny / "RESULTS.md").read_text()
    assert "| the game | seed 0 failed |" in table
    assert table.endswith("- the game: control, seed 0: its start likelihood-0 failed\n")
    suite = read_suite("tiny", tiny, only=["likelihood"], seeds=[0])
    again = carried_out(suite, tiny)
    assert [result["failed"] for result in again] == [start["failed"]]


def test_other_settings_in_the_folder_are_refused(tiny: Path) -> None:
    """Runs of another size are not taken for those of this one."""
    benchmark("tiny", tiny, only=["likelihood"], seeds=[0])
    with pytest.raises(BadInput, match=r"must be a run of this suite, its settings\.yaml differs in run; delete it"):
        benchmark("tiny", tiny, only=["likelihood"], seeds=[0], size="full")


def test_a_folder_that_was_moved_is_known_again(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a run's start lies is no setting of it; nothing is trained again."""
    before = benchmark("tiny", tiny, seeds=[0])
    (tiny / "runs" / "game-control-0" / "report.json").unlink()
    moved = tiny.with_name("moved")
    tiny.rename(moved)
    monkeypatch.chdir(moved.parent)
    with pytest.raises(BadInput, match=r"^moved/runs/game-control-0 must hold the report\.json"):
        benchmark("tiny", Path("moved"), seeds=[0])
    assert benchmark("tiny", Path("moved"), seeds=[0], only=["likelihood"]) == before[:1]
    trained = RunFolder.existing(moved / "runs" / "game-0").read_recipe()
    wanted = read_suite("tiny", moved, seeds=[0]).trials[1].recipe
    assert trained != wanted
    assert differences(trained, wanted) == []
    assert differences(trained, replace(wanted, run=replace(wanted.run, start="other/likelihood-1"))) == ["run"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"name": "tinny"}, "no suite is called 'tinny'; did you mean tiny\\? choose one of: tiny"),
        ({"size": "huge"}, "the size of a suite must be one of: quick, full, got 'huge'"),
        ({"seeds": [1, 1]}, "seeds must be different whole numbers from 0 on, got 1, 1"),
        ({"seeds": []}, "seeds must be different whole numbers from 0 on, got none"),
        ({"only": ["gme"]}, "no system of this suite is called 'gme'; did you mean 'game'?"),
    ],
)
def test_what_does_not_exist_is_said(asked: dict, message: str, tiny: Path) -> None:
    with pytest.raises(BadInput) as refused:
        read_suite(**{"name": "tiny", "out": tiny, **asked})
    assert str(refused.value).startswith(message.split(";")[0])


def test_a_suite_may_be_like_another(tiny: Path) -> None:
    (suite_files.FOLDER / "other.yaml").write_text("like: tiny\ntitle: Another\ncorpus: {sequences: 90}\n")
    ours, theirs = (read_suite(name, tiny, seeds=[0]) for name in ("other", "tiny"))
    assert (ours.title, ours.about, len(ours.trials)) == ("Another", theirs.about, len(theirs.trials))
    assert [trial.recipe.corpus_settings.sequences for trial in (ours.trials[0], theirs.trials[0])] == [90, 120]
    assert ours.trials[0].recipe.corpus == theirs.trials[0].recipe.corpus


def test_a_game_alone_brings_its_start(tiny: Path) -> None:
    names = [trial.name for trial in read_suite("tiny", tiny, only=["game"], seeds=[3]).trials]
    assert names == ["likelihood-3", "game-3", "game-control-3"]


def test_papers_are_about_systems_of_their_own_suite(tiny: Path) -> None:
    """Kills: the figures of one corpus beside another; a name with a slip that is passed over; a control with them."""
    folder = suite_files.FOLDER
    (folder / "small.yaml").write_text("like: tiny\ntitle: Another world\n")
    assert [trial.paper for trial in read_suite("tiny", tiny, seeds=[0]).trials] == [{}, {"nll_oracle": 1.25}, {}]
    assert not any(trial.paper for trial in read_suite("small", tiny).trials)
    (folder / "small.yaml").write_text("like: tiny\npapers: {gane: {nll_oracle: 2.0}}\n")
    with pytest.raises(BadInput, match="the papers of the suite small must be about its systems, got gane"):
        read_suite("small", tiny)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", suite_names())
def test_every_shipped_suite_can_be_read(name: str, size: str, tmp_path: Path) -> None:
    """All recipes exist, all settings are known, and every start comes before what begins with it."""
    said = suite_files.read_mapping(name)
    if said.get("data"):
        place = tmp_path / said["data"]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    trials = read_suite(name, tmp_path / "out", tmp_path, size).trials
    assert {figure for trial in trials for figure in trial.paper} <= set(said["columns"])
    assert set(said.get("metrics", ())) <= set(METRICS)
    assert [figure for figure in said["columns"] if metric_of(figure) is None] == []
    by_name = {trial.name: trial.recipe for trial in trials}
    seen = set()
    for trial in trials:
        if trial.start is not None:  # what is begun from has the same networks, where it has them
            first, game = by_name[trial.start], trial.recipe
            assert first.generator_settings == game.generator_settings, trial.name
            assert first.discriminator_settings in (None, game.discriminator_settings), trial.name
        start = trial.recipe.run.start
        assert start is None or start in seen
        assert "{" not in f"{trial.recipe.corpus} {trial.recipe.corpus_settings.test_file}"  # all places are filled in
        seen.add(str(tmp_path / "out" / "runs" / trial.name))
    assert len(seen) == len(trials)


@pytest.mark.parametrize("name", suite_names())
def test_the_corpus_of_every_suite_opens(name: str, shared_data: Path, tmp_path: Path) -> None:
    """Kills: a file of test sequences that is looked for where it is not; players that do not fit each other."""
    trials = read_suite(name, tmp_path, shared_data, seeds=[0]).trials
    recipe = trials[0].recipe
    corpus, _ = open_corpus(recipe.corpus, recipe.corpus_settings, 0)
    assert len(corpus.train) > 90
    assert len(corpus.test) > 9
    for trial in trials:
        if trial.recipe.corpus_settings == recipe.corpus_settings:
            Training(trial.recipe.played, build_players(trial.recipe, corpus, 0), corpus, 0, Team("cpu"))


def test_data_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"the suite coco needs --data FOLDER, a folder with image_coco\.txt\.gz"):
        read_suite("coco", tmp_path)
    with pytest.raises(BadInput, match=r"the suite coco needs image_coco\.txt\.gz in the folder of data"):
        read_suite("coco", tmp_path, tmp_path)
