"""The random baseline trains nothing and is measured like every other algorithm. Mutant killed: a phase."""

from __future__ import annotations

from seqgans.algorithms.base import Players
from seqgans.algorithms.uniform import Random
from seqgans.data.corpus import CorpusSettings
from seqgans.data.drawn import world_corpus
from seqgans.data.worlds import WORLDS
from seqgans.generators.uniform import Uniform
from seqgans.randomness import generator_for
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team


def test_nothing_happens() -> None:
    corpus = world_corpus(WORLDS["skewed"], CorpusSettings(sequences=10), seed=1)
    players = Players({"generator": Uniform().build(3, 0, None, generator_for(1))})
    training = Training(Random(), players, corpus, seed=1, team=Team("cpu"))
    assert [event.kind for event in training.events()] == ["end"]


def test_a_recipe_can_name_an_algorithm_without_settings() -> None:
    recipe = Recipe.of({"algorithm": {"name": "random"}, "corpus": {"spec": "oracle"}})
    assert recipe.settings == Random()
    assert recipe.generator_settings == Uniform()
    assert Recipe.of(recipe.to_dict()) == recipe
