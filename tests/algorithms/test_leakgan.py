"""LeakGAN's schedule and steps: who moves, what is paid, what the control arm shuffles.

Mutants killed: manager and worker swapped, the discriminator moved by a generator step, epochs lost when they are
dealt out over the rounds, interleaving in every round or never, values not ranked over the batch, values and
rewards of one sequence torn apart by the shuffle, loss of the wrong sign, one optimiser for both, prefixes of
the block before, a δ without effect, padding in the figure of rewards.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.leakgan import LeakGAN
from seqgans.data.corpus import Corpus
from seqgans.data.vocabulary import Vocabulary
from seqgans.discriminators.leaking import LeakingCNN
from seqgans.errors import BadInput
from seqgans.generators.hierarchical import Hierarchical, Planner
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.shaping import rank_rescale
from seqgans.sequences import Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team

VOCABULARY, LENGTH, HORIZON = 5, 6, 2
SMALL: dict[str, Any] = {
    "pretrain_rounds": 2,
    "pretrain_epochs": 3,
    "rounds": 3,
    "discriminator_steps": 1,
    "discriminator_epochs": 1,
    "rollouts": 2,
    "interleave": 2,
    "batch": 8,
    "discriminator_batch": 8,
}


def corpus() -> Corpus:
    tokens = torch.randint(VOCABULARY, (24, LENGTH), generator=generator_for(4))
    parts = {name: Sequences.of(tokens[rows]) for name, rows in (("train", slice(0, 16)), ("valid", slice(16, 24)))}
    return Corpus(
        "toy", **parts, test=parts["valid"], vocabulary=Vocabulary.of_ids(VOCABULARY), length=LENGTH, facts={}
    )


def players(end: int | None = None) -> Players:
    settings = Hierarchical(embedding=6, worker=5, manager=4, goal=3, horizon=HORIZON, deviation=0.3)
    generator = settings.build(VOCABULARY, 0, end, generator_for(1))
    discriminator = LeakingCNN(embedding=4, widths=(1, 2, 3), maps=(4, 4, 4)).build(
        VOCABULARY, LENGTH, generator_for(2)
    )
    generator.attach(discriminator)
    return Players({"generator": generator, "discriminator": discriminator})


def scene(number: int = 1, seed: int = 7) -> Scene:
    return Scene(corpus(), Stream(generator_for(seed)), round=number)


def generator_of(group: Players) -> Planner:
    assert isinstance(group.generator, Planner)
    return group.generator


def gathered(**changes: Any) -> tuple[LeakGAN, Players, Play]:
    algorithm, group = LeakGAN(**(SMALL | changes)), players()
    with torch.no_grad():
        return algorithm, group, algorithm.play(group, scene())


def snapshot(group: Players) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in group.named_parameters()}


@pytest.mark.parametrize(("rounds", "epochs"), [(10, 80), (3, 10), (4, 2), (0, 0)])
def test_pretraining_alternates_and_loses_no_epoch(rounds: int, epochs: int) -> None:
    before = LeakGAN(pretrain_rounds=rounds, pretrain_epochs=epochs).schedule().before
    assert [phase.name for phase in before] == ["discriminator pre-training", "likelihood"] * rounds
    assert sum(phase.gathers for phase in before[1::2]) == epochs


def test_manager_and_worker_have_updates_and_optimisers_of_their_own() -> None:
    schedule = LeakGAN().schedule()
    assert [phase.name for phase in schedule.round] == ["generator", "discriminator", "interleaved likelihood"]
    for phase in (schedule.before[1], schedule.round[0], schedule.round[2]):
        assert [update.player for update in phase.updates] == ["generator.manager", "generator.worker"]
        assert all(update.optimizer.clip == 5.0 for update in phase.updates)
    assert len(LeakGAN(interleave=0).schedule().round) == 2
    rates = [update.optimizer.rate for update in LeakGAN(manager_rate=1e-4).schedule().round[0].updates]
    assert rates == [1e-4, LeakGAN().generator_rate]
    assert {update.optimizer.rate for update in schedule.round[0].updates} == {LeakGAN().generator_rate}


def test_likelihood_is_interleaved_when_it_is_due() -> None:
    algorithm = LeakGAN(**SMALL)
    sizes = [len(algorithm.due(players(), scene(number))) for number in range(1, 5)]
    assert sizes == [0, 16, 0, 16]


def test_a_play_holds_ranked_values_and_intrinsic_rewards() -> None:
    _, group, play = gathered()
    assert play.fake is not None
    assert play.rewards is not None
    values = play.extras["values"]
    assert values.shape == play.rewards.shape == (8, LENGTH)
    for first in range(0, LENGTH, HORIZON):  # one value for the goals of a block
        assert (values[:, first : first + HORIZON] == values[:, first : first + 1]).all()
    torch.testing.assert_close(values.mean(0), torch.full((LENGTH,), 0.5))
    scores = group.discriminator.scores(play.fake.tokens, play.fake.mask)
    assert torch.equal(values[:, -1].argsort(), scores.argsort())  # the last block is worth D(Y)
    assert (play.rewards.abs() <= 1 + 1e-6).all()
    assert not play.rewards.requires_grad
    assert not values.requires_grad


def test_nothing_is_paid_behind_a_sequence() -> None:
    group = players(end=0)
    with torch.no_grad():
        play = LeakGAN(**SMALL).play(group, scene())
    assert play.fake is not None
    assert play.rewards is not None
    assert not bool(play.fake.mask.all())
    assert not bool(play.rewards[~play.fake.mask].any())
    assert play.figures["intrinsic"] == pytest.approx(play.rewards[play.fake.mask].mean().item(), rel=1e-5)


def test_a_baseline_is_for_the_worker_alone() -> None:
    """The manager's loss −Σ Q cos is no score-function estimate: with Q − ½ half of the goals would turn away.

    Mutants killed: values centred as well; rewards that are not.
    """
    both = players()
    plain = LeakGAN(batch=8, rollouts=3).play(both, scene())
    centred = LeakGAN(batch=8, rollouts=3, baseline="batch_mean").play(both, scene())
    assert torch.equal(centred.extras["values"], plain.extras["values"])
    assert plain.rewards is not None
    assert centred.rewards is not None
    torch.testing.assert_close(centred.rewards, plain.rewards - plain.rewards.mean(0))


def test_values_may_be_those_of_padded_prefixes() -> None:
    """The discriminator's word on the prefix up to the end of each block, ranked over the batch."""
    _, group, play = gathered(reward="prefix", delta=5.0)
    _, _, rolled = gathered(delta=5.0)
    assert play.fake is not None
    assert rolled.fake is not None
    assert torch.equal(play.fake.tokens, rolled.fake.tokens)
    for first in range(0, LENGTH, HORIZON):
        seen = play.fake.mask & (torch.arange(LENGTH) < first + HORIZON)
        scores = group.discriminator.scores(play.fake.tokens, seen).detach()
        expected = rank_rescale(scores.sigmoid()[:, None].expand(-1, HORIZON), 5.0)
        torch.testing.assert_close(play.extras["values"][:, first : first + HORIZON], expected)
    assert torch.equal(play.extras["values"][:, -1], rolled.extras["values"][:, -1])
    assert not torch.equal(play.extras["values"][:, 0], rolled.extras["values"][:, 0])


def test_the_control_arm_shuffles_values_and_rewards_together() -> None:
    _, _, plain = gathered()
    _, _, control = gathered(shuffled=True)
    assert plain.fake is not None
    assert control.fake is not None
    assert torch.equal(plain.fake.tokens, control.fake.tokens)

    def rows(play: Play) -> Tensor:
        assert play.rewards is not None
        return torch.cat([play.extras["values"], play.rewards], 1)

    assert not torch.allclose(rows(plain), rows(control))
    distances = torch.cdist(rows(control), rows(plain), compute_mode="donot_use_mm_for_euclid_dist")
    assert sorted(distances.argmin(1).tolist()) == list(range(8))
    assert distances.min(1).values.max() < 1e-5


def test_a_manager_step_raises_the_cosine_where_the_value_is_high() -> None:
    algorithm, group, play = gathered()
    generator = generator_of(group)
    assert play.fake is not None
    for sign in (1.0, -1.0):
        signed = Play(fake=play.fake, rewards=play.rewards, extras={"values": torch.full((8, LENGTH), sign)})
        group.zero_grad()
        before = algorithm.manager_loss(group, signed).value
        before.backward()
        with torch.no_grad():
            for parameter in generator.manager.parameters():
                parameter.sub_(1e-3 * parameter.grad)  # pyright: ignore[reportOperatorIssue]
        assert algorithm.manager_loss(group, signed).value < before  # −Q · cosine
    assert all(parameter.grad is None for parameter in group.discriminator.parameters())


def test_a_worker_step_raises_what_was_rewarded() -> None:
    algorithm, group, play = gathered()
    assert play.fake is not None
    rewards = torch.zeros(8, LENGTH)
    rewards[0] = 1.0
    paid = Play(fake=play.fake, rewards=rewards, extras=play.extras)
    before = group.generator.log_probs(play.fake.tokens)
    algorithm.worker_loss(group, paid).value.backward()
    with torch.no_grad():
        for parameter in generator_of(group).worker.parameters():
            parameter.sub_(1e-2 * parameter.grad)  # pyright: ignore[reportOperatorIssue]
    after = group.generator.log_probs(play.fake.tokens)
    assert after[0].sum() > before[0].sum()
    assert all(parameter.grad is None for parameter in group.discriminator.parameters())


def test_every_update_moves_its_player_and_no_other() -> None:
    group = players()
    training = Training(LeakGAN(**SMALL), group, corpus(), 3, Team("cpu"))
    moved: set[tuple[str, str]] = set()
    before = snapshot(group)
    for event in training.events():
        after = snapshot(group)
        changed = {name for name in after if not torch.equal(before[name], after[name])}
        if event.kind == "update" and event.player == "discriminator":
            assert changed
            assert all(name.startswith("discriminator.") for name in changed)
        elif event.kind == "update" and event.player == "generator.manager":  # the worker was moved in the same step
            assert changed
            assert all(name.startswith("generator.") for name in changed)
            moved |= {(event.phase, name) for name in changed}
        before = after
    names = {name for name, _ in group.named_parameters() if name.startswith("generator.")}
    for phase, name in itertools.product(("likelihood", "generator", "interleaved likelihood"), names):
        assert (phase, name) in moved


def test_another_generator_is_refused_in_one_line() -> None:
    group = Players({"generator": LSTM().build(VOCABULARY, 0, None, generator_for(0))})
    with pytest.raises(BadInput, match="LeakGAN needs the generator 'hierarchical', got Recurrent"):
        LeakGAN(**SMALL).play(group, scene())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rollouts": 0}, "LeakGAN.rollouts must be at least 1, got 0"),
        ({"delta": 0.0}, "LeakGAN.delta must be a finite number above 0, got 0.0"),
        ({"interleave": -1}, "LeakGAN.interleave must be at least 0, got -1"),
        ({"manager_rate": 0.0}, "LeakGAN.manager_rate must be a finite number above 0, got 0.0"),
        ({"pretrain_rounds": 0}, "LeakGAN.pretrain_rounds must be at least 1 for pretrain_epochs above 0, got 0"),
    ],
)
def test_settings_are_checked(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        LeakGAN(**wrong)
