"""Benchmark: a suite carried out, run after run, each with its figures as JSON; what was done before is kept.

    OUT/runs/NAME-SEED/           the run's folder, as `train` leaves it
    OUT/results/NAME-SEED.json    figures with their errors, CPU seconds, the temperature curve, samples, findings
    OUT/RESULTS.md                the table: systems × figures, mean ± standard deviation over seeds
    OUT/page.html                 the comparison page of all runs

A run that was stopped goes on from its checkpoint; one that came to its end is not touched, and what could not be
measured of it for want of a package is measured once that is installed. One that fails (a loss that is not a number)
is a result too: it stands in the table, the runs that would begin from it fail with it, and the suite goes on.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from seqgans.data.packages import installed
from seqgans.errors import BadInput, Failed
from seqgans.evaluation import measure
from seqgans.evaluation.evidence import Beside
from seqgans.report.page import comparison_page
from seqgans.report.suite import suite_table
from seqgans.training.checkpoint import write_atomically
from seqgans.training.facts import from_json, to_json
from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe
from seqgans.verbs.compare import compare
from seqgans.verbs.evaluate import READING, evidence_of_run
from seqgans.verbs.judging import digest_of
from seqgans.verbs.loading import load_run
from seqgans.verbs.outcome import has_report
from seqgans.verbs.progress import Silent, Watcher
from seqgans.verbs.suite_files import SIZES
from seqgans.verbs.suites import Suite, Trial, read_suite
from seqgans.verbs.train import Interrupted, resume, train

Result = dict[str, Any]
PARTS = ("mean", "error", "count")  # of a figure


def benchmark(
    name: str,
    out: Path | str,
    *,
    data: Path | str | None = None,
    size: str = "quick",
    seeds: Sequence[int] | None = None,
    only: Sequence[str] | None = None,
    watcher: Watcher | None = None,
) -> list[Result]:
    """Systems side by side on one corpus, over seeds, each beside its control arm.

    Args:
        name: of the suite, or a .yaml file that holds one.
        out: the folder for runs, results, table and page; what it holds already is kept.
        data: the folder of corpora; suites on fresh oracles need none.
        size: quick or full.
        seeds: instead of the suite's own.
        only: names of systems, of the suite's; those that they start from are added.
        watcher: who is told what happens.

    Returns:
        The results of all runs, in the order of the suite; a run that failed has `failed` in the place of `figures`.

    Raises:
        BadInput: a name or the data does not exist, or a run in the folder has other settings than the suite's.
        Interrupted: it was stopped; the same call goes on.
    """
    where = Path(out)
    suite = read_suite(name, where, None if data is None else Path(data), size, seeds, only)
    return carried_out(suite, where, watcher)


def carried_out(suite: Suite, out: Path, watcher: Watcher | None = None) -> list[Result]:
    """Carry out what is not done yet of a suite, and write its table and page.

    Args:
        suite: its runs.
        out: the folder for all of it.
        watcher: who is told what happens.

    Returns:
        The results of all runs, in the order of the suite.

    Raises:
        BadInput: a run in the folder has other settings than the suite's.
        Interrupted: it was stopped; the same call goes on.
    """
    told = watcher or Silent()
    shared: dict[bytes, Beside] = {}
    results: list[Result] = []
    shown: list[Result] = []
    for place, trial in enumerate(suite.trials, start=1):
        told.say(f"{suite.name} {place}/{len(suite.trials)}: {trial.name}")
        failed = [result["name"] for result in results if "failed" in result]
        results.append(result_of(suite, trial, out, told, failed, shared))
        keep(results[-1], out / "results" / f"{trial.name}.json")
        shown = with_others(suite, results, out / "results")
        write_atomically(out / "RESULTS.md", suite_table(suite.title, suite.about, suite.columns, shown).encode())
    had = {figure for result in shown for figure in result.get("figures", ())}
    if had and (absent := [name for name in suite.columns if name not in had]):
        told.say(f"no run has the figures {', '.join(absent)}; columns are figures, measured by what metrics name")
    done = {run: result for result in shown if "figures" in result and (run := out / "runs" / result["name"]).is_dir()}
    if len(done) > 1:
        further = {run: as_reported(result) for run, result in done.items()}
        page = {**compare(list(done), further=further), "commands": [command(suite, out, list(done.values()))]}
        write_atomically(out / "page.html", comparison_page(page).encode())
    return results


def command(suite: Suite, out: Path, results: Sequence[Result]) -> str:
    """What to type for these results, further metrics included, which `seqgans compare` alone would not measure."""
    systems = [name for name in suite.systems if name in {result["system"] for result in results}]
    words = ["seqgans", "benchmark", suite.call, "--out", str(out)]
    words += [] if suite.data is None else ["--data", str(suite.data)]
    words += [] if suite.size == SIZES[0] else ["--size", suite.size]
    words += ["--seeds", ",".join(map(str, sorted({result["seed"] for result in results})))]
    words += [] if systems == list(suite.systems) else ["--only", ",".join(systems)]
    return shlex.join(words)


def with_others(suite: Suite, results: Sequence[Result], folder: Path) -> list[Result]:
    """Results of this call, and what earlier calls left of other systems and seeds of the suite; in its order.

    Another file of the same name may have left some, too: they are of systems unknown here, or on another corpus.
    """
    here = {result["name"]: result for result in results}
    for file in sorted(folder.glob("*.json")):
        try:
            found = from_json(file.read_text(encoding="utf-8"))
            ours = (found["suite"], found["size"]) == (suite.name, suite.size) and found["system"] in suite.systems
            if ours and found["name"] not in here and has_corpus(folder.parent / "runs" / found["name"], suite):
                here[found["name"]] = found
        except (OSError, ValueError, KeyError, TypeError):  # damaged, or not ours
            continue
    order = {name: place for place, name in enumerate(suite.systems)}
    return sorted(here.values(), key=lambda one: (order.get(one["system"], len(order)), one["control"], one["seed"]))


def has_corpus(path: Path, suite: Suite) -> bool:
    """Whether a run is on the corpus of a suite; one whose folder is gone counts."""
    if not (path / "settings.yaml").is_file():
        return True
    return "corpus" not in differences(RunFolder.existing(path).read_recipe(), suite.trials[0].recipe)


def result_of(
    suite: Suite, trial: Trial, out: Path, watcher: Watcher, failed: Collection[str], shared: dict[bytes, Beside]
) -> Result:
    """One run's figures; it is trained or resumed where that has not happened yet, unless its start has failed.

    Args:
        suite: what is measured.
        trial: the run.
        out: the folder of the suite.
        watcher: who is told what happens.
        failed: names of the runs that failed before it.
        shared: what was learnt from real sequences, by their digest.
    """
    path = out / "runs" / trial.name
    facts = {
        "suite": suite.name,
        "size": suite.size,
        "name": trial.name,
        "label": trial.label,
        "system": trial.system,
        "control": trial.control,
        "seed": trial.seed,
        "paper": dict(trial.paper),
    }
    if trial.start in failed:
        return {**facts, "failed": f"its start {trial.start} failed"}
    try:
        finish(trial, path, watcher)
    except Interrupted as stopped:
        raise Interrupted(f"{trial.name} was stopped and has a checkpoint; the same command goes on there") from stopped
    except Failed as error:
        return {**facts, "failed": str(error)}
    result = known(out / "results" / f"{trial.name}.json", path / "report.json")
    if result is None:
        report = RunFolder.existing(path).read_report()
        final = report["evaluations"]["final"]
        figures = {name: [found[part] for part in PARTS if part in found] for name, found in final.items()}
        result = {
            "metrics": [],
            "figures": figures,
            "cpu_seconds": report["cpu_seconds"],
            "sweep": report["sweeps"].get("final", []),
            "samples": list(report["samples"])[:5],
            "findings": report.get("findings", []),
        }
    return with_further(result | facts, suite.metrics, path, trial, watcher, shared)


def with_further(
    result: Result, metrics: Sequence[str], path: Path, trial: Trial, watcher: Watcher, shared: dict[bytes, Beside]
) -> Result:
    """Results and the further figures that a suite asks for; those that are there already are kept.

    What a run or a corpus has no evidence for, or an extra that is not installed, is said and left out: the suite goes
    on. It stands among `skipped` with its reason, and among `awaits` where it is measured once a package is installed.
    """
    kept = {name for name in result["metrics"] if not installed_since(result, name)}
    asked = [name for name in metrics if name not in kept]
    if not asked:
        return result
    watcher.say(f"{trial.name}: {', '.join(asked)}")
    run = load_run(path, "latest")
    evidence = evidence_of_run(run, None, None, trial.recipe.run.final_samples, trial.seed, READING)
    same = digest_of(run.corpus, run.truth)
    evidence = dataclasses.replace(evidence, beside=shared.setdefault(same, evidence.beside))
    found = measure(evidence, asked, strict=False)
    for name, reason in found.skipped.items():
        watcher.say(f"{trial.name}: {name} not measured ({reason})")
    further = {name: [figure.value, figure.standard_error, figure.count] for name, figure in found.flat().items()}
    left = {
        "skipped": {**without(result.get("skipped", {}), asked), **found.skipped},
        "awaits": {**without(result.get("awaits", {}), asked), **found.awaits},
    }
    return {
        **without(result, left),
        "metrics": list(dict.fromkeys([*result["metrics"], *asked])),
        "figures": {**result["figures"], **further},
        **{name: reasons for name, reasons in left.items() if reasons},
    }


def installed_since(result: Result, metric: str) -> bool:
    """Whether a metric was left out for a package that is there now."""
    package = result.get("awaits", {}).get(metric)
    return package is not None and installed(package)


def without(mapping: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """A mapping without some of its names."""
    return {name: value for name, value in mapping.items() if name not in names}


def as_reported(result: Result) -> dict[str, dict[str, Any]]:
    """The figures of a result, each as a report has it; older ones do not say how many things they are means of."""
    return {name: dict(zip(PARTS, found, strict=False)) for name, found in result["figures"].items()}


def keep(result: Result, path: Path) -> None:
    """Write results, unless the file says the same already."""
    text = f"{to_json(result, 1)}\n".encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_bytes() != text:
        write_atomically(path, text)


def known(path: Path, report: Path) -> Result | None:
    """Results written earlier, if they are of this report."""
    if not path.is_file() or path.stat().st_mtime < report.stat().st_mtime:
        return None
    try:
        found = from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # damaged: measured again
        return None
    whole = isinstance(found, dict) and {"metrics", "figures", "cpu_seconds", "sweep", "samples"} <= found.keys()
    return found if whole else None


def finish(trial: Trial, path: Path, watcher: Watcher) -> None:
    """Train, go on, or do nothing, so that the run comes to its end."""
    if not (path / "settings.yaml").is_file():
        train(trial.recipe, path, watcher)
        return
    differing = differences(RunFolder.existing(path).read_recipe(), trial.recipe)
    if differing:
        raise BadInput(
            f"{path} must be a run of this suite, its settings.yaml differs in {', '.join(differing)}; "
            "delete it or choose another --out"
        )
    if not has_report(path):
        resume(path, watcher)
    if not has_report(path):
        raise BadInput(f"{path} must hold the report.json of its finished run; delete the folder and run again")


def differences(made: Recipe, wanted: Recipe) -> list[str]:
    """Parts of the settings in which a run differs from what a suite asks for.

    The folder of all runs may have been moved, or be called otherwise from here: a start counts by its name.
    """
    there, here = made.to_dict(), wanted.to_dict()
    for settings in (there, here):
        if start := settings["run"].get("start"):
            settings["run"] = settings["run"] | {"start": Path(start).name}
    return [part for part in sorted({*there, *here}) if there.get(part) != here.get(part)]
