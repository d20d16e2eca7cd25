"""Scheduled sampling: its schedules, its limits, and the law of what is read.

Mutants killed: ω for 1 − ω, an epoch counted from 1, gradient through the sampling, targets that are sampled too, a
draw that has read the true tokens, the same choice for all tokens or all rows.
"""

from __future__ import annotations

import math

import pytest
import torch

from seqgans.algorithms.base import Play, Players
from seqgans.algorithms.likelihood import Likelihood, teacher_forcing
from seqgans.algorithms.scheduled_sampling import ScheduledSampling, mixed
from seqgans.data.corpus import CorpusSettings
from seqgans.data.drawn import world_corpus
from seqgans.data.worlds import WORLDS
from seqgans.generators.recurrent import LSTM, Recurrent
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team


def generator(vocabulary: int = 3, deviation: float = 0.8) -> Recurrent:
    made = LSTM(embedding=4, hidden=6, deviation=deviation).build(vocabulary, 0, None, generator_for(1))
    assert isinstance(made, Recurrent)
    return made


def test_the_three_schedules() -> None:
    linear = ScheduledSampling(constant=0.01, least=0.25)
    assert [linear.omega(epoch) for epoch in (0, 10, 200)] == pytest.approx([1.0, 0.9, 0.25])
    exponential = ScheduledSampling(decay="exponential", constant=0.9)
    assert [exponential.omega(epoch) for epoch in (0, 1, 3)] == pytest.approx([1.0, 0.9, 0.729])
    sigmoid = ScheduledSampling(decay="inverse_sigmoid", constant=10.0)
    assert sigmoid.omega(0) == pytest.approx(10 / 11)
    assert sigmoid.omega(20) == pytest.approx(10 / (10 + math.exp(2)))
    assert sigmoid.omega(10**6) == 0.0


def test_at_omega_one_the_loss_is_that_of_teacher_forcing_bit_for_bit() -> None:
    players = Players({"generator": generator(vocabulary=9)})
    real = Sequences.of(torch.randint(9, (5, 6), generator=generator_for(2)))
    play = Play(real=real, figures={"omega": 1.0}, random=Stream(generator_for(3)))
    found, expected = ScheduledSampling().sampled_forcing(players, play), teacher_forcing(players, play)
    assert torch.equal(found.value, expected.value)
    assert found.weight == expected.weight
    parameters = list(players.parameters())
    for one, other in zip(
        torch.autograd.grad(found.value, parameters), torch.autograd.grad(expected.value, parameters), strict=True
    ):
        assert torch.equal(one, other)


def test_a_minimum_is_part_of_the_law_that_is_learnt_and_drawn_from() -> None:
    """Kills: end tokens drawn or expected where none can stand."""
    law = LSTM(embedding=4, hidden=6, deviation=0.8).build(3, 0, 0, generator_for(1))
    law.minimum = 2
    players, tokens = Players({"generator": law}), torch.randint(1, 3, (400, 5), generator=generator_for(2))
    play = Play(real=Sequences.of(tokens, end=0), figures={"omega": 1.0}, random=Stream(generator_for(3)))
    assert torch.equal(ScheduledSampling().sampled_forcing(players, play).value, teacher_forcing(players, play).value)
    read = mixed(law, tokens, 0.0, Stream(generator_for(4)))
    assert not bool((read[:, :2] == 0).any())
    assert bool((read[:, 2] == 0).any())


def test_without_decay_training_is_maximum_likelihood_bit_for_bit() -> None:
    corpus = world_corpus(WORLDS["skewed"], CorpusSettings(sequences=300), seed=1)
    ends = []
    for algorithm in (
        ScheduledSampling(rounds=3, constant=0.0, batch=64),
        Likelihood(pretrain_epochs=3, batch=64, patience=0, keep_best=False),
    ):
        training = Training(algorithm, Players({"generator": generator()}), corpus, seed=4, team=Team("cpu"))
        losses = [event.loss for event in training.events() if event.kind == "update"]
        ends.append((losses, training.players.state_dict()))
    assert ends[0][0] == ends[1][0]
    assert len(ends[0][0]) == 15
    for name, tensor in ends[0][1].items():
        assert torch.equal(tensor, ends[1][1][name]), name


def test_omega_falls_from_round_to_round() -> None:
    corpus = world_corpus(WORLDS["skewed"], CorpusSettings(sequences=64), seed=1)
    algorithm = ScheduledSampling(rounds=3, constant=0.25)
    training = Training(algorithm, Players({"generator": generator()}), corpus, seed=4, team=Team("cpu"))
    assert [e.figures["omega"] for e in training.events() if e.kind == "gathering" and e.phase != "likelihood"] == [
        1.0,
        0.75,
        0.5,
    ]


def test_at_omega_zero_what_is_read_is_a_sample_of_the_generator() -> None:
    law = generator()
    tokens = torch.randint(3, (20_000, 3), generator=generator_for(5))
    read = mixed(law, tokens, 0.0, Stream(generator_for(6)))
    assert torch.equal(read[:, -1], tokens[:, -1])  # never read
    pairs = torch.cartesian_prod(torch.arange(3), torch.arange(3))
    padded = torch.nn.functional.pad(pairs, (0, 1))
    exact = law.log_probs(padded)[:, :2].sum(1).exp()
    found = torch.bincount(read[:, 0] * 3 + read[:, 1], minlength=9) / 20_000
    deviations = (found - exact) / (exact * (1 - exact) / 20_000).sqrt()
    assert deviations.abs().max() < 4
    assert (exact - 1 / 9).abs().max() > 0.02


@pytest.mark.parametrize("whole", [False, True])
def test_true_tokens_are_kept_with_probability_omega(whole: bool) -> None:
    law = generator(vocabulary=1000, deviation=0.01)  # a draw hits the true token once in a thousand
    tokens = torch.randint(1000, (4000, 5), generator=generator_for(7))
    kept = (mixed(law, tokens, 0.7, Stream(generator_for(8)), whole) == tokens)[:, :-1].float()
    assert kept.mean().item() == pytest.approx(0.7, abs=0.03)
    together = (kept == kept[:, :1]).all(1).float().mean().item()
    assert together > 0.98 if whole else together < 0.3


def test_the_targets_stay_the_true_tokens() -> None:
    players = Players({"generator": generator()})
    real = Sequences.of(torch.randint(3, (4, 3), generator=generator_for(9)))
    play = Play(real=real, figures={"omega": 0.0}, random=Stream(generator_for(10)))
    found = ScheduledSampling().sampled_forcing(players, play).value
    read = mixed(players.generator, real.tokens, 0.0, Stream(generator_for(10)))
    log_law = players.generator.logits(read).log_softmax(2)
    expected = -log_law.gather(2, real.tokens[:, :, None]).mean()
    torch.testing.assert_close(found, expected)
    assert not torch.equal(read, real.tokens)


@pytest.mark.parametrize(
    ("decay", "constant", "words"),
    [
        ("linear", 1.5, "at least 0 and at most 1"),
        ("exponential", 0.0, "above 0 and at most 1"),
        ("inverse_sigmoid", 0.5, "at least 1 and finite"),
    ],
)
def test_a_constant_outside_its_schedule_is_refused(decay: str, constant: float, words: str) -> None:
    with pytest.raises(
        ValueError, match=f"ScheduledSampling.constant must be {words} for decay {decay}, got {constant}"
    ):
        ScheduledSampling(decay=decay, constant=constant)
