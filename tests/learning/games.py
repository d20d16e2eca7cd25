"""What learning tests share: a recipe's game on a small oracle, and the entropy it is measured against."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from seqgans.generators.oracle import fresh_oracle
from seqgans.randomness import generator_for
from seqgans.training.recipe import Recipe
from seqgans.verbs.train import train

RECIPES = Path(__file__).parents[2] / "recipes"
FIGURES = ("nll_oracle", "nll_gen_test", "reverse_kl_per_token")
Figures = dict[str, float]


def played(
    name: str, folder: Path, seed: int = 0, generator: Mapping[str, object] | None = None, **settings: object
) -> tuple[Figures, Figures]:
    """Figures of `recipes/NAME/toy.yaml` at the start of the game and after it; `settings` are the algorithm's."""
    recipe = Recipe.from_yaml((RECIPES / name / "toy.yaml").read_text())
    recipe = dataclasses.replace(
        recipe,
        settings=dataclasses.replace(recipe.settings, **settings),  # pyright: ignore[reportArgumentType]
        generator_settings=dataclasses.replace(recipe.generator_settings, **(generator or {})),
        run=dataclasses.replace(recipe.run, seed=seed, eval_every=0, tensorboard=False),
    )
    evaluations = train(recipe, folder).read_json("report.json")["evaluations"]
    before, after = ({name: evaluations[stage][name]["mean"] for name in FIGURES} for stage in ("pretrained", "final"))
    return before, after


def entropy_of_the_oracle(seed: int = 0) -> float:
    """Nats per token of the toys' oracle, 20 tokens and 6 steps; standard error about 0.01."""
    oracle = fresh_oracle(20, seed)
    real = oracle.sample(5_000, 6, random=generator_for(seed, "entropy")).tokens
    return -oracle.log_probs(real).mean().item()
