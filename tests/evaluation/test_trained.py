"""What holds for every trained generator, whatever its architecture and however far it has learnt.

Mutants killed: NLL_oracle under the generator, samples of another seed for NLL_div, a sum over time in one of the two.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

from seqgans.algorithms import ALGORITHMS
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.evaluation import Evidence, measure
from seqgans.generators.base import Generator
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.training.build import build_players
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from tests.contracts.small import mapping

SMALL: dict[str, dict[str, Any]] = {
    "lstm": {"embedding": 4, "hidden": 8},
    "gru": {"embedding": 4, "hidden": 8},
    "memory": {"embedding": 4, "heads": 1, "head_size": 8},
    "transformer": {"width": 8, "heads": 2, "layers": 1},
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(
    "game",
    [
        {"name": "likelihood", "pretrain_epochs": 6, "anneal": 0},
        {
            "name": "seqgan",
            "pretrain_epochs": 2,
            "rounds": 3,
            "rollouts": 2,
            "discriminator_pretrain_steps": 1,
            "discriminator_steps": 1,
            "discriminator_epochs": 1,
            "discriminator_examples": 64,
        },
    ],
    ids=lambda game: game["name"],
)
def test_samples_are_never_likelier_to_the_oracle_than_to_their_own_law(name: str, game: dict[str, Any]) -> None:
    """NLL_oracle − NLL_div is a divergence: no less than 0 but for three standard errors (metrics.md, 14.3)."""
    truth = fresh_oracle(6, 0)
    corpus = oracle_corpus(truth, CorpusSettings(length=5, sequences=300, valid=0.2, test=0.2), 0)
    judge = {"name": "cnn", "embedding": 4, "widths": [1, 2], "maps": [4, 4]} if game["name"] == "seqgan" else {}
    recipe = Recipe.of(
        {
            "algorithm": game,
            "corpus": {"spec": "given"},
            "generator": {"name": name, **SMALL[name]},
            **({"discriminator": judge} if judge else {}),
        }
    )
    check_gap(trained(recipe, corpus), truth, 5)


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if ALGORITHMS[name].generator != "latent"])
def test_so_it_is_after_every_algorithm(name: str) -> None:
    """Whatever network it plays with. Of latent generators NLL_div is an estimate from a few codes, and no bound."""
    truth = fresh_oracle(20, 0)
    corpus = oracle_corpus(truth, CorpusSettings(length=6, sequences=40, valid=0.2, test=0.2), 0)
    check_gap(trained(Recipe.of(mapping(name)), corpus), truth, 6)


def trained(recipe: Recipe, corpus: Corpus) -> Generator:
    """What comes of a training."""
    players = build_players(recipe, corpus, 0)
    list(Training(recipe.settings, players, corpus, 0, Team("cpu")).events())
    return players.generator


def check_gap(generator: Generator, truth: Generator, length: int) -> None:
    """NLL_oracle − NLL_div is not below 0 but for three standard errors, and is the reverse KL."""
    found = measure(
        Evidence(generator=generator, oracle=truth, length=length, count=1000), ["nll_oracle", "nll_div", "reverse_kl"]
    ).flat()
    gap = found["nll_oracle"].value - found["nll_div"].value
    error = found["reverse_kl_per_token"].standard_error or 0.0
    assert error > 0
    assert gap >= -3 * error
    assert gap == pytest.approx(found["reverse_kl_per_token"].value, abs=1e-5)
    assert math.isfinite(gap)
