"""LeakGAN: a manager sees the discriminator's features and sets goals among them, a worker writes towards them.

Paper                        Code                                       Shape, equation
F, f_t                       features of Planner.plan                   (batch, time + 1, features)
g_t, w_t, O_t · w_t          generators.hierarchical                    Eq. 3 to 6
Q(s_t, g_t)                  play.extras["values"]                      (batch, time)
d_cos(f_{t+c} − f_t, g_t)    manager_loss                               Eq. 7, 8
r_t^I                        play.rewards                               (batch, time), Eq. 9
R_i, δ                       rank_rescale, delta                        Eq. 10
interleaved training         interleave                                 one epoch of likelihood every 15 rounds

Every c tokens prefixes are completed `rollouts` times; the mean probability of being real, replaced by its rank in
the batch, is Q of the c goals set on the way there. The worker is paid by how far the features followed the goals.

Departures: products of cosine and reward are taken per position (the authors' code averages the cosines first);
ranks are true ranks; the worker sees the last c goals (`goal_window: block` of the generator is the code's way);
one logit instead of two classes; the training set is fixed. Not in the paper: `baseline`, `manager_rate`, `reward`
prefix, and `shuffled`, the control arm of every measurement.

References: Guo, Lu, Cai, Zhang, Yu and Wang (2018), arXiv:1709.08624.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch

from seqgans.algorithms.adversaries import discriminator_phase
from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.likelihood import epoch, teacher_forcing
from seqgans.algorithms.policy import policy_loss
from seqgans.errors import BadInput
from seqgans.generators.hierarchical import Planner
from seqgans.objectives.hierarchical import intrinsic_rewards, manager_loss
from seqgans.rewards.baselines import BASELINES
from seqgans.rewards.control import shuffled_over_batch
from seqgans.rewards.shaping import block_rewards, rank_rescale
from seqgans.sequences import Loss


@dataclass(frozen=True, kw_only=True)
class LeakGAN:
    """Settings and losses of LeakGAN; the defaults are the published ones at length 20.

    Attributes:
        pretrain_rounds: rounds of pre-training, each d-steps and then likelihood.
        pretrain_epochs: passes of manager and worker over the training sequences, dealt out over these rounds.
        rounds: rounds of the game.
        generator_steps: steps of manager and worker a round.
        discriminator_steps: d-steps a round, in pre-training too, each with fresh negatives.
        discriminator_epochs: passes over the examples of a d-step.
        discriminator_examples: negatives of a d-step; none given means as many as training sequences.
        rollouts: completions of each prefix.
        reward: values of goals from roll-outs, or from the padded prefix up to the end of each block of c tokens.
        delta: how far ranks push the best and the worst value apart.
        interleave: a pass over the training sequences after every so many rounds; 0 for none.
        batch: sequences of a generator step, and of a minibatch in pre-training.
        discriminator_batch: sequences of a discriminator minibatch, half of them real.
        pretrain_rate: learning rate of manager and worker on real sequences.
        generator_rate: learning rate of the worker in the game.
        manager_rate: learning rate of the manager in the game; none given means that of the worker.
        discriminator_rate: learning rate of the discriminator.
        clip: largest gradient norm of the manager, and of the worker.
        baseline: what is subtracted from the worker's rewards, which are mostly positive; goals keep their values.
        shuffled: the control arm: values and rewards are handed to other sequences of the batch.
    """

    generator: ClassVar[str] = "hierarchical"
    discriminator: ClassVar[str | None] = "leaking"
    paper: ClassVar[str] = "Guo, Lu, Cai, Zhang, Yu and Wang 2018"

    pretrain_rounds: int = 10
    pretrain_epochs: int = 80
    rounds: int = 800
    generator_steps: int = 1
    discriminator_steps: int = 5
    discriminator_epochs: int = 3
    discriminator_examples: int | None = None
    rollouts: int = 4
    reward: Literal["rollouts", "prefix"] = "rollouts"
    delta: float = 12.0
    interleave: int = 15
    batch: int = 64
    discriminator_batch: int = 64
    pretrain_rate: float = 0.0015
    generator_rate: float = 0.0015
    manager_rate: float | None = None
    discriminator_rate: float = 5e-5
    clip: float = 5.0
    baseline: Literal["none", "batch_mean", "leave_one_out"] = "none"
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_rounds", "pretrain_epochs", "rounds", "discriminator_steps", "interleave")
        check_counts(self, 1, "generator_steps", "discriminator_epochs", "rollouts", "batch")
        check_counts(self, 2, "discriminator_batch")
        check_rates(self, "delta", "pretrain_rate", "generator_rate", "discriminator_rate", "clip")
        if self.manager_rate is not None:
            check_rates(self, "manager_rate")
        if self.pretrain_epochs and not self.pretrain_rounds:
            raise ValueError("LeakGAN.pretrain_rounds must be at least 1 for pretrain_epochs above 0, got 0")

    def schedule(self) -> Schedule:
        """Pre-train discriminator and generator in turn, then play; both players learn in every round."""
        rounds, epochs = self.pretrain_rounds, self.pretrain_epochs
        before = [
            phase
            for turn in range(rounds)
            for phase in (
                self.discriminator_phase("discriminator pre-training"),
                self.likelihood("likelihood", (turn + 1) * epochs // rounds - turn * epochs // rounds, epoch),
            )
        ]
        manager = Optimizer(name="game", rate=self.manager_rate or self.generator_rate, clip=self.clip)
        worker = Optimizer(name="game", rate=self.generator_rate, clip=self.clip)
        game = Phase(
            name="generator",
            gather=self.play,
            updates=(
                Update("generator.manager", self.manager_loss, manager),
                Update("generator.worker", self.worker_loss, worker),
            ),
            gathers=self.generator_steps,
        )
        interleaved = (self.likelihood("interleaved likelihood", 1, self.due),) if self.interleave else ()
        played = (game, self.discriminator_phase("discriminator"), *interleaved)
        return Schedule(before=tuple(before), round=played, rounds=self.rounds)

    def likelihood(self, name: str, epochs: int, gather: Any) -> Phase:
        """Manager and worker learn from real sequences."""
        moved = Optimizer(name="likelihood", rate=self.pretrain_rate, clip=self.clip)
        updates = (
            Update("generator.manager", self.manager_loss, moved),
            Update("generator.worker", teacher_forcing, moved),
        )
        return Phase(name=name, gather=gather, updates=updates, gathers=epochs, batch=self.batch)

    def discriminator_phase(self, name: str) -> Phase:
        """d-steps with this algorithm's settings."""
        return discriminator_phase(
            name=name,
            steps=self.discriminator_steps,
            epochs=self.discriminator_epochs,
            rate=self.discriminator_rate,
            batch=self.discriminator_batch,
            examples=self.discriminator_examples,
        )

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """No further players."""
        return {}

    def due(self, players: Players, scene: Scene) -> Play:
        """All training sequences in every `interleave`-th round, none in the others."""
        return epoch(players, scene) if scene.round % self.interleave == 0 else Play(real=scene.corpus.train[:0])

    def play(self, players: Players, scene: Scene) -> Play:
        """Sample; value the goals by roll-outs and the tokens by how they followed the goals."""
        generator, judge, horizon = planner(players), players.discriminator, planner(players).settings.horizon
        fake = generator.sample(scene.share(self.batch), scene.corpus.length, random=scene.random)
        raw = block_rewards(generator, judge, fake.tokens, fake.mask, self.rollouts, scene.random, horizon, self.reward)
        values = scene.over_batch(lambda whole: rank_rescale(whole, self.delta), raw)
        features, goals = generator.plan(fake.tokens)
        rewards = intrinsic_rewards(features, goals, horizon) * fake.mask
        figures = {
            "reward": raw[:, -1].mean().item(),
            "reward_spread": raw[:, -1].std().item() if len(raw) > 1 else 0.0,
            "intrinsic": (rewards.sum() / fake.mask.sum()).item(),
            "entropy": -(fake.log_probs.sum() / fake.mask.sum()).item(),
        }
        real = scene.gather(fake.mask)
        rewards = scene.over_batch(lambda whole: BASELINES[self.baseline](whole, real), rewards)
        if self.shuffled:
            both = torch.cat([values, rewards], 1)
            values, rewards = scene.over_batch(lambda whole: shuffled_over_batch(whole, scene.random), both).chunk(2, 1)
        return Play(fake=fake.sequences, rewards=rewards, extras={"values": values}, figures=figures)

    def manager_loss(self, players: Players, play: Play) -> Loss:
        """Eq. 7: goals turn towards where the features went, the more the better that was; 1 on real sequences."""
        sequences = play.real if play.fake is None else play.fake
        if sequences is None:
            raise ValueError("the manager learns from sequences, got a play without any")
        features, goals = planner(players).plan(sequences.tokens)
        values = play.extras.get("values", torch.ones_like(goals[:, :, 0]))
        return Loss(manager_loss(features, goals, values, sequences.mask, planner(players).settings.horizon))

    def worker_loss(self, players: Players, play: Play) -> Loss:
        """Eq. 9: policy gradient of the intrinsic rewards."""
        return policy_loss(players, play)


def planner(players: Players) -> Planner:
    """The generator, which must be one that sets goals."""
    if not isinstance(players.generator, Planner):
        raise BadInput(
            f"LeakGAN needs the generator 'hierarchical', got {type(players.generator).__name__}; leave --generator out"
        )
    return players.generator
