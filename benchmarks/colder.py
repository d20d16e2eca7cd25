"""What a colder likelihood has of a game's gain: samples of finished runs at several temperatures, by any metrics.

    python benchmarks/colder.py "likelihood=RUN0,RUN1,RUN2" "SentiGAN=RUN0,RUN1,RUN2:1" --temperatures 1 0.9 0.8 \
        --metrics category_accuracy bleu --columns category_accuracy bleu_3 --out FILE.json

RUN…:T… takes other temperatures for a row. Generators with categories draw equally many of each. A run is judged by
its own splits and seed, at all temperatures by the same judge. Prints a Markdown table: mean ± s.d. over runs.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from seqgans.evaluation import measure
from seqgans.evaluation.evidence import Evidence
from seqgans.evaluation.likelihood import draw_sequences
from seqgans.generators.base import Generator
from seqgans.generators.categories import CategoryGenerator, within
from seqgans.generators.decoding import Decoding
from seqgans.randomness import generator_for
from seqgans.report.markdown import cell, markdown
from seqgans.training.facts import to_json
from seqgans.verbs.evaluate import READING, evidence_of_run
from seqgans.verbs.loading import load_run


def at(evidence: Evidence, generator: Generator, temperature: float) -> Evidence:
    """The evidence with samples of a temperature in the place of the generator."""
    laws: list[Generator] = [generator]
    if isinstance(generator, CategoryGenerator):
        laws = [within(generator, kind) for kind in range(len(generator.shares))]
    parts = []
    for kind, law in enumerate(laws):
        random = generator_for(evidence.seed, "colder", str(temperature), str(kind))
        each, decoding = evidence.count // len(laws), Decoding(temperature=temperature)
        parts.append(draw_sequences(law, each, evidence.longest, random, decoding=decoding).lists(evidence.end))
    rows = [row for together in zip(*parts, strict=True) for row in together]  # any first part has all kinds
    kinds = [place % len(laws) for place in range(len(rows))] if len(laws) > 1 else None
    return dataclasses.replace(evidence, samples=rows, sample_categories=kinds, generator=None, oracle=None)


def figures_of(
    path: str, checkpoint: str, temperatures: Iterable[float], metrics: Sequence[str], count: int
) -> dict[str, dict[str, float]]:
    """Figures of one run by temperature."""
    run = load_run(Path(path), checkpoint)
    evidence = evidence_of_run(run, None, None, count, run.recipe.run.seed, READING)
    found = {}
    for temperature in temperatures:
        measured = measure(at(evidence, run.players.generator, temperature), metrics)
        found[f"{temperature:g}"] = {name: figure.value for name, figure in measured.flat().items()}
    return found


def main() -> None:
    """Print the rows, write what stands behind them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="+", help="LABEL=RUN,RUN…[:TEMPERATURE,TEMPERATURE…]")
    parser.add_argument("--temperatures", type=float, nargs="+", default=[1.0])
    parser.add_argument("--metrics", nargs="+", required=True)
    parser.add_argument("--columns", nargs="+", required=True, help="names of figures")
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--checkpoint", default="latest")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    lines = []
    for row in arguments.rows:
        label, _, rest = row.partition("=")
        runs, _, own = rest.partition(":")
        temperatures = [float(one) for one in own.split(",")] if own else arguments.temperatures
        found[label] = [
            {
                "run": Path(run).name,
                "at": figures_of(run, arguments.checkpoint, temperatures, arguments.metrics, arguments.samples),
            }
            for run in runs.split(",")
        ]
        for temperature in (f"{one:g}" for one in temperatures):
            values = [[one["at"][temperature].get(name) for one in found[label]] for name in arguments.columns]
            known = [[value for value in column if value is not None] for column in values]
            lines.append([label, temperature, *(cell(column) if column else "" for column in known)])
    print(markdown(["", "temperature", *arguments.columns], lines))
    arguments.out.write_text(to_json(found, 1) + "\n")


if __name__ == "__main__":
    main()
