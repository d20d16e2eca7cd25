"""GSGAN from scratch on strings of a grammar (gsgan.md, check 5), with and without the gradient of its samples."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from seqgans.data.worlds import WORLDS
from seqgans.training.recipe import Recipe
from seqgans.verbs.sample import sample
from seqgans.verbs.train import train

RECIPE = Path(__file__).parents[2] / "recipes" / "gsgan" / "arithmetic.yaml"
COUNT = 1_000
"""Samples. After the recipe's 600 rounds 0.82, 0.91 and 0.81 of them are possible on seeds 0, 1 and 2 on an Intel Xeon,
0.87, 0.83 and 0.71 on an AMD EPYC, which rounds differently; fresh ones hardly ever are.

How many of those differ swings from round to round, and from processor to processor: 0.15, 0.09 and 0.03 on the first,
0.03, 0.30 and 0.02 on the second, where 1,000 real ones have 0.35 (docs/algorithms/gsgan.md). So it is asked only that
they are not one string.
"""


def shares(folder: Path, checkpoint: str) -> tuple[float, float]:
    """Share of samples the grammar derives, and share of different ones among those."""
    tokens = torch.tensor([each.ids for each in sample(folder, COUNT, checkpoint=checkpoint)])
    possible = tokens[WORLDS["arithmetic"].log_probs(tokens).sum(1).isfinite()]
    return len(possible) / COUNT, len(possible.unique(dim=0)) / max(1, len(possible))


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "cut_gradient"), [(0, False), (1, False), (2, False), (0, True)])
def test_samples_become_grammatical_where_their_gradient_flows(tmp_path: Path, seed: int, cut_gradient: bool) -> None:
    """Kills: the sign of the loss; soft rows that carry no gradient; a generator moved by the discriminator's loss."""
    recipe = Recipe.from_yaml(RECIPE.read_text())
    rounds = 50 if cut_gradient else recipe.settings.rounds  # pyright: ignore
    settings = dataclasses.replace(recipe.settings, cut_gradient=cut_gradient, rounds=rounds)  # pyright: ignore
    run = dataclasses.replace(recipe.run, tensorboard=False, seed=seed)
    train(dataclasses.replace(recipe, settings=settings, run=run), tmp_path / "run")
    before, after = (shares(tmp_path / "run", checkpoint) for checkpoint in ("pretrained", "latest"))
    if cut_gradient:
        assert after == before
    else:
        assert after[0] > max(0.5, 5 * before[0])
        assert after[1] > 0.005
