"""The results of a suite as a Markdown table: systems × figures, with seeds, spread and the paper's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqgans.report.figures import MISSING
from seqgans.report.markdown import cell, markdown


def suite_table(title: str, about: str, columns: Sequence[str], results: Sequence[Mapping[str, Any]]) -> str:
    """A heading, the conditions and one row a system and arm.

    Args:
        title: the heading.
        about: the conditions, a few words.
        columns: names of figures; those that no run has are left out.
        results: of runs, as `seqgans benchmark` writes them.

    Returns:
        Markdown. A cell is mean ± standard deviation over seeds, in brackets what the paper states, "–" where no run
        has the figure; runs that failed stand with their seed, the reasons below the table.
    """
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for result in results:
        rows.setdefault(result["label"], []).append(result)
    shown = [name for name in columns if any(name in result.get("figures", {}) for result in results)]
    heads = ["system", "seeds", *shown, "CPU-minutes"]
    if any(name in result["paper"] for result in results for name in shown):
        about = f"{about} In brackets: what papers state, each under its own conditions."
    lines = []
    for label, runs in rows.items():
        done = [run for run in runs if "figures" in run]
        failed = [f"seed {run['seed']} failed" for run in runs if "failed" in run]
        seeds = ", ".join([*(str(run["seed"]) for run in done), *failed])
        cells = [
            (cell([run["figures"].get(name, (None, None))[0] for run in done]) or "–")
            + (f" ({runs[0]['paper'][name]:g})" if name in runs[0]["paper"] else "")
            for name in shown
        ]
        minutes = cell([sum(run["cpu_seconds"].values()) / 60 for run in done], 1)
        lines.append([label, seeds, *cells, minutes])
    if any("–" in line for line in lines):
        about = f"{about} {MISSING}."
    reasons = [f"- {run['label']}, seed {run['seed']}: {run['failed']}" for run in results if "failed" in run]
    return (
        "\n".join([f"## {title}", "", about, "", markdown(heads, lines), *(["", *reasons] if reasons else [])]) + "\n"
    )
