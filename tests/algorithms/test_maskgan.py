"""MaskGAN's actor-critic gradient on a world of 3 tokens and 3 steps, where every expectation is a sum over 27 fills.

Mutants killed: the sign of the policy gradient, rewards of the position before or after, no discount or one that counts
from the start, a critic that has read the token it judges, advantages at kept tokens, a fill that changes what is kept,
a control arm that keeps rewards where they are, a curriculum that stands still.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.infilling import blanks_nll, filled_in, language_loss, telling_fills_apart
from seqgans.algorithms.maskgan import MaskGAN
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.seq2seq import Seq2SeqScorer
from seqgans.errors import BadInput
from seqgans.generators.base import Generator
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.generators.seq2seq import Seq2Seq
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.infilling import Critic
from seqgans.sequences import Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
GROUPS, ROWS = 40, 500
WIDTH = 1 + 3 + 9  # prefixes of less than 3 tokens


def numbered(tokens: Tensor) -> Tensor:
    """The number of each prefix: 0 for none, then those of one token, of two and of three, (batch, 4)."""
    codes = [torch.zeros(len(tokens), dtype=torch.long)]
    for time in range(3):
        codes.append(3 * codes[-1] + tokens[:, time])
    return torch.stack([code + offset for code, offset in zip(codes, (0, 1, 4, 13), strict=True)], 1)


class Table(Discriminator):
    """A score for every prefix, whatever the context; what is known before a token is which prefix it follows."""

    width = WIDTH

    def __init__(self) -> None:
        super().__init__(3)
        self.table = nn.Parameter(2 * torch.randn(WIDTH + 27, generator=generator_for(0, "table")))

    def scores(self, tokens: Tensor, mask: Tensor, *, random: Stream | None = None) -> Float[Tensor, " batch"]:
        return self.step_scores(tokens, mask)[:, -1]

    def step_scores(
        self,
        tokens: Tensor,
        mask: Bool[Tensor, "batch time"],
        *,
        context: Sequences | None = None,
        random: Stream | None = None,
    ) -> Float[Tensor, "batch time"]:
        return self.table[numbered(tokens)[:, 1:]]

    def states_before(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, context: Sequences | None = None
    ) -> Float[Tensor, "batch time width"]:
        return nn.functional.one_hot(numbered(tokens)[:, :3], WIDTH).float()

    def start_from(self, generator: Generator) -> None:
        pass


@pytest.fixture
def players() -> Players:
    generator = Seq2Seq(hidden=3, layers=1, dropout=0.0).build(3, 0, None, generator_for(0, "generator"))
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.mul_(2)
    return Players({"generator": generator, "discriminator": Table(), "critic": Critic(WIDTH)})


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return oracle_corpus(fresh_oracle(3, 0), CorpusSettings(length=3, sequences=50, valid=0.2, test=0.2), 0)


def flat(value: Tensor, players: Players) -> Tensor:
    found = torch.autograd.grad(value, [*players.generator.parameters()], allow_unused=True)
    return torch.cat([torch.zeros(1) if part is None else part.flatten() for part in found])


def exact_returns(players: Players, discount: float) -> Tensor:
    """R_t of all 27 sequences when all of each is filled in, (27, 3)."""
    rewards = (players.discriminator.step_scores(EVERY, EVERY >= 0).sigmoid() + 1e-7).log().detach()  # type: ignore[operator]
    from_here = [torch.tensor([discount ** (later - time) for later in range(time, 3)]) for time in range(3)]
    return torch.stack([rewards[:, time:] @ weights for time, weights in enumerate(from_here)], 1)


def exact_gradient(players: Players, discount: float) -> Tensor:
    """Σ_Y G(Y) Σ_t R_t ∇ log G(y_t): for γ = 1 the gradient of the expected sum of rewards."""
    log_probs = players.generator.log_probs(EVERY)
    weights = log_probs.sum(1).exp().detach()[:, None] * exact_returns(players, discount)
    return flat((weights * log_probs).sum(), players)


def fitted(players: Players, discount: float) -> None:
    """Give the critic the exact mean of R_t after each prefix."""
    returns, law = exact_returns(players, discount), players.generator.log_probs(EVERY).sum(1).exp().detach()
    codes = numbered(EVERY)[:, :3]
    head = players.get_submodule("critic").get_parameter("head.weight")
    with torch.no_grad():
        for prefix in range(WIDTH):
            rows, times = (codes == prefix).nonzero(as_tuple=True)
            head[0, prefix] = (law[rows] * returns[rows, times]).sum() / law[rows].sum()


def estimates(algorithm: MaskGAN, players: Players, corpus: Corpus) -> Tensor:
    """The gradient of the loss on each of many plays, with the sign of the objective."""
    stream, found = Stream(generator_for(1, "plays")), []
    for _ in range(GROUPS):
        with torch.no_grad():
            play = algorithm.play(players, Scene(corpus, stream))
        found.append(-flat(algorithm.generator_loss(players, play).value, players))
    return torch.stack(found)


def whole(**settings: Any) -> MaskGAN:
    return MaskGAN(present=0.0, present_last=0.0, batch=ROWS, advantage_limit=1e6, **{"discount": 1.0, **settings})  # type: ignore[arg-type]


def assert_unbiased(found: Tensor, exact: Tensor) -> None:
    error = found.std(0) / GROUPS**0.5
    assert bool(((found.mean(0) - exact).abs() <= 4 * error + 1e-6).all())
    assert bool((exact.abs() > 4 * error).any())  # there is something to estimate


def test_the_surrogate_is_the_gradient_of_the_expected_rewards(players: Players) -> None:
    law = players.generator.log_probs(EVERY).sum(1).exp()
    expected = flat((law * exact_returns(players, 1.0)[:, 0]).sum(), players)
    torch.testing.assert_close(exact_gradient(players, 1.0), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("discount", [1.0, 0.5])
@pytest.mark.parametrize("baseline", ["none", "arbitrary"])
def test_the_estimate_has_the_exact_mean_whatever_the_critic_says(
    players: Players, corpus: Corpus, discount: float, baseline: str
) -> None:
    if baseline == "arbitrary":
        nn.init.normal_(players.get_submodule("critic").get_parameter("head.weight"), generator=generator_for(2))
    assert_unbiased(estimates(whole(discount=discount), players, corpus), exact_gradient(players, discount))


def test_a_fitted_critic_halves_the_variance_at_least(players: Players, corpus: Corpus) -> None:
    plain = estimates(whole(), players, corpus)
    fitted(players, 1.0)
    centred = estimates(whole(), players, corpus)
    assert_unbiased(centred, exact_gradient(players, 1.0))
    assert centred.var(0).sum() <= 0.5 * plain.var(0).sum()


def test_the_critic_learns_the_mean_return_of_each_prefix(players: Players, corpus: Corpus) -> None:
    algorithm, stream = whole(), Stream(generator_for(3))
    critic = players.get_submodule("critic")
    optimizer = torch.optim.Adam(critic.parameters(), lr=0.1)
    for _ in range(80):
        with torch.no_grad():
            play = algorithm.play(players, Scene(corpus, stream))
        optimizer.zero_grad()
        algorithm.critic_loss(players, play).value.backward()
        assert all(part.grad is None for part in (*players.generator.parameters(), *players.discriminator.parameters()))
        optimizer.step()
    learnt = critic(torch.eye(WIDTH)[None])[0].detach()
    fitted(players, 1.0)
    expected = critic.get_parameter("head.weight")[0].detach()
    assert (learnt - expected).abs().mean() < 0.2


def test_the_control_arm_has_no_direction(players: Players, corpus: Corpus) -> None:
    fitted(players, 1.0)
    found = estimates(dataclasses.replace(whole(), shuffled=True), players, corpus)
    assert bool((found.mean(0).abs() <= 4 * found.std(0) / GROUPS**0.5 + 1e-6).all())


def played(algorithm: MaskGAN, players: Players, corpus: Corpus) -> Play:
    with torch.no_grad():
        return algorithm.play(players, Scene(corpus, Stream(generator_for(4))))


def test_what_is_kept_stays_and_earns_nothing(players: Players, corpus: Corpus) -> None:
    algorithm = MaskGAN(batch=60)
    play = played(algorithm, players, corpus)
    kept = play.extras["kept"]
    assert play.real is not None
    assert play.fake is not None
    assert play.source is not None
    assert play.rewards is not None
    assert torch.equal(play.fake.tokens[kept], play.real.tokens[kept])
    assert bool((play.fake.tokens != play.real.tokens).any())
    assert torch.equal(play.source.tokens == 3, ~kept)
    assert (~kept).sum(1).tolist() == [1] * 60
    gradient = flat(algorithm.generator_loss(players, play).value, players)
    louder = dataclasses.replace(play, rewards=play.rewards + 100 * kept)
    assert torch.equal(gradient, flat(algorithm.generator_loss(players, louder).value, players))
    moved = dataclasses.replace(play, rewards=play.rewards + 100 * ~kept)
    assert not torch.allclose(gradient, flat(algorithm.generator_loss(players, moved).value, players))


def test_where_nothing_is_missing_nothing_is_learnt(players: Players, corpus: Corpus) -> None:
    algorithm = MaskGAN(present=1.0, present_last=1.0, batch=20)
    play = played(algorithm, players, corpus)
    assert play.real is not None
    assert play.fake is not None
    assert torch.equal(play.fake.tokens, play.real.tokens)
    loss = algorithm.generator_loss(players, play).value
    assert loss.item() == 0
    assert not flat(loss, players).any()


def test_the_share_that_is_kept_moves_with_the_rounds(players: Players, corpus: Corpus) -> None:
    algorithm = MaskGAN(present=1.0, present_last=0.0, missing="scattered")
    shares = []
    for progress in (0.0, 0.5, 1.0):
        scene = Scene(corpus, Stream(generator_for(5)), progress=progress)
        shares.append(algorithm.kept(corpus.train, scene).float().mean().item())
    assert shares[0] == 1
    assert shares[1] == pytest.approx(0.5, abs=0.2)
    assert shares[2] == 0


def test_a_discriminator_judges_fills_beside_their_blanks(corpus: Corpus) -> None:
    generator = Seq2Seq(hidden=3, layers=1).build(3, 0, None, generator_for(0))
    judge = Seq2SeqScorer(hidden=4, layers=1, dropout=0.0).build(3, 3, generator_for(1))
    players = Players({"generator": generator, "discriminator": judge})
    with torch.no_grad():
        play = filled_in(players, Scene(corpus, Stream(generator_for(2))), MaskGAN().kept, 30)
    assert play.source is not None
    plain = telling_fills_apart(players, play)
    blind = dataclasses.replace(play, source=Sequences(torch.full_like(play.source.tokens, 3), play.source.mask))
    assert telling_fills_apart(players, blind).value.item() != plain.value.item()
    assert 0 <= plain.figures["accuracy"] <= 1


def test_the_language_model_is_handed_on(corpus: Corpus) -> None:
    """Encoder and discriminator begin where it ends, and none of it has read a source."""
    generator = Seq2Seq(hidden=3, layers=1, dropout=0.0).build(3, 0, None, generator_for(0))
    judge = Seq2SeqScorer(hidden=3, layers=1).build(3, 3, generator_for(1))
    players = Players({"generator": generator, "discriminator": judge, "critic": Critic(3)})
    algorithm = MaskGAN(pretrain_epochs=2, mask_epochs=1, rounds=0, batch=16)
    training = Training(algorithm, players, corpus, 0, Team("cpu"))
    seen = []
    for event in training.events():
        if event.kind == "phase":
            seen.append(event.phase)
        if seen == ["language model", "taking over"]:
            state = players.state_dict()
            for name in ("weight_ih_l0", "bias_hh_l0"):
                written = state[f"generator.network.decoder.{name}"]
                for reader in (
                    "generator.network.encoder",
                    "discriminator.network.encoder",
                    "discriminator.network.decoder",
                ):
                    assert torch.equal(state[f"{reader}.{name}"], written)
            break
    assert seen == ["language model", "taking over"]
    before = language_loss(players, Play(real=corpus.train)).value.item()
    blind = generator.given(generator.blanks(50, 0)).log_probs(corpus.train.tokens)  # type: ignore[operator]
    assert before == pytest.approx(-blind.mean().item(), abs=1e-6)


def test_validation_takes_the_same_blanks_each_time(players: Players, corpus: Corpus) -> None:
    algorithm = MaskGAN()
    found = [blanks_nll(players, Scene(corpus, Stream(generator_for(seed))), algorithm.kept) for seed in (1, 2)]
    assert found[0] == found[1] > 0
    empty = dataclasses.replace(corpus, valid=corpus.valid[:0])
    with pytest.raises(BadInput, match="needs validation sequences"):
        blanks_nll(players, Scene(empty, Stream(generator_for(1))), algorithm.kept)


def test_players_that_cannot_read_are_refused(players: Players) -> None:
    plain = LSTM(embedding=2, hidden=3).build(3, 0, None, generator_for(0))
    with pytest.raises(BadInput, match="needs a generator that reads sequences with blanks, got Recurrent"):
        MaskGAN().extras(Players({"generator": plain, "discriminator": Table()}), generator_for(0))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("present", 1.5),
        ("whole", -0.1),
        ("discount", 2.0),
        ("batch", 0),
        ("critic_rate", 0.0),
        ("advantage_limit", 0.0),
    ],
)
def test_settings_that_mean_nothing(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"MaskGAN.{name} must be"):
        MaskGAN(**{name: value})
