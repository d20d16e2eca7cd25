"""One self-contained page of a comparison or of a run: opens offline, in any browser, on a phone.

A comparison is a plain dict, so that it can be printed as JSON as well. Every key but "systems" and, of a
system, "name" may be missing: the page leaves out what it does not have.

    title         str, the heading; "Comparison" where missing
    corpus        str, what was learnt from
    seeds         [int], seeds of the runs
    commands      [str], what to type to repeat it
    notes         [str], sentences shown under the heading (which test the p-values are from, ...)
    baseline      name of the system that p-values compare with
    figures_order [figure], rows of the table; the order of first appearance where missing
    plane         {"x": figure, "y": figure}, axes of the quality-diversity plane
    differences   {setting: {system: value}}, settings that are not the same everywhere
    systems       [system], in the order of columns and colours:
        name      str
        figures   {figure: {"mean", "spread": over seeds or None, "n": seeds, "p": against the baseline or None,
                  "better": "lower" | "higher" | None (found from the figure's name where missing)}}
        sweep     [{"temperature": t, figure: number, ...}], mean over seeds
        samples   [{"text", "nearest", "similarity": 0 to 1, "copy": bool}] as of `report.neighbours`, or [str]
        runs      [run], one a seed:
            path, seed, algorithm
            events    lines of events.jsonl; those of kind "evaluation" are drawn
            findings  [{"detector", "saw", "try", "step"}]

A run's page takes report.json and the lines of events.jsonl as they are (`verbs/recorder.py` writes them);
"settings" and "commands" are shown where the report has them.
"""

from __future__ import annotations
