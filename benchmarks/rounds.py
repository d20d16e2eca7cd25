"""CPU seconds of one adversarial round of every system at the paper's synthetic setting, beside its arithmetic floor.

    python benchmarks/rounds.py [NAME …] [--repeats 3] [--again] [--table] [--apart]

Vocabulary 5000, length 20, 10,000 training sequences of a fresh oracle; networks, batches and counts of steps as
published (`recipes/NAME/oracle20.yaml`, or the published sizes on that corpus for systems that have no such row). Each
phase of a round is gathered once and updated a few times, and both are multiplied by how often a round has them, since
a round of d-steps alone may take minutes. All figures are CPU seconds of this process on one thread.

Sampling is what is spent in `sample`, `relax`, `soft_argmax` and roll-outs. The floor is the plain arithmetic of what
is asked of the networks (tokens sampled and read, sequences scored, three times that with gradient) over the rate of a
large matrix product, measured before each system. Arithmetic of one step and one sequence is counted by PyTorch.

Writes benchmarks/results/rounds.json after every system and goes on where it stopped; `--table` prints it as Markdown.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml
from meter import Meter
from speed import machine

from seqgans.algorithms.base import Phase, Players
from seqgans.data.corpus import Corpus
from seqgans.options.phases import updates_of
from seqgans.report.markdown import markdown
from seqgans.training.build import build_players, open_corpus
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.selection import fittest
from seqgans.training.team import Team

RESULTS = Path(__file__).parent / "results" / "rounds.json"
RECIPES = Path(__file__).parents[1] / "recipes"
SHORT = 3.0  # seconds: an update that takes longer is timed once, without warming up
CORPUS = {"spec": "oracle", "length": 20, "sequences": 10_000}
FEWER = {"leakgan": 640}
"""Negatives of a d-step where 10,000 take minutes to sample; its phases are multiplied accordingly."""
PUBLISHED: dict[str, str] = {
    **dict.fromkeys(("pg-bleu", "seqgan", "leakgan", "relgan", "maligan", "rankgan", "jsdgan"), "oracle20"),
    **dict.fromkeys(("sentigan", "catgan", "salgan", "regs"), "oracle20"),
    "maskgan": "ptb",
    "textgan": "sentences",
    "fmgan": "news",
    "scratchgan": "emnlp",
    "gsgan": "",
    "wgan": "",
}
"""The recipe that holds the published sizes; "" for a system's own defaults."""


def recipe_of(name: str) -> Recipe:
    """A system's published sizes on the corpus of the synthetic setting, without anything before the game."""
    mapping: dict[str, Any] = {"algorithm": {"name": name}}
    if PUBLISHED[name]:
        mapping = yaml.safe_load((RECIPES / name / f"{PUBLISHED[name]}.yaml").read_text())
    mapping["corpus"] = CORPUS
    mapping.pop("run", None)
    if name == "scratchgan":
        mapping["algorithm"]["steps"] = 1
    if name in FEWER:
        mapping["algorithm"]["discriminator_examples"] = FEWER[name]
    return Recipe.of(mapping)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of one call, and what it gave."""
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def phase_of_round(training: Training, phase: Phase, meter: Meter, repeats: int) -> dict[str, float]:
    """What a phase costs in one round, from one gathering and a few updates.

    Seconds are those of the discriminator where an update moves it or the phase moves nobody else.
    """
    meter.take()
    moved = [update.player for update in updates_of(phase)]
    alone = all(player.startswith("discriminator") for player in moved)
    seconds, play = timed(lambda: training.gathered(phase))
    gathering = {"seconds": seconds, "judging": seconds * alone, **meter.take()}
    rows = len(play)
    size = min(phase.batch or max(1, rows), max(1, rows))
    chosen = torch.arange(size)

    def update() -> dict[str, float]:
        judging = 0.0
        for one in phase.updates:
            spent, _ = timed(lambda one=one: training.moved(one, play, chosen))
            judging += spent * one.player.startswith("discriminator")
        if phase.variants:
            fittest(training, phase, play, chosen)
        return {"judging": judging}

    def several(times: int) -> dict[str, float]:
        seconds, found = timed(lambda: [update() for _ in range(times)])
        whole = {"seconds": seconds, "judging": sum(one["judging"] for one in found), **meter.take()}
        return {key: value / times for key, value in whole.items()}

    updating = several(1)
    if updating["seconds"] < SHORT:
        updating = several(repeats)
    minibatches = phase.passes * math.ceil(rows / size)
    return {key: phase.gathers * (gathering[key] + minibatches * updating[key]) for key in gathering}


def measured(name: str, corpus: Corpus, repeats: int = 3) -> dict[str, Any]:
    """One system's round."""
    rates = machine()
    recipe = recipe_of(name)
    training = Training(recipe.played, build_players(recipe, corpus, 0), corpus, 0, Team("cpu"))
    settings: Any = recipe.settings
    meter = Meter(training.players, corpus.length)
    training.place.round, training.place.phase = 1, 0
    if hasattr(settings, "past"):  # a memory of samples is filled once, before the game
        training.gathered(Phase(name="memory", gather=lambda players, scene: filled(settings, players, scene)))
    phases = {}
    with meter.installed():
        for phase in training.schedule.round:
            if phase.gathers:
                found = phase_of_round(training, phase, meter, repeats)
                times = len(corpus.train) / FEWER[name] if name in FEWER and found["judging"] else 1.0
                phases[phase.name] = {key: value * times for key, value in found.items()}
                print(f"  {name} {phase.name}: {phases[phase.name]['seconds']:.1f} s", flush=True)
    return {
        "repeats": repeats,
        "gflops": rates["gflops"],
        "step_flops": meter.step,
        "sequence_flops": meter.sequence,
        "phases": phases,
    }


def filled(settings: Any, players: Players, scene: Any) -> Any:
    """Fill a memory of samples; a play of no rows."""
    settings.past(players, scene)
    return dataclasses.replace(settings.play(players, scene).rows(torch.arange(0)), figures={})


def apart(name: str, corpus: Corpus, count: int = 12) -> str:
    """The operators that a round of a system spends most in, after a first gathering: share of its CPU seconds."""
    from torch.profiler import ProfilerActivity, profile

    recipe = recipe_of(name)
    training = Training(recipe.played, build_players(recipe, corpus, 0), corpus, 0, Team("cpu"))
    training.schedule = dataclasses.replace(training.schedule, before=())
    training.place.round = 1
    events = training.events()
    next(event for event in events if event.kind == "gathering")
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        next(event for event in events if event.kind == "round")
    found = sorted(seen.key_averages(), key=lambda one: -one.self_cpu_time_total)
    whole = sum(one.self_cpu_time_total for one in found)
    cells = [(one.key, f"{one.self_cpu_time_total / whole:.1%}", str(one.count)) for one in found[:count]]
    return markdown(("operator", "share", "calls"), cells)


def table(found: dict[str, Any]) -> str:
    """The results as Markdown."""
    head = (
        "system",
        "a round, s",
        "generator, s",
        "discriminator, s",
        "sampling",
        "floor, s",
        "the rest over its floor",
    )
    rows = []
    for name, one in found.items():
        phases = one["phases"].values()
        total = {key: sum(phase[key] for phase in phases) for key in next(iter(phases))}
        flops, rate = total["flops"] + total["sampling_flops"], one["gflops"] * 1e9
        rest, floor = total["seconds"] - total["sampling"], total["flops"] / rate
        cells = (
            name,
            f"{total['seconds']:.1f}",
            f"{total['seconds'] - total['judging']:.1f}",
            f"{total['judging']:.1f}",
            f"{total['sampling'] / total['seconds']:.0%}",
            f"{flops / rate:.1f}",
            f"{rest / floor:.1f}",
        )
        rows.append(cells)
    return markdown(head, rows)


def main() -> None:
    """Measure what is missing, write it down after every system."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="systems; all if none is named")
    parser.add_argument("--repeats", type=int, default=3, help="minibatches of a phase that are timed, after a first")
    parser.add_argument("--again", action="store_true", help="measure what is there already, too")
    parser.add_argument("--table", action="store_true", help="print what is there and do nothing else")
    parser.add_argument("--apart", action="store_true", help="print the operators of a round of each system instead")
    asked = parser.parse_args()
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not asked.table:
        torch.set_num_threads(1)
        recipe = recipe_of("seqgan")
        corpus, _ = open_corpus(recipe.corpus, recipe.corpus_settings, 0)
        if asked.apart:
            print("\n\n".join(f"{name}\n{apart(name, corpus)}" for name in asked.names or PUBLISHED))
            return
        for name in asked.names or PUBLISHED:
            if asked.again or name not in found:
                found[name] = measured(name, corpus, asked.repeats)
                RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    print(table({name: found[name] for name in PUBLISHED if name in found}))


if __name__ == "__main__":
    main()
