"""Compare: what is one system, which test is taken, how curves and seeds are joined."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from seqgans.errors import BadInput
from seqgans.evaluation import Figure
from seqgans.evaluation.significance import holm, paired_t, welch_from
from seqgans.report.page import comparison_page
from seqgans.report.table import comparison_table
from seqgans.training.recipe import Recipe
from seqgans.verbs.compare import compare
from seqgans.verbs.systems import flattened, resolved, varies
from seqgans.verbs.tested import corrected, outcome_of
from seqgans.verbs.train import train

ALL = ("seqgan-1", "seqgan-2", "likelihood-1", "likelihood-2")


def report(path: Path) -> dict:
    return json.loads((path / "report.json").read_text())


def test_runs_that_differ_in_their_seed_are_one_system(runs: Path) -> None:
    found = compare([runs / name for name in ALL])
    assert [(system["name"], len(system["runs"])) for system in found["systems"]] == [("seqgan", 2), ("likelihood", 2)]
    assert found["seeds"] == [1, 2]
    assert found["baseline"] == "likelihood"
    values = [report(runs / f"seqgan-{seed}")["evaluations"]["final"]["nll_div"]["mean"] for seed in (1, 2)]
    figure = found["systems"][0]["figures"]["nll_div"]
    assert figure["mean"] == pytest.approx(sum(values) / 2)
    assert figure["spread"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    assert figure["n"] == 2
    json.dumps(found)  # ready for JSON


def test_p_values_pair_the_seeds(runs: Path) -> None:
    found = compare([runs / name for name in ALL])
    [test] = [test for test in found["tests"] if test["figure"] == "nll_gen_test"]
    scores = {
        name: [report(runs / f"{name}-{seed}")["evaluations"]["final"]["nll_gen_test"]["mean"] for seed in (1, 2)]
        for name in ("seqgan", "likelihood")
    }
    expected = paired_t(scores["seqgan"], scores["likelihood"])
    assert test["p_value"] == pytest.approx(expected.p_value)
    assert test["difference"] == pytest.approx(expected.difference)
    assert (test["kind"], test["seeds"]) == ("between-run", [1, 2])
    assert found["systems"][0]["figures"]["nll_gen_test"]["p"] == test["p_holm"]


def test_without_likelihood_the_start_of_the_game_is_the_baseline(runs: Path) -> None:
    found = compare([runs / "seqgan-1", runs / "seqgan-2"])
    assert [system["name"] for system in found["systems"]] == ["before the game", "seqgan"]
    assert found["baseline"] == "before the game"
    before = report(runs / "seqgan-1")["evaluations"]["pretrained"]["nll_gen_test"]["mean"]
    after = report(runs / "seqgan-2")["evaluations"]["pretrained"]["nll_gen_test"]["mean"]
    assert found["systems"][0]["figures"]["nll_gen_test"]["mean"] == pytest.approx((before + after) / 2)


@pytest.mark.parametrize("wanted", ["seqgan", "FOLDER/seqgan-2"])
def test_the_baseline_can_be_chosen(runs: Path, wanted: str) -> None:
    """By the name of a system or by one of its runs. Mutant killed: tests against the usual one."""
    wanted = wanted.replace("FOLDER", str(runs))
    found = compare([runs / name for name in ALL], baseline=wanted)
    assert found["baseline"] == "seqgan"
    assert {(test["system"], test["baseline"]) for test in found["tests"]} == {("likelihood", "seqgan")}
    assert set(found["planes"][0]["areas"]) == {"likelihood"}
    assert found["commands"][0].endswith(f"--baseline {wanted}")
    with pytest.raises(
        BadInput, match=r"must be one of the runs or of the systems 'seqgan', 'likelihood', got 'nobody'"
    ):
        compare([runs / name for name in ALL], baseline="nobody")


def test_settings_of_runs_that_figures_depend_on_are_told(runs: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(runs / "seqgan-2", tmp_path / "other"))
    text = (other / "settings.yaml").read_text()
    (other / "settings.yaml").write_text(text.replace("final_samples: 60", "final_samples: 70"))
    found = compare([runs / "seqgan-1", other, runs / "likelihood-1"])
    assert found["differences"]["run.final_samples"] == {"seqgan": "60, 70", "likelihood": "60"}
    assert "run.seed" not in found["differences"]


def test_what_was_written_several_times_is_counted(runs: Path, tmp_path: Path) -> None:
    """Among the kept samples. Mutants killed: only the shown ones counted; the first evaluation's file read."""
    again = Path(shutil.copytree(runs / "seqgan-1", tmp_path / "again"))
    few = report(again)["samples"]
    files = sorted((again / "samples").glob("step-*.txt"))
    files[-1].write_text("\n".join([*few, *few[:1] * 2]) + "\n")
    for file in files[:-1]:
        file.write_text("\n".join([*few, *few[:1] * 9]) + "\n")
    rows = compare([again, runs / "likelihood-1"])["systems"][0]["samples"]
    assert rows[0]["times"] == few.count(few[0]) + 2
    files[-1].write_text("another file\n")
    assert compare([again, runs / "likelihood-1"])["systems"][0]["samples"][0]["times"] == few.count(few[0])


def test_curves_are_means_over_seeds_in_the_plane_of_an_oracle(runs: Path) -> None:
    found = compare([runs / name for name in ALL])
    [plane] = found["planes"]
    assert (plane["x"], plane["y"]) == ("nll_oracle", "nll_gen")
    rows = [report(runs / f"seqgan-{seed}")["sweeps"]["final"] for seed in (1, 2)]
    sweep = found["systems"][0]["sweep"]
    assert len(sweep) == len(rows[0])
    assert sweep[0]["nll_gen"] == pytest.approx((rows[0][0]["nll_gen"] + rows[1][0]["nll_gen"]) / 2)
    assert set(plane["areas"]) == set(plane["matched"]) == {"seqgan"}
    assert [run["sweep"] for run in found["systems"][0]["runs"]] == rows


def test_samples_stand_beside_training_lines(runs: Path) -> None:
    system = compare([runs / "seqgan-1", runs / "likelihood-1"])["systems"][0]
    assert [row["text"] for row in system["samples"]] == report(runs / "seqgan-1")["samples"][:5]
    assert all(0 <= row["similarity"] <= 1 and row["nearest"] for row in system["samples"])


def test_an_unfinished_run_is_measured_afresh(runs: Path, tmp_path: Path) -> None:
    stopped = Path(shutil.copytree(runs / "seqgan-1", tmp_path / "stopped"))
    (stopped / "report.json").unlink()
    found = compare([stopped, runs / "likelihood-1"], count=40)
    names = set(found["systems"][0]["figures"])
    assert {"nll_oracle", "nll_gen_test", "nll_div", "nll_valid"} <= names
    assert len(found["systems"][0]["sweep"]) == len(report(runs / "seqgan-1")["sweeps"]["final"])


@pytest.mark.parametrize("asked", [{"count": 40}, {"seed": 3}])
def test_what_is_asked_of_samples_is_not_read_from_reports(runs: Path, asked: dict[str, Any]) -> None:
    """Mutant killed: figures of the reports for another seed or number of samples."""
    folders = [runs / "seqgan-1", runs / "likelihood-1"]
    plain, found = compare(folders), compare(folders, **asked)
    again = compare(folders, **{"count": 5000, "seed": 0, **asked})
    figures = [one["systems"][0]["figures"]["nll_oracle"]["mean"] for one in (plain, found, again)]
    assert figures[0] != figures[1] == figures[2]
    [(name, value)] = asked.items()
    assert found["commands"][0].endswith(f"--{'samples' if name == 'count' else name} {value}")


def test_metrics_can_be_asked_for(runs: Path) -> None:
    """In the table, tested against the baseline; what no run has evidence for is a note, or refused where it is all.

    Mutants killed: figures of the reports beside them; metrics of one run alone; a reason that is passed over.
    """
    folders = [runs / name for name in ALL]
    found = compare(folders, metrics=["lm_kn", "fed", "mauve", "c2st", "music_pitch"], count=40)
    for system in found["systems"]:
        assert {"lm_kn", "fed_hashed", "fed_lstm", "mauve_lstm", "c2st", "real_c2st"} <= system["figures"].keys()
        assert "nll_gen_test" not in system["figures"]
    table = comparison_table(found)
    assert table.splitlines()[2].startswith("LM Kneser-Ney ↓ ")
    tests = {test["figure"]: test["kind"] for test in found["tests"]}
    assert tests["lm_kn"] == tests["fed_hashed"] == tests["mauve_lstm"] == "between-run"
    assert found["notes"][-1] == "not measured: music_pitch (needs tokens that are notes)"
    assert found["commands"][0].endswith("--samples 40 --metrics lm_kn,fed,mauve,c2st,music_pitch")
    with pytest.raises(BadInput, match=r"^not measured: music_pitch \(needs tokens that are notes\)$"):
        compare(folders, metrics=["music_pitch"], count=40)
    with pytest.raises(BadInput, match="no metric is called 'blue'; did you mean bleu"):
        compare(folders, metrics=["blue"])


def test_of_one_run_each_only_errors_of_samples_make_a_test(runs: Path) -> None:
    """Kills: p-values from the spread of MAUVE's clusterings, which is no error of the samples."""
    found = compare([runs / "seqgan-1", runs / "likelihood-1"], metrics=["lm_kn", "fed", "mauve"], count=40)
    tested = {test["figure"] for test in found["tests"]}
    assert "lm_kn" in tested
    assert not {"mauve_lstm", "fed_hashed"} & tested


def test_a_seed_twice_is_refused(runs: Path, tmp_path: Path) -> None:
    """Mutant killed: one of the two runs stands for both."""
    other = Path(shutil.copytree(runs / "seqgan-1", tmp_path / "other"))
    text = (other / "settings.yaml").read_text()
    (other / "settings.yaml").write_text(text.replace("start: null", "start: elsewhere"))
    with pytest.raises(BadInput) as found:
        compare([runs / "seqgan-1", other, runs / "likelihood-1"])
    assert str(found.value) == (
        f"compare needs one run a seed of each system, but {runs / 'seqgan-1'} and {other} both have seed 1 and differ "
        "only in run.start (None, elsewhere); leave one of them out"
    )
    (other / "settings.yaml").write_text(text)
    with pytest.raises(BadInput, match="and differ in no setting; leave one of them out"):
        compare([runs / "seqgan-1", other])


def test_a_damaged_report_is_said(runs: Path, tmp_path: Path) -> None:
    """In words. Mutants killed: a report that is no mapping asked for its keys, and what Python says of that shown."""
    damaged = Path(shutil.copytree(runs / "seqgan-1", tmp_path / "damaged"))
    for content, said in (
        ("{}", "'evaluations' is missing; delete it to measure afresh"),
        ("[]", "it must hold names and values; delete it"),
        ('"text"', "it must hold names and values; delete it"),
        ('{"evaluations": []}', "a part of it is of another kind; delete it to measure afresh"),
    ):
        (damaged / "report.json").write_text(content)
        with pytest.raises(BadInput) as refused:
            compare([damaged, runs / "likelihood-1"])
        assert str(refused.value) == f"{damaged / 'report.json'} is damaged: {said}"


def test_figures_that_are_no_number_are_said(runs: Path, tmp_path: Path) -> None:
    """Once, with their run, and what a dash means. Kills: a dash that nobody explains; a mean over seeds with nan."""
    other = Path(shutil.copytree(runs / "seqgan-2", tmp_path / "other"))
    found = report(other)
    found["evaluations"]["final"]["nll_div"]["mean"] = "NaN"
    (other / "report.json").write_text(json.dumps(found))
    both = compare([runs / "seqgan-1", other, runs / "likelihood-1"])
    assert both["notes"][-1] == "not a number, so left out of seqgan: nll_div (seed 2)"
    first = report(runs / "seqgan-1")["evaluations"]["final"]["nll_div"]["mean"]
    assert both["systems"][0]["figures"]["nll_div"]["mean"] == pytest.approx(first)
    assert "not a number" not in comparison_table(both)
    alone = compare([other, runs / "likelihood-1"])
    for shown in (comparison_table(alone), comparison_page(alone).partition("<table")[0]):
        assert shown.count("–: not measured, or not a number") == 1
    assert not [note for note in compare([runs / "seqgan-1", runs / "likelihood-1"])["notes"] if "number" in note]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"temperature": 1.0, "nll_gen": None}, "nll_gen of its sweep must be a number, got None"),
        ({"temperature": None, "nll_gen": 1.0}, "temperature of its sweep must be a number, got None"),
        ({"nll_gen": 1.0}, "a row of its sweep must have a temperature, one has none"),
    ],
)
def test_a_sweep_without_its_numbers_is_said(
    runs: Path, tmp_path: Path, row: dict[str, float | None], said: str
) -> None:
    damaged = Path(shutil.copytree(runs / "seqgan-1", tmp_path / "damaged"))
    kept = json.loads((damaged / "report.json").read_text())
    kept["sweeps"]["final"][0] = row
    (damaged / "report.json").write_text(json.dumps(kept))
    with pytest.raises(BadInput, match=rf"damaged/report\.json is damaged: {said}; delete it to measure afresh"):
        compare([damaged, runs / "likelihood-1"])


def test_settings_that_only_one_system_has_differ(runs: Path) -> None:
    differences = compare([runs / "seqgan-1", runs / "likelihood-1"])["differences"]
    only = differences["algorithm.rollouts"]
    assert set(only) == {"seqgan"}
    assert any(name.startswith("discriminator.") for name in differences)
    page = comparison_page(compare([runs / "seqgan-1", runs / "likelihood-1"]))
    row = page.partition("<code>algorithm.<wbr>rollouts</code>")[2].partition("</tr>")[0]
    assert row.count("<td>") == 2
    assert row.count("–") == 1


def test_sample_sizes_are_told(runs: Path) -> None:
    finished, afresh = (
        compare([runs / "seqgan-1", runs / "likelihood-1"]),
        compare([runs / "seqgan-1", runs / "likelihood-1"], checkpoint="best", count=40),
    )
    assert finished["notes"][-1] == "Figures: 60 samples of each run; plane: 1000 at each temperature."
    assert afresh["notes"][-1] == "Figures: 40 samples of each run; plane: 40 at each temperature."


def test_which_test_is_taken() -> None:
    def figure(value: float) -> Figure:
        return Figure(value=value, standard_error=0.1, count=50)

    ours: dict[int | None, Figure] = {1: figure(1.0), 2: figure(2.0)}
    theirs: dict[int | None, Figure] = {1: figure(1.5), 2: figure(2.7)}
    assert outcome_of(ours, theirs, [1, 2]) == paired_t([1.0, 2.0], [1.5, 2.7])
    assert outcome_of(ours, theirs, [2]) == welch_from(figure(2.0), figure(2.7))
    assert outcome_of(ours, {}, []) is None
    assert outcome_of({1: Figure(value=1.0)}, {1: figure(1.0)}, [1]) is None


def test_p_values_are_corrected_for_the_systems_of_one_figure() -> None:
    tests = [{"figure": name, "p_value": p} for name, p in (("a", 0.01), ("b", 0.02), ("a", 0.04))]
    corrected(tests)
    assert [test["p_holm"] for test in tests] == [holm([0.01, 0.04])[0], 0.02, holm([0.01, 0.04])[1]]


def test_settings_that_make_a_system(tmp_path: Path) -> None:
    recipe = {"algorithm": {"name": "a", "rate": 1}, "corpus": {"spec": "x", "length": 3}, "run": {"seed": 4}}
    assert flattened(recipe) == {"algorithm.name": "a", "algorithm.rate": 1, "corpus.length": 3}
    assert varies("r", [{"r": 1}, {"r": 2}])
    assert not varies("r", [{"r": 1}, {"s": 2}, {"r": 1}])
    (tmp_path / "a.txt").write_text("")
    assert resolved(f"{tmp_path}/../{tmp_path.name}/a.txt") == resolved(f"{tmp_path}/a.txt")
    assert resolved("world:copy") == "world:copy"


def test_references_of_another_kind_are_doubted(tmp_path: Path) -> None:
    """Kills: the warning left out, one of every run, one where references are of the runs' kind."""
    corpus = tmp_path / "words.txt"
    corpus.write_text("one two three\ntwo three one\nthree one two\n" * 20)
    run = {"final_samples": 20, "eval_samples": 20, "tensorboard": False}
    for seed in (1, 2):
        recipe = {
            "algorithm": {"name": "likelihood", "pretrain_epochs": 1},
            "corpus": {"spec": str(corpus), "test": 0.2},
            "generator": {"embedding": 4, "hidden": 4},
            "run": {**run, "seed": seed},
        }
        train(Recipe.of(recipe), tmp_path / str(seed))
    foreign, alike = tmp_path / "foreign.txt", tmp_path / "alike.txt"
    foreign.write_text("uno dos tres\ndos tres uno\n" * 10)
    alike.write_text("one three two\ntwo one three\n" * 10)
    both = [tmp_path / "1", tmp_path / "2"]
    doubted = [note for note in compare(both, str(foreign), count=20)["notes"] if "cut into tokens alike" in note]
    assert len(doubted) == 1
    assert not [note for note in compare(both, str(alike), count=20)["notes"] if "cut into tokens alike" in note]
