"""JSDGAN on worlds of few sequences: weights, gradient and what is learnt, against exact sums.

Mutants killed: duplicates that count once, padding that tells sequences apart, weights of other rows, weights of one
process's rows, ω for ω / p_d, a gradient that flows through the weights, the power left out, the control arm that
shuffles nothing.
"""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.algorithms.base import Algorithm, Play, Players, Scene
from seqgans.algorithms.jsdgan import JSDGAN, frequencies
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.generators.base import Generator, State
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team


class Table(Generator):
    """One row of logits for each prefix of a world of 3 tokens and 3 steps."""

    def __init__(self, random: torch.Generator) -> None:
        super().__init__(3)
        self.output = nn.Linear(13, 3)
        with torch.no_grad():
            self.output.weight.normal_(generator=random)
            self.output.bias.zero_()

    def start_state(self, count: int) -> State:
        """No prefix is number −1, before the start token."""
        return (torch.full((count,), -1),)

    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """Prefix n followed by y is number 3 n + y + 1."""
        following = torch.where(state[0] < 0, 0, 3 * state[0] + tokens + 1)
        return nn.functional.one_hot(following, 13).float(), (following,)

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """The prefix before each token."""
        state, found = self.start_state(len(tokens)), []
        for column in self.inputs(tokens).t():
            hidden, state = self.advance(column, state)
            found.append(hidden)
        return torch.stack(found, 1)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Sequences of 27, very unequal; some never occur."""
    return open_text_corpus("world:skewed", CorpusSettings(sequences=100, valid=0.0, test=0.0), 0)


@pytest.fixture(scope="module")
def players() -> Players:
    return Players({"generator": LSTM(embedding=2, hidden=3, deviation=0.8).build(3, 0, None, generator_for(0))})


def weighed(algorithm: JSDGAN, players: Players, corpus: Corpus, seed: int = 0) -> Play:
    with torch.no_grad():
        return algorithm.weighed(players, Scene(corpus, Stream(generator_for(seed))))


def log_law(players: Players, sequences: Sequences) -> Tensor:
    return players.generator.log_probs(sequences.tokens).double().sum(1)


def distinct(corpus: Corpus) -> tuple[Sequences, Tensor]:
    """Each training sequence once, and p_d of it."""
    tokens, counts = corpus.train.tokens.unique(dim=0, return_counts=True)
    return Sequences.of(tokens), counts.double() / len(corpus.train)


def test_all_training_sequences_together_give_the_gradient_of_the_game(players: Players, corpus: Corpus) -> None:
    """∇V, by autograd through JSD's definition on p_d's support; V's other terms are ln 1."""
    sequences, data = distinct(corpus)
    assert len(data) < 27
    assert float(data.max()) > 2 / len(corpus.train)
    model = log_law(players, sequences).exp()
    value = (data * (data / (data + model)).log()).sum() + (model * (model / (data + model)).log()).sum()
    parameters = list(players.generator.parameters())
    exact = torch.autograd.grad(value, parameters)
    play = weighed(JSDGAN(law="exact", batch=len(corpus.train)), players, corpus)
    assert play.figures["game_value"] == pytest.approx(value.item(), abs=1e-6)
    found = torch.autograd.grad(JSDGAN(law="exact").generator_loss(players, play).value, parameters)
    for one, other in zip(found, exact, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
    assert max(part.abs().max() for part in exact) > 1e-2


def test_frequencies_count_real_tokens_alone() -> None:
    tokens = torch.tensor([[1, 0, 2], [1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 1, 0]])
    mask = torch.tensor([[True, True, False], [True, True, False], [True, True, True], [True, False, False]])
    every = Sequences(tokens[:4], mask)
    assert frequencies(every, every).tolist() == [0.5, 0.5, 0.25, 0.25]
    assert frequencies(every[torch.tensor([1, 3, 3])], every).tolist() == [0.5, 0.25, 0.25]


@pytest.mark.parametrize("power", [1.0, 0.3])
def test_a_shared_law_weighs_by_rank_of_likelihood_and_means_one(
    players: Players, corpus: Corpus, power: float
) -> None:
    play = weighed(JSDGAN(batch=30, power=power), players, corpus)
    assert play.real is not None
    weights = play.extras["weights"]
    assert weights.mean().item() == pytest.approx(1.0)
    shares = (power * log_law(players, play.real)).softmax(0)
    expected = shares * torch.log1p(1 / 30 / shares)
    torch.testing.assert_close(weights, 30 * expected / expected.sum())
    relative = weights / 30
    assert play.figures["effective_samples"] == pytest.approx(1 / relative.square().sum().item())
    assert play.figures["largest_share"] == pytest.approx(relative.max().item())


def test_a_smaller_power_comes_closer_to_likelihood(players: Players, corpus: Corpus) -> None:
    counts = [
        weighed(JSDGAN(batch=50, power=power), players, corpus).figures["effective_samples"]
        for power in (1.0, 0.5, 1e-6)
    ]
    assert counts[0] < counts[1] < counts[2]
    assert counts[2] == pytest.approx(50, abs=1e-3)


def test_per_token_short_sequences_do_not_count_more() -> None:
    """A generator for which every token has probability ¼: without it, the shorter sequence wins."""
    tokens = nn.functional.pad(torch.tensor([[1, 0, 0, 0], [1, 2, 3, 0]]), (0, 8))
    corpus = open_text_corpus("world:markov", CorpusSettings(sequences=20), 0)
    corpus = dataclasses.replace(corpus, train=Sequences.of(tokens, end=0))
    generator = LSTM(embedding=2, hidden=2).build(4, 0, 0, generator_for(0))
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.zero_()
    both = Players({"generator": generator})
    assert weighed(JSDGAN(batch=2, per_token=True), both, corpus).extras["weights"].tolist() == pytest.approx([1, 1])
    assert weighed(JSDGAN(batch=2), both, corpus).figures["largest_share"] == pytest.approx(0.7517, abs=1e-3)


def test_processes_weigh_over_the_batch_of_all(players: Players, corpus: Corpus) -> None:
    whole = weighed(JSDGAN(batch=20), players, corpus)
    sent: list[Tensor] = []
    for joined in (False, True):
        for rank in range(2):

            def gather(rows: Tensor, joined: bool = joined) -> Tensor:
                if joined:
                    return torch.stack(sent, 1).flatten(0, 1)
                sent.append(rows)
                return rows.repeat_interleave(2)

            scene = Scene(corpus, Stream(generator_for(0)), rank=rank, processes=2, gather=gather)
            with torch.no_grad():
                part = JSDGAN(batch=20).weighed(players, scene)
            if joined:
                torch.testing.assert_close(part.extras["weights"], whole.extras["weights"][rank::2])
                assert part.figures == pytest.approx(whole.figures)


def test_the_control_arm_hands_weights_to_others(players: Players, corpus: Corpus) -> None:
    plain, control = (weighed(JSDGAN(batch=30, shuffled=shuffled), players, corpus) for shuffled in (False, True))
    assert plain.real is not None
    assert control.real is not None
    assert torch.equal(plain.real.tokens, control.real.tokens)
    one, other = plain.extras["weights"], control.extras["weights"]
    assert not torch.equal(one, other)
    assert torch.equal(one.sort().values, other.sort().values)


def test_weights_carry_no_gradient(players: Players, corpus: Corpus) -> None:
    play = weighed(JSDGAN(batch=10), players, corpus)
    assert not play.extras["weights"].requires_grad
    assert play.real is not None
    loss = JSDGAN().generator_loss(players, play).value
    expected = -(play.extras["weights"] * log_law(players, play.real)).mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_table_reaches_the_empirical_law(corpus: Corpus) -> None:
    """From random logits, exact weights, no maximum likelihood: JSD below 1e-3 nats."""
    players = Players({"generator": Table(generator_for(1))})
    algorithm = JSDGAN(law="exact", batch=100, rounds=1, generator_steps=120, generator_rate=0.3)
    for _ in Training(algorithm, players, corpus, 0, Team("cpu")).events():
        pass
    sequences, data = distinct(corpus)
    model = log_law(players, sequences).detach().exp()
    mixture = (data + model) / 2
    outside = (1 - model.sum()).clamp(min=0) * math.log(2)  # ln (p_g / (p_g / 2)) where p_d = 0
    divergence = 0.5 * ((data * (data / mixture).log()).sum() + (model * (model / mixture).log()).sum() + outside)
    assert divergence < 1e-3


def test_the_schedule() -> None:
    algorithm = JSDGAN(rounds=7, generator_steps=3)
    assert isinstance(algorithm, Algorithm)
    schedule = algorithm.schedule()
    assert [(phase.name, phase.gathers) for phase in schedule.before] == [("likelihood", 0)]  # from scratch
    assert [(phase.gathers, phase.passes, phase.batch) for phase in schedule.round] == [(3, 1, None)]
    assert schedule.rounds == 7


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch": 0}, r"JSDGAN\.batch must be at least 1, got 0"),
        ({"power": 0.0}, r"JSDGAN\.power must be a finite number above 0, got 0"),
        ({"law": "exact", "power": 0.5}, r"JSDGAN\.power must be 1 and per_token false where law is exact, got 0\.5"),
        ({"law": "exact", "per_token": True}, r"JSDGAN\.power must be 1 and per_token false where law is exact"),
    ],
)
def test_settings_are_checked(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        JSDGAN(**settings)  # pyright: ignore[reportArgumentType]
