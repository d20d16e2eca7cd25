"""The first thing to run: SeqGAN on a tiny oracle, beside maximum likelihood.

    make demo        or        python examples/demo.py [folder]

An oracle with 20 tokens writes 5,000 sequences of 6. A generator learns them by maximum likelihood, stopped where
held-out sequences are most likely; SeqGAN goes on from there, and for comparison so does likelihood at a tenth of its
rate. The oracle's law is known, so that distances to it can be measured.
"""

from __future__ import annotations

import sys
from pathlib import Path

import seqgans
from seqgans.report.table import before_after

SHOWN = ("nll_oracle", "nll_gen_test", "nll_div", "reverse_kl_per_token", "forward_kl_per_token", "jsd")
RECIPE = Path(__file__).parents[1] / "recipes" / "seqgan" / "toy.yaml"


def main() -> None:
    """Train, then print what changed."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/demo")
    number = 1
    while folder.exists() or Path(f"{folder}-likelihood").exists():
        number += 1
        folder = folder.with_name(f"{folder.name.rstrip('0123456789-')}-{number}")
    recipe = seqgans.Recipe.from_yaml(RECIPE.read_text())
    run = seqgans.train(recipe, folder, seqgans.Progress())
    settings = recipe.to_dict()
    settings["algorithm"] = {"name": "likelihood", "rate": 0.001, "patience": 3, "anneal": 0}
    del settings["discriminator"]
    settings["run"] |= {"start": str(run.path), "start_checkpoint": "pretrained"}
    slower = seqgans.train(seqgans.Recipe.of(settings), f"{folder}-likelihood", seqgans.Progress())
    report = run.read_json("report.json")
    stages = report["evaluations"]
    columns = {
        "maximum likelihood": stages["pretrained"],
        "then a tenth of the rate": slower.read_json("report.json")["evaluations"]["final"],
        "or then SeqGAN": stages["final"],
    }
    _, slow, game = columns
    print(before_after(columns, SHOWN, marked=(slow, game)))
    print("\nThe words on the right say whether SeqGAN is better than likelihood that went on at a tenth of its rate.")
    print("\nSamples:")
    for sample in report["samples"]:
        print("  ", sample)
    print(f"\nThe run is in {run.path}, its page is {run.path / 'report.html'}")


if __name__ == "__main__":
    main()
