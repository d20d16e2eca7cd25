"""SAL: what its comparisons say of a generator that gets better, and its game on small oracles (salgan.md, 5 and 6).

Measured, seeds 0, 1 and 2, with a comparer that has learnt from 60,000 pairs of real sequences and samples of all three
checkpoints, as the mean of D^> − D^<: samples after 5 epochs of likelihood are better than those after 1 by 0.15, 0.07
and 0.10, those after 20 than those after 5 by 0.02, 0.02 and 0.03, and than those after 1 by 0.17, 0.09 and 0.13; other
samples of the same checkpoint by 0.008 at most.

In 40 rounds from an early start NLL_oracle falls from 1.992 to 1.787, from 2.458 to 2.346 and from 2.157 to 1.957 nats
per token: by 0.172 in the mean, with a standard deviation of 0.052 over seeds. The entropies of the oracles are 1.52,
1.85 and 1.62. Most of it is sharpening, for NLL_gen rises by 0.02, 0.01 and 0.04; but the reverse KL falls, by 0.019,
0.019 and 0.030. With shuffled rewards at seed 0 NLL_oracle rises to 2.090 and the reverse KL from 0.290 to 0.384.
Those were an Intel Xeon's. On an AMD EPYC, which rounds differently, NLL_oracle ends at 1.749, 2.296 and 1.976, and the
reverse KL falls by −0.007, 0.029 and 0.027: not on every seed. With shuffled rewards it rises
by 0.353, 0.056 and 0.039.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from statistics import mean, stdev

import pytest
import torch

from seqgans.algorithms.base import Players
from seqgans.algorithms.likelihood import Likelihood
from seqgans.algorithms.salgan import SALGAN
from seqgans.data.corpus import CorpusSettings
from seqgans.discriminators.comparing import BETTER, WORSE, Comparer, Comparing, as_comparer
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import generator_for
from seqgans.rewards.self_play import as_past_samples
from seqgans.sequences import Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team
from tests.learning.games import entropy_of_the_oracle, played

EPOCHS = (1, 5, 20)
LEARNING = SALGAN(
    pretrain_epochs=0,
    discriminator_pretrain_steps=12,
    discriminator_epochs=1,
    discriminator_examples=5_000,
    memory_examples=15_000,
    discriminator_rate=0.001,
    rounds=0,
)

MORE = {"discriminator_examples": 5_000, "discriminator_pretrain_steps": 6}
"""Three times the pairs of `recipes/salgan/toy.yaml`, with which NLL_oracle falls by 0.114, 0.145 and 0.017 only."""


@torch.no_grad()
def lead(comparer: Comparing, later: Sequences, earlier: Sequences) -> float:
    """Mean D^>(later, earlier) − D^<(later, earlier): every later sample beside 16 earlier ones."""
    first, second = (comparer.encode(some.tokens, some.mask) for some in (later, earlier))
    verdicts = torch.stack([comparer.compare(first, second.roll(by, 0)).softmax(-1).mean(0) for by in range(16)])
    return float((verdicts[:, BETTER] - verdicts[:, WORSE]).mean())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_later_checkpoints_of_likelihood_are_judged_better(seed: int) -> None:
    """Kills: `better` for `worse` in labels or verdicts; labels of other pairs; a memory of real sequences."""
    oracle = fresh_oracle(20, seed)
    corpus = oracle_corpus(oracle, CorpusSettings(length=6, sequences=5000, valid=0.1, test=0.0), seed)
    generator = LSTM().build(20, 0, None, generator_for(seed, "generator"))
    judge = Comparer(embedding=32, widths=(1, 2, 3, 4), maps=(32, 32, 32, 32), encoding=32, hidden=32)
    comparer = as_comparer(judge.build(20, 6, generator_for(seed, "judge")))
    players = Players({"generator": generator, "discriminator": comparer})
    players.add_module("past", LEARNING.extras(players, generator_for(0))["past"])
    past = as_past_samples(players.get_submodule("past"))
    held_out: dict[int, Sequences] = {}
    again: dict[int, Sequences] = {}
    likelihood = Likelihood(pretrain_epochs=EPOCHS[-1], patience=0, anneal=0, keep_best=False)
    for event in Training(likelihood, players, corpus, seed, Team("cpu")).events():
        if event.kind == "gathering" and event.gathering in EPOCHS:
            random = generator_for(seed, "samples", str(event.gathering))
            with torch.no_grad():
                past.remember(generator.sample(5_000, 6, random=random).sequences, event.gathering)
                held_out[event.gathering] = generator.sample(8_000, 6, random=random).sequences
                again[event.gathering] = generator.sample(8_000, 6, random=random).sequences
    for _ in Training(LEARNING, players, corpus, seed, Team("cpu")).events():
        pass
    found = {
        (later, earlier): lead(comparer, held_out[later], held_out[earlier])
        for earlier, later in combinations(EPOCHS, 2)
    }
    same = [lead(comparer, held_out[epoch], again[epoch]) for epoch in EPOCHS]
    print(seed, found, same)
    assert found[5, 1] > 0.04
    assert found[20, 1] > 0.06
    assert found[20, 5] > 0.01
    assert max(map(abs, same)) < 0.015  # other samples of the same checkpoint


@pytest.mark.slow
def test_being_better_than_the_past_comes_closer_to_the_entropy(tmp_path: Path) -> None:
    """Kills: the sign of the loss, of `better` and `worse`; references that are the samples; rewards of others."""
    falls: list[float] = []
    nearer: list[float] = []
    for seed, distance in enumerate((0.35, 0.5, 0.45)):
        before, after = played("salgan", tmp_path / f"real-{seed}", seed, **MORE)
        entropy = entropy_of_the_oracle(seed)
        print(seed, entropy, before, after)
        assert abs(after["nll_oracle"] - entropy) < distance < before["nll_oracle"] - entropy
        assert entropy < after["nll_gen_test"] < before["nll_gen_test"] + 0.08
        falls.append(before["nll_oracle"] - after["nll_oracle"])
        nearer.append(before["reverse_kl_per_token"] - after["reverse_kl_per_token"])
        if seed == 0:
            start, control = played("salgan", tmp_path / "control", shuffled=True, **MORE)
            assert before == start  # the same pre-training
            print(control)
            assert control["nll_oracle"] > after["nll_oracle"] + 0.15
            assert control["reverse_kl_per_token"] > after["reverse_kl_per_token"] + 0.05
    print(mean(falls), stdev(falls), nearer)
    assert mean(falls) > 0.1
    assert stdev(falls) < 0.1
    assert mean(nearer) > 0.008
