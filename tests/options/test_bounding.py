"""Layers of a discriminator stretch nothing by more than a bound.

Mutants killed: the largest entry or the norm of all entries for the singular value, weights below the bound scaled up,
tables of symbols scaled, gates of recurrent layers forgotten, a second projection that changes anything, rewards by
what is not bounded yet.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update
from seqgans.algorithms.seqgan import SeqGAN
from seqgans.data.corpus import CorpusSettings
from seqgans.discriminators import DISCRIMINATORS
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.options.bounding import bounded, largest_singular_value, layers, project
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Loss

SMALL: dict[str, dict[str, Any]] = {
    "cnn": {"embedding": 4, "widths": (1, 2, 3), "maps": (3, 3, 3)},
    "gru": {"embedding": 4, "hidden": 5},
    "multi_view": {"embedding": 4, "views": 2, "widths": (2, 3), "maps": 4, "dense": 3},
}


@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (1, 4)])
def test_the_singular_value_is_that_of_the_decomposition(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=generator_for(0))
    torch.testing.assert_close(largest_singular_value(matrix), torch.linalg.matrix_norm(matrix.double(), 2))


@pytest.mark.parametrize("symbols", [20, 3, 4])  # 3 and 4 are also how many rows some layers have
@pytest.mark.parametrize("name", SMALL)
def test_every_layer_is_bounded_and_none_below_the_bound_moves(name: str, symbols: int) -> None:
    judge = DISCRIMINATORS[name](**SMALL[name]).build(symbols, 6, generator_for(0))
    stretches = [float(largest_singular_value(part.detach().flatten(1))) for part in layers(judge)]
    bound = sorted(stretches)[len(stretches) // 2]  # some above, some below
    before = {key: part.detach().clone() for key, part in judge.named_parameters()}
    project(judge, bound)
    assert [key for key, part in judge.named_parameters() if part.ndim > 1 and "embedding" in key] == ["embedding"]
    for key, part in judge.named_parameters():
        if part.ndim == 1 or key == "embedding":
            assert torch.equal(part, before[key]), key
            continue
        was = float(torch.linalg.matrix_norm(before[key].flatten(1).double(), 2))
        now = float(torch.linalg.matrix_norm(part.detach().flatten(1).double(), 2))
        assert now == pytest.approx(min(was, bound), rel=1e-6), key
        torch.testing.assert_close(part.detach() * was, before[key] * now, rtol=1e-5, atol=1e-6)
    once = {key: part.detach().clone() for key, part in judge.named_parameters()}
    project(judge, bound)
    assert all(torch.equal(part, once[key]) for key, part in judge.named_parameters())
    assert sum(stretch > bound * 1.001 for stretch in stretches) > 0


def test_whatever_asks_the_discriminator_sees_bounded_layers() -> None:
    judge = DISCRIMINATORS["cnn"](**SMALL["cnn"]).build(20, 6, generator_for(0))
    seen: list[float] = []

    def asked() -> Play:
        seen.append(max(float(largest_singular_value(part.detach().flatten(1))) for part in layers(judge)))
        return Play()

    def loss(players: Players, play: Play) -> Loss:
        asked()
        return Loss(judge.penalty())

    update = Update("discriminator", loss, Optimizer(name="any", rate=1.0))
    plain = Schedule(round=(Phase(name="any", gather=lambda players, scene: asked(), updates=(update,)),), rounds=1)
    (phase,) = bounded(plain, 0.25).round
    players, settings = Players({"discriminator": judge}), CorpusSettings(length=6, sequences=4, valid=0.0, test=0.0)
    scene = Scene(oracle_corpus(fresh_oracle(20, 0), settings, 0), Stream(generator_for(0)))
    for use in (lambda: phase.gather(players, scene), lambda: phase.updates[0].loss(players, Play())):
        with torch.no_grad():
            for part in layers(judge):
                part.mul_(100)  # as after a large step
        use()
    assert len(seen) == 2
    assert max(seen) <= 0.25 * (1 + 1e-6)
    plain = SeqGAN().schedule()
    changed = bounded(plain, 1.0)
    assert changed.round[0].updates == plain.round[0].updates  # the generator's loss leaves the discriminator alone
    assert changed.round[1].updates != plain.round[1].updates
