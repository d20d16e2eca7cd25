"""Files inside a page: they can be read back, hold what the page shows, and nothing in them is a formula.

Mutants killed: a column shifted; the means in the place of each seed's sweep; text of a system's name not guarded.
"""

from __future__ import annotations

import csv
import io
import json
from base64 import b64decode
from typing import Any

from seqgans.report.downloads import downloads_section
from seqgans.report.page import comparison_page


def files(text: str, parse: Any) -> dict[str, str]:
    links = [has for tag, has in parse(text).elements if tag == "a"]
    return {link["download"]: b64decode(link["href"].partition("base64,")[2]).decode() for link in links}


def test_every_file_can_be_read_back(comparison: dict[str, Any], parse: Any) -> None:
    found = files(comparison_page(comparison), parse)
    assert list(found) == ["figures.csv", "sweeps.csv", "curves.csv", "comparison.json"]
    assert json.loads(found["comparison.json"]) == comparison
    tables = {name: list(csv.DictReader(io.StringIO(text))) for name, text in found.items() if name.endswith(".csv")}
    [row] = [row for row in tables["figures.csv"] if (row["system"], row["figure"]) == ("leakgan", "jsd")]
    figure = comparison["systems"][3]["figures"]["jsd"]
    assert float(row["mean"]) == figure["mean"]
    assert float(row["deviation over seeds"]) == figure["spread"]
    assert (row["error"], row["seeds"], row["p against the baseline"]) == ("", "3", "0.03")
    rows = [row for row in tables["sweeps.csv"] if (row["system"], row["seed"]) == ("seqgan", "2")]
    assert [float(row["nll_gen"]) for row in rows] == [
        line["nll_gen"] for line in comparison["systems"][1]["runs"][2]["sweep"]
    ]
    lines = [row for row in tables["curves.csv"] if row["system"] == "seqgan" and row["figure"] == "jsd"]
    assert {row["seed"] for row in lines} == {"0", "1", "2"}
    assert len(lines) == sum(len(run["events"]) for run in comparison["systems"][1]["runs"])


def test_a_name_is_no_formula(comparison: dict[str, Any], parse: Any) -> None:
    comparison["systems"][0]["name"] = '=HYPERLINK("x")'
    found = files(comparison_page(comparison), parse)
    assert found["figures.csv"].splitlines()[1].startswith("\"'=HYPERLINK")


def test_means_stand_in_for_the_seeds(parse: Any) -> None:
    """A comparison without runs has the sweeps of its systems, and one without anything has no files."""
    rows = [{"temperature": 1.0, "jsd": float("inf")}]
    found = files(downloads_section({"systems": [{"name": "one", "sweep": rows}]}), parse)
    assert found["sweeps.csv"] == "system,seed,temperature,jsd\none,,1.0,\n"
    assert downloads_section({"systems": [{"name": "one"}]}) == ""
