"""What TextGAN or FM-GAN gains over its autoencoder on a small oracle, beside its control arm.

    python benchmarks/matching_toys.py textgan [--seed 0]

Runs `recipes/ALGORITHM/toy.yaml` once up to the game, then the game twice from there: with its pulls, and with those of
other sequences (`shuffled`). Figures are of 2,000 samples. NLL_oracle is exact; NLL_gen and NLL_div are averages over
the recipe's few codes and too high; what the features say is measured with a random CNN that nobody trains.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from seqgans.algorithms.base import Players
from seqgans.discriminators.matching import Matching, MatchingCNN
from seqgans.evaluation.diversity import distinct
from seqgans.evaluation.likelihood import nll_div, nll_gen, nll_oracle
from seqgans.generators.decoding import Decoding
from seqgans.objectives.matching import kernel_discrepancy
from seqgans.randomness import generator_for
from seqgans.sequences import Sequences
from seqgans.training.build import Truth, build_players, open_corpus
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team

SAMPLES = 2_000
LIKELIHOODS = 500  # sequences whose likelihood is averaged over codes


@torch.no_grad()
def measured(players: Players, truth: Truth, real: Sequences, judge: MatchingCNN) -> dict[str, float]:
    """Figures at temperature 1, and those of the codes alone (temperature 0)."""
    length = real.tokens.shape[1]
    features = judge.features(real.tokens, real.mask)
    found: dict[str, float] = {"distinct-2 real": distinct(real.lists(), count=1000)["distinct_2"].value}
    for name, temperature in (("", 1.0), (" at 0", 0.0)):
        random = generator_for(1, "measured")
        samples = players.generator.sample(SAMPLES, length, random=random, decoding=Decoding(temperature=temperature))
        drawn = samples.sequences
        theirs = judge.features(drawn.tokens, drawn.mask)
        found[f"NLL_oracle{name}"] = nll_oracle(truth, drawn).value
        found[f"MMD²{name}"] = kernel_discrepancy(features, theirs, (0.25, 1.0, 4.0), relative=True).item()
        found[f"distinct-2{name}"] = distinct(drawn.lists(), count=1000)["distinct_2"].value
        if temperature:
            found["NLL_gen (too high)"] = nll_gen(players.generator, real[:LIKELIHOODS]).value
            found["NLL_div (too high)"] = nll_div(players.generator, drawn[:LIKELIHOODS]).value
    return found


def stages(name: str, seed: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Of real sequences, fresh, after the autoencoder, half-way and at the end of the game and of the control arm."""
    recipe = Recipe.from_yaml((Path(__file__).parents[1] / "recipes" / name / "toy.yaml").read_text())
    corpus, truth = open_corpus(recipe.corpus, recipe.corpus_settings, seed)
    if truth is None:
        raise SystemExit(f"the corpus {recipe.corpus} has no known law to measure with")
    real = truth.sample(SAMPLES, corpus.length, random=generator_for(seed, "held out")).sequences
    judge = Matching(embedding=16, widths=(1, 2, 3), maps=32).build(
        corpus.vocabulary.size, corpus.length, generator_for(seed, "judge")
    )
    assert isinstance(judge, MatchingCNN)

    settings: Any = recipe.settings

    def training(shuffled: bool) -> Training:
        algorithm = dataclasses.replace(settings, shuffled=shuffled)
        return Training(algorithm, build_players(recipe, corpus, seed), corpus, seed, Team("cpu"))

    start = training(False)
    other = truth.sample(SAMPLES, corpus.length, random=generator_for(seed, "other")).sequences
    with torch.no_grad():
        one, two = (judge.features(part.tokens, part.mask) for part in (real, other))
        floor = kernel_discrepancy(one, two, (0.25, 1.0, 4.0), relative=True).item()
    yield "real", {"MMD²": floor}
    yield "fresh", measured(start.players, truth, real, judge)
    before = len(start.schedule.before)
    for event in start.events():
        before -= event.kind == "phase"
        if not before:
            break
    yield "autoencoder", measured(start.players, truth, real, judge)
    tensors, facts = start.state()
    tensors = {key: tensor.clone() for key, tensor in tensors.items()}
    for arm in ("game", "control"):
        learner = training(arm == "control")
        learner.restore({key: tensor.clone() for key, tensor in tensors.items()}, facts)
        for event in learner.events():
            if event.kind == "round" and event.round in (learner.schedule.rounds // 2, learner.schedule.rounds):
                yield f"{arm} {event.round}", measured(learner.players, truth, real, judge)


def main() -> None:
    """Run and print a line for each stage."""
    parser = argparse.ArgumentParser(
        description="What matching features gains over its autoencoder, beside a control arm."
    )
    parser.add_argument("algorithm", choices=("textgan", "fmgan"))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for stage, figures in stages(asked.algorithm, asked.seed):
        print(f"{stage:>12}: " + ", ".join(f"{key} {value:.3f}" for key, value in figures.items()), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
