"""What stands behind a comparison as files, inside the page itself: tables for a spreadsheet, and all of it as JSON."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from seqgans.report.figures import mean_of, p_of, shown_of, with_errors
from seqgans.report.learning import evaluations
from seqgans.report.sections import section
from seqgans.report.spreadsheet import as_csv
from seqgans.training.facts import to_json

Plain = Mapping[str, Any]

FIGURES = ("system", "figure", "mean", "deviation over seeds", "error", "seeds", "p against the baseline")
CURVES = ("system", "seed", "stage", "round", "update", "figure", "value")


def downloads_section(comparison: Plain) -> str:
    """Links to the files, each with what is in it; empty where there is nothing behind the page."""
    systems = comparison["systems"]
    files = {
        "figures.csv": (figures_csv(systems), "means, spread and p-values"),
        "sweeps.csv": (sweeps_csv(systems), "figures at each temperature, seed by seed"),
        "curves.csv": (curves_csv(systems), "every evaluation of every run"),
    }
    filled = {name: file for name, file in files.items() if file[0].count("\n") > 1}
    if not filled:
        return ""
    filled["comparison.json"] = (to_json(comparison), "all that this page shows")
    items = "".join(
        f'<li><a download="{name}" href="{address(name, text)}">{name}</a> <span class="about">{escape(about)}, '
        f"{size(len(text.encode()))}</span></li>"
        for name, (text, about) in filled.items()
    )
    return section("data", "Data", f'<ul class="files">{items}</ul>', "The files are inside this page.")


def address(name: str, text: str) -> str:
    """A text as a link that needs no network."""
    kind = "text/csv" if name.endswith(".csv") else "application/json"
    return f"data:{kind};charset=utf-8;base64,{b64encode(text.encode()).decode()}"


def size(count: int) -> str:
    r"""A number of bytes for people, in one piece.

    >>> size(12), size(12_345)
    ('1\xa0kB', '13\xa0kB')
    """
    return f"{-(-count // 1000)}\u00a0kB"


def figures_csv(systems: Sequence[Plain]) -> str:
    """One line a system and figure."""
    return as_csv(
        FIGURES,
        (
            (system["name"], name, shown_of(figure), part(figure, "spread"), part(figure, "error"), seeds, p_of(figure))
            for system in systems
            for name, figure in system.get("figures", {}).items()
            for seeds in [part(figure, "n")]
        ),
    )


def part(figure: Any, name: str) -> int | float | None:
    """A part of a figure, where it has it."""
    return figure.get(name) if isinstance(figure, Mapping) else None


def sweeps_csv(systems: Sequence[Plain]) -> str:
    """One line a run and temperature; of systems without sweeps by run, their means."""
    found = list(swept(systems))
    names = list(dict.fromkeys(name for *_, row in found for name in row))
    return as_csv(
        ["system", "seed", *names],
        ([who, seed, *(mean_of(row.get(name)) for name in names)] for who, seed, row in found),
    )


def swept(systems: Sequence[Plain]) -> Iterator[tuple[str, int | None, Plain]]:
    """System, seed and row of each temperature."""
    for system in systems:
        runs = [run for run in system.get("runs", ()) if run.get("sweep")]
        for seed, rows in [(run.get("seed"), run["sweep"]) for run in runs] or [(None, widened(system))]:
            yield from ((system["name"], seed, row) for row in rows)


def widened(system: Plain) -> list[Plain]:
    """The sweep of a system, with standard errors in columns of their own where they are known."""
    return [
        {**row, **{f"{name}, error": value for name, value in errors.items()}} for row, errors in with_errors(system)
    ]


def curves_csv(systems: Sequence[Plain]) -> str:
    """One line a figure of an evaluation."""
    return as_csv(
        CURVES,
        (
            (
                system["name"],
                run.get("seed"),
                line.get("stage"),
                line.get("round"),
                line.get("step"),
                name,
                shown_of(figure),
            )
            for system in systems
            for run in system.get("runs", ())
            for line in evaluations({"runs": [run]})
            for name, figure in line["figures"].items()
        ),
    )
