"""A critic: what can be expected before each token, subtracted from what it earned or in the place of roll-outs.

    baseline      A_t = Q_t − V(Y_1:t−1)                                V learns Q_t
    differences   A_t = V(Y_1:t) − V(Y_1:t−1),  A_T = R − V(Y_1:T−1)    V learns R at every token

R is the reward of the last token, which is that of the sequence where rewards are roll-outs or prefixes; with
`--algorithm.reward prefix` nothing is rolled out. A_t is 0 behind the end. The baseline leaves the expected gradient as
it is; the differences are only as right as the critic.

References: Konda and Tsitsiklis (2000), "Actor-critic algorithms"; Fedus, Goodfellow and Dai (2018), arXiv:1801.07736.
"""

from __future__ import annotations

import dataclasses
import functools

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seqgans.algorithms.base import Gathering, Optimizer, Phase, Play, Players, Scene, Schedule, Update
from seqgans.discriminators.recurrent import GRUScorer, RecurrentScorer
from seqgans.errors import BadInput
from seqgans.objectives.infilling import value_loss
from seqgans.options.phases import updates_of
from seqgans.sequences import Loss

CRITIC = "critic"  # name of the player
RETURNS = "critic.returns"  # name of what it learns, in a play
POLICY_GRADIENT = "policy gradient"  # what an optimiser of the generator is called where rewards are advantages
SIZES = GRUScorer(embedding=32, hidden=32, dropout=0.0)


class Critic(nn.Module):
    """V(Y_1:t−1): a GRU that has read the tokens before, and one number for the start.

    Args:
        vocabulary_size: number of ids.
        random: where the parameters come from.
    """

    def __init__(self, vocabulary_size: int, random: torch.Generator) -> None:
        super().__init__()
        self.reader = RecurrentScorer("gru", vocabulary_size, SIZES, random)
        self.start = nn.Parameter(torch.zeros(()))

    def forward(
        self, tokens: Int[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """What is expected before each token, in the unit of the rewards."""
        after = self.reader.step_scores(tokens, mask)
        return torch.cat([self.start.expand(len(after), 1), after[:, :-1]], 1)


def criticised(schedule: Schedule, way: str, rate: float) -> Schedule:
    """The same game, its policy gradient with advantages, and a critic that learns beside the generator.

    Args:
        schedule: what is changed.
        way: baseline or differences.
        rate: learning rate of the critic.

    Raises:
        BadInput: the generator does not learn by policy gradient, or there is a critic already.
    """
    moves = [update for phase in schedule.round for update in updates_of(phase)]
    if any(update.player == CRITIC for update in moves):
        raise BadInput("options.critic needs a game without a critic of its own; leave it out")
    if not any(update.optimizer.name == POLICY_GRADIENT for update in moves):
        raise BadInput("options.critic needs a generator that learns by policy gradient; leave it out")
    learning = Update(CRITIC, critic_loss, Optimizer(name=CRITIC, rate=rate))

    def changed(phase: Phase) -> Phase:
        if phase.holds == "real" or not any(up.optimizer.name == POLICY_GRADIENT for up in updates_of(phase)):
            return phase  # nothing was sampled, nothing earned
        gather = functools.partial(with_advantages, gather=phase.gather, way=way)
        return dataclasses.replace(phase, gather=gather, updates=(*phase.updates, learning))

    return dataclasses.replace(schedule, round=tuple(map(changed, schedule.round)))


def with_advantages(players: Players, scene: Scene, gather: Gathering, way: str) -> Play:
    """What `gather` finds, its rewards turned into advantages; what the critic shall learn stands beside them."""
    play = gather(players, scene)
    if play.fake is None or play.rewards is None:
        raise BadInput("options.critic needs samples and rewards, got a play without one of them; leave it out")
    values = players.get_submodule(CRITIC)(play.fake.tokens, play.fake.mask)
    find = {"baseline": surplus, "differences": differences}[way]
    advantages, returns = find(play.rewards, values, play.fake.mask)
    figures = {**play.figures, "value": values[play.fake.mask].mean().item()} if len(values) else play.figures
    return dataclasses.replace(play, rewards=advantages, extras={**play.extras, RETURNS: returns}, figures=figures)


def surplus(
    rewards: Float[Tensor, "batch time"], values: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
) -> tuple[Float[Tensor, "batch time"], Float[Tensor, "batch time"]]:
    """A_t = Q_t − V_t, and Q_t, which the critic shall learn.

    >>> surplus(torch.tensor([[3.0, 4.0]]), torch.tensor([[1.0, 3.0]]), torch.tensor([[True, False]]))[0]
    tensor([[2., 0.]])
    """
    return (rewards - values) * mask, rewards * mask


def differences(
    rewards: Float[Tensor, "batch time"], values: Float[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]
) -> tuple[Float[Tensor, "batch time"], Float[Tensor, "batch time"]]:
    """A_t = V_{t+1} − V_t where V_{T+1} = R, and R at every token; R = Q_T is the reward of the last token.

    >>> differences(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.25, 0.5]]), torch.ones(1, 2, dtype=torch.bool))[0]
    tensor([[0.2500, 0.5000]])
    """
    last = mask.sum(1, keepdim=True) - 1
    terminal = rewards.gather(1, last)  # (batch, 1)
    after = nn.functional.pad(values[:, 1:], (0, 1)).scatter(1, last, terminal)
    return (after - values) * mask, terminal * mask


def critic_loss(players: Players, play: Play) -> Loss:
    """Squared error of what was expected: a sum over time, a mean over sequences."""
    if play.fake is None or RETURNS not in play.extras:
        raise ValueError("a critic needs samples and what they earned, got a play without one of them")
    values = players.get_submodule(CRITIC)(play.fake.tokens, play.fake.mask)
    return Loss(value_loss(values, play.extras[RETURNS], play.fake.mask))
