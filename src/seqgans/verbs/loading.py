"""A run's folder back into what was trained."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqgans.algorithms.base import Players
from seqgans.data.corpus import Corpus
from seqgans.errors import BadInput, misfit
from seqgans.training.borrowed import load_players, of_players
from seqgans.training.build import Truth, build_players, truth_of
from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe


@dataclass(frozen=True)
class LoadedRun:
    """A run as it stands in its folder.

    Attributes:
        folder: its files.
        recipe: its settings.
        corpus: its splits.
        players: its networks, with the parameters of a checkpoint.
        truth: the law of the real data, where it is known.
        facts: the plain facts of that checkpoint.
    """

    folder: RunFolder
    recipe: Recipe
    corpus: Corpus
    players: Players
    truth: Truth | None
    facts: dict[str, Any]


def open_run(path: Path | str) -> tuple[RunFolder, Recipe, Corpus, Truth | None]:
    """A run's files, settings, corpus and law, without any checkpoint.

    Raises:
        BadInput: there is no run, or a file of it is damaged.
    """
    folder = RunFolder.existing(path)
    recipe = folder.read_recipe()
    corpus = folder.read_corpus()
    oracle = folder.path / "oracle.safetensors"
    spec = f"oracle:{oracle}" if oracle.exists() else recipe.corpus
    return folder, recipe, corpus, truth_of(spec, corpus.vocabulary.size, recipe.run.seed)


def alone(recipe: Recipe) -> Recipe:
    """The same without another program that writes samples: what was trained with one is read anywhere."""
    settings = recipe.generator_settings
    if not hasattr(settings, "engine"):
        return recipe
    return dataclasses.replace(recipe, generator_settings=dataclasses.replace(settings, engine="own"))


def load_run(path: Path | str, which: str = "latest") -> LoadedRun:
    """A run with the players of one of its checkpoints.

    Args:
        path: the run's folder.
        which: "latest", "best" or "pretrained".

    Raises:
        BadInput: there is no run or no such checkpoint, or it is damaged or of another corpus.
    """
    folder, recipe, corpus, truth = open_run(path)
    tensors, facts = folder.load(which)
    players = build_players(alone(recipe), corpus, recipe.run.seed)
    try:
        load_players(players, of_players(tensors), facts.get("bases", {}))
    except RuntimeError as error:
        reason = misfit(error)
        raise BadInput(f"the checkpoint in {path} does not fit its settings and vocabulary: {reason}") from error
    for name, part in players.named_parameters():
        if not bool(part.isfinite().all()):
            raise BadInput(
                f"the checkpoint {which} of {path} must hold finite numbers, {name} has others: its training went "
                "astray; name an earlier one (--checkpoint pretrained) or train with a smaller rate"
            )
    return LoadedRun(folder, recipe, corpus, players, truth, facts)
