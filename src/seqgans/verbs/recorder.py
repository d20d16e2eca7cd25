"""What a run keeps: events, evaluations, samples, checkpoints, TensorBoard scalars, findings, the report."""

from __future__ import annotations

import datetime
import time
from typing import Any

from seqgans.errors import Diverged
from seqgans.training.detectors import Detectors
from seqgans.training.folder import RunFolder
from seqgans.training.loop import Training
from seqgans.training.place import Event, Place
from seqgans.training.recipe import Recipe
from seqgans.verbs.boards import Boards
from seqgans.verbs.completions import Completions
from seqgans.verbs.judgement import Before, judged, shown
from seqgans.verbs.judging import Judge
from seqgans.verbs.listener import Deaf, Listener, Wish, may_be_best
from seqgans.verbs.progress import Watcher
from seqgans.verbs.reporting import write_report
from seqgans.verbs.rescue import Rescue

HEADLINES = (
    "nll_oracle",
    "nll_gen_test",
    "nll_div",
    "reverse_kl_per_token",
    "jsd",
    "bleu_4",
    "self_bleu_4",
    "duplicates",
)


class Recorder:
    """Listens to the events of a training and writes the run's folder. Only the leading process has one.

    Args:
        folder: where to.
        recipe: how often.
        training: whose state is saved.
        judge: who measures.
        watcher: who is told.
        listener: who is told all that is written, and may ask for more.
        sums: figures of the gathering that a run goes on in the middle of.
    """

    def __init__(
        self,
        folder: RunFolder,
        recipe: Recipe,
        training: Training,
        judge: Judge,
        watcher: Watcher,
        listener: Listener | None = None,
        sums: dict[str, list[float]] | None = None,
    ) -> None:
        self.folder = folder
        self.recipe = recipe
        self.training = training
        self.judge = judge
        self.before = Before(folder, recipe)
        self.watcher = watcher
        self.listener = listener or Deaf()
        self.detectors = Detectors()
        self.sums: dict[str, list[float]] = dict(sums or {})
        self.saved_at = time.monotonic()
        self.latest: dict[str, float] = {}
        self.best = float("inf")
        self.seconds: dict[str, float] = {}
        self.clock = time.process_time()
        self.boards = Boards(folder, recipe, training.team, watcher)
        self.completions = Completions(folder, training, recipe.completions_every, recipe.run.show)
        lines = folder.events()  # of a run that goes on
        self.lines = len(lines)
        self.rescue = Rescue(folder, recipe)
        for line in lines:
            self.detectors.watch(line)
            self.rescue.watch(line)
            if self.counts(line.get("stage")):
                self.best = min(self.best, line.get("chosen_by", {}).get("value", float("inf")))
            self.seconds = line.get("seconds", self.seconds)

    def begin(self) -> None:
        """Judge the generator that a game starts with, where no phase before it ends with that."""
        place, schedule, run = self.training.place, self.training.schedule, self.recipe.run
        if schedule.before or not (schedule.rounds and schedule.round):
            return
        if place == Place(round=1) and self.training.play is None:  # else it was judged before the run stopped
            self.opening(Event("phase", 0, 0, "start"), "untrained" if run.start is None else "pretrained")
        self.clock = time.process_time()

    def opening(self, event: Event, stage: str) -> None:
        """Judge what the game starts with, and keep it where it has learnt something."""
        self.evaluate(event, stage, self.recipe.run.final_samples)
        if stage == "pretrained":
            self.folder.save_named("pretrained", *self.training.state())

    def hear(self, event: Event) -> None:
        """Write what this event asks for."""
        now = time.process_time()
        if event.phase:
            self.seconds[event.phase] = self.seconds.get(event.phase, 0.0) + now - self.clock
        if said := self.completions.hear(event):
            self.watcher.say(said)
        if event.kind == "update":
            self.add(f"{event.player}.loss", event.loss)
            for name, value in event.figures.items():
                if name != "loss":
                    self.add(f"{event.player}.{name}", value)
            self.listener.updated(event)
            if event.whole and 0 < 60 * self.recipe.run.checkpoint_minutes <= time.monotonic() - self.saved_at:
                self.checkpoint(event.step)
        else:
            self.turn(event)
        self.watcher.event(event, self.latest)
        self.clock = time.process_time()  # judging and writing are not training

    def add(self, name: str, value: float) -> None:
        """Count a figure towards the mean of this gathering."""
        total = self.sums.setdefault(name, [0.0, 0.0])
        total[0] += value
        total[1] += 1
        self.latest[name] = total[0] / total[1]

    def turn(self, event: Event) -> None:
        """The end of a gathering, a phase, a round or the schedule.

        A checkpoint comes last: what belongs to the event is never done again, and never left out, by a run that
        goes on from it.
        """
        run = self.recipe.run
        if event.kind == "gathering":
            figures = {name: total / count for name, (total, count) in self.sums.items()} | event.figures
            self.sums = {}
            self.latest |= event.figures
            self.write(event, figures=figures)
            for name, value in figures.items():
                self.scalar(f"{event.phase}/{name}", value, event.step)
            learnt = event.phase == "likelihood" and event.round == 0
            if self.wanted("evaluation", learnt and due(event.gathering, run.eval_every)):
                self.evaluate(event, "game" if event.round else "pretraining", run.eval_samples)
            if self.wanted("checkpoint", event.round == 0 and due(event.gathering, run.checkpoint_every)):
                self.checkpoint(event.step)
            return
        place, schedule = self.training.place, self.training.schedule
        left = schedule.rounds - event.round if event.kind == "end" else 0
        self.write(event, **({"rounds_left": left} if left else {}))
        if event.kind == "phase" and place.phase == len(schedule.before) and schedule.rounds:
            self.opening(event, "pretrained")
        elif event.kind == "round":
            if self.wanted("evaluation", due(event.round, run.eval_every) and event.round < schedule.rounds):
                self.evaluate(event, "game", run.eval_samples)
            if self.wanted("checkpoint", due(event.round, run.checkpoint_every)):
                self.checkpoint(event.step)
        elif event.kind == "end":
            if left:
                self.watcher.say(f"the game ended early, after round {event.round} of {schedule.rounds}")
            self.evaluate(event, "final", run.final_samples)
            self.report()
            self.checkpoint(event.step)  # last: until here a killed run begins its end anew
            self.listener.ended()

    def wanted(self, wish: Wish, is_due: bool) -> bool:
        """Whether something is due, or the listener asked for it."""
        return self.listener.wants(wish) or is_due

    def evaluate(self, event: Event, stage: str, count: int) -> None:
        """Judge the generator, keep samples, tell the watcher, keep the best."""
        players = self.training.players
        known = self.before.judgement(players) if count == self.recipe.run.final_samples else None
        found = known or judged(self.judge, players.generator, count, self.recipe.run.show)
        figures = found.figures
        chooser = self.judge.chooser(self.recipe.run.best)
        chosen = figures.get(chooser)
        self.write(
            event,
            kind="evaluation",
            stage=stage,
            figures={name: shown(figure) for name, figure in figures.items()},
            samples=found.samples,
            samples_count=count,
            **({"measured_by": found.whose} if found.whose else {}),
            **({"chosen_by": {"name": chooser, "value": chosen.value}} if chosen is not None else {}),
        )
        self.folder.write_text(f"samples/step-{event.step:09d}.txt", found.lines)
        for name, figure in figures.items():
            self.scalar(f"evaluation/{name}", figure.value, event.step)
        self.boards.text("samples", "\n\n".join(found.samples), event.step)
        if self.counts(stage) and chosen is not None and chosen.value < self.best:
            self.best = chosen.value
            self.folder.save_named("best", *self.training.state())
        words = "  ".join(f"{name} {figures[name].value:.3f}" for name in HEADLINES if name in figures)
        where = f"round {event.round}" if event.round else f"{event.phase or 'end'} {event.gathering or ''}".strip()
        self.watcher.say(f"{stage} ({where}{f', measured by {found.whose}' if found.whose else ''}): {words}")

    def counts(self, stage: str | None) -> bool:
        """Whether an evaluation may mark the best checkpoint: not those on the way to the game, where there is one."""
        return may_be_best(stage, self.training.schedule)

    def write(self, event: Event, **more: Any) -> None:
        """A line of events.jsonl, and what the detectors make of it."""
        line = {
            "kind": event.kind,
            "step": event.step,
            "round": event.round,
            "phase": event.phase,
            "gathering": event.gathering,
            "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            **more,
        }
        self.append(line)
        for finding in self.detectors.watch(line):
            self.append(
                {
                    **line,
                    "kind": "finding",
                    "figures": {},
                    "detector": finding.detector,
                    "saw": finding.saw,
                    "try": finding.advice,
                }
            )
            self.watcher.say(f"{finding.detector}: {finding.saw}; try: {finding.advice}")

    def diverged(self, error: Diverged) -> None:
        """Note why the run ended, as an event and a finding."""
        place = self.training.place
        self.write(Event("update", place.step, place.round), kind="failed", message=str(error), figures={})

    def append(self, line: dict[str, Any]) -> None:
        """Add a line to events.jsonl."""
        self.folder.append_event(line)
        self.lines += 1
        self.rescue.watch(line)
        self.listener.line(line)

    def scalar(self, name: str, value: float, step: int) -> None:
        """A point of a curve on every board."""
        self.boards.scalar(name, value, step)

    def checkpoint(self, step: int) -> None:
        """Save everything."""
        tensors, facts = self.training.state()
        heard = self.listener.facts()
        more = {"lines": self.lines, **({"sums": self.sums} if self.sums else {})}
        more |= {"listener": heard} if heard else {}
        self.folder.save(step, tensors, {**facts, **more}, keep=self.recipe.run.keep)
        self.saved_at = time.monotonic()
        self.rescue.kept(self.training.place.round, self.folder.checkpoints()[-1])
        self.listener.saved(self.folder.checkpoints()[-1])

    def rescued(self, event: Event) -> None:
        """The game collapsed and stands at its last good checkpoint again: end it there."""
        seen, where = self.rescue.collapsed, f"round {event.round}" if event.phase else "nowhere: none was kept"
        self.rescue.forget(event.step)
        self.write(event, kind="rescued", detector=seen, checkpoint=event.phase)
        self.watcher.say(f"{seen}: stopped, and went back to {where} (--run.on-collapse note goes on instead)")
        self.turn(Event("end", event.step, event.round))

    def ended(self, event: Event) -> None:
        """The listener had enough."""
        self.watcher.say(f"a callback ended the run after {event.step} updates")
        self.turn(event)

    def report(self) -> None:
        """The report as JSON, page and picture."""
        rows = self.completions.rows()
        write_report(self.folder, self.recipe, self.training, self.judge, self.before, self.seconds, rows)

    def close(self) -> None:
        """Flush what is buffered."""
        self.boards.close()


def due(count: int, every: int) -> bool:
    """Whether something that happens every so often happens now."""
    return every > 0 and count % every == 0
