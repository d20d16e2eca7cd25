"""SAL on a world of 3 tokens and 3 steps, where every expectation is a sum over 27 sequences.

Mutants killed: the sign of the loss, worse for better, references that change within a step, samples remembered before
they are compared, real sequences where the past is asked for, a tie weight that does not move, the two of a pair in the
place of each other, rewards of other sequences.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.salgan import SALGAN
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.discriminators.comparing import BETTER, TIE, WORSE, Comparer, as_comparer
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.objectives.comparison import balanced_pairs, comparison_loss
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.self_play import Against, as_past_samples, comparative_reward
from seqgans.sequences import Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team

EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))  # (27, 3)
EVERYWHERE = torch.ones(27, 3, dtype=torch.bool)
PLAYS, BATCH = 150, 120
SETTINGS: dict[str, Any] = {"batch": 12, "references": 3, "rollouts": 2, "memory_examples": 20}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return oracle_corpus(fresh_oracle(3, 0), CorpusSettings(length=3, sequences=24, valid=0.0, test=0.0), 0)


def team(algorithm: SALGAN) -> Players:
    generator = LSTM(embedding=2, hidden=3, deviation=0.8).build(3, 0, None, generator_for(0, "generator"))
    judge = Comparer(embedding=4, widths=(1, 2, 3), maps=(6, 6, 6)).build(3, 3, generator_for(0, "judge"))
    with torch.no_grad():
        as_comparer(judge).output.weight.mul_(20)  # sure enough to tell sentences apart
    players = Players({"generator": generator, "discriminator": judge})
    players.add_module("past", algorithm.extras(players, generator_for(0))["past"])
    return players


def scene(corpus: Corpus, seed: int = 1, progress: float = 0.0) -> Scene:
    return Scene(corpus, Stream(generator_for(seed)), progress=progress, round=3)


def played(algorithm: SALGAN, players: Players, where: Scene) -> tuple[Sequences, Tensor, Play]:
    with torch.no_grad():
        play = algorithm.play(players, where)
    assert play.fake is not None
    assert play.rewards is not None
    return play.fake, play.rewards, play


def flat_gradient(value: Tensor, players: Players) -> Tensor:
    return torch.cat([part.flatten() for part in torch.autograd.grad(value, [*players.generator.parameters()])])


def test_the_gradient_is_that_of_being_better_than_the_past(corpus: Corpus) -> None:
    """∇E[R] with samples, roll-outs and references all drawn, within 4 standard errors; and not so when shuffled."""
    algorithm = SALGAN(**{**SETTINGS, "batch": BATCH, "references": 1})
    players = team(algorithm)
    past = as_past_samples(players.get_submodule("past"))
    past.remember(Sequences(EVERY[[2, 2, 13, 21]], EVERYWHERE[:4]), 0)
    memory = {name: part.clone() for name, part in past.state_dict().items()}
    judge = as_comparer(players.discriminator)
    with torch.no_grad():
        encoded, known = judge.encode(EVERY, EVERYWHERE), judge.encode(EVERY[[2, 2, 13, 21]], EVERYWHERE[:4])
        values = comparative_reward(Against(judge, known).logits(encoded), (1.0, -1.0, 0.0)).mean(1)
    exact = flat_gradient((values * players.generator.log_probs(EVERY).sum(1).exp()).sum(), players)
    where = scene(corpus)
    found: dict[bool, list[Tensor]] = {False: [], True: []}
    for _ in range(PLAYS):
        past.load_state_dict(memory)  # samples of the last play forgotten
        fake, rewards, _ = played(algorithm, players, where)
        order = torch.randperm(BATCH, generator=where.random.random)
        for shuffled, given in ((False, rewards), (True, rewards[order])):
            centred = given - given.mean(0)  # lowers the spread
            loss = algorithm.generator_loss(players, Play(fake=fake, rewards=centred * BATCH / (BATCH - 1))).value
            found[shuffled].append(-flat_gradient(loss, players))
    apart = {}
    for shuffled, parts in found.items():
        stacked = torch.stack(parts)
        error = stacked.std(0) / PLAYS**0.5
        apart[shuffled] = float(((stacked.mean(0) - exact).abs() / error.clamp(min=1e-7)).max())
    assert apart[False] < 4
    assert apart[True] > 8


@pytest.mark.parametrize("reference", ["replay", "latest", "real"])
@pytest.mark.parametrize("worth", ["prob", "log"])
def test_a_finished_sequence_earns_its_comparison_with_the_references(
    corpus: Corpus, reference: Any, worth: Any
) -> None:
    """One set of references for the step; only then are its samples remembered, as the newest."""
    algorithm = SALGAN(**SETTINGS, reference=reference, worth=worth, tie_weight=0.5, tie_weight_end=-0.5)
    players = team(algorithm)
    past = as_past_samples(players.get_submodule("past"))
    past.remember(Sequences(EVERY[:20], EVERYWHERE[:20]), 1)
    fake, rewards, play = played(algorithm, players, scene(corpus, progress=0.75))
    again = scene(corpus)
    players.generator.sample(12, 3, random=again.random)
    human = again.real(3)
    chosen = {
        "replay": lambda: Sequences(EVERY[again.random.integers(20, (3,))], EVERYWHERE[:3]),
        "latest": lambda: Sequences(EVERY[[19, 18, 17]], EVERYWHERE[:3]),
        "real": lambda: human,
    }[reference]()
    judge = as_comparer(players.discriminator)
    with torch.no_grad():
        logits = Against(judge, judge.encode(chosen.tokens, chosen.mask)).logits(judge.encode(fake.tokens, fake.mask))
        expected = comparative_reward(logits, (1.0, -1.0, -0.25), worth).mean(1)
        real = Against(judge, judge.encode(human.tokens, human.mask))
        sides = {"worse_than_real": fake, "past_worse_than_real": chosen}
        worse = {key: real.logits(judge.encode(side.tokens, side.mask)) for key, side in sides.items()}
    torch.testing.assert_close(rewards[:, -1], expected)
    assert float(expected.std()) > 0.01
    for key, found in worse.items():
        assert play.figures[key] == pytest.approx(found.softmax(-1)[..., WORSE].mean().item(), abs=1e-6), key
    assert play.figures["better"] == pytest.approx(logits.softmax(-1)[..., BETTER].mean().item(), abs=1e-6)
    assert play.figures["tie"] == pytest.approx(logits.softmax(-1)[..., TIE].mean().item(), abs=1e-6)
    assert play.figures["age"] == 2
    assert torch.equal(past.at(past.latest(12)).tokens, fake.tokens.flip(0))


def test_prefixes_need_no_roll_out(corpus: Corpus) -> None:
    algorithm = SALGAN(**SETTINGS, reward="prefix")
    players = team(algorithm)
    fake, rewards, _ = played(algorithm, players, scene(corpus))
    again = scene(corpus)
    algorithm.past(other := team(algorithm), again)
    players.generator.sample(12, 3, random=again.random)
    again.real(3)
    past = as_past_samples(other.get_submodule("past"))
    chosen = past.at(past.drawn(3, again.random))
    judge = as_comparer(players.discriminator)
    known = torch.tensor([[True, False, False]]).expand(12, -1)
    with torch.no_grad():
        first = Against(judge, judge.encode(chosen.tokens, chosen.mask)).scores(fake.tokens, known)
    torch.testing.assert_close(rewards[:, 0], first)


def test_the_control_arm_hands_rewards_to_others(corpus: Corpus) -> None:
    algorithm = SALGAN(**SETTINGS, baseline="batch_mean")
    fake, plain, _ = played(algorithm, team(algorithm), scene(corpus))
    arm = dataclasses.replace(algorithm, shuffled=True)
    same, control, _ = played(arm, team(arm), scene(corpus))
    assert torch.equal(fake.tokens, same.tokens)
    assert not torch.equal(plain, control)
    torch.testing.assert_close(plain.sort(0).values, control.sort(0).values)


def test_the_discriminator_sees_pairs_of_the_corpus_and_the_memory(corpus: Corpus) -> None:
    algorithm = SALGAN(**SETTINGS, discriminator_examples=12)
    players = team(algorithm)
    with torch.no_grad():
        play = algorithm.pairs(players, scene(corpus))
    assert len(as_past_samples(players.get_submodule("past"))) == 20
    again = scene(corpus)
    other = algorithm.past(team(algorithm), again)
    real = again.real(12)
    expected = balanced_pairs(real, other.at(other.drawn(12, again.random)), again.random)
    assert play.tensors().keys() == expected.keys()
    assert all(torch.equal(play.extras[name], part) for name, part in expected.items())
    judge = as_comparer(players.discriminator)
    assert torch.equal(judge.human_tokens[:12], real.tokens)
    first, second = (judge.encode(expected["tokens"][:, side], expected["mask"][:, side]) for side in (0, 1))
    loss = algorithm.discriminator_loss(players, play)
    torch.testing.assert_close(loss.value, comparison_loss(judge.compare(first, second), expected["label"]))
    parts = [algorithm.discriminator_loss(players, play.rows(rows)).value for rows in torch.arange(12).chunk(3)]
    torch.testing.assert_close(torch.stack(parts).mean(), loss.value)


@pytest.mark.parametrize("same", [False, True])
def test_the_discriminator_learns_what_there_is_to_learn(same: bool) -> None:
    """Held-out real sequences beat those of a random generator nine times in ten, and those of the oracle by chance."""
    oracle = fresh_oracle(20, 0)
    corpus = oracle_corpus(oracle, CorpusSettings(length=6, sequences=1500, valid=0.0, test=0.0), 0)
    judge = Comparer(embedding=16, widths=(1, 2, 3), maps=(16, 16, 16), dropout=0.0).build(20, 6, generator_for(1))
    plain = LSTM(embedding=4, hidden=4).build(20, 0, None, generator_for(2))
    generator = fresh_oracle(20, 0).requires_grad_(True) if same else plain
    players = Players({"generator": generator, "discriminator": judge})
    algorithm = SALGAN(
        pretrain_epochs=0,
        discriminator_pretrain_steps=1,
        discriminator_epochs=3,
        memory_examples=1500,
        rounds=0,
        discriminator_rate=3e-3,
    )
    players.add_module("past", algorithm.extras(players, generator_for(0))["past"])
    list(Training(algorithm, players, corpus, 0, Team("cpu")).events())
    fresh = oracle_corpus(oracle, CorpusSettings(length=6, sequences=1500, valid=0.0, test=0.0), 1)
    judging = SALGAN(memory_examples=1500)
    players.add_module("past", judging.extras(players, generator_for(0))["past"])  # samples it has not seen
    with torch.no_grad():
        accuracy = judging.discriminator_loss(players, judging.pairs(players, scene(fresh))).figures["accuracy"]
        encoded = as_comparer(judge).encode(fresh.train.tokens[:200], fresh.train.mask[:200])
        verdicts = as_comparer(judge).compare(encoded, encoded).softmax(-1).mean(0)
    assert accuracy < 0.6 if same else accuracy > 0.9
    if not same:
        assert float(verdicts[TIE]) > float(verdicts[WORSE])  # against itself


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("rollouts", 0), ("batch", 0), ("discriminator_batch", 1), ("references", 0), ("memory_examples", 1)),
        *(("tie_weight", 1.5), ("tie_weight_end", -2.0), ("rounds", -1), ("clip", 0.0)),
    ],
)
def test_settings_are_checked(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"SALGAN\.{field} must be"):
        SALGAN(**{field: value})  # pyright: ignore[reportArgumentType]
