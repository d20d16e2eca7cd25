"""What the table of discriminators says about itself.

Mutants killed: a discriminator with a score per step that no message names, or one without that it does.
"""

from __future__ import annotations

import pytest

from seqgans.discriminators import DISCRIMINATORS, no_step_scores, with_step_scores
from seqgans.discriminators.base import Discriminator
from seqgans.errors import BadInput
from seqgans.randomness import generator_for
from seqgans.rewards.prefixes import StepScorer


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_messages_name_those_that_have_a_score_per_step(name: str) -> None:
    try:
        built = DISCRIMINATORS[name]().build(2, 20, generator_for(0))
    except BadInput as error:
        pytest.skip(f"cannot be built from its defaults: {error}")
    assert isinstance(built, Discriminator)
    assert isinstance(built, StepScorer) == (name in with_step_scores())


def test_the_message_is_one_line_with_all_of_them() -> None:
    said = no_step_scores("Convolutional")
    assert said.startswith(
        "rewards per step need a discriminator with a score per step, got Convolutional; choose one of:"
    )
    assert all(f" {name}" in said for name in ("lstm", "gru", "language", "positional"))
    assert "\n" not in said
