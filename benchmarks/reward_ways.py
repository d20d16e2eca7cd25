"""What each way to a reward a token gains SeqGAN at equal cost.

    python benchmarks/reward_ways.py [--seconds 15] [--seed 0]

All arms begin with the same generator, that of the toy recipe after maximum likelihood, and with a fresh discriminator;
each plays until its CPU seconds on one thread are used up, those of the discriminator's pre-training counted, and ends
with the round it is in. Ways that need a score per step face an LSTM, the others the recipe's CNN and that LSTM; some
control arms stand beside them. Figures are of 10,000 samples. Writes benchmarks/results/reward_ways.json.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqgans.algorithms.base import Players
from seqgans.evaluation.likelihood import nll_oracle, reverse_kl, score
from seqgans.randomness import generator_for
from seqgans.training.build import Truth, build_players, open_corpus
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team

ROOT = Path(__file__).parents[1]
SAMPLES = 10_000
LSTM = {"name": "lstm", "embedding": 32, "hidden": 32}
ARMS = {  # discriminator, way, control arm
    "cnn": (("rollouts", False), ("rollouts", True), ("prefix", False)),
    "lstm": (
        *(("rollouts", False), ("rollouts", True), ("prefix", False)),
        *(("step", False), ("gain", False), ("gain_to_go", False), ("gain_to_go", True)),
    ),
}


@torch.no_grad()
def measured(players: Players, truth: Truth, length: int, seed: int) -> dict[str, float]:
    """Reverse KL and NLL_oracle of fresh samples, nats per token, with the standard error of the first."""
    drawn = players.generator.sample(SAMPLES, length, random=generator_for(seed, "measured")).sequences
    kl = reverse_kl(score(players.generator, drawn), score(truth, drawn))["reverse_kl_per_token"]
    return {"reverse_kl": kl.value, "error": kl.standard_error or 0.0, "nll_oracle": nll_oracle(truth, drawn).value}


def main() -> None:
    """Run all arms and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="CPU seconds of each arm")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    facts: dict[str, Any] = Recipe.from_yaml((ROOT / "recipes/seqgan/toy.yaml").read_text()).to_dict()
    cnn = facts["discriminator"]

    def training(judge: dict[str, Any], start: dict[str, Tensor] | None, **changes: Any) -> Training:
        recipe = Recipe.of({**facts, "discriminator": judge, "algorithm": {**facts["algorithm"], **changes}})
        players = build_players(recipe, corpus, given.seed)
        if start is not None:
            players.generator.load_state_dict(start)
        algorithm: Any = recipe.settings
        return Training(algorithm, players, corpus, given.seed, Team("cpu"))

    recipe = Recipe.of(facts)
    corpus, truth = open_corpus(recipe.corpus, recipe.corpus_settings, given.seed)
    if truth is None:
        raise SystemExit(f"the corpus {recipe.corpus} has no known law to measure with")
    first = training(cnn, None, rounds=0, discriminator_pretrain_steps=0)
    for _ in first.events():
        pass
    start = first.players.generator.state_dict()
    rows = [{"arm": "maximum likelihood", **measured(first.players, truth, corpus.length, given.seed)}]
    print(
        "| discriminator | reward | rounds | CPU s | reverse KL | NLL_oracle |\n"
        "| --- | --- | ---: | ---: | ---: | ---: |"
    )
    for name, arms in ARMS.items():
        for way, shuffled in arms:
            arm = training(
                cnn if name == "cnn" else LSTM, start, pretrain_epochs=0, reward=way, shuffled=shuffled, rounds=100_000
            )
            began, rounds = time.process_time(), 0
            for event in arm.events():
                rounds = event.round
                if event.kind == "round" and time.process_time() - began >= given.seconds:
                    break
            row = {"arm": way + (", shuffled" if shuffled else ""), "discriminator": name, "rounds": rounds}
            row |= {"cpu_seconds": time.process_time() - began}
            rows.append(row | measured(arm.players, truth, corpus.length, given.seed))
            print(table_row(rows[-1]), flush=True)
    print(table_row({**rows[0], "discriminator": "–", "rounds": 0, "cpu_seconds": 0.0}))
    found = {
        "command": f"python benchmarks/reward_ways.py --seconds {given.seconds:g} --seed {given.seed}",
        "rows": rows,
    }
    (ROOT / "benchmarks/results/reward_ways.json").write_text(json.dumps(found, indent=1) + "\n")


def table_row(row: dict[str, Any]) -> str:
    """One arm as a row of Markdown."""
    return (
        f"| {row['discriminator']} | {row['arm']} | {row['rounds']} | {row['cpu_seconds']:.0f} | "
        f"{row['reverse_kl']:.3f} ± {row['error']:.3f} | {row['nll_oracle']:.3f} |"
    )


if __name__ == "__main__":
    main()
