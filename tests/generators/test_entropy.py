"""Entropy and divergence along given tokens against their definition, and against the likelihoods of every token.

Mutants killed: a divergence the wrong way round, one of the drawn tokens alone, an end token that may not come yet
counted in, places behind a stop string counted as choices, logits of other rows than their states.
"""

from __future__ import annotations

import pytest
import torch

from seqgans.data.stops import Stops
from seqgans.generators import entropy
from seqgans.generators.entropy import entropy_and_divergence
from seqgans.generators.pretrained import CausalLM
from seqgans.randomness import generator_for
from seqgans.sequences import Sequences
from tests.generators.models import VOCABULARY, causal_model


def law(seed: int, minimum: int = 0, stops: Stops | None = None) -> CausalLM:
    found = CausalLM(causal_model("gpt2", seed), VOCABULARY, 0, 0)
    found.minimum, found.stops = minimum, stops
    return found


@pytest.mark.parametrize("minimum", [0, 2])
@pytest.mark.parametrize("rows", [1, 1000])
def test_they_are_sums_over_every_next_token(minimum: int, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entropy, "CHUNK_VALUES", rows * VOCABULARY)
    source = Sequences.of(torch.randint(1, VOCABULARY, (5, 3), generator=generator_for(1)))
    policy, other = (law(seed, minimum).given(source) for seed in (0, 1))
    tokens = torch.randint(1, VOCABULARY, (5, 4), generator=generator_for(2))
    found, apart = entropy_and_divergence(policy, other, tokens)
    wanted, distance = torch.zeros(5, 4), torch.zeros(5, 4)
    with torch.no_grad():
        for time in range(4):
            for token in range(VOCABULARY):
                if token == 0 and time < minimum:
                    continue
                tried = tokens.clone()
                tried[:, time] = token
                ours, theirs = (one.log_probs(tried)[:, time] for one in (policy, other))
                wanted[:, time] -= ours.exp() * ours
                distance[:, time] += ours.exp() * (ours - theirs)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(apart, distance, rtol=1e-4, atol=1e-4)
    assert float(distance.min()) > 0.01
    assert not torch.allclose(distance, entropy_and_divergence(other, policy, tokens)[1], atol=1e-2)
    assert bool((entropy_and_divergence(policy, policy, tokens)[1] == 0).all())
    assert bool((entropy_and_divergence(policy, None, tokens)[1] == 0).all())


def test_behind_a_stop_string_nothing_is_left_to_choose() -> None:
    class Always(Stops):
        """Every sequence stops behind its second token."""

        def __init__(self) -> None: ...

        def places(self, tokens: torch.Tensor, minimum: int = 0) -> torch.Tensor:
            return torch.full((len(tokens),), 2)

    source = Sequences.of(torch.tensor([[3, 4]]))
    policy, other = law(0, stops=Always()).given(source), law(1, stops=Always()).given(source)
    for found in entropy_and_divergence(policy, other, torch.tensor([[5, 6, 0, 7]])):
        assert (found[0] == 0).tolist() == [False, False, True, False]
