"""What came of a run: its figures and temperature curves, from its report or measured afresh."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seqgans.data.corpus import Corpus
from seqgans.errors import BadInput
from seqgans.evaluation import METRICS, Evidence, Figure
from seqgans.evaluation.base import doubts
from seqgans.evaluation.evidence import Beside
from seqgans.generators.base import Generator
from seqgans.report.figures import metric_of
from seqgans.sequences import Sequences
from seqgans.training.build import Truth
from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe
from seqgans.verbs.evaluate import READING, encoded_file
from seqgans.verbs.judgement import texts_of
from seqgans.verbs.judging import PAIRS, Judge, Watch, digest_of, measured
from seqgans.verbs.loading import load_run
from seqgans.verbs.reporting import SWEEP_SAMPLES, swept

SHOWN = 5  # samples of a run

Rows = list[dict[str, float]]
"""A sweep as it stands in a report: one row a temperature."""


@dataclass(frozen=True)
class Moment:
    """A generator at one moment of a run.

    Attributes:
        figures: by name.
        sweep: figures at each temperature.
        size: how many samples those figures are of that depend on the number.
    """

    figures: Mapping[str, Figure]
    sweep: Rows
    size: int


@dataclass(frozen=True)
class Outcome:
    """One run, or one file of samples, as a comparison needs it.

    Attributes:
        path: its folder, or the file.
        recipe: its settings; None of a file.
        final: at its end.
        pretrained: before the game, where there was one.
        samples: a few texts.
        written: more of them, the few among them, in which what was written twice shows.
        events: its evaluations on the way.
        findings: what its detectors saw.
        doubts: what a reader must know of the figures: on how many samples they are, and what makes them doubtful.
        missing: why a metric that was asked for could not be measured.
    """

    path: Path
    recipe: Recipe | None
    final: Moment
    pretrained: Moment | None
    samples: Sequence[str]
    written: Sequence[str] = ()
    events: Sequence[Mapping[str, Any]] = field(default_factory=list)
    findings: Sequence[Mapping[str, Any]] = field(default_factory=list)
    doubts: Sequence[str] = ()
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def trained(self) -> Recipe:
        """The settings of a run."""
        if self.recipe is None:
            raise BadInput(f"{self.path} must be a run, but is a file of samples, which has no settings")
        return self.recipe

    @property
    def seed(self) -> int | None:
        """The seed of a run; None of a file."""
        return None if self.recipe is None else self.recipe.run.seed


def has_report(path: Path) -> bool:
    """Whether a run went to its end and wrote its report."""
    return (path / "report.json").is_file()


def reported(path: Path, further: Mapping[str, Mapping[str, Any]] | None = None) -> Outcome:
    """A run by its report.

    Args:
        path: its folder.
        further: figures of its end that the report does not have, in the same form.

    Raises:
        BadInput: the report is damaged.
    """
    folder = RunFolder.existing(path)
    recipe = folder.read_recipe()
    report = folder.read_report()
    count = recipe.run.final_samples
    try:
        stages = report["evaluations"]
        measured = {**stages, "final": stages["final"] | dict(further or {})}
        moments = {
            stage: Moment(
                {name: figure_of(name, shown, count) for name, shown in measured[stage].items()},
                checked_sweep(report["sweeps"].get(stage, [])),
                count,
            )
            for stage in ("final", "pretrained")
            if stage in measured
        }
        final, samples = moments["final"], list(report["samples"])[:SHOWN]
    except (KeyError, TypeError, AttributeError) as error:
        lacking = f"{error} is missing" if isinstance(error, KeyError) else "a part of it is of another kind"
        raise BadInput(f"{path / 'report.json'} is damaged: {lacking}; delete it to measure afresh") from error
    except ValueError as error:
        raise BadInput(f"{path / 'report.json'} is damaged: {error}; delete it to measure afresh") from error
    events, findings = told(folder)
    written = last_samples(folder, samples)
    said = (counted(count, SWEEP_SAMPLES if final.sweep else 0),)
    return Outcome(path, recipe, final, moments.get("pretrained"), samples, written, events, findings, said)


def checked_sweep(rows: Any) -> Rows:
    """The sweep of a report.

    Raises:
        ValueError: a row has no temperature, or something in it is no number.
    """
    for row in rows:
        if "temperature" not in row:
            raise ValueError("a row of its sweep must have a temperature, one has none")
        for name, value in row.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{name} of its sweep must be a number, got {value!r}")
    return rows


def counted(figures: int, sweep: int) -> str:
    """On how many samples figures are.

    >>> counted(5000, 1000), counted(40, 0)
    ('Figures: 5000 samples of each run; plane: 1000 at each temperature.', 'Figures: 40 samples of each run.')
    """
    return f"Figures: {figures} samples of each run" + (f"; plane: {sweep} at each temperature." if sweep else ".")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How several runs and files are measured afresh, side by side.

    Attributes:
        references: a file that takes the place of the runs' test splits, or None; of files alone also a spec.
        checkpoint: of runs: "latest", "best" or "pretrained".
        count: samples drawn, or lines looked at.
        seed: where samples come from.
        metrics: names; None for those that every run measures at its end.
        targets: how many runs and files there are.
        watch: called before each metric with whose it is and its name, and how many there are of all targets.
        least: how many samples figures are of whose value depends on the number; None for all that there are.
        beside: what was measured on real sequences or learnt from them, by the digest of these.
    """

    references: str | None
    checkpoint: str
    count: int
    seed: int
    metrics: Sequence[str] | None
    targets: int
    watch: Watch = None
    least: int | None = None
    beside: dict[bytes, Beside] = field(default_factory=dict)

    def judge(self, corpus: Corpus, truth: Truth | None) -> Judge:
        """Who measures on a corpus; those of equal real sequences share what they make of them."""
        judge = Judge(corpus, truth, self.seed)
        judge.beside = self.beside.setdefault(digest_of(corpus, truth), judge.beside)
        return judge

    def size(self, samples: int) -> int:
        """How many of some samples figures are of whose value depends on the number."""
        return samples if self.least is None else min(samples, self.least)

    def watching(self, path: Path) -> Watch:
        """Who is told of the metrics of one target."""
        watch = self.watch
        return None if watch is None else lambda name, count: watch(f"{path.name}: {name}", count * self.targets)


def judged(path: Path, asked: Asked) -> Outcome:
    """A run measured now.

    Args:
        path: its folder.
        asked: what is measured, and on what.
    """
    run = load_run(path, asked.checkpoint)
    corpus, references, count = run.corpus, asked.references, asked.count
    if references is not None:
        corpus = dataclasses.replace(corpus, test=encoded_file(corpus, path, references, READING))
    judge = asked.judge(corpus, run.truth)
    generator = run.players.generator
    figures, samples, missing = figures_of(judge, generator, asked, asked.watching(path))
    fewer = min(count, SWEEP_SAMPLES, asked.least or count)
    rows = [swept(point) for point in judge.sweep(generator, fewer)] if run.recipe.sweeps else []
    texts = texts_of(judge, samples)
    said = (counted(count, fewer if rows else 0), *(() if references is None else doubted(corpus)))
    events, findings = told(run.folder)
    final = Moment(figures, rows, asked.size(len(samples)))
    return Outcome(path, run.recipe, final, None, texts[:SHOWN], texts, events, findings, said, missing)


def figures_of(
    judge: Judge, generator: Generator, asked: Asked, watch: Watch
) -> tuple[Mapping[str, Figure], Sequences, Mapping[str, str]]:
    """Figures of a generator, the samples they are of, and why each metric that was asked for has none."""
    if asked.metrics is None:
        return *judge.figures(generator, asked.count, watch, asked.least), {}
    evidence = judge.evidence(asked.count, generator)
    found = measured(evidence, asked.metrics, watch, asked.least)
    return found.flat(), evidence.generated, found.skipped


def doubted(corpus: Corpus) -> tuple[str, ...]:
    """What makes figures on references of someone else's doubtful."""
    references, train = (part.lists(corpus.vocabulary.end) for part in (corpus.test, corpus.train))
    return tuple(doubts(Evidence(references=references, train=train, vocabulary=corpus.vocabulary)))


def last_samples(folder: RunFolder, samples: Sequence[str]) -> Sequence[str]:
    """The file of samples that the report's few come from; these alone where there is none that begins with them."""
    files = sorted((folder.path / "samples").glob("step-*.txt"))
    if not files:
        return samples
    lines = files[-1].read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
    return lines if lines[: len(samples)] == list(samples) else samples


def figure_of(name: str, shown: Mapping[str, Any], drawn: int) -> Figure:
    """A figure as a report has it, a mean of as many things as it says or, where it is older, of `at_most` of them.

    Raises:
        ValueError: what it says is no number of things.
    """
    mean, count = shown["mean"], shown.get("count", at_most(name, drawn))
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise ValueError(f"the count of {name} must be a whole number, got {count!r}")
    return Figure(value=float("nan") if mean is None else float(mean), standard_error=shown["error"], count=count)


def at_most(name: str, drawn: int) -> int:
    """How many things a figure can be the mean of that does not say it, where so many samples were drawn.

    Those of answers are means over different prompts, of which there may be two: 1, of which nothing can be tested.

    >>> at_most("bleu_4", 5000), at_most("nll_div", 5000), at_most("f1_sampled", 5000)
    (1000, 5000, 1)
    """
    metric = metric_of(name.removeprefix("real_"))
    if metric in PAIRS:
        return 1
    return drawn if metric is None else METRICS[metric].compared(drawn)


def told(folder: RunFolder) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Evaluations and findings among the events of a run."""
    lines = folder.events()
    evaluations = [
        {key: value for key, value in line.items() if key not in ("samples", "seconds")}
        for line in lines
        if line.get("kind") == "evaluation"
    ]
    return evaluations, [line for line in lines if line.get("kind") == "finding"]


def unmeasured(outcomes: Sequence[Outcome]) -> list[str]:
    """A line for each reason why figures that were asked for are missing, with the runs that it is true of.

    Raises:
        BadInput: nothing that was asked for could be measured.
    """
    told: dict[str, list[str]] = {}
    for outcome in outcomes:
        for metric, reason in outcome.missing.items():
            told.setdefault(f"{metric} ({reason})", []).append(str(outcome.path))
    of = {what: "" if len(paths) == len(outcomes) else f" of {', '.join(paths)}" for what, paths in told.items()}
    lines = [f"not measured: {what}{whose}" for what, whose in of.items()]
    if lines and not any(outcome.final.figures for outcome in outcomes):
        raise BadInput("; ".join(lines))
    return lines
