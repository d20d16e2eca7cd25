"""RelGAN at work on a small oracle: 20 tokens, 6 steps, 5,000 training sequences, an early-stopped start.

What the paper claims of its knob is what is asserted: a small β_max buys a lower NLL_oracle with a higher NLL_gen.
With β = 1 that is sharpening (the reverse KL does not fall here), and the test does not call it more.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from seqgans.algorithms.base import Players
from seqgans.algorithms.relgan import RelGAN
from seqgans.data.corpus import CorpusSettings
from seqgans.discriminators.multi_view import MultiView
from seqgans.generators.base import Generator
from seqgans.generators.memory import RelationalMemory
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.randomness import generator_for
from seqgans.training.loop import Training
from seqgans.training.team import Team

VOCABULARY, LENGTH, MEASURED = 20, 6, 5_000


@dataclass(frozen=True)
class Figures:
    """Nats per token, standard error about 0.01."""

    oracle: float
    fresh: float


@torch.no_grad()
def measured(generator: Generator, oracle: Generator, seed: int) -> Figures:
    drawn = generator.sample(MEASURED, LENGTH, random=generator_for(seed, "generated")).tokens
    real = oracle.sample(MEASURED, LENGTH, random=generator_for(seed, "real")).tokens
    return Figures(-oracle.log_probs(drawn).mean().item(), -generator.log_probs(real).mean().item())


def run(seed: int, rounds: int, limit: float, cut_gradient: bool = False) -> tuple[Figures, Figures]:
    """Figures after pre-training and after the game."""
    oracle = fresh_oracle(VOCABULARY, seed)
    corpus = oracle_corpus(oracle, CorpusSettings(length=LENGTH, sequences=5_000, valid=0.0, test=0.0), seed)
    generator = RelationalMemory(heads=2, head_size=64).build(VOCABULARY, 0, None, generator_for(seed, "generator"))
    views = MultiView(embedding=16, views=8, maps=24, widths=(2, 3, 4))
    discriminator = views.build(VOCABULARY, LENGTH, generator_for(seed, "discriminator"))
    algorithm = RelGAN(
        pretrain_epochs=3,
        rounds=rounds,
        discriminator_rate=1e-3,
        inverse_temperature_limit=limit,
        annealing="constant",
        cut_gradient=cut_gradient,
    )
    players = Players({"generator": generator, "discriminator": discriminator})
    training = Training(algorithm, players, corpus, seed, Team("cpu"))
    start = None
    for event in training.events():
        if event.kind == "phase":
            start = measured(generator, oracle, seed)
    assert start is not None
    return start, measured(generator, oracle, seed)


@pytest.mark.slow
def test_small_inverse_temperatures_buy_quality_with_diversity() -> None:
    seeds = range(3)
    soft, sharp = [run(seed, 75, 1.0) for seed in seeds], [run(seed, 75, 100.0) for seed in seeds]

    def mean(runs: list[tuple[Figures, Figures]], name: str, when: int) -> float:
        return sum(getattr(figures[when], name) for figures in runs) / len(runs)

    assert mean(soft, "oracle", 1) < mean(soft, "oracle", 0) - 0.05
    assert mean(soft, "oracle", 1) < mean(sharp, "oracle", 1) - 0.05
    assert mean(soft, "fresh", 1) > mean(sharp, "fresh", 1) + 0.01


@pytest.mark.slow
def test_without_the_gradient_of_its_samples_the_generator_stays_where_it_is() -> None:
    start, end = run(0, 10, 1.0, cut_gradient=True)
    assert start == end
