"""Callbacks of transformers hear a run as they hear a Trainer, and their wishes are granted.

Mutants killed: a step for each player instead of each minibatch, epochs or a best metric begun anew by a run that goes
on, a wish that is granted twice, late or never, a run that stops without report or without its best epoch, random
numbers drawn for an evaluation that was asked for.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback, TrainingArguments
from transformers.trainer_callback import ExportableState

from seqgans.errors import BadInput
from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe
from seqgans.verbs.train import resume, train
from tests.generators.models import model_folder

EPOCHS, ROUNDS = 2, 3
HEARD = ("train_begin", "epoch_begin", "step_end", "log", "evaluate", "save", "epoch_end", "train_end")


def recipe(**run: Any) -> Recipe:
    game = {"name": "seqgan", "pretrain_epochs": EPOCHS, "rounds": ROUNDS, "rollouts": 1, "batch": 8}
    game |= {
        "generator_steps": 1,
        "discriminator_steps": 1,
        "discriminator_epochs": 1,
        "discriminator_pretrain_steps": 1,
    }
    run = {"eval_samples": 20, "final_samples": 20, "tensorboard": False, "device": "cpu", "eval_every": 1} | run
    return Recipe.of(
        {
            "algorithm": game | {"discriminator_examples": 8},
            "corpus": {"spec": "world:markov", "sequences": 40},
            "generator": {"embedding": 4, "hidden": 5},
            "discriminator": {"name": "cnn", "widths": [1, 2], "maps": [3, 3], "embedding": 4},
            "run": run,
        }
    )


class Ear(TrainerCallback):
    """Keeps what it heard: the method, and how far the run was."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int, float]] = []
        self.logs: list[dict[str, Any]] = []
        self.metrics: list[dict[str, float]] = []
        self.arguments: Any = None
        self.given: dict[str, Any] = {}
        self.best: tuple[float | None, int | None] = (None, None)
        self.history: list[dict[str, Any]] = []

    def note(self, name: str, args: Any, state: Any, given: dict[str, Any]) -> None:
        self.heard.append((name, state.global_step, state.epoch))
        self.best, self.history = (state.best_metric, state.best_global_step), list(state.log_history)
        self.arguments, self.given = args, given
        for kept, what in ((self.logs, "logs"), (self.metrics, "metrics")):
            kept += [given[what]] if what in given else []


def listening(name: str) -> Callable[..., None]:
    """A method that notes its own name."""

    def hear(self: Ear, args: Any, state: Any, control: Any, **given: Any) -> None:
        self.note(name, args, state, given)

    return hear


for name in HEARD:
    setattr(Ear, f"on_{name}", listening(name))


class Wisher(TrainerCallback):
    """Asks for something after a number of steps."""

    def __init__(self, wish: str, step: int) -> None:
        self.wish, self.step = wish, step

    def on_step_end(self, args, state, control, **given):
        if state.global_step == self.step:
            setattr(control, self.wish, True)
        return control


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Ear]:
    """A run that one callback heard."""
    ear = Ear()
    return train(recipe(checkpoint_every=1), tmp_path_factory.mktemp("heard") / "run", callbacks=[ear]), ear


def test_a_run_is_heard_from_its_beginning_to_its_end(whole: tuple[RunFolder, Ear]) -> None:
    folder, ear = whole
    names = [name for name, _, _ in ear.heard]
    assert set(names) == set(HEARD)
    assert (names[0], names[-1]) == ("train_begin", "train_end")
    assert names.count("epoch_begin") == names.count("epoch_end") == EPOCHS + ROUNDS
    epochs = [epoch for name, _, epoch in ear.heard if name == "epoch_begin"]
    assert epochs == list(range(EPOCHS + ROUNDS))
    before = [line["step"] for line in folder.events() if line["kind"] == "phase"]
    first_round = [step for name, step, _ in ear.heard if name == "epoch_begin"][EPOCHS]
    assert first_round == before[-1]  # what the discriminator learns before the game is no epoch
    assert ear.arguments.num_train_epochs == EPOCHS + ROUNDS
    steps = [step for name, step, _ in ear.heard if name == "step_end"]
    assert steps == list(range(1, folder.events()[-1]["step"] + 1))
    assert ear.heard[-1] == ("train_end", steps[-1], EPOCHS + ROUNDS)
    lines = folder.events()
    assert names.count("evaluate") == sum(line["kind"] == "evaluation" for line in lines)
    assert names.count("log") == sum(line["kind"] in ("evaluation", "gathering") for line in lines)
    gathered = next(line for line in lines if line["kind"] == "gathering" and line["round"])
    name, value = next(iter(gathered["figures"].items()))
    assert any(log.get(f"{gathered['phase']}/{name}") == value for log in ear.logs)
    judged = [line["figures"] for line in lines if line["kind"] == "evaluation"]
    assert [one["eval_nll_gen_test"] for one in ear.metrics] == [one["nll_gen_test"]["mean"] for one in judged]


def test_arguments_and_model_are_those_of_the_run(whole: tuple[RunFolder, Ear]) -> None:
    folder, ear = whole
    assert isinstance(ear.arguments, TrainingArguments)
    assert ear.arguments.output_dir == str(folder.path)
    assert ear.arguments.per_device_train_batch_size == 8
    assert not ear.arguments.greater_is_better
    assert sum(parameter.numel() for parameter in ear.given["model"].parameters()) > 0
    assert ear.given["processing_class"].decode([0])


def test_whoever_listens_changes_nothing(whole: tuple[RunFolder, Ear], tmp_path: Path) -> None:
    alone = train(recipe(checkpoint_every=1), tmp_path / "alone")
    asked = train(recipe(), tmp_path / "asked", callbacks=[Wisher("should_evaluate", 3)])
    one, two, three = (load_file(run.checkpoints()[-1] / "tensors.safetensors") for run in (whole[0], alone, asked))
    assert one.keys() == two.keys() == three.keys()
    assert all(part.equal(two[name]) and part.equal(three[name]) for name, part in one.items())


def test_a_checkpoint_and_an_evaluation_come_once_where_they_are_asked_for(tmp_path: Path) -> None:
    ear = Ear()
    wishes = [Wisher("should_save", 2), Wisher("should_evaluate", 2)]
    run = train(recipe(eval_every=0, checkpoint_every=0, keep=9), tmp_path / "run", callbacks=[*wishes, ear])
    stages = [line["stage"] for line in run.events() if line["kind"] == "evaluation"]
    assert stages == ["pretraining", "pretrained", "final"]
    assert [name for name, _, _ in ear.heard].count("save") == 2  # and the last one
    assert len(run.checkpoints()) == 3  # and that of the beginning


def test_a_callback_ends_a_run_in_good_order(tmp_path: Path) -> None:
    ear = Ear()
    last = train(recipe(), tmp_path / "whole").events()[-1]["step"]
    folder = train(recipe(), tmp_path / "run", callbacks=[Wisher("should_training_stop", last - 4), ear])
    assert (folder.path / "report.json").is_file()
    (end,) = [line for line in folder.events() if line["kind"] == "end"]
    assert end["rounds_left"] > 0
    assert ear.heard[-1][0] == "train_end"
    assert ear.heard[-1][1] < last
    before = folder.events()
    assert resume(folder.path).events() == before  # there is nothing left to do


class AtRoundsEnd(TrainerCallback):
    """Has enough where the first round ends."""

    def on_epoch_end(self, args, state, control, **given):
        control.should_training_stop = state.epoch >= EPOCHS + 1


def test_a_run_that_is_ended_at_the_end_of_a_round_plays_no_more(tmp_path: Path) -> None:
    folder = train(recipe(), tmp_path / "run", callbacks=[AtRoundsEnd])
    assert folder.read_json("report.json")["rounds"] == {"played": 1, "of": ROUNDS}
    lines = [(line["kind"], line["round"]) for line in folder.events() if line["kind"] != "finding"]
    assert lines[-3:] == [("evaluation", 1), ("end", 1), ("evaluation", 1)]


def test_likelihood_that_is_ended_keeps_its_best_epoch(tmp_path: Path) -> None:
    class Enough(TrainerCallback):
        def on_epoch_end(self, args, state, control, **given):
            control.should_training_stop = state.epoch == 8

    facts = recipe().to_dict() | {
        "algorithm": {"name": "likelihood", "pretrain_epochs": 8, "rate": 0.3, "patience": 0, "keep_best": True}
    }
    facts.pop("discriminator")
    alone, ended = (
        train(Recipe.of(facts), tmp_path / name, callbacks=heard).read_json("report.json")["evaluations"]["final"]
        for name, heard in (("alone", []), ("ended", [Enough]))
    )
    assert ended["nll_valid"] == alone["nll_valid"]


def test_an_evaluation_that_is_asked_for_and_due_comes_once_and_before_the_checkpoint(tmp_path: Path) -> None:
    class Always(TrainerCallback):
        def on_log(self, args, state, control, **given):
            control.should_evaluate = True

    folder = train(recipe(checkpoint_every=1, keep=99), tmp_path / "run", callbacks=[Always])
    judged = [line["step"] for line in folder.events() if line.get("stage") == "pretraining"]
    assert judged == sorted(set(judged))
    again = tmp_path / "again"
    shutil.copytree(folder.path, again)
    for kept in RunFolder(again).checkpoints()[2:]:
        shutil.rmtree(kept)
    resume(again, callbacks=[Always])
    stages = [[line.get("stage") for line in run.events()] for run in (folder, RunFolder(again))]
    assert stages[0] == stages[1]


def test_patience_of_transformers_is_kept(tmp_path: Path) -> None:
    patience = EarlyStoppingCallback(
        early_stopping_patience=1, early_stopping_threshold=10.0
    )  # nothing is better by so much
    folder = train(recipe(best="nll_valid"), tmp_path / "run", callbacks=[patience, PrinterCallback])
    judged = [line["stage"] for line in folder.events() if line["kind"] == "evaluation"]
    assert judged == ["pretraining", "pretraining", "pretrained", "game", "final"]  # one to beat, one that does not
    assert folder.read_json("report.json")["rounds"]["played"] == 1
    assert (folder.path / "report.json").is_file()


def test_a_run_that_goes_on_counts_on(tmp_path: Path, whole: tuple[RunFolder, Ear]) -> None:
    short = train(recipe(checkpoint_every=1, keep=9), tmp_path / "run")
    for path in short.checkpoints()[-2:]:  # that of the end, and of the last round
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    ear = Ear()
    resume(short.path, callbacks=[ear])
    expected = [one for one in whole[1].heard if one[0] == "step_end"]
    heard = [one for one in ear.heard if one[0] == "step_end"]
    assert heard == expected[-len(heard) :]
    assert ear.heard[-1] == whole[1].heard[-1]
    assert (ear.best, ear.history) == (whole[1].best, whole[1].history)


def test_what_callbacks_count_themselves_goes_on(tmp_path: Path) -> None:
    """Mutants killed: patience that begins anew; another callback's count; a patience given now that is not heard."""

    def patient(patience: int) -> EarlyStoppingCallback:
        return EarlyStoppingCallback(early_stopping_patience=patience, early_stopping_threshold=10.0)

    first = [Ear(), patient(50), patient(60)]
    run = train(recipe(checkpoint_every=1, keep=99), tmp_path / "run", callbacks=first)
    counted = first[1].early_stopping_patience_counter
    assert counted > 2
    for path in run.checkpoints()[-3:]:
        shutil.rmtree(path)
    again = [patient(50), Ear(), patient(70)]
    resume(run.path, callbacks=again)
    assert [one.early_stopping_patience_counter for one in (again[0], again[2])] == [counted] * 2
    assert again[2].early_stopping_patience == 70


class Odd(TrainerCallback, ExportableState):
    """What it knows cannot be written as JSON."""

    def state(self) -> dict[str, Any]:
        return {"args": {}, "attributes": {"seen": {1, 2}}}


def test_a_state_that_cannot_be_kept_is_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the state of a callback must be ready for JSON, that of Odd is not"):
        train(recipe(), tmp_path / "run", callbacks=[Odd])


def test_what_is_no_callback_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"transformers\.TrainerCallback, got str"):
        train(recipe(), tmp_path / "run", callbacks=["wandb"])
    assert not (tmp_path / "run").exists()


def test_a_callback_may_let_a_pretrained_model_write(tmp_path: Path) -> None:
    """`model` and `processing_class` are those of transformers, so that `generate` and `decode` work."""
    written: list[str] = []

    class Writer(TrainerCallback):
        def on_evaluate(self, args, state, control, model, processing_class, **given):
            asked = processing_class("w1 w2", return_tensors="pt")
            answer = model.generate(asked["input_ids"], max_new_tokens=3, do_sample=False)
            written.append(processing_class.decode(answer[0]))

    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("w1 w2\tw11 w12 w13\n" * 12)
    tuned = {
        "algorithm": {"name": "rlgaf", "pretrain_epochs": 1, "rounds": 1, "batch": 4, "group": 2}
        | {"discriminator_pretrain_steps": 1, "variant": "ppo"},
        "corpus": {"spec": str(pairs), "text": "1", "source": "0", "source_length": 4, "length": 4},
        "generator": {"model": str(model_folder(tmp_path / "model"))},
        "run": {"eval_samples": 4, "final_samples": 4, "tensorboard": False, "device": "cpu"},
    }
    ear = Ear()
    train(Recipe.of(tuned), tmp_path / "run", callbacks=[Writer, ear])
    steps = [step for name, step, _ in ear.heard if name == "step_end"]
    assert steps == list(range(1, len(steps) + 1))  # one a minibatch, also where it moves policy and values
    assert written
    assert all(text.startswith("w1 w2") for text in written)
