"""Train: a recipe into a run's folder; resume: go on where a run stopped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from seqgans.algorithms.base import Players
from seqgans.data.corpus import Corpus
from seqgans.data.remarks import remarks
from seqgans.errors import BadInput, Diverged, Failed, misfit
from seqgans.generators.recurrent import Recurrent
from seqgans.options import OF_ONE_GAME
from seqgans.training.build import build_players, open_corpus, oracle_arrays
from seqgans.training.checkpoint import write_atomically
from seqgans.training.fitting import check_fit
from seqgans.training.folder import RunFolder
from seqgans.training.free import check_free
from seqgans.training.loop import Training
from seqgans.training.moments import led
from seqgans.training.parts import check_parts
from seqgans.training.place import Event
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from seqgans.verbs.boards import check_trackers
from seqgans.verbs.callbacks import TrainerCallbacks
from seqgans.verbs.judging import Judge
from seqgans.verbs.listener import Listener
from seqgans.verbs.loading import load_run, open_run
from seqgans.verbs.progress import Silent, Watcher
from seqgans.verbs.recorder import Recorder
from seqgans.verbs.rescue import rescued


class Interrupted(Failed):
    """A run was stopped by Ctrl-C or SIGTERM; a checkpoint was saved, and the message says how to go on."""


def train(
    recipe: Recipe | Mapping[str, Any],
    out: Path | str,
    watcher: Watcher | None = None,
    callbacks: Sequence[Any] = (),
) -> RunFolder:
    """Train from the beginning.

    Args:
        recipe: all settings, also as the mapping that `Recipe.of` takes.
        out: a new or empty folder for the run.
        watcher: who is told what happens.
        callbacks: of transformers' Trainer (`TrainerCallback`), see `seqgans.verbs.callbacks`.

    Returns:
        The run's folder.

    Raises:
        BadInput: a setting, the corpus or the folder cannot be used.
        Failed: a loss is not a number, or the disk is full; what was saved stays.
        Interrupted: the run was stopped and can be resumed.
    """
    recipe = recipe if isinstance(recipe, Recipe) else Recipe.of(recipe)
    if not isinstance(out, Path | str) or not str(out):
        raise BadInput(f"out must be the path of a new folder for the run, got {out!r}")
    listener = TrainerCallbacks(callbacks) if callbacks else None
    check_trackers(recipe.run.trackers)
    team = ready(recipe)
    if team.leads:
        check_free(Path(out))  # before a large corpus is read; nothing is made until all of it can be used
    corpus, truth = open_corpus(recipe.corpus, recipe.corpus_settings, recipe.run.seed)
    players = build_players(recipe, corpus, recipe.run.seed)
    if recipe.run.start is not None:
        begin_with(players, corpus, recipe.run.start, recipe.run.start_checkpoint)
    warning = check_fit(recipe, players, corpus, recipe.run.accumulate, team.device)
    if watcher is not None and team.leads:
        for line in (*remarks(corpus), *filter(None, [warning])):
            watcher.say(f"warning: {line}")
    training = Training(recipe.played, players, corpus, recipe.run.seed, team, recipe.run.accumulate)
    judge = Judge(corpus, truth, recipe.run.seed, team.device, recipe.run.best)
    folder = RunFolder(out)
    with led(team, training.optimizers):
        if team.leads:
            folder = RunFolder.new(out)
            folder.write_corpus(corpus)
            folder.write_versions(team.processes)
            if isinstance(truth, Recurrent):
                from safetensors.torch import save

                write_atomically(folder.path / "oracle.safetensors", save(oracle_arrays(truth)))
            folder.write_text("settings.yaml", recipe.to_yaml())
            folder.save(0, *training.state(), keep=recipe.run.keep)
    team.wait()
    return carried_out(folder, recipe, training, judge, watcher or Silent(), listener)


def resume(out: Path | str, watcher: Watcher | None = None, callbacks: Sequence[Any] = ()) -> RunFolder:
    """Go on from the newest checkpoint; what follows is what would have followed, bit for bit on one machine.

    Args:
        out: the folder of a run.
        watcher: who is told what happens.
        callbacks: of transformers' Trainer, as in `train`; those that tell their state (`ExportableState`, such as
            `EarlyStoppingCallback`) go on counting, what others count begins anew.

    Raises:
        BadInput: there is no run, or its newest checkpoint is damaged.
        Failed: as in `train`.
        Interrupted: the run was stopped again.
    """
    listener = TrainerCallbacks(callbacks) if callbacks else None
    folder, recipe, corpus, truth = open_run(out)
    team = ready(recipe)
    players = build_players(recipe, corpus, recipe.run.seed)
    training = Training(recipe.played, players, corpus, recipe.run.seed, team, recipe.run.accumulate)
    if team.leads:
        folder.tidy()
    team.wait()
    tensors, facts = folder.latest()
    try:
        training.restore(tensors, facts)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = misfit(error)
        raise BadInput(
            f"the checkpoint in {out} does not fit its settings.yaml: {reason}; undo what changed"
        ) from error
    if team.leads:
        folder.keep_events(facts.get("lines", 0))
    team.wait()
    if listener is not None:
        listener.restore(facts.get("listener", []))
    judge = Judge(corpus, truth, recipe.run.seed, team.device, recipe.run.best)
    return carried_out(folder, recipe, training, judge, watcher or Silent(), listener, facts.get("sums"))


def begin_with(players: Players, corpus: Corpus, path: str, checkpoint: str) -> None:
    """Give players the parameters that those of the same name have in another run.

    Raises:
        BadInput: the other run has another vocabulary, or players of another shape.
    """
    other = load_run(path, checkpoint)
    if other.corpus.vocabulary != corpus.vocabulary:
        raise BadInput(
            f"run.start must name a run with the same vocabulary, {path} has {other.corpus.vocabulary.size} symbols "
            f"and this corpus {corpus.vocabulary.size}, or others; train it on the same corpus and settings"
        )
    for name, player in players.named_children():
        if name in dict(other.players.named_children()) and name not in OF_ONE_GAME:
            try:
                player.load_state_dict(other.players.get_submodule(name).state_dict())
            except RuntimeError as error:
                reason = misfit(error)
                raise BadInput(f"run.start: the {name} of {path} does not fit this one: {reason}") from error


def ready(recipe: Recipe) -> Team:
    """The processes and their threads.

    Raises:
        BadInput: there are no such devices, or the algorithm's loss cannot be computed in their parts.
    """
    if recipe.run.threads:
        torch.set_num_threads(recipe.run.threads)
    team = Team(recipe.run.device, recipe.run.precision)
    check_parts(recipe.settings, recipe.run.accumulate, team.processes)
    return team


def carried_out(
    folder: RunFolder,
    recipe: Recipe,
    training: Training,
    judge: Judge,
    watcher: Watcher,
    listener: Listener | None = None,
    sums: dict[str, list[float]] | None = None,
) -> RunFolder:
    """Run what is left of the schedule and record it."""
    leads = training.team.leads
    recorder = Recorder(folder, recipe, training, judge, watcher, listener, sums) if leads else None
    if recorder is not None:
        watcher.begin(training.schedule, behind(training))
    with led(training.team, training.optimizers):
        if recorder is not None:
            recorder.listener.begin(folder, recipe, training, judge.chooser(recipe.run.best))
            recorder.begin()
    try:
        with asked_to_stop() as stop:
            for event in training.events():
                with led(training.team, training.optimizers):
                    if recorder is not None:
                        recorder.hear(event)
                if collapsed(training, event, recorder):
                    end = rescued(training, folder)
                    training.team.wait()
                    with led(training.team, training.optimizers):
                        if recorder is not None:
                            recorder.rescued(end)
                    break
                if enough(training, event, recorder):
                    end = ended(training)
                    with led(training.team, training.optimizers):
                        if recorder is not None:
                            recorder.ended(end)
                    break
                if stopping(training, event, stop):
                    with led(training.team, training.optimizers):
                        if recorder is not None:
                            recorder.checkpoint(training.place.step)
                    raise Interrupted(
                        f"stopped at update {training.place.step}; go on with: seqgans resume {folder.path}"
                    )
    except Diverged as error:
        if recorder is not None:
            recorder.diverged(error)
        raise
    finally:
        if recorder is not None:
            recorder.close()
            watcher.close()
    return folder


def stopping(training: Training, event: Event, stop: threading.Event) -> bool:
    """Whether the run ends here because it was asked to; several processes agree at the end of a gathering."""
    if event.kind == "end" or not event.whole:
        return False
    if training.team.processes == 1:
        return stop.is_set()
    return event.kind == "gathering" and training.team.total(float(stop.is_set())) > 0


def collapsed(training: Training, event: Event, recorder: Recorder | None) -> bool:
    """Whether the game is over because it collapsed; the process that writes knows, and tells the others."""
    if event.kind != "gathering" or not event.round:
        return False
    seen = float(recorder is not None and bool(recorder.rescue.collapsed))
    return training.team.total(seen) > 0


def enough(training: Training, event: Event, recorder: Recorder | None) -> bool:
    """Whether a callback ends the run here; the process that hears them tells the others."""
    if event.kind not in ("gathering", "phase", "round"):
        return False
    return training.team.total(float(recorder is not None and recorder.listener.wants("end"))) > 0


def ended(training: Training) -> Event:
    """End the schedule where it stands, as the phase that runs would have ended: with its best epoch where it keeps it.

    Every process does it.
    """
    place = training.place
    phase = training.phase() if place.gathering else None
    if phase is not None and phase.keep_best:
        training.best.restore(training.players)
    place.done = True
    return Event("end", place.step, place.round)


def behind(training: Training) -> int:
    """Gatherings that lie behind."""
    place, schedule = training.place, training.schedule
    if place.round == 0:
        return sum(phase.gathers for phase in schedule.before[: place.phase]) + place.gathering
    done = sum(phase.gathers for phase in schedule.before)
    done += (place.round - 1) * sum(phase.gathers for phase in schedule.round)
    return done + sum(phase.gathers for phase in schedule.round[: place.phase]) + place.gathering


@contextmanager
def asked_to_stop() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets; a second one interrupts at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def note(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
