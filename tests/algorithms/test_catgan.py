"""CatGAN: categories of real and generated rows, temperatures of candidates, and what is left with one of each.

Mutants killed: samples of another category than the real row beside them, β of another candidate, real rows pooled over
categories in the fitness, the weights of F swapped, a fitness at another β than the candidate's, the progress that is
stepped twice.
"""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.catgan import CatGAN
from seqgans.algorithms.relaxed import temperature_of
from seqgans.algorithms.relgan import RelGAN
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.generators.categories import within
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.randomness import Stream, generator_for
from seqgans.training.build import build_players
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team

NETWORKS = {
    "generator": {"embedding": 3, "heads": 2, "head_size": 4},
    "discriminator": {"embedding": 4, "views": 2, "widths": [2, 3], "maps": 3, "dense": 2},
}
SETTINGS = CatGAN(batch=5, fitness_examples=40, inverse_temperature_limit=4.0)


def recipe(name: str, generator: str | None = None, **settings: object) -> Recipe:
    networks = {**NETWORKS, "generator": {**NETWORKS["generator"], **({"name": generator} if generator else {})}}
    return Recipe.of({"algorithm": {"name": name, **settings}, "corpus": {"spec": "given"}, **networks})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    path = tmp_path_factory.mktemp("catgan") / "two.tsv"
    path.write_text("b\tx y\n" * 20 + "a\tz z z\n" * 6)
    return open_text_corpus(str(path), CorpusSettings(text="1", label="0", valid=0.0, test=0.0), 0)


def test_one_category_and_one_variant_are_relgan() -> None:
    """Step by step, from the same seed, to the last bit."""
    world = oracle_corpus(fresh_oracle(5, 0), CorpusSettings(length=4, sequences=12, valid=0.0, test=0.0), 0)
    shared = {"pretrain_epochs": 1, "rounds": 3, "discriminator_steps": 2, "batch": 6, "inverse_temperature_limit": 4.0}
    bred = recipe(
        "catgan",
        "memory",
        mutations=["relativistic"],
        discriminator_objective="relativistic",
        temperature_step=0.0,
        **shared,
    )
    ends = []
    for made in (bred, recipe("relgan", **shared)):
        players = build_players(made, world, 0)
        list(Training(made.settings, players, world, 0, Team("cpu")).events())
        ends.append(dict(players.named_parameters()))
    assert ends[0].keys() == ends[1].keys()
    for name, parameter in ends[0].items():
        assert torch.equal(parameter, ends[1][name]), name


def test_candidates_differ_in_loss_and_temperature(corpus: Corpus) -> None:
    players = build_players(recipe("catgan"), corpus, 0)
    generator, discriminator = SETTINGS.schedule().round
    assert [variant.name for variant in generator.variants] == [
        f"{objective}{sign}" for objective in ("relativistic_average", "relativistic") for sign in ("", "+", "-")
    ]
    betas = []
    for variant in generator.variants[:3]:
        variant.prepare(players, 0.5)
        betas.append(temperature_of(players).item())
    assert betas == pytest.approx([2.0, 4**0.51, 4**0.49])
    generator.variants[1].prepare(players, 1.0)
    assert temperature_of(players).item() == pytest.approx(4.0)
    assert RelGAN(inverse_temperature_limit=4.0).inverse_temperature(0.5) == pytest.approx(betas[0])
    assert len(CatGAN(inverse_temperature_limit=1.0).schedule().round[0].variants) == 2  # nothing to look ahead to
    assert (len(discriminator.updates), discriminator.gathers) == (1, 3)


def test_views_are_averaged_for_the_average_objective_alone(corpus: Corpus) -> None:
    players = build_players(recipe("catgan"), corpus, 0)
    play = SETTINGS.real(players, Scene(corpus, Stream(generator_for(1))))
    real, fake = torch.randn(2, 10, 2, generator=generator_for(2))  # (batch, views)
    for objective, averaged in (("relativistic_average", True), ("relativistic", False)):
        mean, views = (
            dataclasses.replace(SETTINGS, mean_views=given).losses(players, play, objective) for given in (True, False)
        )
        same = views(real.mean(1), fake.mean(1)) if averaged else views(real, fake)
        torch.testing.assert_close(mean(real, fake), same)
        assert not torch.allclose(views(real.mean(1), fake.mean(1))[1], views(real, fake)[1])


def test_rows_of_a_play_are_of_one_category(corpus: Corpus) -> None:
    players = build_players(recipe("catgan"), corpus, 0)
    play = SETTINGS.real_and_relaxed(players, Scene(corpus, Stream(generator_for(1))))
    assert play.real is not None
    assert play.real.categories is not None
    assert play.real.categories.tolist() == [0] * 5 + [1] * 5
    assert torch.equal(play.real.mask.sum(1), torch.where(play.real.categories == 0, 4, 3))  # 'z z z', 'x y', ends
    expected = within(players.generator, play.real.categories).relax(10, 4, random=generator_for(1))
    assert torch.equal(play.extras["weights"], expected.weights)


def test_fitness_is_quality_and_entropy_within_categories(corpus: Corpus) -> None:
    players = build_players(recipe("catgan"), corpus, 0)
    scene = Scene(corpus, Stream(generator_for(1)))
    play = SETTINGS.real(players, scene)
    assert play.real is not None
    categories = play.real.categories

    def fitness(quality: float, diversity: float) -> float:
        settings = dataclasses.replace(
            SETTINGS, quality_weight=quality, diversity_weight=diversity, fitness_examples=4000
        )
        return settings.fitness(players, play, Scene(corpus, Stream(generator_for(2))))

    both, quality, diversity = fitness(1.0, 0.5), fitness(1.0, 0.0), fitness(0.0, 1.0)
    assert both == pytest.approx(quality + 0.5 * diversity)
    entropies = []
    for category in range(2):
        samples = within(players.generator, category).sample(4000, 4, random=generator_for(3))
        entropies.append(-(samples.log_probs.sum() / samples.mask.sum()).item())
    assert diversity == pytest.approx(sum(entropies) / 2, abs=0.03)
    temperature_of(players).fill_(7.0)
    stream, qualities = Stream(generator_for(2)), []
    for category in range(2):
        law, real = within(players.generator, category), play.real[categories == category]
        relaxed = law.relax(4000, 4, random=stream, inverse_temperature=7.0)
        scores = players.discriminator.view_scores(relaxed.weights, relaxed.mask)
        mean = players.discriminator.view_scores(real.tokens, real.mask).mean()
        qualities.append((scores - mean).sigmoid().mean().item())
    assert fitness(1.0, 0.0) == pytest.approx(sum(qualities) / 2, abs=1e-6) != pytest.approx(quality, abs=1e-6)
    with torch.no_grad():
        for parameter in players.discriminator.parameters():
            parameter.zero_()
    assert fitness(1.0, 0.0) == pytest.approx(0.5)


def test_a_generation_moves_the_generator_and_the_control_does_not(corpus: Corpus) -> None:
    for cut in (False, True):
        made = recipe("catgan", pretrain_epochs=0, rounds=2, batch=4, fitness_examples=8, cut_gradient=cut)
        players = build_players(made, corpus, 0)
        before = [part.clone() for part in players.generator.parameters()]
        events = list(Training(made.settings, players, corpus, 0, Team("cpu")).events())
        moved = [not torch.equal(one, other) for one, other in zip(before, players.generator.parameters(), strict=True)]
        assert any(moved) != cut
        (first, *_) = [event for event in events if event.player == "generator"]
        assert sum(value for name, value in first.figures.items() if name.startswith("won.")) == 1.0
        assert all(math.isfinite(value) for value in first.figures.values())


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r"CatGAN\.mutations must name a loss"):
        CatGAN(mutations=())
    with pytest.raises(ValueError, match="no objective is called 'other'"):
        CatGAN(mutations=("other",))
    with pytest.raises(ValueError, match="real sequences with categories"):
        CatGAN().losses(Players({}), Play(), "relativistic")
