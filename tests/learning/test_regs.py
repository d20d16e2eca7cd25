"""REGS on a small oracle from an early start, beside its control arm: rewards of prefixes, no roll-out.

The oracle's entropy is 1.51 nats per token. Measured with `recipes/regs/toy.yaml`, seed 0: the reverse KL per token
falls from 0.290 to 0.260 and NLL_gen from 1.734 to 1.724; with shuffled rewards they rise to 0.434 and 1.794.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.learning.games import entropy_of_the_oracle, played


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_rewards_of_prefixes_lower_the_reverse_divergence(tmp_path: Path) -> None:
    """Kills: the sign of the loss; rewards of the position before or after; a discriminator of whole sequences only."""
    before, after = played("regs", tmp_path / "real", rounds=40)
    start, control = played("regs", tmp_path / "control", shuffled=True, rounds=20)
    assert before == start  # the same pre-training
    entropy = entropy_of_the_oracle()
    assert after["nll_gen_test"] < before["nll_gen_test"] + 0.005
    assert abs(after["nll_oracle"] - entropy) < 0.42 < before["nll_oracle"] - entropy
    assert entropy < after["nll_gen_test"] < entropy + 0.25
    assert after["nll_oracle"] < before["nll_oracle"] - 0.05
    assert after["reverse_kl_per_token"] < before["reverse_kl_per_token"] - 0.015
    assert control["reverse_kl_per_token"] > after["reverse_kl_per_token"] + 0.03
