r"""Where games lie beside maximum likelihood at equal quality, from the temperature curves of finished runs.

    python benchmarks/findings.py "SeqGAN=RUN0,RUN1,RUN2" "its control=RUN0,RUN1,RUN2" --corpus NAME \
        --out benchmarks/results/findings.json

A run's curve (final) is set beside that of the model its game began with (pretrained; RUN:OTHER takes the curve at
the end of another run), at the qualities which that model has at four temperatures. A gap is the run's diversity
there less the model's, in units of the diversity axis (self-BLEU-5, or NLL_gen on an oracle), better where it is
negative. The model's point is measured and the run's interpolated on a chord of its curve, which lies above a convex
curve: gaps are rather too high than too low. Rows are means ± standard deviations over runs; the gaps of every run are
added to the JSON file under the name of the corpus.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from seqgans.report.markdown import cell, markdown
from seqgans.training.facts import from_json, to_json
from seqgans.verbs.planes import PLANES, RISING, curve_of, has_axes

TEMPERATURES = (1.0, 0.8, 1 / 1.5, 0.5)


def beside_its_start(run: str) -> dict[str, Any]:
    """Gaps of one run by the start's temperature, None where its curve does not reach the start's quality."""
    path, _, other = run.partition(":")
    report = from_json((Path(path) / "report.json").read_text())
    start = from_json((Path(other) / "report.json").read_text()) if other else report
    ours, theirs = report["sweeps"]["final"], start["sweeps"]["final" if other else "pretrained"]
    axes = next(axes for axes in PLANES if has_axes(ours, axes) and has_axes(theirs, axes))
    curve, sign = curve_of(ours, axes), -1 if axes["x"] in RISING else 1
    points = [next(row for row in theirs if math.isclose(row["temperature"], at)) for at in TEMPERATURES]
    reached = [curve.diversity_at(sign * point[axes["x"]]) for point in points]
    gaps = [None if found is None else found - point[axes["y"]] for found, point in zip(reached, points, strict=True)]
    return {
        "run": Path(path).name,
        "seed": report["seed"],
        "axes": dict(axes),
        "gaps": {f"{at:.2f}": gap for at, gap in zip(TEMPERATURES, gaps, strict=True)},
    }


def main() -> None:
    """Print the rows, keep what stands behind them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="+", help="LABEL=RUN[:OTHER],RUN[:OTHER],…")
    parser.add_argument("--corpus", required=True, help="the name these rows stand under")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    lines, names = [], [f"{at:.2f}" for at in TEMPERATURES]
    for row in arguments.rows:
        label, _, runs = row.partition("=")
        found[label] = [beside_its_start(run) for run in runs.split(",")]
        values = [[one["gaps"][name] for one in found[label] if one["gaps"][name] is not None] for name in names]
        seeds = ", ".join(str(one["seed"]) for one in found[label])
        lines.append([label, seeds, *(cell(each) if each else "" for each in values)])
    print(markdown(["system", "seeds", *(f"gap at its start's {name}" for name in names)], lines))
    known = from_json(arguments.out.read_text()) if arguments.out.is_file() else {}
    arguments.out.write_text(
        to_json({**known, arguments.corpus: {**known.get(arguments.corpus, {}), **found}}, 1) + "\n"
    )


if __name__ == "__main__":
    main()
