"""Worlds against enumeration: every law sums to 1, entropies are exact, samples follow, nothing impossible is drawn."""

from __future__ import annotations

import math

import pytest
import torch

from seqgans.data.worlds import WORLDS, World
from seqgans.randomness import Stream

ENUMERABLE = [world for name, world in WORLDS.items() if name != "markov"]
EVERY = list(WORLDS.values())


def named(world: World) -> str:
    return world.name


def draw(world: World, count: int, seed: int = 0) -> torch.Tensor:
    return world.sample(count, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("world", ENUMERABLE, ids=named)
def test_probabilities_of_all_sequences_sum_to_one_and_give_the_entropy(world: World) -> None:
    rows = world.support()
    log_probs = world.log_probs(rows).double().sum(1)  # (sequences)
    assert log_probs.exp().sum().item() == pytest.approx(1.0, abs=1e-5)  # float32 log-probabilities
    entropy = -(log_probs.exp() * log_probs).sum().item() / world.length
    assert world.entropy() == pytest.approx(entropy, abs=1e-6)
    assert len(rows.unique(dim=0)) == len(rows)


@pytest.mark.parametrize(
    ("name", "count", "entropy"),
    [
        ("parrot", 2, math.log(2) / 8),
        ("brackets", math.comb(16, 8) // 9, math.log(math.comb(16, 8) // 9) / 16),  # Catalan numbers
        ("skewed", 27, None),
        ("copy", 256, math.log(4) / 2),
        ("arithmetic", sum(4**n for n in range(6)), (math.log(6) + 2.5 * math.log(4)) / 12),
    ],
)
def test_known_numbers(name: str, count: int, entropy: float | None) -> None:
    world = WORLDS[name]
    assert len(world.support()) == count
    if entropy is not None:
        assert world.entropy() == pytest.approx(entropy, abs=1e-12)


def test_parrot_says_two_things() -> None:
    assert WORLDS["parrot"].support().tolist() == [[1, 2] * 4, [2, 1] * 4]


def test_brackets_are_balanced() -> None:
    depth = torch.where(WORLDS["brackets"].support() == 1, 1, -1).cumsum(1)
    assert bool((depth >= 0).all())
    assert bool((depth[:, -1] == 0).all())


def test_copy_copies() -> None:
    rows = WORLDS["copy"].support()
    assert rows[:, :4].equal(rows[:, 4:])


def test_arithmetic_is_what_its_grammar_derives() -> None:
    """Every string of the grammar S → x | S+S | S−S | S*S | S/S with at most 12 symbols, and no other."""
    derived = {"x"}
    for _ in range(5):
        derived |= {
            f"{one}{sign}{other}" for one in derived for sign in "+-*/" for other in derived if len(one + other) < 12
        }
    rows = WORLDS["arithmetic"].support().tolist()
    assert {"".join(" x+-*/"[token] for token in row).rstrip() for row in rows} == derived


def test_skewed_is_zipf_in_a_scattered_order() -> None:
    world = WORLDS["skewed"]
    rows = world.support()
    weights = torch.tensor([1.0 / (1 + 7 * number % 27) for number in range(27)], dtype=torch.float64)
    assert rows.tolist() == [[n // 9, n // 3 % 3, n % 3] for n in range(27)]
    torch.testing.assert_close(world.log_probs(rows).double().sum(1).exp(), weights / weights.sum())


def test_markov_entropy_is_that_of_its_chain() -> None:
    world = WORLDS["markov"]
    law = world.automaton.law[0]
    rows = -(law * law.log()).sum(1)  # of each state, the start first
    marginal, total = law[0], rows[0].item()
    for _ in range(world.length - 1):
        total += (marginal @ rows[1:]).item()
        marginal = marginal @ law[1:]
    assert world.entropy() == pytest.approx(total / world.length, abs=1e-12)
    assert world.entropy() == pytest.approx(1.63801355, abs=1e-6)  # figures in reports rest on this chain
    with pytest.raises(ValueError, match="world:markov must have at most 1000000 sequences"):
        world.support()


@pytest.mark.parametrize("world", EVERY, ids=named)
def test_samples_are_possible_repeat_and_cost_the_entropy(world: World) -> None:
    rows = draw(world, 4000)
    assert tuple(rows.shape) == (4000, world.length)
    assert 0 <= int(rows.min()) <= int(rows.max()) < world.vocabulary_size
    assert rows.equal(draw(world, 4000))
    assert not rows.equal(draw(world, 4000, seed=1))
    costs = -world.log_probs(rows).double().sum(1)
    assert bool(costs.isfinite().all())
    error = costs.std().item() / math.sqrt(len(rows)) + 1e-6  # one standard error, or rounding where none
    assert costs.mean().item() == pytest.approx(world.entropy() * world.length, abs=4 * error)


@pytest.mark.parametrize("world", ENUMERABLE, ids=named)
def test_samples_follow_the_law(world: World) -> None:
    rows, possible = draw(world, 20_000), world.support()
    powers = world.vocabulary_size ** torch.arange(world.length)
    places = torch.searchsorted((possible * powers).sum(1).sort().values, (rows * powers).sum(1))
    seen = torch.bincount(places, minlength=len(possible)).double() / len(rows)
    order = (possible * powers).sum(1).argsort()
    expected = world.log_probs(possible).double().sum(1).exp()[order]
    # 6 standard deviations of the most likely sequence's share: a wrong law misses it, chance does not
    assert (seen - expected).abs().max().item() < 6 * math.sqrt(expected.max().item() / len(rows))


def test_impossible_sequences_have_no_probability() -> None:
    impossible = torch.tensor([[1] * 8, [0] * 8])
    assert WORLDS["parrot"].log_probs(impossible).sum(1).tolist() == [-math.inf, -math.inf]


@pytest.mark.parametrize("least_or_most", [0.0, 1.0 - 2**-24])
def test_extreme_numbers_draw_nothing_impossible(monkeypatch: pytest.MonkeyPatch, least_or_most: float) -> None:
    monkeypatch.setattr(Stream, "uniform", lambda self, *shape: torch.full(shape, least_or_most))
    for world in EVERY:
        assert bool(world.log_probs(draw(world, 2)).isfinite().all())


def test_prefixes_have_the_same_log_probabilities() -> None:
    rows = draw(WORLDS["markov"], 5)
    assert WORLDS["markov"].log_probs(rows[:, :4]).equal(WORLDS["markov"].log_probs(rows)[:, :4])


def test_processes_share_a_stream() -> None:
    world = WORLDS["markov"]
    whole = draw(world, 6)
    parts = []
    for start in (0, 3):
        stream = Stream(torch.Generator().manual_seed(0))
        with stream.share(start, start + 3, 6):
            parts.append(world.sample(3, stream))
    assert torch.cat(parts).equal(whole)


@pytest.mark.parametrize("world", EVERY, ids=named)
def test_tables_fit(world: World) -> None:
    assert WORLDS[world.name] is world
    law, moves = world.automaton
    assert law.shape == moves.shape
    assert law.shape[0] == world.length
    assert law.shape[2] == world.vocabulary_size
