"""One table of every system on the published oracle, from the figures of all runs in benchmarks/results/oracle20*.json.

    python benchmarks/oracle_table.py

Rows say where they start; a control is the same run with rewards of other sequences, or with no gradient that reaches
the generator. Mean ± standard deviation over seeds; JSD is 0.693, ln 2, in every row and left out.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from seqgans.report.markdown import cell, markdown

RESULTS = Path(__file__).parent / "results"
COLUMNS = ("nll_oracle", "nll_gen_test", "nll_div", "reverse_kl_per_token", "forward_kl_per_token")
HEADS = ("NLL_oracle", "NLL_gen", "NLL_div", "reverse KL", "forward KL")
Row = tuple[str, str, str | None, str | None, str]
ROWS: tuple[Row, ...] = (
    ("", "maximum likelihood, early-stopped (epoch 4)", None, None, "**likelihood, early-stopped** (A)"),
    ("", "early-stopped, then at a tenth of the rate", None, None, "A, then at a tenth of the rate"),
    ("", "maximum likelihood, 50 epochs", None, "9.038", "**likelihood, 50 epochs** (B)"),
    ("_others", "relational memory, maximum likelihood", None, None, "**likelihood of the relational memory** (C)"),
    ("_others", "scheduled sampling, 40 epochs", None, "8.985", "scheduled sampling, 40 epochs"),
    ("_pg_bleu", "PG-BLEU", "control", "8.946", "PG-BLEU from B, 100 steps"),
    ("_pg_bleu", "PG-BLEU from early", "control from early", "8.946", "PG-BLEU from A, 40 steps"),
    ("", "SeqGAN from there, language model as discriminator", "its control", "8.736", "SeqGAN from A, language model"),
    ("", "SeqGAN from there, score per step, batch 4", "its control (steps)", "8.736", "SeqGAN from B, score per step"),
    ("_systems", "MaliGAN", "MaliGAN, control", None, "MaliGAN from A"),
    ("_systems", "RankGAN", "RankGAN, control", "8.247", "RankGAN from A"),
    ("_systems", "SAL", "SAL, control", "7.71", "SAL from A"),
    ("_systems", "REGS", "REGS, control", None, "REGS from A"),
    ("_systems", "GSGAN, straight-through", None, None, "GSGAN from A"),
    ("_systems", "SentiGAN, one class", "SentiGAN, control", "6.924", "SentiGAN, one class, as published"),
    ("_systems", "SentiGAN, log", "SentiGAN, log, control", "6.924", "SentiGAN, `estimator: log`"),
    ("_systems", "JSDGAN, 12 epochs", "JSDGAN, control", None, "JSDGAN, 12 epochs from random"),
    ("_others", "RelGAN from there, 20 rounds", "RelGAN, control", "6.680", "RelGAN from C, 20 rounds"),
    ("_systems", "CatGAN from there, 20 rounds", None, None, "CatGAN from C, 20 rounds"),
    ("_systems", "LeakGAN after 4 epochs of likelihood", None, None, "**LeakGAN's likelihood**, 4 epochs (D)"),
    ("_systems", "LeakGAN from there, 20 rounds", "LeakGAN, control", "7.038", "LeakGAN from D, 20 rounds"),
)
"""Of each row: the end of the file's name, its name there, its control's, the paper's NLL_oracle, its label here."""


def minutes(runs: list[dict[str, Any]]) -> str:
    """CPU-minutes a run, where its end is the row; a row of a start is a part of a longer run."""
    if any(one["stage"] != "final" for one in runs):
        return ""
    return f"{statistics.mean(sum(one['cpu_seconds'].values()) / 60 for one in runs):.1f}"


def main() -> None:
    """Print it."""
    lines = []
    for end, name, control, paper, label in ROWS:
        found = json.loads((RESULTS / f"oracle20{end}.json").read_text())
        if name not in found:
            continue
        values = [[run["figures"][column][0] for run in found[name]] for column in COLUMNS]
        beside = (
            [[run["figures"][one][0] for run in found[control]] for one in (COLUMNS[0], COLUMNS[3])] if control else []
        )
        seeds = ", ".join(str(run["seed"]) for run in found[name])
        said = [label, seeds, *map(cell, values), minutes(found[name])]
        lines.append([*said, *(list(map(cell, beside)) or ["", ""]), paper or ""])
    print(
        markdown(["system", "seeds", *HEADS, "CPU-minutes", "control's NLL_oracle", "its reverse KL", "paper"], lines)
    )


if __name__ == "__main__":
    main()
