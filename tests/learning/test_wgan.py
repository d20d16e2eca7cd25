"""WGAN-GP from scratch on strings of a grammar, and from an early start on small oracles (docs/algorithms/wgan.md).

Measured, seeds 0, 1 and 2. From scratch with half the steps of `recipes/wgan/lengths.yaml`, NLL_gen ends 0.07, 0.34 and
0.61 nats per token above the entropy (0.438), where random parameters are 1.30 to 1.35 above it; 0.54, 0.31 and 0.37 of
the samples are possible, where none was, and the JSD per sequence goes from ln 2 to 0.22, 0.50 and 0.49. With all the
steps more becomes possible (seed 0: 0.94) and less is covered (0.34 above), so that the test stops early.

From the early start of `recipes/wgan/toy.yaml` NLL_oracle goes from 0.48, 0.61 and 0.54 nats per token above the
oracles' entropies (1.52, 1.85 and 1.62) to 0.25, 0.14 and 0.04, most of which is sharpening, for NLL_gen rises by 0.04,
0.09 and 0.12; but the reverse KL falls, by 0.024, 0.036 and 0.042. Against a critic that does not learn, in as many
rounds, it rises by 0.47, 0.63 and 0.51, and NLL_gen by 0.43 to 0.51.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from seqgans.data.worlds import WORLDS
from seqgans.training.recipe import Recipe
from seqgans.verbs.sample import sample
from seqgans.verbs.train import train
from tests.learning.games import RECIPES, Figures, entropy_of_the_oracle, played

COUNT = 1_000
WORLD = WORLDS["arithmetic"]
SHORT = {"generator_steps": 5, "discriminator_steps": 5}


def from_scratch(folder: Path, seed: int, **settings: object) -> tuple[Figures, Figures]:
    """Figures of random parameters and after the curriculum, and the share of samples that the grammar derives."""
    recipe = Recipe.from_yaml((RECIPES / "wgan" / "lengths.yaml").read_text())
    recipe = dataclasses.replace(
        recipe,
        settings=dataclasses.replace(recipe.settings, **{**SHORT, **settings}),  # pyright: ignore[reportArgumentType]
        run=dataclasses.replace(recipe.run, seed=seed, eval_every=0, tensorboard=False),
    )
    evaluations = train(recipe, folder).read_json("report.json")["evaluations"]
    found = []
    for stage, checkpoint in (("pretrained", "pretrained"), ("final", "latest")):
        figures = {name: evaluations[stage][name]["mean"] for name in ("nll_gen_test", "nll_div", "jsd")}
        tokens = torch.tensor([each.ids for each in sample(folder, COUNT, checkpoint=checkpoint)])
        figures["possible"] = WORLD.log_probs(tokens).sum(1).isfinite().float().mean().item()
        found.append(figures)
    return found[0], found[1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_from_scratch_it_comes_close_to_the_entropy_of_a_grammar(tmp_path: Path, seed: int) -> None:
    """Kills: the sign of either loss; rows without gradient; a curriculum that stays at its first length."""
    before, after = from_scratch(tmp_path / "run", seed)
    print(seed, WORLD.entropy(), before, after)
    assert after["nll_gen_test"] < WORLD.entropy() + 0.75 < WORLD.entropy() + 1.2 < before["nll_gen_test"]
    assert after["possible"] > 0.2
    assert before["possible"] < 0.01
    assert after["jsd"] < 0.8 * before["jsd"]


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "distance"), [(0, 0.35), (1, 0.3), (2, 0.25)])
def test_from_an_early_start_it_comes_closer_to_the_entropy_of_an_oracle(
    tmp_path: Path, seed: int, distance: float
) -> None:
    """Kills: the sign of either loss; rows without gradient; a generator that sharpens whatever the critic says."""
    before, after = played("wgan", tmp_path / "real", seed)
    start, control = played("wgan", tmp_path / "control", seed, discriminator_rate=1e-9)
    entropy = entropy_of_the_oracle(seed)
    print(seed, entropy, before, after, control)
    assert before == start  # the same pre-training
    assert abs(after["nll_oracle"] - entropy) < distance < before["nll_oracle"] - entropy
    assert after["reverse_kl_per_token"] < before["reverse_kl_per_token"] - 0.012
    assert entropy < after["nll_gen_test"] < before["nll_gen_test"] + 0.2
    assert control["nll_gen_test"] > after["nll_gen_test"] + 0.2
    assert control["reverse_kl_per_token"] > after["reverse_kl_per_token"] + 0.2


@pytest.mark.slow
def test_without_the_gradient_of_its_rows_the_generator_stays_where_it_is(tmp_path: Path) -> None:
    before, after = from_scratch(tmp_path / "scratch", 0, cut_gradient=True, rounds=12)
    assert after["possible"] == before["possible"] < 0.01
    assert after["nll_gen_test"] == pytest.approx(before["nll_gen_test"], abs=0.02)
    start, end = played("wgan", tmp_path / "early", rounds=5, cut_gradient=True)
    assert start["nll_gen_test"] == end["nll_gen_test"]
    assert start == pytest.approx(end, abs=0.06)  # the same parameters, other samples
