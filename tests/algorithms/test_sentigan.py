"""SentiGAN: penalties, who is moved by what, and what is left of it with one category.

Mutants killed: D for 1 − D, the class of another category, penalties of one part handed to another, a real sequence
under the wrong category, unequal shares of categories, the sign of the log estimator, a sum over parts that is a mean,
a prefix that sees what follows.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor

from seqgans.algorithms.adversaries import telling_apart
from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.sentigan import SentiGAN
from seqgans.algorithms.seqgan import SeqGAN
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.discriminators.classes import ClassDiscriminator, discriminator_of_classes
from seqgans.errors import BadInput
from seqgans.generators.categories import within
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.randomness import Stream, generator_for
from seqgans.training.build import build_players
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team

NETWORKS = {
    "generator": {"embedding": 3, "hidden": 4, "deviation": 0.8},
    "discriminator": {"embedding": 4, "widths": [1, 2], "maps": [3, 3], "dropout": 0.0, "decay": 0.0},
}
SETTINGS = SentiGAN(rollouts=3, batch=6)


def recipe(**settings: object) -> Recipe:
    return Recipe.of({"algorithm": {"name": "sentigan", **settings}, "corpus": {"spec": "given"}, **NETWORKS})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Two categories of different sizes: `b` says 'x y', `a` mostly 'z z z'."""
    path = tmp_path_factory.mktemp("sentigan") / "two.tsv"
    path.write_text("b\tx y\n" * 20 + "a\tz z z\n" * 6)
    return open_text_corpus(str(path), CorpusSettings(text="1", label="0", valid=0.0, test=0.0), 0)


def players(corpus: Corpus, seed: int = 0) -> Players:
    built = build_players(recipe(), corpus, seed)
    with torch.no_grad():
        for parameter in built.discriminator.parameters():
            parameter.add_(0.5 * torch.randn(parameter.shape, generator=generator_for(seed, "away")))
    return built


def scene(corpus: Corpus, seed: int = 1) -> Scene:
    return Scene(corpus, Stream(generator_for(seed)))


def gradient(value: Tensor, both: Players) -> dict[str, Tensor]:
    named = dict(both.generator.named_parameters())
    found = torch.autograd.grad(value, [*named.values()], allow_unused=True)
    return {name: part for name, part in zip(named, found, strict=True) if part is not None}


def test_penalties_are_what_the_class_of_the_part_says(corpus: Corpus) -> None:
    both = players(corpus)
    play = SETTINGS.play(both, scene(corpus))
    assert play.fake is not None
    assert play.rewards is not None
    assert play.fake.categories is not None
    assert play.fake.categories.tolist() == [0] * 6 + [1] * 6
    real = play.rewards[play.fake.mask]
    assert 0 <= float(real.min()) < float(real.max()) <= 1
    assert not bool(play.rewards[~play.fake.mask].any())
    last = play.rewards.gather(1, play.fake.mask.sum(1, keepdim=True) - 1)[:, 0]
    judge = both.discriminator
    assert isinstance(judge, ClassDiscriminator)
    classes = judge.class_scores(play.fake.tokens, play.fake.mask).softmax(1)
    torch.testing.assert_close(last, 1 - classes.gather(1, play.fake.categories[:, None] + 1)[:, 0])
    assert play.figures["reward"] == pytest.approx(
        sum(1 - play.rewards[rows][play.fake.mask[rows]].mean().item() for rows in (slice(6), slice(6, None))) / 2
    )


def test_a_prefix_costs_what_its_class_says_of_it(corpus: Corpus) -> None:
    """Every prefix, padded, by the class of the part that wrote it; roll-outs agree on finished sequences."""
    both = players(corpus)
    play = dataclasses.replace(SETTINGS, reward="prefix").play(both, scene(corpus))
    assert play.fake is not None
    assert play.rewards is not None
    assert play.fake.categories is not None
    judge = discriminator_of_classes(both.discriminator)
    for time in range(corpus.length):
        seen = play.fake.mask & (torch.arange(corpus.length) <= time)
        classes = judge.class_scores(play.fake.tokens, seen).softmax(1)
        expected = 1 - classes.gather(1, play.fake.categories[:, None] + 1)[:, 0]
        torch.testing.assert_close(play.rewards[:, time], expected * play.fake.mask[:, time], rtol=0, atol=1e-6)
    assert not bool(play.fake.mask.all())


def test_each_part_is_moved_by_its_own_penalties(corpus: Corpus) -> None:
    both = players(corpus)
    play = SETTINGS.play(both, scene(corpus))
    assert play.rewards is not None
    whole = gradient(SETTINGS.generator_loss(both, play).value, both)
    for category, rows in ((0, slice(6)), (1, slice(6, None))):
        changed = play.rewards.clone()
        changed[rows] += 1.0
        moved = gradient(SETTINGS.generator_loss(both, dataclasses.replace(play, rewards=changed)).value, both)
        differ = {name.split(".")[1] for name in whole if not torch.equal(whole[name], moved[name])}
        assert differ == {str(category)}
        alone = play.rows(torch.arange(12)[rows])
        law = within(both.generator, category)
        assert alone.fake is not None
        assert alone.rewards is not None
        probabilities = law.log_probs(alone.fake.tokens).exp() * alone.rewards
        expected = torch.autograd.grad(probabilities.sum() / 6, [*law.parameters()])
        names = [name for name in whole if name.startswith(f"parts.{category}.")]
        for name, part in zip(names, expected, strict=True):
            torch.testing.assert_close(whole[name], part, rtol=0, atol=1e-6)


def test_classes_are_equally_large_and_labelled(corpus: Corpus) -> None:
    assert corpus.categories == ("a", "b")
    play = SETTINGS.real_and_fake(players(corpus), scene(corpus))
    assert play.real is not None
    assert play.real.categories is not None
    assert len(play) == 26
    assert torch.bincount(play.real.categories).tolist() == [13, 13]
    lengths = play.real.mask.sum(1)
    assert torch.equal(lengths, torch.where(play.real.categories == 0, 4, 3))  # 'z z z' and 'x y', with their ends
    few = dataclasses.replace(SETTINGS, discriminator_examples=5).real_and_fake(players(corpus), scene(corpus))
    assert len(few) == 4


def test_one_category_and_the_log_estimator_are_seqgan() -> None:
    world = oracle_corpus(fresh_oracle(5, 0), CorpusSettings(length=4, sequences=12, valid=0.0, test=0.0), 0)
    both = players(world)
    plain = Players(
        {"generator": within(both.generator, 0), "discriminator": discriminator_of_classes(both.discriminator).of(0)}
    )
    ours = SentiGAN(rollouts=3, batch=6, baseline="batch_mean", estimator="log")
    theirs = SeqGAN(rollouts=3, batch=6, baseline="batch_mean")
    play, other = ours.play(both, scene(world)), theirs.play(plain, scene(world))
    assert play.fake is not None
    assert other.fake is not None
    assert play.rewards is not None
    assert other.rewards is not None
    assert torch.equal(play.fake.tokens, other.fake.tokens)
    torch.testing.assert_close(play.rewards, -other.rewards, rtol=0, atol=1e-6)
    assert play.figures == pytest.approx(other.figures, abs=1e-6)
    torch.testing.assert_close(ours.generator_loss(both, play).value, theirs.generator_loss(plain, other).value)
    shown = ours.real_and_fake(both, scene(world))
    found, expected = ours.discriminator_loss(both, shown), telling_apart(plain, shown)
    torch.testing.assert_close(found.value, expected.value)
    assert found.figures == pytest.approx(expected.figures, abs=1e-6)
    parameters = [*both.discriminator.parameters()]  # plain has the same
    for one, other in zip(
        torch.autograd.grad(found.value, parameters), torch.autograd.grad(expected.value, parameters), strict=True
    ):
        torch.testing.assert_close(one, other)


def test_the_control_keeps_penalties_within_their_category(corpus: Corpus) -> None:
    both = players(corpus)
    plain, control = (dataclasses.replace(SETTINGS, shuffled=on).play(both, scene(corpus)) for on in (False, True))
    assert plain.rewards is not None
    assert control.rewards is not None
    first, shuffled = plain.rewards[:6, 0], control.rewards[:6, 0]  # of category 0, drawn from the same numbers
    assert not torch.equal(first, shuffled)
    assert first.sort().values.tolist() == shuffled.sort().values.tolist()


def test_swapping_the_labels_swaps_what_is_learnt(corpus: Corpus) -> None:
    """Generator i learns category i: after likelihood and a short game each part writes its own words."""
    train = corpus.train
    assert train.categories is not None
    settings = {"pretrain_epochs": 40, "pretrain_rate": 0.05, "rounds": 2, "rollouts": 2}
    for flip in (False, True):
        flipped = dataclasses.replace(train, categories=1 - train.categories) if flip else train
        empty = flipped[:0]
        data = dataclasses.replace(corpus, train=flipped, valid=empty, test=empty)
        made = recipe(discriminator_pretrain_steps=1, estimator="log", generator_rate=0.001, batch=8, **settings)
        learner = Training(made.settings, build_players(made, data, 0), data, 0, Team("cpu"))
        list(learner.events())
        z = corpus.vocabulary.symbols.index("z")
        for category in range(2):
            samples = within(learner.players.generator, category).sample(200, 4, random=generator_for(3))
            share = (samples.tokens[samples.mask] == z).float().mean().item()
            assert (share > 0.5) == (category == int(flip))


def test_contradictions_are_refused(corpus: Corpus) -> None:
    with pytest.raises(BadInput, match=r"generator\.categories must be 2, as many as .* has .*, got 3"):
        build_players(Recipe.of({**recipe().to_dict(), "generator": {"categories": 3}}), corpus, 0)
    unlabelled = dataclasses.replace(
        corpus,
        categories=(),
        **{name: dataclasses.replace(getattr(corpus, name), categories=None) for name in ("train", "valid", "test")},
    )
    with pytest.raises(BadInput, match=r"discriminator\.categories must be 1"):
        build_players(Recipe.of({**recipe().to_dict(), "discriminator": {"categories": 2}}), unlabelled, 0)
    with pytest.raises(ValueError, match="samples and what they cost"):
        SETTINGS.generator_loss(players(corpus), Play())


def test_a_mixture_draws_categories_as_often_as_the_corpus(corpus: Corpus, tmp_path: Path) -> None:
    assert players(corpus).generator.get_buffer("shares").tolist() == pytest.approx([6 / 26, 20 / 26])
