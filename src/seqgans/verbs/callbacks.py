"""Callbacks of transformers' Trainer, told of our runs.

What happens                                   Callback         `state`
the run begins or goes on                      on_train_begin   num_train_epochs: passes before the game, and rounds
an epoch of likelihood or a round begins, ends on_epoch_begin, on_epoch_end   epoch: how many lie behind
a minibatch has moved the players              on_step_begin, on_step_end     global_step: updates so far
a gathering is used up                         on_log           logs: its figures, "phase/figure", and the epoch
an evaluation                                  on_evaluate      metrics: its figures, "eval_" before each name
a checkpoint was written                       on_save
the end                                        on_train_end

`control.should_evaluate`, `should_save` and `should_training_stop` are granted at the end of the gathering, or of the
round, in which they are set: a run that is stopped so is evaluated and reported as any other. Callbacks live on the
leading process. `args` is a `TrainingArguments` that says what the recipe says; how many updates a run has is not known
beforehand, so `state.max_steps` is 0.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqgans.algorithms.base import Schedule
from seqgans.data.packages import optional_package
from seqgans.data.tokenizer import tokenizer_of_model
from seqgans.errors import BadInput
from seqgans.training.folder import RunFolder
from seqgans.training.loop import Training
from seqgans.training.place import Event
from seqgans.training.recipe import PRETRAINED, Recipe
from seqgans.verbs.listener import Wish, may_be_best

WISHES: dict[Wish, str] = {
    "evaluation": "should_evaluate",
    "checkpoint": "should_save",
    "end": "should_training_stop",
}


class TrainerCallbacks:
    """A `Listener` that hands everything on to callbacks of transformers.

    Args:
        callbacks: `TrainerCallback` objects, or classes that are made without arguments.

    Raises:
        BadInput: transformers is not installed, or one of them is no callback.
    """

    def __init__(self, callbacks: Sequence[Any]) -> None:
        found = optional_package("transformers", "a callback of transformers", "lm")
        self.all = [one() if isinstance(one, type) else one for one in callbacks]
        for one in self.all:
            if not isinstance(one, found.TrainerCallback):
                raise BadInput(f"callbacks must be transformers.TrainerCallback, got {type(one).__name__}")
        self.args: Any = None
        self.state = found.TrainerState(epoch=0.0)
        self.control = found.TrainerControl()
        self.given: dict[str, Any] = {}
        self.inside = False  # an epoch has begun
        self.schedule: Schedule | None = None

    def begin(self, folder: RunFolder, recipe: Recipe, training: Training, chooser: str) -> None:
        """Say what the recipe says in the words of transformers; the model is the generator's."""
        schedule, place, generator = training.schedule, training.place, training.players.generator
        self.args = arguments(folder, recipe, training)
        self.args.metric_for_best_model = f"eval_{chooser}"
        self.schedule = schedule
        self.state.num_train_epochs = sum(phase.gathers for phase in schedule.before if passes(phase.name))
        self.state.num_train_epochs += schedule.rounds
        self.args.num_train_epochs = float(self.state.num_train_epochs)
        self.state.logging_steps = self.state.eval_steps = self.state.save_steps = 1
        for line in folder.events():  # of a run that goes on
            self.remember(line)
        self.state.global_step = place.step
        self.facts()  # what cannot be kept is refused before it matters
        self.given = {
            "model": getattr(generator, "model", generator),
            "processing_class": reader(recipe) or training.corpus.vocabulary,
            **dict.fromkeys(("optimizer", "lr_scheduler", "train_dataloader", "eval_dataloader")),
        }
        self.call("on_init_end")
        self.call("on_train_begin")

    def updated(self, event: Event) -> None:
        """One step a minibatch, however many players it moved."""
        if event.step == self.state.global_step:
            return
        if not self.inside and (event.round or passes(event.phase)):
            self.inside = True
            self.call("on_epoch_begin")
        self.call("on_step_begin")
        self.state.global_step = event.step
        self.call("on_step_end")

    def line(self, line: dict[str, Any]) -> None:
        """Figures of gatherings are logs, those of evaluations are metrics."""
        best = self.state.best_metric, self.state.best_global_step
        logs = self.remember(line)
        if logs:
            self.call("on_log", logs=logs)
        if line["kind"] == "evaluation":  # callbacks see the best of what came before
            now = self.state.best_metric, self.state.best_global_step
            self.state.best_metric, self.state.best_global_step = best
            self.call("on_evaluate", metrics={name: value for name, value in logs.items() if name != "epoch"})
            self.state.best_metric, self.state.best_global_step = now
        if ends_epoch(line):
            self.inside = False
            self.call("on_epoch_end")

    def remember(self, line: dict[str, Any]) -> dict[str, Any]:
        """Take a line into the state: its figures into the history, the best of the metrics, how many epochs are over.

        Returns:
            What is logged of it.
        """
        state, figures, logs = self.state, line.get("figures", {}), {}
        state.global_step = max(state.global_step, line["step"])
        if line["kind"] == "gathering":
            logs = {f"{line['phase']}/{name}": value for name, value in figures.items()}
        elif line["kind"] == "evaluation":
            means = {name: figure["mean"] for name, figure in figures.items()}
            logs = {f"eval_{name}": mean for name, mean in means.items() if mean is not None and math.isfinite(mean)}
            chosen = logs.get(self.args.metric_for_best_model)
            best = chosen is not None and (state.best_metric is None or chosen < state.best_metric)
            if best and self.schedule is not None and may_be_best(line["stage"], self.schedule):
                state.best_metric, state.best_global_step = chosen, line["step"]
        if logs:
            logs |= {"epoch": state.epoch}
            state.log_history.append({**logs, "step": line["step"]})
        state.epoch += float(ends_epoch(line))
        return logs

    def saved(self, checkpoint: Path) -> None:
        """A checkpoint was written."""
        self.call("on_save")

    def wants(self, wish: Wish) -> bool:
        """What a callback has set in `control`."""
        asked = bool(getattr(self.control, WISHES[wish]))
        setattr(self.control, WISHES[wish], False)
        return asked

    def facts(self) -> list[Any]:
        """What callbacks that tell their state (transformers' `ExportableState`) have counted, in their order.

        Raises:
            BadInput: a state is not ready for JSON.
        """
        found = [[type(one).__name__, one.state()["attributes"]] for one in self.all if tells_state(one)]
        for name, attributes in found:
            try:
                json.dumps(attributes)
            except (TypeError, ValueError) as error:
                raise BadInput(
                    f"the state of a callback must be ready for JSON, that of {name} is not: {error}"
                ) from error
        return found

    def restore(self, facts: list[Any]) -> None:
        """Give each callback what one of its class had counted, in their order; settings are those given now."""
        left = list(facts)
        for one in self.all:
            known = next((each for each in left if tells_state(one) and each[0] == type(one).__name__), None)
            if known is not None:
                left.remove(known)
                for name, value in known[1].items():
                    setattr(one, name, value)

    def ended(self) -> None:
        """The end."""
        self.call("on_train_end")

    def call(self, name: str, **more: Any) -> None:
        """One method of all callbacks, in their order; a control that one of them returns is the control."""
        for one in self.all:
            answer = getattr(one, name)(self.args, self.state, self.control, **self.given, **more)
            self.control = self.control if answer is None else answer


def tells_state(callback: Any) -> bool:
    """Whether a callback is one of those whose state transformers' Trainer keeps in its checkpoints."""
    from transformers.trainer_callback import ExportableState

    return isinstance(callback, ExportableState)


def reader(recipe: Recipe) -> Any:
    """The tokenizer of a pre-trained model; None of any other generator."""
    return tokenizer_of_model(recipe.generator_settings.model) if recipe.generator == PRETRAINED else None


def passes(phase: str) -> bool:
    """Whether a gathering of a phase before the game is an epoch."""
    return phase == "likelihood"


def ends_epoch(line: dict[str, Any]) -> bool:
    """Whether a line ends an epoch of likelihood before the game, or a round."""
    epoch = line["kind"] == "gathering" and not line["round"] and passes(line["phase"])
    return line["kind"] == "round" or epoch


def arguments(folder: RunFolder, recipe: Recipe, training: Training) -> Any:
    """A `TrainingArguments` of the recipe.

    It is made without its initialiser, which would set up devices and processes that the run has set up already.
    """
    from transformers import TrainingArguments

    made, run, said = object.__new__(TrainingArguments), recipe.run, recipe.to_dict()["algorithm"]
    for field in dataclasses.fields(TrainingArguments):
        value = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        setattr(made, field.name, value)
    rate = next((said[name] for name in ("generator_rate", "rate", "pretrain_rate") if name in said), 0.0)
    made.output_dir, made.seed, made.run_name = str(folder.path), run.seed, folder.path.name
    parts = training.team.processes * run.accumulate
    made.learning_rate, made.gradient_accumulation_steps = rate, run.accumulate
    made.per_device_train_batch_size = max(1, said.get("batch", 1) // parts)
    made.eval_strategy, made.eval_steps, made.save_steps = "steps", run.eval_every, run.checkpoint_every
    made.report_to, made.logging_steps, made.greater_is_better = [], 1, False
    return made
