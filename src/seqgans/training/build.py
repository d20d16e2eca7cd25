"""A recipe into what a training needs: the corpus, its oracle where there is one, and the players."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.algorithms import reading_sources
from seqgans.algorithms.base import Players
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.open import WORLD, open_text_corpus
from seqgans.data.tokenizer import check_shared
from seqgans.data.worlds import WORLDS, World
from seqgans.errors import BadInput
from seqgans.generators.base import Generator
from seqgans.generators.categories import CategoryGenerator
from seqgans.generators.conditional import conditional
from seqgans.generators.decoding import PLAIN, Decoding
from seqgans.generators.oracle import GATES, fresh_oracle, oracle_corpus, published_oracle
from seqgans.generators.recurrent import Recurrent
from seqgans.options import option_players, together
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Samples, Sequences
from seqgans.training.recipe import Recipe

ORACLE = "oracle"
ORACLE_VOCABULARY = 5000


@dataclass(frozen=True)
class Law:
    """A world in the place of an oracle: it scores sequences and draws them.

    Attributes:
        world: whose law it is.
    """

    world: World

    def log_probs(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
        """Exact log-probability of each token, nats."""
        return self.world.log_probs(tokens)

    def sample(
        self, count: int, length: int, *, random: torch.Generator | Stream, decoding: Decoding = PLAIN
    ) -> Samples:
        """Draw sequences at temperature 1."""
        if decoding != PLAIN:
            raise BadInput("a world can only be sampled at temperature 1, without top-k and top-p")
        tokens = self.world.sample(count, random)
        log_probs = self.world.log_probs(tokens)
        return Samples(tokens, Sequences.of(tokens).mask, log_probs.float())


Truth = Recurrent | Law
"""The law of the real data, where it is known."""


def truth_of(spec: str, vocabulary_size: int | None, seed: int) -> Truth | None:
    """The oracle or world a spec names; None for every other corpus.

    Args:
        spec: `oracle`, `oracle:FILE.safetensors`, `world:NAME` or anything else.
        vocabulary_size: of a fresh oracle, 5000 by default.
        seed: of a fresh oracle.

    Raises:
        BadInput: there is no such file or world.
    """
    if spec == ORACLE:
        return fresh_oracle(vocabulary_size or ORACLE_VOCABULARY, seed)
    if spec.startswith(f"{ORACLE}:"):
        return published_oracle(spec.partition(":")[2])
    if spec.startswith(WORLD) and spec.removeprefix(WORLD) in WORLDS:
        return Law(WORLDS[spec.removeprefix(WORLD)])
    return None


def oracle_arrays(oracle: Recurrent) -> dict[str, Tensor]:
    """The parameters of an oracle as `published_oracle` reads them."""
    parts = dict(oracle.state_dict())
    found = {
        "embedding": parts["embedding.weight"],
        "W_out": parts["output.weight"].t(),
        "b_out": parts["output.bias"],
    }
    biases = parts["cell.bias_ih_l0"] + parts["cell.bias_hh_l0"]
    for index, gate in enumerate(GATES):
        for name, whole in (("W", parts["cell.weight_ih_l0"]), ("U", parts["cell.weight_hh_l0"]), ("b", biases)):
            found[f"{name}_{gate}"] = whole.chunk(4)[index].t() if name != "b" else whole.chunk(4)[index]
    return {name: part.cpu().clone(memory_format=torch.contiguous_format) for name, part in found.items()}


def open_corpus(spec: str, settings: CorpusSettings, seed: int) -> tuple[Corpus, Truth | None]:
    """The corpus a spec names, and the law it was drawn from where that is known.

    Raises:
        BadInput: there is no such corpus, or it cannot be used as asked.
    """
    truth = truth_of(spec, settings.vocabulary_size, seed)
    if not isinstance(truth, Recurrent):
        return open_text_corpus(spec, settings, seed), truth
    if settings.vocabulary_size not in (None, truth.vocabulary_size):
        raise BadInput(f"{spec} has {truth.vocabulary_size} ids, got --corpus.vocabulary-size; leave that setting out")
    drawn = dataclasses.replace(settings, vocabulary_size=None)  # said by the oracle itself
    return oracle_corpus(truth, drawn, seed, name=spec), truth


def build_players(recipe: Recipe, corpus: Corpus, seed: int) -> Players:
    """The players of a recipe, freshly drawn.

    Raises:
        BadInput: the sizes of a network do not fit the corpus, or a pre-trained one has another vocabulary.
    """
    vocabulary = corpus.vocabulary
    check_sources(recipe, corpus)
    generator: Generator = for_categories(recipe.generator_settings, corpus, "generator").build(
        vocabulary.size, vocabulary.start, vocabulary.end, generator_for(seed, "players", "generator")
    )
    if isinstance(generator, CategoryGenerator) and corpus.train.categories is not None:
        generator.set_shares(corpus.train.categories)
    if corpus.source_width:
        conditional(generator)
    players: dict[str, nn.Module] = {"generator": generator}
    if recipe.discriminator_settings is not None:
        numbers = [(), *((str(number),) for number in range(1, recipe.options.discriminators))]
        randoms = [generator_for(seed, "players", "discriminator", *number) for number in numbers]
        try:
            settings = for_categories(recipe.discriminator_settings, corpus, "discriminator")
            both = corpus.source_width + corpus.length  # it may read source and response as one
            build = getattr(settings, "build_beside", None)  # of a judge that may stand on what the generator has
            build = settings.build if build is None else functools.partial(build, generator)
            members = [build(vocabulary.size, both, random) for random in randoms]
            discriminator = together(members, recipe.options.shared)
        except ValueError as error:
            raise BadInput(str(error)) from error
        players["discriminator"] = discriminator
        generator.attach(discriminator)
    for settings in (recipe.generator_settings, recipe.discriminator_settings):
        model = getattr(settings, "model", "")
        if model and vocabulary.kind == "model" and model != recipe.corpus_settings.tokenizer:
            check_shared(model, vocabulary)
    team = Players(players, corpus.length)
    for name, player in recipe.settings.extras(team, generator_for(seed, "players", "extras")).items():
        team.add_module(name, player)
    random = generator_for(seed, "players", "options")
    for name, player in option_players(recipe.options, team, corpus.length, random, corpus.source_width).items():
        team.add_module(name, player)
    return team


def check_sources(recipe: Recipe, corpus: Corpus) -> None:
    """Refuse a corpus of sources where they would not be read.

    Raises:
        BadInput: the algorithm gives its generator none.
    """
    if not corpus.source_width:
        return
    if recipe.algorithm not in reading_sources():
        raise BadInput(
            f"{corpus.name} has sources to answer, but {recipe.algorithm} gives its generator none; "
            f"choose one of: {', '.join(reading_sources())}, or leave out --corpus.source"
        )


def for_categories(settings: Any, corpus: Corpus, part: str) -> Any:
    """Settings of a player, their number of categories filled in where they have one and it is left open.

    Args:
        settings: of a generator or discriminator.
        corpus: how many there are; one where sequences have no labels.
        part: what the settings are called, for messages.

    Raises:
        BadInput: another number was asked for.
    """
    if not hasattr(settings, "categories"):
        return settings
    there = len(corpus.categories) or 1
    if settings.categories not in (None, there):
        raise BadInput(
            f"{part}.categories must be {there}, as many as {corpus.name} has (--corpus.label says which column names "
            f"them), got {settings.categories}; leave that setting out"
        )
    return dataclasses.replace(settings, categories=there)
