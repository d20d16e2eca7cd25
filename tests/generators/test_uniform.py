"""The uniform generator: log V a token, whatever is asked.

Mutants killed: anything but logits of 0, a parameter that learns.
"""

from __future__ import annotations

import math

import torch

from seqgans.generators.uniform import Uniform
from seqgans.randomness import generator_for


def test_its_likelihood_is_log_v_exactly() -> None:
    generator = Uniform().build(5000, 0, None, generator_for(1))
    tokens = torch.randint(5000, (4, 20), generator=generator_for(2))
    nll = -generator.log_probs(tokens)
    torch.testing.assert_close(nll, torch.full((4, 20), math.log(5000)), rtol=0, atol=1e-5)
    assert round(nll.mean().item(), 3) == 8.517
    assert not any(parameter.requires_grad for parameter in generator.parameters())
