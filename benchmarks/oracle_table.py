r"""Rows of the oracle table from trained runs: every checkpoint judged afresh, with equal seeds and sample sizes.

    python benchmarks/oracle_table.py --out benchmarks/results/oracle20.json \
        "maximum likelihood, early-stopped=RUN0:best,RUN1:best,RUN2:best" "SeqGAN=…" [--samples 10000] [--sweep LABEL …]

Prints a Markdown table (mean ± standard deviation over the runs of a row) and writes the figures of every run as JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import torch

from seqgans.verbs.judging import Judge
from seqgans.verbs.loading import load_run
from seqgans.verbs.recorder import swept

COLUMNS = {
    "nll_oracle": "NLL_oracle",
    "nll_gen_test": "NLL_gen",
    "nll_div": "NLL_div",
    "reverse_kl_per_token": "reverse KL",
    "forward_kl_per_token": "forward KL",
    "jsd": "JSD (sequence)",
}


def judged(run: str, samples: int, sweep: bool) -> dict[str, Any]:
    """All figures of one checkpoint, PATH or PATH:NAME, and its training's CPU seconds."""
    path, _, which = run.partition(":")
    loaded = load_run(path, which or "latest")
    judge = Judge(loaded.corpus, loaded.truth, seed=0)
    generator = loaded.players.generator
    figures, _ = judge.figures(generator, samples)
    seconds = [line["seconds"] for line in loaded.folder.events() if "seconds" in line]
    return {
        "run": Path(path).name,
        "checkpoint": which or "latest",
        "seed": loaded.recipe.run.seed,
        "figures": {name: [figure.value, figure.standard_error] for name, figure in figures.items()},
        "cpu_seconds": seconds[-1] if seconds else {},
        "sweep": [swept(point) for point in judge.sweep(generator, 1000)] if sweep else [],
    }


def cell(values: list[float]) -> str:
    """Mean ± standard deviation, or the one value."""
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}"


def main() -> None:
    """Judge every run of every row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="+", help="LABEL=RUN[:CHECKPOINT],RUN[:CHECKPOINT],…")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--sweep", nargs="*", default=[], help="labels whose first run gets a temperature sweep")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results: dict[str, Any] = {"samples": arguments.samples, "torch": torch.__version__, "rows": {}}
    print("| system | runs | " + " | ".join(COLUMNS.values()) + " | CPU-minutes |")
    print("| --- | ---: |" + " ---: |" * (len(COLUMNS) + 1))
    found: dict[str, list[dict[str, Any]]] = {}
    for row in arguments.rows:
        label, _, runs = row.partition("=")
        found[label] = [
            judged(run, arguments.samples, label in arguments.sweep and not index)
            for index, run in enumerate(runs.split(","))
        ]
        figures = [run["figures"] for run in found[label]]
        cells = [cell([one[name][0] for one in figures]) for name in COLUMNS]
        minutes = [sum(run["cpu_seconds"].values()) / 60 for run in found[label]]
        print(f"| {label} | {len(figures)} | " + " | ".join(cells) + f" | {statistics.mean(minutes):.1f} |", flush=True)
    results["rows"] = found
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
