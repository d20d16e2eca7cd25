"""What holds for every trained generator, whatever its architecture and however far it has learnt.

Mutants killed: NLL_oracle under the generator, samples of another seed for NLL_div, a sum over time in one of the two.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

from seqgans.data.corpus import CorpusSettings
from seqgans.evaluation import Evidence, measure
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.training.build import build_players
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team

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
    players = build_players(recipe, corpus, 0)
    list(Training(recipe.settings, players, corpus, 0, Team("cpu")).events())
    evidence = Evidence(generator=players.generator, oracle=truth, length=5, count=1000)
    found = measure(evidence, ["nll_oracle", "nll_div", "reverse_kl"]).flat()
    gap = found["nll_oracle"].value - found["nll_div"].value
    error = found["reverse_kl_per_token"].standard_error or 0.0
    assert error > 0
    assert gap >= -3 * error
    assert gap == pytest.approx(found["reverse_kl_per_token"].value, abs=1e-5)
    assert math.isfinite(gap)
