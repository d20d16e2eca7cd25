"""Players that fine-tune the tiny model of these tests, and the scene of a phase."""

from __future__ import annotations

from pathlib import Path

import torch

from seqgans.algorithms.base import Players, Scene
from seqgans.algorithms.rlgaf import RLGAF
from seqgans.data.corpus import Corpus
from seqgans.randomness import Stream
from seqgans.training.build import build_players
from seqgans.training.recipe import Recipe

GAME = {"pretrain_epochs": 0, "discriminator_pretrain_steps": 1, "rounds": 2, "batch": 8, "group": 4, "memory": 16}


def players_of(folder: Path, corpus: Corpus, **settings: object) -> tuple[RLGAF, Players]:
    mapping = {
        "algorithm": {"name": "rlgaf", **GAME, **settings},
        "corpus": {"spec": "pairs.tsv"},
        "generator": {"model": str(folder)},
    }
    recipe = Recipe.of(mapping)
    assert isinstance(recipe.settings, RLGAF)
    players = build_players(recipe, corpus, 0)
    torch.nn.init.normal_(
        players.discriminator.get_parameter("head.weight"), generator=torch.Generator().manual_seed(1)
    )
    return recipe.settings, players


def scene_of(corpus: Corpus, seed: int = 0) -> Scene:
    return Scene(corpus, Stream(torch.Generator().manual_seed(seed)), round=1)
