"""Maximum likelihood on the published oracle: the whole course, the early-stopped and the converged model.

    python benchmarks/oracle_likelihood.py --oracle FILE --out DIR --seed 0 --epochs 60

Writes one run folder; games start from it with `--run.start`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from seqgans.training.recipe import Recipe
from seqgans.verbs.progress import Progress
from seqgans.verbs.train import train


def main() -> None:
    """Train once, keep the last epoch as `checkpoints/step-…` and the best validation likelihood as `best`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--oracle", required=True, help="published parameters, a safetensors file")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--length", type=int, default=20)
    arguments = parser.parse_args()
    recipe = Recipe.of(
        {
            "algorithm": {
                "name": "likelihood",
                "pretrain_epochs": arguments.epochs,
                "patience": 0,
                "keep_best": False,
            },
            "corpus": {"spec": f"oracle:{arguments.oracle}", "length": arguments.length},
            "run": {"seed": arguments.seed, "eval_every": 2, "final_samples": 10_000, "best": "nll_valid"},
        }
    )
    train(recipe, arguments.out, Progress())


if __name__ == "__main__":
    main()
