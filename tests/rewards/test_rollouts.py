"""Roll-outs against the exact law of a world of 3 tokens and 3 steps.

Mutants killed: completions of another sequence's prefix (batch and roll-outs exchanged), one draw for all roll-outs,
uniform numbers used twice, the state one token late, the reward of position t given to t + 1, the last position rolled
out, tokens after an end token scored, positions of a subset mixed up, prefixes read more than once.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import pytest
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.convolutional import CNN
from seqgans.generators import GENERATORS
from seqgans.generators.base import Generator, State
from seqgans.randomness import Stream, generator_for
from seqgans.rewards import rollouts
from seqgans.rewards.rollouts import complete, rollout_rewards
from seqgans.sequences import mask_until
from tests.goodness import pvalue

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
NAMES = ["lstm", "gru", "transformer", "memory"]


def build(name: str, vocabulary: int = 3, end: int | None = None) -> Generator:
    """A generator whose law is far from uniform."""
    built: Generator = GENERATORS[name]().build(vocabulary, 0, end, generator_for(0))
    with torch.no_grad():
        tokens = torch.randint(vocabulary, (32, 5), generator=generator_for(1))
        built.output.weight.div_((built.hidden(tokens) @ built.output.weight.t()).std())
    return built


class Table(Discriminator):
    """A score for each of the 27 sequences."""

    def __init__(self, scores: Tensor) -> None:
        super().__init__(3)
        self.table = torch.nn.Parameter(scores)

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        return self.table[tokens @ torch.tensor([9, 3, 1])]


class FirstToken(Discriminator):
    """A probability that says which sequence the prefix comes from: its first token."""

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        return torch.logit((tokens[:, 0].float() + 1) / (self.vocabulary_size + 2))


class RealTokens(Discriminator):
    """Sees how many tokens are real, and the sum of what is real."""

    def __init__(self) -> None:
        super().__init__(5)

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        return 0.3 * mask.sum(1) - 0.1 * (tokens * mask).sum(1)


@pytest.fixture(params=NAMES)
def generator(request: pytest.FixtureRequest) -> Generator:
    return build(request.param)


def test_completions_follow_the_exact_conditional_law(generator: Generator) -> None:
    rollouts = 3000
    tokens = torch.tensor([[2, 1, 0], [0, 2, 2], [1, 0, 1]])
    completed = complete(generator, tokens, rollouts, Stream(generator_for(2)))  # (2, rollouts, 3, 3)
    law = generator.log_probs(EVERY).double().exp().detach()
    for index, row in itertools.product(range(2), range(3)):
        found, length = completed[index, :, row], index + 1
        assert torch.equal(found[:, :length], tokens[row, :length].expand(rollouts, length))
        starts = (EVERY[:, :length] == tokens[row, :length]).all(1)
        exact = law[starts][:, length:].prod(1)
        counts = torch.bincount(found @ torch.tensor([9, 3, 1]), minlength=27)[starts]
        assert pvalue(counts, exact) > 0.001


def test_rewards_equal_the_exact_ones(generator: Generator) -> None:
    """Q within 4 standard errors of its exact value, and D itself in the last position."""
    rollouts = 3000
    discriminator = Table(2 * torch.randn(27, generator=generator_for(3)))
    rewards = rollout_rewards(
        generator, discriminator, EVERY[::5], torch.ones(6, 3, dtype=torch.bool), rollouts, Stream(generator_for(4))
    )
    real = discriminator.table.detach().double().sigmoid()
    law = generator.log_probs(EVERY).double().exp().detach()
    assert torch.equal(rewards[:, 2], discriminator.table.detach().sigmoid()[::5])
    for row, length in itertools.product(range(6), (1, 2)):
        starts = (EVERY[:, :length] == EVERY[5 * row, :length]).all(1)
        weights = law[starts][:, length:].prod(1)
        mean = float((weights * real[starts]).sum() / weights.sum())
        spread = float((weights * (real[starts] - mean) ** 2).sum()) ** 0.5
        assert abs(float(rewards[row, length - 1]) - mean) < 4 * spread / math.sqrt(rollouts) + 1e-5


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("rollouts", [1, 7])
def test_the_last_reward_does_not_depend_on_roll_outs(seed: int, rollouts: int) -> None:
    generator = build("lstm")
    discriminator = Table(torch.randn(27, generator=generator_for(5)))
    everywhere = torch.ones(27, 3, dtype=torch.bool)
    rewards = rollout_rewards(generator, discriminator, EVERY, everywhere, rollouts, Stream(generator_for(seed)))
    assert torch.equal(rewards[:, -1], discriminator.scores(EVERY, everywhere).sigmoid())


@pytest.mark.parametrize("name", NAMES)
def test_every_reward_belongs_to_its_own_sequence(name: str) -> None:
    generator = build(name, vocabulary=11)
    tokens = torch.randint(11, (11, 6), generator=generator_for(6))
    tokens[:, 0] = torch.arange(11)
    rewards = rollout_rewards(
        generator, FirstToken(11), tokens, torch.ones_like(tokens, dtype=torch.bool), 4, Stream(generator_for(7))
    )
    expected = ((torch.arange(11.0) + 1) / 13)[:, None].expand(11, 6)
    torch.testing.assert_close(rewards, expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("positions", [None, [1], [5], [2, 3], [1, 4]], ids=str)
def test_prefixes_are_kept_and_the_rest_is_drawn_anew(name: str, positions: Sequence[int] | None) -> None:
    generator = build(name, vocabulary=50)
    tokens = torch.randint(50, (5, 6), generator=generator_for(8))
    completed = complete(generator, tokens, 3, Stream(generator_for(9)), positions)
    lengths = positions or range(1, 6)
    assert completed.shape == (len(lengths), 3, 5, 6)
    for found, length in zip(completed, lengths, strict=True):
        assert torch.equal(found[..., :length], tokens[:, :length].expand(3, 5, length))
        drawn = found[..., length:].reshape(15, -1)
        assert len(drawn.unique(dim=0)) > 7  # 15 completions, nearly all different
    again = complete(generator, tokens, 3, Stream(generator_for(9)), positions)
    assert torch.equal(completed, again)


def test_a_subset_of_positions_has_the_law_of_that_position() -> None:
    generator = build("lstm")
    tokens = torch.tensor([[2, 1, 0], [0, 2, 2]])
    completed = complete(generator, tokens, 4000, Stream(generator_for(10)), [2])
    law = generator.log_probs(EVERY).double().exp().detach()[:, 2].view(3, 3, 3)
    for row in range(2):
        counts = torch.bincount(completed[0, :, row, 2], minlength=3)
        exact = law[tokens[row, 0], tokens[row, 1]]
        assert pvalue(counts, exact) > 0.001


@pytest.mark.parametrize("positions", [[0], [3], [2, 1], [1, 1]], ids=str)
def test_positions_are_checked(positions: list[int]) -> None:
    with pytest.raises(ValueError, match="ascending prefix lengths from 1 to 2"):
        complete(build("lstm"), EVERY, 2, Stream(generator_for(0)), positions)


def test_sequences_that_end() -> None:
    """From the end token on, the reward is D(Y); before it, tokens after a completion's end are not seen."""
    generator = build("lstm", vocabulary=5, end=0)
    tokens = torch.tensor([[3, 0, 0, 0], [1, 2, 4, 3], [0, 0, 0, 0], [4, 4, 2, 0]])
    mask = mask_until(tokens, 0)
    seen: list[tuple[Tensor, Tensor]] = []

    class Watching(RealTokens):
        def scores(
            self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
        ) -> Float[Tensor, " batch"]:
            seen.append((tokens, mask))
            return super().scores(tokens, mask)

    rewards = rollout_rewards(generator, Watching(), tokens, mask, 50, Stream(generator_for(11)))
    terminal = RealTokens().scores(tokens, mask).sigmoid()
    assert torch.equal(rewards[~mask], torch.zeros(int((~mask).sum())))
    for row, last in enumerate((1, 3, 0, 3)):  # where each sequence ends
        assert rewards[row, last] == terminal[row]
    assert rewards[0, 0] != terminal[0]
    for given, real in seen[1:]:
        assert torch.equal(real, mask_until(given, 0))


class Counting(Generator):
    """Counts the rows that are read one token further."""

    def __init__(self, inner: Generator) -> None:
        super().__init__(inner.vocabulary_size, inner.start, inner.end)
        self.inner = inner
        self.output = inner.output
        self.rows: list[int] = []

    def start_state(self, count: int) -> State:
        return self.inner.start_state(count)

    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        self.rows.append(len(tokens))
        return self.inner.advance(tokens, state)

    def hidden(self, tokens: Tensor) -> Float[Tensor, "batch time width"]:
        return self.inner.hidden(tokens)


@pytest.mark.parametrize(("batch", "time", "rollouts"), [(3, 6, 4), (1, 2, 5), (2, 9, 1)])
def test_no_prefix_is_read_twice(batch: int, time: int, rollouts: int) -> None:
    """B · T steps for the sequences, N · B · (T − 1)(T − 2) / 2 for all completions, one call each a token."""
    generator = Counting(build("lstm"))
    tokens = torch.randint(3, (batch, time), generator=generator_for(12))
    complete(generator, tokens, rollouts, Stream(generator_for(13)))
    assert sum(generator.rows) == batch * time + rollouts * batch * (time - 1) * (time - 2) // 2
    assert len(generator.rows) == time + max(0, time - 2)


@pytest.mark.parametrize("name", NAMES)
def test_what_has_ended_is_not_advanced_and_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills: states of other roll-outs after some were dropped; ended prefixes that go on; draws of other rows."""
    inner = build(name, vocabulary=4, end=0)
    with torch.no_grad():
        inner.output.bias[0] = inner.output.bias.max() + 2.0
    tokens = inner.sample(9, 12, random=Stream(generator_for(18))).tokens
    found, steps = [], []
    for worth_keeping in (0.8, -1.0):  # at −1 nothing is ever dropped
        monkeypatch.setattr(rollouts, "WORTH_KEEPING", worth_keeping)
        generator = Counting(inner)
        completed = complete(generator, tokens, 5, Stream(generator_for(19)))
        mask = mask_until(completed.flatten(0, 2), 0).view(completed.shape)
        found.append(completed.masked_fill(~mask, 0))
        steps.append(sum(generator.rows))
    assert torch.equal(*found)
    prefixes = mask_until(tokens, 0)[:, :-1] & (tokens[:, :-1] != 0)  # those that go on
    alive = mask_until(found[0].flatten(0, 2), 0).view(found[0].shape) & prefixes.t()[:, None, :, None]
    beyond = torch.arange(12) > torch.arange(1, 12)[:, None]  # tokens after the first of each completion
    needed = int((alive & beyond[:, None, None]).sum()) + tokens.numel()
    assert needed <= steps[0] <= needed / 0.8 + 60
    assert steps[0] < 0.7 * steps[1]


def test_two_processes_complete_as_one_does() -> None:
    generator = build("lstm", vocabulary=7)
    tokens = torch.randint(7, (6, 5), generator=generator_for(14))
    whole = complete(generator, tokens, 3, Stream(generator_for(15)))
    for rank in range(2):
        with Stream(generator_for(15)).share(rank, rank + 1, 2) as stream:
            part = complete(generator, tokens[rank::2], 3, stream)
        assert torch.equal(part, whole[:, :, rank::2])


def test_one_token_needs_no_roll_out_and_bfloat16_runs() -> None:
    discriminator = CNN(embedding=4, widths=(1,), maps=(3,)).build(3, 1, generator_for(16))
    tokens, mask = torch.tensor([[0], [2]]), torch.ones(2, 1, dtype=torch.bool)
    rewards = rollout_rewards(build("lstm"), discriminator, tokens, mask, 2, Stream(generator_for(17)))
    assert torch.equal(rewards[:, 0], discriminator.scores(tokens, mask).sigmoid())
    longer = CNN(embedding=4, widths=(1, 2), maps=(3, 2)).build(3, 3, generator_for(16))
    with torch.autocast("cpu", torch.bfloat16):
        rewards = rollout_rewards(
            build("lstm"), longer, EVERY, torch.ones(27, 3, dtype=torch.bool), 2, Stream(generator_for(17))
        )
    assert bool(((rewards > 0) & (rewards < 1)).all())
