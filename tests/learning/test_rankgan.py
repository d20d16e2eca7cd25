"""RankGAN on a small oracle from an early start, beside its control arm (rankgan.md, check 5).

The oracle's entropy is 1.51 nats per token. Measured with `recipes/rankgan/toy.yaml`, seed 0: NLL_oracle falls
from 1.992 to 1.845 in 50 rounds, the reverse KL per token from 0.290 to 0.260, NLL_gen stays at 1.74; with shuffled
rewards the reverse KL is 0.323 after 20 rounds.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.learning.games import entropy_of_the_oracle, played


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ranks_among_human_sentences_lower_the_reverse_divergence(tmp_path: Path, seed: int) -> None:
    """Kills: the sign of the loss or of the ranker's; ranks among generated sentences; rewards of other sequences."""
    before, after = played("rankgan", tmp_path / "real", seed, rounds=50)
    start, control = played("rankgan", tmp_path / "control", seed, shuffled=True, rounds=20)
    print(before, after, control)
    assert before == start  # the same pre-training
    entropy = entropy_of_the_oracle(seed)
    assert abs(after["nll_oracle"] - entropy) < 0.38 < before["nll_oracle"] - entropy
    assert entropy < after["nll_gen_test"] < entropy + 0.25
    assert after["nll_gen_test"] < before["nll_gen_test"] + 0.05
    assert after["nll_oracle"] < before["nll_oracle"] - 0.1
    assert after["reverse_kl_per_token"] < before["reverse_kl_per_token"] - 0.015
    assert control["reverse_kl_per_token"] > after["reverse_kl_per_token"] + 0.03
