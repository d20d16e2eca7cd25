"""A loss that looks across a minibatch is refused in parts of it, where it would silently be another one.

Mutants killed: parts that follow each other or go on side by side left out of account, losses of one row refused, and
the two figures of a message exchanged. That it is another loss is shown first.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqgans.algorithms.gsgan import GSGAN
from seqgans.algorithms.likelihood import Likelihood
from seqgans.algorithms.relgan import RelGAN
from seqgans.algorithms.rlgaf import RLGAF
from seqgans.errors import BadInput
from seqgans.objectives.adversarial import ACROSS, ADVERSARIAL
from seqgans.training.parts import check_parts
from seqgans.verbs.train import train


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_which_losses_are_means_over_rows(name: str) -> None:
    random = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(8, generator=random) for _ in range(2))
    whole = ADVERSARIAL[name](real, fake)
    halves = [ADVERSARIAL[name](real[rows], fake[rows]) for rows in torch.arange(8).split(4)]
    for side in (0, 1):
        apart = float((whole[side] - (halves[0][side] + halves[1][side]) / 2).abs())
        assert (apart > 1e-3) == (name in ACROSS)


@pytest.mark.parametrize(
    "settings",
    [
        RLGAF(discriminator_loss="relativistic_average", smoothing=0.0),
        RelGAN(objective="relativistic_average"),
        GSGAN(objective="relativistic_average"),
    ],
)
def test_in_parts_they_are_refused(settings: object) -> None:
    name = "discriminator_loss" if isinstance(settings, RLGAF) else "objective"
    for accumulate, processes in ((2, 1), (1, 3)):
        said = rf"algorithm\.{name} relativistic_average compares .*accumulate {accumulate}, {processes} processes\)"
        with pytest.raises(BadInput, match=said):
            check_parts(settings, accumulate, processes)
    check_parts(settings, 1, 1)


@pytest.mark.parametrize("settings", [RLGAF(), RelGAN(), Likelihood()])
def test_others_may_be_parted(settings: object) -> None:
    check_parts(settings, 4, 4)


def test_a_run_is_refused_before_there_is_a_folder(tmp_path: Path) -> None:
    mapping = {
        "algorithm": {"name": "rlgaf", "discriminator_loss": "relativistic_average", "smoothing": 0.0},
        "corpus": {"spec": "world:copy"},
        "generator": {"name": "lstm"},
        "discriminator": {"name": "lstm"},
        "run": {"device": "cpu", "accumulate": 2},
    }
    with pytest.raises(BadInput, match="discriminator_loss relativistic_average compares with means"):
        train(mapping, tmp_path / "run")
    assert not (tmp_path / "run").exists()
