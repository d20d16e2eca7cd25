"""SAL on a small oracle from an early start, beside its control arm (salgan.md, check 6).

The oracle's entropy is 1.51 nats per token. Measured with `recipes/salgan/toy.yaml`, seed 0: NLL_oracle falls from
1.992 to 1.878, with shuffled rewards it rises to 2.183; the reverse KL per token goes from 0.290 to 0.309, in the
control to 0.411. So comparisons say something about the data, and most of the gain is sharpening: the test says no
more than that.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.learning.games import entropy_of_the_oracle, played


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_being_better_than_the_past_comes_closer_to_the_entropy(tmp_path: Path) -> None:
    """Kills: the sign of the loss, of `better` and `worse`; references that are the samples; rewards of others."""
    before, after = played("salgan", tmp_path / "real")
    start, control = played("salgan", tmp_path / "control", shuffled=True)
    assert before == start  # the same pre-training
    entropy = entropy_of_the_oracle()
    assert abs(after["nll_oracle"] - entropy) < 0.42 < before["nll_oracle"] - entropy
    assert after["nll_oracle"] < before["nll_oracle"] - 0.08
    assert control["nll_oracle"] > after["nll_oracle"] + 0.15
    assert control["reverse_kl_per_token"] > after["reverse_kl_per_token"] + 0.05
    assert after["nll_gen_test"] < before["nll_gen_test"] + 0.06
