"""LeakGAN on a small oracle: 20 tokens, 6 steps, 5,000 training sequences (leakgan.md, check 5).

In the game NLL_oracle falls, below the start and below the control arm, and the law collapses: see
docs/algorithms/leakgan.md, "Results", for the figures. The test says both.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import pytest

from tests.learning.games import entropy_of_the_oracle, played


@pytest.mark.slow
def test_goals_lower_nll_oracle_and_the_law_collapses(tmp_path: Path) -> None:
    """Kills: the sign of the worker's or of the manager's loss; rewards of other sequences; a worker that sees no goal.

    Pre-training with d-steps in between comes close to the oracle first: random parameters are 1.1 nats above it.
    """
    starts, ends, controls, aimless = [], [], [], []
    for seed in (0, 1, 2):
        start, end = played("leakgan", tmp_path / f"real-{seed}", seed)
        again, control = played("leakgan", tmp_path / f"control-{seed}", seed, shuffled=True)
        assert again == start  # the same pre-training
        entropy = entropy_of_the_oracle(seed)
        assert entropy < start["nll_gen_test"] < entropy + 0.35
        _, fixed = played("leakgan", tmp_path / f"fixed-{seed}", seed, generator={"goal_window": "constant"})
        starts, ends, controls, aimless = [*starts, start], [*ends, end], [*controls, control], [*aimless, fixed]

    def over_seeds(rows: list[dict[str, float]], name: str) -> float:
        return mean(row[name] for row in rows)

    assert over_seeds(ends, "nll_oracle") < over_seeds(starts, "nll_oracle") - 0.1
    assert over_seeds(ends, "nll_oracle") < over_seeds(controls, "nll_oracle") - 0.1
    assert over_seeds(ends, "nll_oracle") < over_seeds(aimless, "nll_oracle") - 0.1  # one goal for all is no better
    assert over_seeds(ends, "nll_gen_test") > over_seeds(controls, "nll_gen_test") + 0.2
