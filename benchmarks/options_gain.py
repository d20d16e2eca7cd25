"""What each option gains a game that has it, beside the same game without.

    python benchmarks/options_gain.py [--system seqgan] [--seeds 0 1 2]

`seqgan` plays `recipes/seqgan/toy.yaml` (an oracle of 20 tokens and 6 steps), all arms from the generator that maximum
likelihood left; figures are of 10,000 samples, nats per token. `gsgan` plays `recipes/gsgan/arithmetic.yaml` from
scratch; figures are shares of 2,000 samples. Rounds are equal, CPU seconds of one thread are given.
Goes on where it was interrupted; everything is in benchmarks/results/options.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqgans.data.worlds import WORLDS
from seqgans.evaluation.likelihood import nll_gen, nll_oracle, reverse_kl, score
from seqgans.randomness import generator_for
from seqgans.training.build import build_players, open_corpus
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "options.json"
RECIPES = {"seqgan": "seqgan/toy", "gsgan": "gsgan/arithmetic"}
ARMS: dict[str, dict[str, Any]] = {
    "none": {},
    "interleave 15": {"interleave": 15},
    "replay 0.25": {"replay": 0.25},
    "gradient_penalty 10": {"gradient_penalty": 10.0},
    "smoothing 0.1": {"smoothing": 0.1},
    "spectral_norm 1": {"spectral_norm": 1.0},
    "discriminators 3": {"discriminators": 3},
    "critic baseline": {"critic": "baseline"},
    "patience 10": {"patience": 10},
}
MISSING = {"gsgan": ("replay 0.25", "critic baseline", "interleave 15", "patience 10")}  # rows of weights, no policy
HEADS = {
    "seqgan": ("NLL_oracle", "NLL_gen", "reverse KL", "CPU s"),
    "gsgan": ("possible", "different, of those", "NLL_gen", "CPU s"),
}


@torch.no_grad()
def measured(system: str, training: Training, truth: Any, seed: int) -> list[float]:
    """The figures of a generator, in the order of the head."""
    generator, corpus = training.players.generator, training.corpus
    held_out = nll_gen(generator, corpus.test).value
    count = 10_000 if system == "seqgan" else 2_000
    drawn = generator.sample(count, corpus.length, random=generator_for(seed, "measured")).sequences
    if system == "seqgan":
        kl = reverse_kl(score(generator, drawn), score(truth, drawn))["reverse_kl_per_token"].value
        return [nll_oracle(truth, drawn).value, held_out, kl]
    possible = drawn.tokens[WORLDS["arithmetic"].log_probs(drawn.tokens).sum(1).isfinite()]
    return [len(possible) / count, len(possible.unique(dim=0)) / max(1, len(possible)), held_out]


def trained(
    system: str, seed: int, options: dict[str, Any], start: dict[str, Tensor] | None, rounds: int | None
) -> Any:
    """A training played to its end, its truth, and CPU seconds; from a generator where one is given."""
    facts = Recipe.from_yaml((ROOT / "recipes" / f"{RECIPES[system]}.yaml").read_text()).to_dict()
    facts["options"] = options
    if rounds is not None:
        facts["algorithm"]["rounds"] = rounds
    if start is not None:
        facts["algorithm"]["pretrain_epochs"] = 0
    recipe = Recipe.of(facts)
    corpus, truth = open_corpus(recipe.corpus, recipe.corpus_settings, seed)
    training = Training(recipe.played, build_players(recipe, corpus, seed), corpus, seed, Team("cpu"))
    if start is not None:
        training.players.generator.load_state_dict(start)
    begun = time.process_time()
    for _ in training.events():
        pass
    return training, truth, time.process_time() - begun


def main() -> None:
    """Run what is missing, write it, and print a table of means and ranges over seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", choices=tuple(RECIPES), default="seqgan")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    given = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    mine = found.setdefault(given.system, {})
    for seed in given.seeds:
        start = None
        if given.system == "seqgan":
            training, truth, _ = trained("seqgan", seed, {}, None, 0)
            start = {name: each.clone() for name, each in training.players.generator.state_dict().items()}
            mine.setdefault("start", {})[str(seed)] = [*measured("seqgan", training, truth, seed), 0.0]
        for name, options in ARMS.items():
            if str(seed) in mine.get(name, {}) or name in MISSING.get(given.system, ()):
                continue
            training, truth, seconds = trained(given.system, seed, options, start, None)
            mine.setdefault(name, {})[str(seed)] = [*measured(given.system, training, truth, seed), seconds]
            RESULTS.write_text(json.dumps(found, indent=1) + "\n")
            print(seed, name, [round(each, 3) for each in mine[name][str(seed)]], flush=True)
    print("| option | " + " | ".join(HEADS[given.system]) + " |\n| --- |" + " ---: |" * len(HEADS[given.system]))
    for name, rows in mine.items():
        columns = [[rows[str(seed)][place] for seed in given.seeds] for place in range(len(HEADS[given.system]))]
        cells = [f"{statistics.mean(each):.3f} ({min(each):.3f} to {max(each):.3f})" for each in columns[:-1]]
        print(f"| {name} | " + " | ".join([*cells, f"{statistics.mean(columns[-1]):.0f}"]) + " |")


if __name__ == "__main__":
    main()
