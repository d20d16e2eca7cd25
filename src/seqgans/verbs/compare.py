"""Compare: runs side by side, with spread over seeds, tests of significance and quality-diversity curves.

Runs that differ in nothing but their seed are one system. What comes out is a plain dict: the one that
`report.page` describes, with one further key:

    tests   [{"figure", "system", "baseline", "test", "kind": "between-run" | "within-run", "difference", "p_value",
            "p_holm": corrected for the number of systems, "seeds"}]

The baseline is the one asked for, else maximum likelihood where a run of it is among the runs, else the generators
before their game, else the first system. p-values of a figure pair the seeds that both systems have; with one common
seed or none, they compare the samples of one run each, and say nothing about other seeds.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seqgans.choices import choice
from seqgans.data import CorpusSettings
from seqgans.data.kinds import without_folders
from seqgans.errors import BadInput
from seqgans.evaluation import METRICS, Figure
from seqgans.report.neighbours import neighbours
from seqgans.training.folder import RunFolder
from seqgans.verbs.evaluate import READING
from seqgans.verbs.files import alone, beside_curves, beside_run, shortest
from seqgans.verbs.judging import Watch
from seqgans.verbs.outcome import Asked, Outcome, Rows, has_report, judged, reported, unmeasured
from seqgans.verbs.planes import PLANES, beside, has_axes
from seqgans.verbs.reporting import SWEEP_SAMPLES
from seqgans.verbs.systems import (
    System,
    check_one_corpus,
    grouped,
    not_numbers,
    of_files,
    run_differences,
    starts,
    varies,
)
from seqgans.verbs.tested import corrected, equal, notes, sizes_of, tested, uneven
from seqgans.verbs.writers import check_checkpoint

COUNT = 5000  # samples drawn where runs are measured afresh


def compare(
    paths: Sequence[Path | str],
    references: str | None = None,
    *,
    checkpoint: str = "latest",
    count: int | None = None,
    seed: int | None = None,
    baseline: str | None = None,
    metrics: Sequence[str] | None = None,
    further: Mapping[Path, Mapping[str, Mapping[str, Any]]] | None = None,
    reading: CorpusSettings = READING,
    watch: Watch = None,
) -> dict[str, Any]:
    """Runs and files of samples side by side.

    Figures come from the runs' reports, taken at their end. They are measured afresh if there are references, if
    metrics, another checkpoint, a number of samples or a seed are asked for, or if one of the runs has not come to its
    end.

    Args:
        paths: folders of runs of one corpus, and files with one sequence a line, at least two; files are judged as the
            first run is, without likelihoods.
        references: a file of real sequences that takes the place of the runs' test splits; needed without a run.
        checkpoint: "latest", "best" or "pretrained".
        count: samples drawn, where figures are measured afresh; None for 5,000 there.
        seed: where they come from; None for 0 there.
        baseline: whom the others are tested against: the folder of one of the runs, or the name of a system.
        metrics: names of what is measured; None for what every run measures at its end.
        further: figures that were measured after the report, by folder and name, each with "mean" and "error".
        reading: how files are read where there is no run: kind of tokens, case.
        watch: called before each metric with whose it is and its name, and how many there are of all runs and files.

    Returns:
        The comparison, ready for JSON.

    Raises:
        BadInput: there are fewer than two runs, one cannot be read, they are not of one corpus, or the
            baseline is not among them.
    """
    folders, files = sorted_out([Path(path) for path in paths])
    if not folders and references is None:
        raise BadInput("compare needs --references FILE where there are files of samples alone, got none")
    check_checkpoint([str(path) for path in paths], checkpoint)
    for name in metrics or ():
        choice(METRICS, name, "metric")
    named = None if metrics is None else ",".join(metrics)
    flags = (
        ("--checkpoint", None if checkpoint == "latest" else checkpoint),
        ("--samples", count),
        ("--seed", seed),
        ("--metrics", named),
        ("--tokens", None if reading.tokens == READING.tokens else reading.tokens),
    )
    if folders and reading != READING:
        raise BadInput("--tokens and --lowercase are for files alone; runs say themselves how text is read")
    words = [str(part) for flag, value in flags if value is not None for part in (flag, value)]
    words += ["--lowercase"] if reading.lowercase else []
    told = references is None and not words and all(map(has_report, folders))
    outcomes = [reported(path, (further or {}).get(path)) for path in folders] if told else []
    asked = Asked(
        references=references,
        checkpoint=checkpoint,
        count=outcomes[0].trained.run.final_samples if outcomes else COUNT if count is None else count,
        seed=outcomes[0].trained.run.seed if outcomes else seed or 0,
        metrics=metrics,
        targets=len(paths) - len(outcomes),
        watch=watch,
    )
    short = None if outcomes else shortest(files, asked.count, bool(folders), reading)
    if short is not None:
        asked = dataclasses.replace(asked, least=short[0])
    outcomes = outcomes or [judged(path, asked) for path in folders]
    check_one_corpus(outcomes)
    if not files:
        written = []
    elif folders:
        written = beside_run(files, folders[0], asked)
    else:
        written = alone(files, str(references), asked, reading)
    unmeasured([*outcomes, *written])
    systems = [*grouped(outcomes), *of_files(written)]
    usual = next((system for system in systems if system.settings.get("algorithm.name") == "likelihood"), None)
    if usual is None:
        usual = starts(systems)
        systems = [usual, *systems] if usual is not None else systems
    if baseline is not None:
        words += ["--baseline", baseline]
        usual = system_of(systems, baseline)
    found = described(systems, usual or systems[0], references, words, short)
    curves = told and any(outcome.final.sweep for outcome in outcomes)
    return {**found, "notes": [*found["notes"], *beside_curves(written, SWEEP_SAMPLES if curves else 0)]}


def sorted_out(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Folders of runs, and files of samples.

    Raises:
        BadInput: there are fewer than two, one is named twice, or neither a run nor a file.
    """
    if len(paths) < 2:
        raise BadInput(f"compare needs at least 2 runs or files of samples, got {len(paths)}")
    twice = next((path for place, path in enumerate(paths) if path in paths[:place]), None)
    if twice is not None:
        raise BadInput(f"compare needs different runs and files, {twice} is named twice")
    for path in paths:
        if not path.exists():
            raise BadInput(f"compare needs runs' folders and files of samples, but there is none at {path}")
    folders = [path for path in paths if not path.is_file()]
    for path in folders:
        RunFolder.existing(path)
    return folders, [path for path in paths if path.is_file()]


def system_of(systems: Sequence[System], wanted: str) -> System:
    """The system with this name, or which a run with this folder belongs to.

    Raises:
        BadInput: there is none.
    """
    for system in systems:
        if wanted == system.name or (not system.before and Path(wanted) in [run.path for run in system.runs]):
            return system
    names = ", ".join(repr(system.name) for system in systems)
    raise BadInput(f"the baseline must be one of the runs or of the systems {names}, got {wanted!r}")


def described(
    systems: Sequence[System],
    baseline: System,
    references: str | None,
    words: Sequence[str] = (),
    short: tuple[int, str] | None = None,
) -> dict[str, Any]:
    """The systems as a dict for JSON, the table and the page.

    Args:
        systems: all of them.
        baseline: one of them.
        references: a file that took the place of the test splits.
        words: further ones of the command that repeats it.
        short: how many samples those figures are of that depend on the number, and which file has no more.
    """
    tests = [test for other in systems if other is not baseline for test in tested(other, baseline)]
    corrected(tests)
    sweeps = {system.name: mean_sweep(system) for system in systems}
    plane = next((axes for axes in PLANES if has_axes(sweeps[baseline.name], axes)), None)
    runs = list({id(run): run for system in systems for run in system.runs}.values())
    trained = [run.trained for run in runs if run.recipe is not None]
    corpus = trained[0].corpus if trained else str(references)
    named = [system.settings for system in systems if system.settings]
    home = next((run.path for run in runs if run.recipe is not None), None)
    paths = list(dict.fromkeys(str(run.path) for system in systems for run in system.runs))
    said = [*notes(tests, baseline, plane), *equal(systems, short), *uneven(systems, baseline)]
    doubts = dict.fromkeys(doubt for run in runs for doubt in run.doubts)
    return {
        "title": f"{len(systems)} systems on {without_folders(corpus)}",
        "corpus": corpus,
        "seeds": sorted({recipe.run.seed for recipe in trained}),
        "commands": [
            shlex.join(("seqgans", "compare", *paths, *(("--references", references) if references else ()), *words))
        ],
        "notes": [*said, *doubts, *unmeasured(runs), *not_numbers(systems)],
        "baseline": baseline.name,
        "planes": [beside(plane, sweeps, baseline.name)] if plane else [],
        "differences": {
            **{
                name: {system.name: system.settings[name] for system in systems if name in system.settings}
                for name in dict.fromkeys(name for settings in named for name in settings)
                if varies(name, named)
            },
            **run_differences(systems),
        },
        "systems": [described_system(system, sweeps[system.name], tests, home) for system in systems],
        "tests": tests,
    }


def described_system(
    system: System, sweep: Rows, tests: Sequence[Mapping[str, Any]], home: Path | None
) -> dict[str, Any]:
    """One system for JSON, the table and the page; `home` is a run of its corpus."""
    known = {test["figure"]: test for test in tests if test["system"] == system.name}
    figures = {}
    for name in system.figure_names():
        values = list(system.by_seed(name).values())
        over_seeds = Figure.of([value.value for value in values])
        spread = {"spread": over_seeds.deviation} if len(values) > 1 else {}
        error = values[0].standard_error if values else None
        mean = over_seeds.value if values else None
        sizes = sizes_of(system, name)
        on = {"samples": min(sizes)} if sizes else {}
        figures[name] = {"mean": mean, **spread, "error": error, "n": len(values), **p_value(known.get(name)), **on}
    before = system.before
    return {
        "name": system.name,
        "figures": figures,
        "sweep": sweep,
        "samples": [] if before else beside_training(system.runs[0], home),
        "runs": [
            {
                "path": str(run.path),
                "seed": run.seed,
                "algorithm": None if run.recipe is None else run.recipe.algorithm,
                "events": [] if before else list(run.events),
                "findings": [] if before else list(run.findings),
                "sweep": [] if run.recipe is None else moment.sweep,
            }
            for run, moment in zip(system.runs, system.moments, strict=True)
        ],
    }


def p_value(test: Mapping[str, Any] | None) -> dict[str, Any]:
    """The p-value of a figure and the kind of its test."""
    return {"p": None} if test is None else {"p": test["p_holm"], "kind": test["kind"]}


def beside_training(run: Outcome, home: Path | None) -> list[Any]:
    """Samples, each with the training line nearest to it, and how often it was written; alone where no run is there."""
    if home is None:
        return list(run.samples)
    corpus = RunFolder.existing(home if run.recipe is None else run.path).read_corpus()
    vocabulary = corpus.vocabulary
    samples = [vocabulary.encode(text) for text in run.samples]
    train = corpus.train.lists(vocabulary.end)
    found = [neighbour.to_dict() for neighbour in neighbours(samples, train, vocabulary.decode)]
    times = Counter(run.written)
    return [{**row, "text": text, "times": times[text]} for row, text in zip(found, run.samples, strict=True)]


def mean_sweep(system: System) -> Rows:
    """The temperature sweep of a system, each figure a mean over its seeds."""
    rows: dict[float, list[Mapping[str, float]]] = {}
    for moment in system.moments:
        for row in moment.sweep:
            rows.setdefault(round(row["temperature"], 6), []).append(row)
    return [
        {name: sum(row[name] for row in group) / len(group) for name in group[0] if all(name in row for row in group)}
        for group in rows.values()
    ]
