"""Real sequences judged as if they had been generated: the row that a generator should resemble.

    python benchmarks/real_rows.py melodies=RUN [NAME=RUN …] --columns bleu_2 … --out benchmarks/results/real.json

1,000 training sequences of a run's corpus, another draw for each seed, beside its test sequences by the metrics and the
code that judge the run's own samples. Prints a Markdown table: mean ± standard deviation over the draws.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import torch

from seqgans.evaluation import measure
from seqgans.randomness import generator_for
from seqgans.report.markdown import cell, markdown
from seqgans.training.facts import to_json
from seqgans.verbs.evaluate import READING, evidence_of_run
from seqgans.verbs.loading import load_run

COUNT = 1000


def figures_of(path: str, seed: int) -> dict[str, Any]:
    """What the metrics say of real sequences that a run learnt from."""
    evidence = evidence_of_run(load_run(Path(path), "latest"), None, None, COUNT, seed, READING)
    if evidence.train is None:
        raise SystemExit(f"{path} must have training sequences")
    chosen = torch.randperm(len(evidence.train), generator=generator_for(seed, "real rows"))[:COUNT].tolist()
    samples = [list(evidence.train[row]) for row in chosen]
    real = dataclasses.replace(evidence, samples=samples, generator=None, oracle=None)
    names = ["bleu", "self_bleu", "distinct", *(["music_mse"] if evidence.notes else [])]
    return {name: figure.value for name, figure in measure(real, names).flat().items()}


def main() -> None:
    """Print the rows, write what stands behind them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="NAME=RUN: a run that learnt from the corpus, and what to call it")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--columns", nargs="+", required=True, help="names of figures")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    named = [run.partition("=") for run in arguments.runs]
    found = {name: {seed: figures_of(run, seed) for seed in arguments.seeds} for name, _, run in named}
    lines = []
    for name, draws in found.items():
        values = [[one[name] for one in draws.values() if name in one] for name in arguments.columns]
        lines.append([name, *(cell(value) if value else "" for value in values)])
    print(markdown(["real sequences", *arguments.columns], lines))
    arguments.out.write_text(to_json(found, 1) + "\n")


if __name__ == "__main__":
    main()
