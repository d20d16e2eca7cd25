"""k discriminators, each learning what it would alone.

Mutants killed: members that learn from their mean score, gradients divided by k, a member left out.
"""

from __future__ import annotations

import torch

from seqgans.algorithms.adversaries import telling_apart
from seqgans.algorithms.base import Play, Players
from seqgans.algorithms.seqgan import SeqGAN
from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.ensemble import Ensemble
from seqgans.discriminators.recurrent import GRUScorer
from seqgans.options.several import each_learning, of_each, together
from seqgans.randomness import generator_for
from seqgans.sequences import Sequences


def members() -> list[Discriminator]:
    return [GRUScorer(embedding=3, hidden=4, dropout=0.0).build(5, 6, generator_for(seed)) for seed in range(3)]


def test_each_has_the_gradient_it_would_have_alone() -> None:
    tokens = torch.randint(5, (2, 4, 6), generator=generator_for(7))
    mask = torch.ones(4, 6, dtype=torch.bool)
    play = Play(real=Sequences(tokens[0], mask), fake=Sequences(tokens[1], mask))
    ensemble, alone = together(members(), shared=False), members()
    found = of_each(Players({"discriminator": ensemble}), play, telling_apart)
    found.value.backward()
    assert isinstance(ensemble, Ensemble)
    losses = []
    for member, single in zip(ensemble.members, alone, strict=True):
        loss = telling_apart(Players({"discriminator": single}), play)
        loss.value.backward()
        losses.append(loss)
        for (name, one), (_, other) in zip(member.named_parameters(), single.named_parameters(), strict=True):
            assert one.grad is not None, name
            torch.testing.assert_close(one.grad, other.grad)
    torch.testing.assert_close(found.value, sum(loss.value for loss in losses))  # pyright: ignore
    assert abs(found.figures["loss"] - sum(loss.figures["loss"] for loss in losses) / 3) < 1e-6


def test_one_is_itself_and_the_generator_is_left_alone() -> None:
    single = members()[:1]
    assert together(single, shared=True) is single[0]
    plain = SeqGAN().schedule()
    changed = each_learning(plain)
    assert changed.round[0] == plain.round[0]
    assert changed.round[1].updates != plain.round[1].updates
