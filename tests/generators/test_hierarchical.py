"""The hierarchical generator: one law whether sampled, teacher-forced or rolled out, and no gradient leaks.

Mutants killed: a goal used in the step that sets it, a window one step off, blocks that start late, features of
longer prefixes, W_ψ or O with a bias, goals not of length 1, the 1 missing in [h, 1], stale features after the
discriminator learnt, a discriminator registered inside the generator, parameters outside manager and worker.
"""

from __future__ import annotations

import copy
import itertools

import pytest
import torch
from torch import Tensor

from seqgans.algorithms.base import Players
from seqgans.discriminators.convolutional import CNN
from seqgans.discriminators.leaking import Leaking, LeakingCNN
from seqgans.errors import BadInput
from seqgans.generators.base import join, repeat, select
from seqgans.generators.hierarchical import Hierarchical, Planner
from seqgans.generators.recurrent import LSTM, Recurrent
from seqgans.randomness import generator_for
from seqgans.sequences import mask_until

VOCABULARY, LENGTH = 5, 7
SMALL = LeakingCNN(embedding=4, widths=(1, 2, 4), maps=(3, 4, 5))


def pair(
    settings: Hierarchical | None = None, end: int | None = None, vocabulary: int = VOCABULARY, length: int = LENGTH
) -> tuple[Planner, Leaking]:
    settings = settings or Hierarchical(embedding=6, worker=5, manager=4, goal=3, horizon=2, deviation=0.5)
    generator = Planner(vocabulary, 0, end, settings, generator_for(1, "generator"))
    discriminator = Leaking(vocabulary, length, SMALL, generator_for(1, "discriminator"))
    generator.attach(discriminator)
    return generator, discriminator


def ids(rows: int, seed: int = 3) -> Tensor:
    return torch.randint(VOCABULARY, (rows, LENGTH), generator=generator_for(seed))


@pytest.mark.parametrize("end", [None, 0])
@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("window", ["sliding", "block", "constant"])
def test_samples_have_the_likelihood_of_teacher_forcing(window: str, normalise: bool, end: int | None) -> None:
    settings = Hierarchical(
        embedding=6, worker=5, manager=4, goal=3, horizon=3, goal_window=window, normalise=normalise, deviation=0.5
    )
    generator, _ = pair(settings, end)
    samples = generator.sample(40, LENGTH, random=generator_for(5))
    again = generator.log_probs(samples.tokens).masked_fill(~samples.mask, 0.0)
    torch.testing.assert_close(samples.log_probs, again, rtol=0, atol=1e-5)
    if end is not None:
        assert 0 < samples.mask.sum() < samples.mask.numel()


def test_all_sequences_of_a_small_world_sum_to_one() -> None:
    generator, _ = pair(vocabulary=3, length=4)
    every = torch.tensor(list(itertools.product(range(3), repeat=4)))
    assert generator.log_probs(every).sum(1).exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def test_goals_have_length_one() -> None:
    generator, discriminator = pair()
    features, goals = generator.plan(ids(6))
    assert features.shape == (6, LENGTH + 1, discriminator.feature_count)
    assert goals.shape == (6, LENGTH, discriminator.feature_count)
    torch.testing.assert_close(goals.norm(dim=2), torch.ones(6, LENGTH))


def test_with_a_constant_aim_it_is_an_ordinary_lstm() -> None:
    settings = Hierarchical(embedding=6, worker=5, manager=4, goal=3, horizon=2, goal_window="constant", deviation=0.5)
    generator, _ = pair(settings)
    with torch.no_grad():  # before the first token the same goal as afterwards
        generator.worker.first_goal.copy_(generator.manager.goal.bias)
    aim = generator.worker.embedded_first_goals(1)[0].sum(0)  # (goal)
    output = generator.output.weight.view(VOCABULARY, 6, 3) @ aim  # (vocab, worker + 1)
    plain = Recurrent("lstm", VOCABULARY, 0, None, LSTM(embedding=6, hidden=5), generator_for(0))
    plain.embedding = generator.worker.embedding
    plain.cell = generator.worker.cell
    with torch.no_grad():
        plain.output.weight.copy_(output[:, :-1])
        plain.output.bias.copy_(output[:, -1])
    torch.testing.assert_close(generator.log_probs(ids(9)), plain.log_probs(ids(9)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("window", ["sliding", "block"])
def test_an_aim_is_the_sum_of_the_goals_of_its_window(window: str) -> None:
    horizon = 3
    settings = Hierarchical(embedding=6, worker=5, manager=4, goal=3, horizon=horizon, goal_window=window)
    generator, _ = pair(settings)
    _, goals = generator.plan(ids(4))
    worker = generator.worker
    before = worker.goals(torch.nn.functional.normalize(worker.first_goal, dim=0))
    aims = worker.aims(worker.embedded_goals(goals), range(LENGTH))
    for time in range(LENGTH):
        last = time if window == "sliding" else time // horizon * horizon  # the first goal that is not seen
        seen = [worker.goals(goals[:, t]) if t >= 0 else before.expand(4, -1) for t in range(last - horizon, last)]
        torch.testing.assert_close(aims[:, time], torch.stack(seen).sum(0))


def test_the_manager_reads_the_features_of_the_padded_prefix() -> None:
    generator, discriminator = pair(end=0)
    tokens = ids(8)
    mask = mask_until(tokens, 0)
    features, _ = generator.plan(tokens)
    for length in range(LENGTH + 1):
        part = mask & (torch.arange(LENGTH) < length)
        torch.testing.assert_close(features[:, length], discriminator.features(tokens, part), rtol=0, atol=1e-5)


def test_features_while_sampling_are_those_of_the_whole_sentence() -> None:
    generator, discriminator = pair()
    tokens = ids(8)
    state = generator.start_state(8)
    for read in generator.inputs(tokens).t():
        _, state = generator.advance(read, state)
    seen, _ = discriminator.advance(tokens[:, -1], state[5:], LENGTH - 1)
    whole = discriminator.features(tokens, torch.ones_like(tokens, dtype=torch.bool))
    torch.testing.assert_close(seen, whole, rtol=0, atol=1e-5)


def test_a_hidden_state_does_not_see_its_token_or_later_ones() -> None:
    generator, _ = pair()
    tokens = ids(6)
    changed = tokens.clone()
    changed[:, 3:] = (changed[:, 3:] + 1) % VOCABULARY
    before, after = generator.hidden(tokens), generator.hidden(changed)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.equal(before[:, 4], after[:, 4])


def test_states_can_be_chosen_repeated_and_joined() -> None:
    generator, _ = pair()
    tokens = ids(6)
    state = generator.start_state(6)
    for read in generator.inputs(tokens).t()[:4]:
        _, state = generator.advance(read, state)
    rows = torch.tensor([5, 0])
    several = join((repeat(state, 2), select(state, rows)))
    order = torch.cat([torch.arange(6), torch.arange(6), rows])
    hidden, _ = generator.advance(tokens[order, 3], several)
    torch.testing.assert_close(hidden, generator.hidden(tokens)[order, 4], rtol=0, atol=1e-5)


def test_many_rows_are_read_in_parts() -> None:
    generator, _ = pair()
    tokens = ids(300)
    with torch.no_grad():
        torch.testing.assert_close(generator.log_probs(tokens)[290:], generator.log_probs(tokens[290:]))


def test_no_gradient_reaches_the_discriminator() -> None:
    generator, discriminator = pair()
    generator.log_probs(ids(4)).sum().backward()
    relaxed = generator.relax(4, LENGTH, random=generator_for(2))
    relaxed.weights.square().sum().backward()
    assert all(parameter.grad is None for parameter in discriminator.parameters())
    assert all(parameter.grad is not None for parameter in generator.worker.parameters())
    assert generator.manager.goal.weight.grad is not None


def test_what_the_discriminator_learns_is_seen_at_once() -> None:
    generator, discriminator = pair()
    tokens = ids(4)
    before = generator.leaked(tokens)
    with torch.no_grad():
        discriminator.network.embedding.add_(0.3)
    assert not torch.equal(before, generator.leaked(tokens))
    assert not torch.equal(generator.leaked(tokens), generator.leaked((tokens + 1) % VOCABULARY))


def test_manager_and_worker_hold_all_parameters_and_nothing_of_the_discriminator() -> None:
    generator, _ = pair()
    names = {name for name, _ in generator.named_parameters()}
    assert names == set(generator.state_dict())
    assert {name.split(".")[0] for name in names} == {"manager", "worker"}
    assert not generator.output.bias.any()
    assert generator.output is generator.worker.output


def test_copied_players_stay_together() -> None:
    generator, discriminator = pair()
    players = Players({"generator": generator, "discriminator": discriminator})
    copied = copy.deepcopy(players)
    twin = copied.generator
    assert isinstance(twin, Planner)
    assert twin.discriminator is copied.discriminator
    assert twin.output is twin.worker.output
    assert twin.output.weight is not generator.output.weight
    torch.testing.assert_close(twin.log_probs(ids(3)), generator.log_probs(ids(3)))


def test_equal_seeds_draw_equal_parameters() -> None:
    first, second = pair()[0], pair()[0]
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_it_must_meet_a_discriminator_that_leaks() -> None:
    generator = Hierarchical().build(VOCABULARY, 0, None, generator_for(0))
    with pytest.raises(BadInput, match="has met no discriminator"):
        generator.sample(2, LENGTH, random=generator_for(0))
    with pytest.raises(BadInput, match="Convolutional leaks none; choose the discriminator 'leaking'"):
        generator.attach(CNN(widths=(1,), maps=(2,)).build(VOCABULARY, LENGTH, generator_for(0)))
    generator.attach(Leaking(VOCABULARY, LENGTH, SMALL, generator_for(0)))
    with pytest.raises(BadInput, match="made for 12 leaked features, this discriminator has 2"):
        generator.attach(LeakingCNN(widths=(1,), maps=(2,)).build(VOCABULARY, LENGTH, generator_for(0)))


@pytest.mark.parametrize("wrong", [{"horizon": 0}, {"goal": 0}, {"deviation": 0.0}])
def test_settings_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=rf"^Hierarchical\.{next(iter(wrong))} must .*got"):
        Hierarchical(**wrong)  # pyright: ignore[reportArgumentType]
