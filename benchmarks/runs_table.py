r"""Rows of a table from the reports of finished runs: mean ± standard deviation over the runs of a row.

    python benchmarks/runs_table.py "maximum likelihood=RUN0:pretrained,RUN1:pretrained" "SeqGAN=RUN0,RUN1" \
        --columns nll_oracle nll_gen_test nll_div --out benchmarks/results/oracle20.json [--sweep RUN0:pretrained]

`RUN:pretrained` is the generator as a run's game began, `RUN` alone as it ended. Prints a Markdown table and writes the
figures of every run, with their standard errors, as JSON.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

from seqgans.report.markdown import cell, markdown
from seqgans.training.facts import from_json, to_json


def figures_of(run: str) -> dict[str, Any]:
    """What a run's report says of one stage, PATH or PATH:STAGE, and the CPU seconds of each phase."""
    path, _, stage = run.partition(":")
    report = from_json((Path(path) / "report.json").read_text())
    found = report["evaluations"][stage or "final"]
    return {
        "run": Path(path).name,
        "stage": stage or "final",
        "seed": report["seed"],
        "figures": {name: [figure["mean"], figure["error"]] for name, figure in found.items()},
        "cpu_seconds": report["cpu_seconds"],
        "sweep": report["sweeps"].get(stage or "final", []),
    }


def main() -> None:
    """Print the rows, write what stands behind them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="+", help="LABEL=RUN[:STAGE],RUN[:STAGE],…")
    parser.add_argument("--columns", nargs="+", required=True, help="names of figures")
    parser.add_argument("--sweep", help="RUN[:STAGE] whose temperatures are printed as a second table")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    lines = []
    for row in arguments.rows:
        label, _, runs = row.partition("=")
        found[label] = [figures_of(run) for run in runs.split(",")]
        values = [[one["figures"][name][0] for one in found[label]] for name in arguments.columns]
        minutes = statistics.mean(sum(one["cpu_seconds"].values()) / 60 for one in found[label])
        seeds = ", ".join(str(one["seed"]) for one in found[label])
        lines.append([label, seeds, *map(cell, values), f"{minutes:.1f}"])
    print(markdown(["system", "seeds", *arguments.columns, "CPU-minutes"], lines))
    if arguments.sweep:
        points = figures_of(arguments.sweep)["sweep"]
        names = [name for name in points[0] if name != "temperature"]
        rows = [[f"{point['temperature']:.2f}", *(f"{point[name]:.3f}" for name in names)] for point in points]
        print("\n" + markdown(["temperature", *names], rows))
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text(to_json(found, 1) + "\n")


if __name__ == "__main__":
    main()
