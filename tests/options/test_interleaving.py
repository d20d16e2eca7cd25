"""Maximum likelihood between rounds.

Mutants killed: steps that move the discriminator, another optimiser than that of pre-training (moments begin anew), the
same minibatch every time, a whole epoch for a step, another batch than its, steps before the round instead of after it.
"""

from __future__ import annotations

import dataclasses

import pytest
import torch

from seqgans.algorithms.leakgan import LeakGAN
from seqgans.algorithms.maskgan import MaskGAN
from seqgans.algorithms.scratchgan import ScratchGAN
from seqgans.algorithms.seqgan import SeqGAN
from seqgans.errors import BadInput
from seqgans.options.interleaving import interleaved
from seqgans.training.build import build_players, open_corpus
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team


def test_a_step_is_a_step_of_pretraining_at_the_end_of_each_round() -> None:
    algorithm = SeqGAN(pretrain_rate=0.02)
    plain = algorithm.schedule()
    more = interleaved(plain, 3)
    assert more.before == plain.before
    assert [phase.name for phase in more.round] == ["generator", "discriminator", "interleaved steps"]
    assert more.round[-1].updates == plain.before[0].updates  # rate, clip and moments
    assert (more.round[-1].gathers, more.round[-1].batch) == (3, 64)
    (own,) = interleaved(ScratchGAN(batch=512).schedule(), 1).round[1:]
    assert (own.updates[0].player, own.batch, own.gather.keywords["count"]) == ("generator", 512, 512)  # pyright: ignore
    parts = [update.player for update in interleaved(LeakGAN().schedule(), 1).round[-1].updates]
    assert parts == ["generator.manager", "generator.worker"]
    with pytest.raises(BadInput, match="fills blanks"):
        interleaved(MaskGAN().schedule(), 1)


def test_steps_move_the_generator_alone_on_fresh_minibatches() -> None:
    mapping = {
        "algorithm": {"name": "seqgan", "pretrain_epochs": 1, "discriminator_pretrain_steps": 0, "rounds": 1},
        "corpus": {"spec": "world:markov", "sequences": 100},
        "generator": {"embedding": 3, "hidden": 4},
        "discriminator": {"embedding": 3, "widths": [1], "maps": [2]},
        "options": {"interleave": 2},
    }
    mapping["algorithm"] |= {"discriminator_steps": 1, "rollouts": 1, "discriminator_examples": 4, "batch": 4}
    recipe = Recipe.of(mapping)
    corpus, _ = open_corpus(recipe.corpus, recipe.corpus_settings, 0)
    learner = Training(recipe.played, build_players(recipe, corpus, 0), corpus, 0, Team("cpu"))
    before = {name: tensor.clone() for name, tensor in learner.players.state_dict().items()}
    seen: list[torch.Tensor] = []
    for event in learner.events():
        now = {name: tensor.clone() for name, tensor in learner.players.state_dict().items()}
        if event.kind == "update" and event.phase == "interleaved steps":
            assert event.player == "generator"
            assert {name.split(".")[0] for name, part in now.items() if not torch.equal(part, before[name])} == {
                "generator"
            }
            assert learner.play is not None
            assert learner.play.real is not None
            seen.append(learner.play.real.tokens)
        before = now
    assert [part.shape[0] for part in seen] == [64, 64]
    assert not torch.equal(*seen)
    assert dataclasses.replace(recipe.options, interleave=0) == type(recipe.options)()
