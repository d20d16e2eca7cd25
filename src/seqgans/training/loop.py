"""The one training loop: runs any schedule, yields an event after each update, can stop and go on anywhere.

It knows no log, metric or file. What it holds between two events is a `Training`; `state` gives all of it
as tensors and plain facts, `restore` takes it back, and the updates that follow are the same bit for bit.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from seqgans.algorithms.base import Algorithm, Phase, Play, Players, Scene, Update
from seqgans.data.corpus import Corpus
from seqgans.errors import Diverged, Failed
from seqgans.options.phases import slowed, updates_of
from seqgans.randomness import Stream, generator_for
from seqgans.training.borrowed import fingerprints, kept, load_players
from seqgans.training.moments import Optimizer, adam_for, moments_of, restore_moments
from seqgans.training.place import Best, Event, Place
from seqgans.training.selection import fittest
from seqgans.training.team import Team

STREAMS = ("gather", "order", "update")


class Training:
    """An algorithm at work on players and a corpus.

    Args:
        algorithm: says what happens.
        players: who is moved.
        corpus: what it is learnt from.
        seed: of all randomness in the loop.
        team: the processes that share the work.
        accumulate: parts in which a minibatch is computed, one after another, to save memory.
    """

    def __init__(
        self, algorithm: Algorithm, players: Players, corpus: Corpus, seed: int, team: Team, accumulate: int = 1
    ) -> None:
        self.schedule = algorithm.schedule()
        self.players = players.to(team.device)
        self.corpus = dataclasses.replace(
            corpus,
            train=corpus.train.to(team.device),
            valid=corpus.valid.to(team.device),
            test=corpus.test.to(team.device),
        )
        self.team = team
        self.accumulate = accumulate
        self.streams = {name: Stream(generator_for(seed, "training", name)) for name in STREAMS}
        self.place = Place(round=0 if self.schedule.before else 1)
        self.best = Best()
        self.play: Play | None = None
        self.order: Tensor | None = None
        self.optimizers: dict[tuple[str, str], Optimizer] = {}
        self._trainable = {name for name, parameter in players.named_parameters() if parameter.requires_grad}
        moves = [update for phase in (*self.schedule.before, *self.schedule.round) for update in updates_of(phase)]
        for update in moves:
            self.optimizer_of(update)

    @property
    def progress(self) -> float:
        """Share of the rounds done: 0 in the first, 1 in the last."""
        return max(0, self.place.round - 1) / (self.schedule.rounds - 1) if self.schedule.rounds > 1 else 0.0

    def phase(self) -> Phase | None:
        """The phase that is due, or None at the end of the schedule or game. Moves on to it where one has ended."""
        place = self.place
        if place.round == 0 and place.phase >= len(self.schedule.before):
            place.round, place.phase = 1, 0
        if place.round and place.phase >= len(self.schedule.round):
            if self.schedule.over(self.players):
                return None
            place.round, place.phase = place.round + 1, 0
        if place.round > self.schedule.rounds or (place.round and not self.schedule.round):
            return None
        return (self.schedule.round if place.round else self.schedule.before)[place.phase]

    def events(self) -> Iterator[Event]:
        """Run what is left of the schedule. Stop taking events at any time; go on by calling this again.

        Raises:
            Diverged: a loss or a gradient is not a finite number; the players stand as before that update.
        """
        place = self.place
        while not place.done:
            phase = self.phase()
            if phase is None:
                place.done, place.round = True, min(place.round, self.schedule.rounds)
                yield Event("end", place.step, place.round)
                return
            while place.gathering < phase.gathers and not self.out_of_patience(phase):
                if self.play is None:
                    self.play = self.gathered(phase)
                yield from self.updates(phase, self.play)
                figures = dict(self.play.figures)
                self.play = None
                place.gathering += 1
                place.passes = 0
                self.judge(phase, figures)
                yield Event("gathering", place.step, place.round, phase.name, place.gathering, figures=figures)
            if phase.keep_best:
                self.best.restore(self.players)
            self.best, place.gathering, place.lowered, place.phase = Best(), 0, 0, place.phase + 1
            if place.round == 0:
                yield Event("phase", place.step, 0, phase.name)
            elif place.phase == len(self.schedule.round):
                yield Event("round", place.step, place.round)

    def gathered(self, phase: Phase) -> Play:
        """What the phase gathers next, the rows of all processes."""
        stream = self.streams["gather"]
        rank, processes = self.team.rank, self.team.processes
        scene = Scene(self.corpus, stream, rank, processes, self.progress, self.place.round, gather=self.team.gather)
        with torch.no_grad(), self.team.autocast(), stream.share(rank, rank + 1, processes):
            play = phase.gather(self.players, scene)
        whole = play.real is self.corpus.train  # every process has all of it already
        if processes > 1 and not whole:
            play = play.holding({name: self.team.gather(tensor) for name, tensor in play.tensors().items()})
        return dataclasses.replace(play, progress=self.progress)

    def updates(self, phase: Phase, play: Play) -> Iterator[Event]:
        """Go through a play as often as the phase says, a minibatch at a time."""
        place = self.place
        rows = len(play)
        size = phase.batch or max(1, rows)
        while place.passes < phase.passes:
            if self.order is None:
                self.order = self.streams["order"].permutation(rows) if size < rows else torch.arange(rows)
            while place.batch * size < rows:
                chosen = self.order[place.batch * size : (place.batch + 1) * size].to(self.team.device)
                done = [(one.player, *self.moved(slowed(one, place.lowered), play, chosen)) for one in phase.updates]
                if phase.variants:
                    done.append(fittest(self, phase, play, chosen))
                place.batch += 1
                place.step += 1
                for left, (player, loss, figures) in zip(reversed(range(len(done))), done, strict=True):
                    now = place.step, place.round, phase.name, place.gathering
                    yield Event("update", *now, player, loss, figures, whole=not left)
            self.order = None
            place.batch = 0
            place.passes += 1

    def moved(self, update: Update, play: Play, chosen: Tensor) -> tuple[float, dict[str, float]]:
        """Move one player by one minibatch; return the loss and its figures."""
        optimizer = self.optimizer_of(update)
        optimizer.zero_grad(set_to_none=True)
        with self.only(update.player) as parameters:
            loss, figures = self.backward(update, play, chosen, parameters)
        self.check(update, loss, parameters)
        optimizer.step()
        torch.autograd.graph.increment_version(parameters)  # a fused step does not; tables go by it
        return loss, figures

    def backward(
        self, update: Update, play: Play, chosen: Tensor, parameters: list[nn.Parameter]
    ) -> tuple[float, dict[str, float]]:
        """Fill in the gradients of a minibatch, part by part; return the loss and its figures."""
        total, seed = len(chosen), int(self.streams["update"].integers(1 << 62, ()))  # all parts see the same numbers
        parts = self.team.processes * self.accumulate
        among = play.rows(chosen) if parts > 1 else None
        edges = [total * part // parts for part in range(parts + 1)]
        weight, value, figures = 0.0, 0.0, {}
        for part in range(self.team.rank * self.accumulate, (self.team.rank + 1) * self.accumulate):
            start, stop = edges[part], edges[part + 1]
            if start == stop:
                continue
            stream = Stream(torch.Generator().manual_seed(seed))
            part_play = dataclasses.replace(play.rows(chosen[start:stop]), random=stream, among=among)
            with self.team.autocast(), stream.share(start, stop, total):
                loss = update.loss(self.players, part_play)
            part_weight = loss.weight if loss.weight is not None else float(stop - start)
            if loss.value.requires_grad:
                (loss.value * part_weight).backward()
            weight += part_weight
            value += loss.value.item() * part_weight
            for name, figure in loss.figures.items():
                figures[name] = figures.get(name, 0.0) + figure * part_weight
        figures = {name: figure / (weight or 1.0) for name, figure in figures.items()}  # of this process's rows
        weight, value = self.team.total(weight) or 1.0, self.team.total(value)
        self.team.add_gradients(parameters)
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad /= weight
        return value / weight, figures

    @contextmanager
    def only(self, player: str) -> Iterator[list[nn.Parameter]]:
        """Let gradient reach the parameters of one player and no others for a while; yield them.

        Afterwards all are as before: kernels may give other last digits where no gradient is wanted, and what is
        gathered must not depend on who was moved last.
        """
        named = dict(self.players.named_parameters())
        moved = {name for name in self._trainable if name.startswith(f"{player}.")}
        try:
            for name, parameter in named.items():
                parameter.requires_grad_(name in moved)
            yield [parameter for name, parameter in named.items() if name in moved]
        finally:
            for name, parameter in named.items():
                parameter.requires_grad_(name in self._trainable)

    def check(self, update: Update, loss: float, parameters: list[nn.Parameter]) -> None:
        """Clip the gradient; refuse to step on what is not a finite number."""
        bound = update.optimizer.clip
        norm = float(nn.utils.clip_grad_norm_(parameters, bound))
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise Diverged(
                f"the loss of the {update.player} is {loss} (gradient norm {norm}) at update {self.place.step + 1}; "
                f"lower its learning rate ({update.optimizer.rate}) or its gradient clip ({bound})"
            )

    def optimizer_of(self, update: Update) -> Optimizer:
        """The optimiser of an update, made at its first use."""
        settings = update.optimizer
        key = (update.player, settings.name)
        if key not in self.optimizers:
            inside, named = f"{update.player}.", self.players.named_parameters()
            parameters = [part for name, part in named if name in self._trainable and name.startswith(inside)]
            if not parameters:
                players = [name for name, _ in self.players.named_children()]
                raise Failed(f"{update.player!r} has no parameters to learn; the players are {players}")
            rates = {"lr": settings.rate, "betas": settings.betas}
            self.optimizers[key] = adam_for(parameters, self.team, **rates, fused=True)
        return self.optimizers[key]

    def out_of_patience(self, phase: Phase) -> bool:
        """Whether the phase stops early; where its rate can still be lowered it goes on from its best instead."""
        out = 0 < phase.patience <= self.best.since  # a training that goes on from a checkpoint sees it again
        if out and self.place.lowered < phase.lowerings:
            self.players.load_state_dict(self.best.tensors, strict=False)
            self.place.lowered, self.best.since = self.place.lowered + 1, 0
            return False
        return out

    def judge(self, phase: Phase, figures: dict[str, float]) -> None:
        """Take the phase's validation figure, and keep the parameters if it is the best so far."""
        if phase.validate is None:
            return
        scene = Scene(self.corpus, self.streams["gather"])
        figures["validation"] = value = phase.validate(self.players, scene)
        best = self.best
        if value < best.value:
            best.value, best.since = value, 0
            if phase.keep_best or phase.lowerings:
                moved = tuple(f"{update.player}." for update in updates_of(phase))
                everything = kept(self.players).items()
                best.tensors = {name: tensor.clone() for name, tensor in everything if name.startswith(moved)}
        else:
            best.since += 1

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All of it: tensors by name, and plain facts for JSON."""
        tensors = kept(self.players, "players/")
        tensors |= {f"best/{name}": tensor for name, tensor in self.best.tensors.items()}
        tensors |= {f"streams/{name}": stream.random.get_state() for name, stream in self.streams.items()}
        self.team.called(True)
        tensors |= moments_of(self.optimizers)
        facts: dict[str, Any] = {
            "place": dataclasses.asdict(self.place),
            "best": {"value": self.best.value, "since": self.best.since},
            "play": None,
            "bases": fingerprints(self.players),
        }
        if self.play is not None:
            whole = self.play.real is self.corpus.train
            facts["play"] = {"figures": self.play.figures, "training_set": whole}
            if not whole:
                tensors |= {f"play/{name}": tensor for name, tensor in self.play.tensors().items()}
            if self.order is not None:
                tensors["order"] = self.order
        return tensors, facts

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Stand where `state` was taken."""

        def below(prefix: str) -> dict[str, Tensor]:
            return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}

        load_players(self.players, below("players/"), facts.get("bases", {}))
        self.place = Place(**facts["place"])
        self.best = Best(**facts["best"], tensors={k: v.to(self.team.device) for k, v in below("best/").items()})
        for name, stream in self.streams.items():
            stream.random.set_state(tensors[f"streams/{name}"].cpu())
        restore_moments(self.optimizers, tensors)
        self.play, self.order = None, tensors.get("order")
        if facts["play"] is not None:
            empty = Play(figures=facts["play"]["figures"], progress=self.progress)
            if facts["play"]["training_set"]:
                self.play = dataclasses.replace(empty, real=self.corpus.train)
            else:
                self.play = empty.holding({k: v.to(self.team.device) for k, v in below("play/").items()})
