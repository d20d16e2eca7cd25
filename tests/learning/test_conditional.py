"""Three symbols are to be written in reverse order: from an early start a game on pairs teaches what was not learnt.

Only a discriminator that sees the source can know whether a response is right; all responses are equally frequent.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
import torch

from seqgans.algorithms.base import Players
from seqgans.algorithms.regs import REGS
from seqgans.algorithms.seqgan import SeqGAN
from seqgans.data.corpus import Corpus
from seqgans.data.vocabulary import Vocabulary
from seqgans.discriminators.convolutional import CNN
from seqgans.discriminators.seq2seq import Seq2SeqScorer
from seqgans.generators.base import Generator
from seqgans.generators.conditional import given
from seqgans.generators.seq2seq import Seq2Seq
from seqgans.randomness import generator_for
from seqgans.sequences import Sequences
from seqgans.training.loop import Training
from seqgans.training.team import Team

SYMBOLS = 8
GAME: dict[str, Any] = {
    "pretrain_epochs": 5,
    "discriminator_pretrain_steps": 30,
    "rounds": 80,
    "discriminator_steps": 2,
    "discriminator_epochs": 1,
    "rollouts": 4,
    "batch": 128,
    "discriminator_batch": 128,
    "baseline": "batch_mean",
    "generator_rate": 0.002,
    "discriminator_rate": 0.003,
    "clip": 5.0,
}
JUDGES = {
    "cnn": CNN(embedding=16, widths=(1, 2, 3, 4, 5, 6, 7), maps=(32,) * 7, decay=0.0),
    "seq2seq": Seq2SeqScorer(hidden=32, layers=1, dropout=0.0),
}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """All 512 sources and their responses, 400 to learn from."""
    every = torch.tensor(list(itertools.product(range(1, SYMBOLS + 1), repeat=3)))
    every = every[torch.randperm(len(every), generator=generator_for(0, "rows"))]
    source = Sequences.of(torch.nn.functional.pad(every, (0, 1)), end=0)
    pairs = dataclasses.replace(Sequences.of(every.flip(1)), source=source)
    held_out = pairs[slice(400, None)]
    return Corpus("reverse", pairs[:400], held_out, held_out, Vocabulary.of_ids(SYMBOLS + 1), 3, {})


@torch.no_grad()
def right(generator: Generator, pairs: Sequences) -> float:
    """The probability of the right response, a mean over sources."""
    return given(generator, pairs.source).log_probs(pairs.tokens).sum(1).exp().mean().item()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "judge", "settings"),
    [(SeqGAN, "cnn", {"reward": "rollouts"}), (REGS, "seq2seq", {"reward": "prefix", "teacher_steps": 0})],
)
def test_the_game_teaches_to_answer(corpus: Corpus, kind: Any, judge: str, settings: dict[str, Any]) -> None:
    """Measured: SeqGAN 0.065 to 0.719, with shuffled rewards 0.048; REGS to 0.610, with shuffled rewards 0.025."""
    found = {}
    for shuffled in (False, True):
        generator = Seq2Seq(hidden=32, layers=1, dropout=0.0).build(SYMBOLS + 1, 0, None, generator_for(0, "generator"))
        discriminator = JUDGES[judge].build(SYMBOLS + 1, 7, generator_for(0, "judge"))
        players = Players({"generator": generator, "discriminator": discriminator})
        algorithm = kind(**GAME, **settings, shuffled=shuffled)
        start = None
        for event in Training(algorithm, players, corpus, 0, Team("cpu")).events():
            if event.kind == "phase" and event.phase == "likelihood":
                start = right(generator, corpus.test)
        assert start is not None
        found[shuffled] = start, right(generator, corpus.test)
    print(kind.__name__, {shuffled: [round(part, 3) for part in pair] for shuffled, pair in found.items()})
    assert found[False][1] > found[False][0] + 0.3
    assert found[True][1] < found[True][0] + 0.1
