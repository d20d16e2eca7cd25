"""The table of `docs/metrics.md` is the table of metrics."""

from __future__ import annotations

from pathlib import Path

from seqgans.evaluation import METRICS
from seqgans.evaluation.evidence import NEEDED

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_every_metric_has_its_row_and_no_other() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert rows == [
        "| "
        + " | ".join(
            (
                f"`{metric.name}`" + (" (by name)" if metric.costly else ""),
                metric.description,
                ", ".join(need for need in NEEDED if need in metric.needs),
                metric.better,
                metric.unit,
                metric.sizes,
                metric.floor,
                f"{metric.paper} {metric.year}" if metric.paper else "",
            )
        )
        + " |"
        for metric in METRICS.values()
    ]
