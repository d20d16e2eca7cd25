"""How fit a generator is: how real its samples look, and how much they differ."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from seqgans.discriminators.base import Discriminator
from seqgans.generators.base import Generator
from seqgans.randomness import Stream
from seqgans.sequences import Sequences


@torch.no_grad()
def quality_and_diversity(
    generator: Generator,
    discriminator: Discriminator,
    real: Sequences,
    count: int,
    inverse_temperature: float,
    random: Stream,
    gather: Callable[[Tensor], Tensor] = lambda rows: rows,
) -> tuple[float, float]:
    """Quality and diversity of fresh relaxed samples.

        F_q = mean σ(D(x_f) − mean D(x_r)),   F_d = −Σ log G(x_f) / Σ tokens

    Args:
        generator: the law of one category, or of all.
        discriminator: scores relaxed samples, without dropout.
        real: what they are compared with; of the same category.
        count: samples this process draws.
        inverse_temperature: β of the relaxed samples.
        random: where they come from.
        gather: joins the rows of all processes.

    Returns:
        F_q in (0, 1), ½ where scores coincide; F_d, the entropy in nats per token as samples estimate it (NLL_div).

    References:
        Liu, Wang and Liang (2020), arXiv:1911.06641.
    """
    relaxed = generator.relax(count, real.tokens.shape[1], random=random, inverse_temperature=inverse_temperature)
    real_scores = discriminator.view_scores(real.tokens, real.mask)  # (batch, views)
    scores: Float[Tensor, "batch views"] = gather(discriminator.view_scores(relaxed.weights, relaxed.mask))
    nll = gather(-generator.log_probs(relaxed.tokens).masked_fill(~relaxed.mask, 0.0).sum(1))
    tokens = gather(relaxed.mask.sum(1))
    return (scores - real_scores.mean()).sigmoid().mean().item(), (nll.sum() / tokens.sum()).item()
