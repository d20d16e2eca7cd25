"""LeakGAN's pre-training on a small oracle: 20 tokens, 6 steps, 5,000 training sequences.

Only pre-training is tested. In the game NLL_oracle fell below the start and below the control arm on some seeds and
rose on others (docs/algorithms/leakgan.md, "Results"), so nothing about it is asserted here.
"""

from __future__ import annotations

import pytest
import torch

from seqgans.algorithms.base import Players
from seqgans.algorithms.leakgan import LeakGAN
from seqgans.data.corpus import CorpusSettings
from seqgans.discriminators.leaking import LeakingCNN
from seqgans.generators.hierarchical import Hierarchical
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.randomness import generator_for
from seqgans.training.loop import Training
from seqgans.training.team import Team

VOCABULARY, LENGTH, MEASURED = 20, 6, 5_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_interleaved_pretraining_comes_close_to_the_oracle(seed: int) -> None:
    oracle = fresh_oracle(VOCABULARY, seed)
    corpus = oracle_corpus(oracle, CorpusSettings(length=LENGTH, sequences=5_000, valid=0.0, test=0.0), seed)
    generator = Hierarchical(goal=8, horizon=2).build(VOCABULARY, 0, None, generator_for(seed, "generator"))
    cnn = LeakingCNN(embedding=32, widths=(1, 2, 3, 4), maps=(32, 32, 32, 32), dropout=0.25)
    discriminator = cnn.build(VOCABULARY, LENGTH, generator_for(seed, "discriminator"))
    generator.attach(discriminator)
    algorithm = LeakGAN(
        pretrain_rounds=3,
        pretrain_epochs=6,
        pretrain_rate=5e-3,
        rounds=0,
        discriminator_steps=1,
        discriminator_epochs=1,
        discriminator_examples=1_000,
        discriminator_rate=1e-3,
        batch=128,
    )
    players = Players({"generator": generator, "discriminator": discriminator})
    for _ in Training(algorithm, players, corpus, seed, Team("cpu")).events():
        pass
    with torch.no_grad():
        real = oracle.sample(MEASURED, LENGTH, random=generator_for(seed, "real")).tokens
        entropy = -oracle.log_probs(real).mean().item()  # nats per token, standard error about 0.01
        reached = -generator.log_probs(real).mean().item()
    assert entropy < reached < entropy + 0.35  # ln 20 − entropy, where it starts, is above 1.1
