"""Runs and files measured afresh, side by side: what they share, and what is told while it goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from seqgans.errors import BadInput
from seqgans.training.recipe import Recipe
from seqgans.verbs.compare import compare
from seqgans.verbs.outcome import reported
from seqgans.verbs.train import train
from tests.generators.models import model_folder
from tests.verbs.conftest import RUN

LSTM = {"metrics": ["lm_lstm"], "count": 40}


def means(found: dict[str, Any]) -> dict[str, float]:
    return {system["name"]: system["figures"]["lm_lstm"]["mean"] for system in found["systems"]}


def test_runs_of_equal_references_learn_from_them_once(runs: Path, learnt: list[int]) -> None:
    """Their splits differ with the seed. Mutants killed: an LSTM for each run; one for all, whatever they learnt from.

    That of the first seed would give the runs of the second other figures than they have alone.
    """
    alone = [means(compare([runs / f"{name}-{seed}" for name in ("seqgan", "likelihood")], **LSTM)) for seed in (1, 2)]
    assert len(learnt) == 2
    found = means(compare([runs / f"{name}-{seed}" for seed in (1, 2) for name in ("seqgan", "likelihood")], **LSTM))
    assert len(learnt) == 4
    assert found == {name: pytest.approx((alone[0][name] + alone[1][name]) / 2) for name in found}
    assert alone[0] != alone[1]


def test_files_learn_once_from_references_and_from_those_of_a_run(
    runs: Path, learnt: list[int], tmp_path: Path
) -> None:
    """Mutants killed: an LSTM for each file, or a second one beside the run's."""
    for name, line in (("a", "1 1 2 0 " * 3), ("b", "2 0 1 2 " * 3), ("real", "0 1 2 1 " * 3)):
        (tmp_path / name).write_text(f"{line}\n" * 30)
    files = [tmp_path / "a", tmp_path / "b"]
    compare(files, str(tmp_path / "real"), **LSTM)
    assert len(learnt) == 1
    compare([runs / "seqgan-1", *files], **LSTM)
    assert len(learnt) == 2


def test_each_metric_of_each_target_is_told(runs: Path, tmp_path: Path) -> None:
    """Mutants killed: the metrics of runs alone, a total of one run, nothing where no metric is named."""
    (tmp_path / "a.txt").write_text(f"{'1 1 2 0 ' * 3}\n" * 30)
    told: list[tuple[str, int]] = []
    asked = {"count": 40, "watch": lambda name, total: told.append((name, total))}
    compare([runs / "seqgan-1", runs / "likelihood-1", tmp_path / "a.txt"], metrics=["lm_kn", "length"], **asked)
    names = ["seqgan-1", "likelihood-1", "a.txt"]
    assert told == [(f"{name}: {metric}", 6) for name in names for metric in ("lm_kn", "length")]
    told.clear()
    compare([runs / "seqgan-1", runs / "seqgan-2"], **asked)
    assert len(told) == told[0][1]


def rewritten(run: Path, path: Path, **final: dict[str, Any]) -> Path:
    """A copy of a run whose report has these figures of its end as well, without what they do not name."""
    copy = Path(shutil.copytree(run, path))
    report = json.loads((copy / "report.json").read_text())
    report["evaluations"]["final"] |= final
    (copy / "report.json").write_text(json.dumps(report))
    return copy


def test_each_figure_of_a_report_says_how_many_things_it_is_the_mean_of(runs: Path, tmp_path: Path) -> None:
    """As a run writes it and a comparison reads it. Kills: a run that does not write it; one count for all figures."""
    final = json.loads((runs / "seqgan-1" / "report.json").read_text())["evaluations"]["final"]
    assert final["nll_oracle"]["count"] == 60
    run = rewritten(runs / "seqgan-1", tmp_path / "run", nll_gen_test={**final["nll_gen_test"], "count": 7})
    figures = reported(run).final.figures
    assert (figures["nll_oracle"].count, figures["nll_gen_test"].count) == (60, 7)


def test_means_over_two_prompts_are_tested_as_two(runs: Path, tmp_path: Path) -> None:
    """Two prompts of 60 samples: 0.222 ± 0 against 0.422 ± 0.022 has one degree of freedom, p = 0.07 and not 1e-9.

    Reports of before say nothing of the number: then answers are not tested at all, and what overlaps other sequences
    is a mean over a thousand samples at most.

    Mutants killed: the samples drawn for the number of prompts; a star for answers of an older report; no test of its
    other figures; a thousand where fewer were drawn.
    """

    def compared(*found: dict[str, Any], name: str = "f1") -> dict[str, Any]:
        places = [
            rewritten(runs / f"{one}-1", tmp_path / f"{one}{len(list(tmp_path.iterdir()))}", **{name: figure})
            for one, figure in zip(("seqgan", "likelihood"), found, strict=True)
        ]
        return {test["figure"]: test["p_value"] for test in compare(places)["tests"]}

    one, other = {"mean": 0.222, "error": 0.0}, {"mean": 0.422, "error": 0.022}
    assert compared({**one, "count": 2}, {**other, "count": 2})["f1"] == pytest.approx(0.0698, abs=1e-3)
    old = compared(one, other)
    assert "f1" not in old
    assert "nll_gen_test" in old
    assert "real_answer_length" not in compared(one, other, name="real_answer_length")
    run = rewritten(runs / "seqgan-1", tmp_path / "old", bleu_4=one, nll_div=one)
    text = (run / "settings.yaml").read_text()
    assert [reported(run).final.figures[name].count for name in ("bleu_4", "nll_div")] == [60, 60]
    (run / "settings.yaml").write_text(text.replace("final_samples: 60", "final_samples: 5000"))
    assert [reported(run).final.figures[name].count for name in ("bleu_4", "nll_div")] == [1000, 5000]


def test_a_count_that_is_none_is_said(runs: Path, tmp_path: Path) -> None:
    """Kills: a traceback, or 1.5 things."""
    run = rewritten(runs / "seqgan-1", tmp_path / "odd", nll_div={"mean": 1.0, "error": 0.1, "count": 1.5})
    with pytest.raises(BadInput, match=r"damaged: the count of nll_div must be a whole number, got 1\.5; delete it"):
        reported(run)


def test_files_of_other_lengths_share_nothing(tmp_path: Path) -> None:
    """A law's references are as long as a file's sequences. Kills: what the first file made of them for all."""
    files = [tmp_path / "short.txt", tmp_path / "long.txt"]
    for file, length in zip(files, (4, 9), strict=True):
        file.write_text("".join(f"{' '.join(str(row * place % 97) for place in range(length))}\n" for row in range(20)))
    asked: dict[str, Any] = {"references": "oracle", "metrics": ["lm_kn"], "count": 20}
    there, back = (
        {system["name"]: system["figures"] for system in compare(order, **asked)["systems"]}
        for order in (files, files[::-1])
    )
    for name, figures in there.items():
        for figure in ("lm_kn", "real_lm_kn"):
            assert figures[figure]["mean"] == back[name][figure]["mean"]


def test_no_curve_of_a_pretrained_model_is_drawn_unasked(tmp_path: Path) -> None:
    """Thousands of its texts. Mutants killed: a sweep of what its report has no sweep of."""
    (tmp_path / "texts.txt").write_text("".join(f"w{1 + number % 7} w{1 + number % 9}\n" for number in range(40)))
    facts = {
        "algorithm": {"name": "likelihood", "pretrain_epochs": 1},
        "corpus": {"spec": str(tmp_path / "texts.txt"), "valid": 0.2, "test": 0.2},
        "generator": {"name": "pretrained", "model": str(model_folder(tmp_path / "model"))},
        "run": {**RUN, "final_samples": 8, "eval_samples": 8},
    }
    run = train(Recipe.of(facts), tmp_path / "run").path
    (tmp_path / "others.txt").write_text("w1 w2\n" * 8)
    found = compare([run, tmp_path / "others.txt"], count=8, metrics=["distinct"])
    assert [system["sweep"] for system in found["systems"]] == [[], []]
    assert not any("plane" in note for note in found["notes"])
