"""What a run's folder tells: of one that diverges, of a game that ends early, of one that begins at once.

Mutants killed: an end in the last round of the schedule, rounds that idle, a report without the rounds played, a
generator that is not the best one, a start that is judged again in a run that goes on, or not at all.
"""

from __future__ import annotations

import shutil
from inspect import unwrap
from pathlib import Path
from typing import Any

import pytest

from seqgans.errors import BadInput, Diverged
from seqgans.evaluation.encoders import codes_of, hashed
from seqgans.evaluation.frechet import fed
from seqgans.evaluation.likelihood import draw_sequences
from seqgans.randomness import generator_for
from seqgans.report.page import run_page
from seqgans.training.build import open_corpus
from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe
from seqgans.verbs.loading import load_run
from seqgans.verbs.sample import sample
from seqgans.verbs.train import resume, train


def test_a_mapping_will_do_for_a_recipe(tmp_path: Path) -> None:
    settings = {
        "algorithm": {"name": "likelihood", "pretrain_epochs": 1},
        "corpus": {"spec": "world:markov", "sequences": 60},
        "run": {"final_samples": 20, "tensorboard": False},
    }
    assert train(settings, tmp_path / "run").read_recipe() == Recipe.of(settings)
    with pytest.raises(BadInput, match=r"algorithm\.rate must be a number, got 'fast'"):
        train({**settings, "algorithm": {"name": "likelihood", "rate": "fast"}}, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_folder_that_is_taken_is_said_before_the_corpus_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked again before anything is written, and a corpus that cannot be read leaves nothing behind.

    Mutants killed: the corpus first; the folder made at once; one that was taken since, overwritten.
    """
    settings = {"algorithm": {"name": "likelihood"}, "corpus": {"spec": "nowhere.txt"}}
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine").write_text("")
    with pytest.raises(BadInput, match=r"^--out must be a new or empty folder, .*taken is not empty; choose another"):
        train(settings, tmp_path / "taken")
    with pytest.raises(BadInput, match=r"no file or corpus is called 'nowhere\.txt'"):
        train(settings, tmp_path / "new")
    assert not (tmp_path / "new").exists()

    def slowly(*asked: Any) -> Any:
        (tmp_path / "new").write_text("another's")
        return open_corpus(*asked)

    monkeypatch.setattr("seqgans.verbs.train.open_corpus", slowly)
    with pytest.raises(BadInput, match=r"^--out must be a folder, .*new is a file; choose another name"):
        train({**settings, "corpus": {"spec": "world:markov", "sequences": 60}}, tmp_path / "new")
    assert (tmp_path / "new").read_text() == "another's"


def test_a_loss_that_is_no_number_is_a_finding_and_the_run_can_still_be_sampled(tmp_path: Path):
    recipe = Recipe.of(
        {
            "algorithm": {
                "name": "likelihood",
                "pretrain_epochs": 3,
                "rate": 1e38,
                "clip": 1e38,
                "patience": 0,
                "keep_best": False,
            },
            "corpus": {"spec": "world:markov", "sequences": 200},
            "run": {"final_samples": 50, "eval_samples": 50, "tensorboard": False},
        }
    )
    with pytest.raises(Diverged, match="lower its learning rate"):
        train(recipe, tmp_path / "run")
    kinds = [line["kind"] for line in RunFolder.existing(tmp_path / "run").events()]
    assert kinds.count("failed") == kinds.count("finding") == 1
    assert len(sample(tmp_path / "run", 3)) == 3


def test_a_game_that_ends_early_says_so_and_keeps_its_best_round(tmp_path: Path):
    facts = {
        "algorithm": {"name": "seqgan", "pretrain_epochs": 1, "discriminator_pretrain_steps": 0, "rounds": 40}
        | {
            "discriminator_steps": 1,
            "discriminator_examples": 8,
            "reward": "prefix",
            "batch": 4,
            "generator_rate": 0.1,
        },
        "corpus": {"spec": "world:markov", "sequences": 100},
        "generator": {"embedding": 4, "hidden": 4},
        "discriminator": {"embedding": 4, "widths": [1, 2], "maps": [3, 3]},
        "options": {"patience": 2, "validation": "nll"},
        "run": {"final_samples": 50, "eval_samples": 50, "eval_every": 0, "tensorboard": False},
    }
    folder = train(Recipe.of(facts), tmp_path / "run")
    lines = folder.events()
    rounds = [line["round"] for line in lines if line["kind"] == "round"]
    judged = [line["figures"] for line in lines if line["kind"] == "gathering" and line["phase"] == "validation"]
    assert 2 <= len(rounds) < 40
    assert [figures["rounds_since"] for figures in judged[-3:]] == [0, 1, 2]
    assert len(judged) == len(rounds) + 1
    end = next(line for line in lines if line["kind"] == "end")
    assert (end["round"], end["rounds_left"]) == (rounds[-1], 40 - rounds[-1])
    report = folder.read_json("report.json")
    assert report["rounds"] == {"played": rounds[-1], "of": 40}
    assert f"<dd>{rounds[-1]} of 40</dd>" in run_page(report, lines)
    assert report["evaluations"]["final"]["nll_valid"]["mean"] == pytest.approx(judged[-3]["nll"], abs=1e-4)
    resume(folder.path)
    assert folder.events() == lines


AT_ONCE: dict[str, Any] = {
    "algorithm": {"name": "scheduled-sampling", "rounds": 3},
    "corpus": {"spec": "world:markov", "sequences": 60},
    "generator": {"embedding": 4, "hidden": 4},
}
RUN = {"final_samples": 40, "eval_samples": 40, "eval_every": 2, "tensorboard": False, "keep": 9, "checkpoint_every": 1}


def told(folder: RunFolder) -> list[dict[str, Any]]:
    """The events of a run without their times."""
    return [{key: value for key, value in line.items() if key not in ("time", "seconds")} for line in folder.events()]


def test_a_game_that_begins_at_once_is_judged_at_its_start(tmp_path: Path):
    folder = train(Recipe.of({**AT_ONCE, "run": RUN}), tmp_path / "run")
    lines = told(folder)
    first = lines[0]
    assert (first["kind"], first["stage"], first["step"], first["round"]) == ("evaluation", "untrained", 0, 0)
    assert [line["stage"] for line in lines if line["kind"] == "evaluation"] == ["untrained", "game", "final"]
    report = folder.read_json("report.json")
    assert list(report["evaluations"]) == ["untrained", "final"]
    start, end = (report["evaluations"][stage]["nll_valid"]["mean"] for stage in ("untrained", "final"))
    assert start > end
    assert ">untrained</th>" in run_page(report, folder.events())
    assert "pretrained" not in folder.names()
    for kept in folder.checkpoints()[:2]:  # from before the start was judged, and from after it
        again = tmp_path / kept.name
        shutil.copytree(folder.path, again)
        for other in RunFolder(again).checkpoints():
            if other.name > kept.name:
                shutil.rmtree(other)
        assert told(resume(again)) == lines
        ours, theirs = RunFolder(again).latest(), folder.latest()
        assert all(ours[0][name].equal(tensor) for name, tensor in theirs[0].items())


BROKEN_OFF: dict[str, dict[str, Any]] = {
    "an epoch": {
        **AT_ONCE,
        "algorithm": {"name": "likelihood", "pretrain_epochs": 1, "batch": 5, "anneal": 0},
    },
    "two players a minibatch": {
        "algorithm": {"name": "maskgan", "pretrain_epochs": 0, "mask_epochs": 1, "rounds": 1, "batch": 20},
        "corpus": {"spec": "world:markov", "sequences": 60},
        "generator": {"hidden": 5, "layers": 1},
        "discriminator": {"hidden": 5, "layers": 1},
    },
}


@pytest.mark.parametrize("facts", BROKEN_OFF.values(), ids=BROKEN_OFF)
def test_a_run_is_kept_between_any_two_minibatches(facts: dict[str, Any], tmp_path: Path):
    """Kills: figures of a broken-off epoch that are those of its rest alone, minutes that are never up, or always."""
    often = {**RUN, "checkpoint_every": 0, "eval_every": 0, "checkpoint_minutes": 1e-9, "keep": 99}
    folder = train(Recipe.of({**facts, "run": often}), tmp_path / "run")
    steps = [int(kept.name.removeprefix("step-")) for kept in folder.checkpoints()]
    assert steps == list(range(len(steps)))  # one after each of its minibatches
    assert len(steps) > 5
    plain = train(Recipe.of({**facts, "run": {**often, "checkpoint_minutes": 0}}), tmp_path / "plain")
    assert len(plain.checkpoints()) == 2  # of the beginning and of the end
    assert told(plain) == told(folder)
    for last in range(2, len(steps) - 1, 2):
        again = tmp_path / f"again-{last}"
        shutil.copytree(folder.path, again)
        for other in RunFolder(again).checkpoints()[last:]:
            shutil.rmtree(other)
        assert told(resume(again)) == told(folder)
        ours, theirs = RunFolder(again).latest(), folder.latest()
        assert all(ours[0][name].equal(tensor) for name, tensor in theirs[0].items())


def test_a_game_that_goes_on_with_another_run_starts_pretrained(tmp_path: Path):
    train(Recipe.of({**AT_ONCE, "run": RUN}), tmp_path / "one")
    folder = train(Recipe.of({**AT_ONCE, "run": {**RUN, "start": str(tmp_path / "one")}}), tmp_path / "two")
    report = folder.read_json("report.json")
    assert list(report["evaluations"]) == list(report["sweeps"])[::-1] == ["pretrained", "final"]
    assert "pretrained" in folder.names()
    before, after = RunFolder(tmp_path / "one").latest()[0], folder.load("pretrained")[0]
    assert all(after[name].equal(part) for name, part in before.items() if name.startswith("players/generator"))


def test_the_best_checkpoint_can_be_chosen_by_the_fréchet_distance(tmp_path: Path):
    """Kills: the test split for the validation split, the largest for the smallest, another checkpoint kept."""
    facts: dict[str, Any] = {
        "algorithm": {"name": "likelihood", "pretrain_epochs": 4, "rate": 0.05, "patience": 0, "keep_best": False},
        "corpus": {"spec": "world:markov", "sequences": 200},
        "generator": {"embedding": 4, "hidden": 4},
        "run": {"best": "fed", "eval_every": 1, "final_samples": 60, "eval_samples": 60, "tensorboard": False},
    }
    folder = train(Recipe.of(facts), tmp_path / "run")
    judged = [line for line in folder.events() if line["kind"] == "evaluation"]
    values = [line["chosen_by"]["value"] for line in judged]
    assert {line["chosen_by"]["name"] for line in judged} == {"fed_valid"}
    assert values == [line["figures"]["fed_valid"]["mean"] for line in judged]
    best = min(range(len(values)), key=values.__getitem__)
    run = load_run(tmp_path / "run", "best")
    drawn = draw_sequences(
        run.players.generator, 60, run.corpus.length, generator_for(run.recipe.run.seed, "evaluation", "samples")
    )
    codes = codes_of(run.corpus.vocabulary)
    points, real = hashed(drawn.lists(None), codes), hashed(run.corpus.valid.lists(None), codes)
    assert fed(points, real[:60]).value == pytest.approx(values[best])
    assert len(set(values)) > 1
    with pytest.raises(BadInput, match=r"run\.best fed needs validation sequences, got 0: raise corpus\.valid"):
        train(Recipe.of({**facts, "corpus": {**facts["corpus"], "valid": 0.0}}), tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("out", [None, 3, ""])
def test_a_folder_that_is_no_path_is_said_before_anything(out: Any) -> None:
    with pytest.raises(BadInput, match="out must be the path of a new folder for the run, got"):
        unwrap(train)({"algorithm": {"name": "random"}, "corpus": {"spec": "world:copy"}}, out)


def test_a_list_of_texts_is_no_corpus_and_not_shown_whole(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="write texts to a file, one a line") as refused:
        train({"algorithm": {"name": "random"}, "corpus": {"spec": ["CC"] * 1000}}, tmp_path / "run")
    assert len(str(refused.value)) < 150
