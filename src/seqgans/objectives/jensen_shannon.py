"""The game against the best discriminator, played out in closed form where the generator's likelihood is known.

Everything depends on one number a training sequence, its log-ratio ρ = ln p_g(x) − ln p_d(x); the best discriminator is
D*(x) = p_d / (p_d + p_g) = σ(−ρ). What the generator draws outside of the training sequences adds ln 1 = 0, exactly.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

LEAST = 1e-10  # of a probability after min-max scaling, as in the published ports
FLAT = 30.0  # ln softplus(−ρ) is −ρ from here on, to 1e-13


def game_value(log_ratios: Float[Tensor, " batch"]) -> Float[Tensor, ""]:
    """What the best discriminator earns: V(G, D*) = −ln 4 + 2 JSD(p_d ‖ p_g).

        V = E_{x∼p_d} [ln D*] + E_{x∼p_g} [ln(1 − D*)] = −E_{x∼p_d} [softplus(ρ) + e^ρ softplus(−ρ)]

    Its derivative by ln p_g(x) is −ω(x) of `log_weights`: to descend V is to climb a weighted likelihood.

    Args:
        log_ratios: ρ of sequences drawn from p_d, in nats; the mean over them is the expectation.

    Returns:
        V in nats, from −ln 4 where the laws agree to 0 where they share nothing.

    References:
        Goodfellow et al. (2014), arXiv:1406.2661, Theorem 1; Li et al. (2019), AISTATS.

    >>> game_value(torch.zeros(2))  # −ln 4
    tensor(-1.3863)
    """
    zero = torch.zeros_like(log_ratios)
    real, fake = torch.logaddexp(zero, log_ratios), log_weights(log_ratios).exp()
    return -(real + fake).mean()


def log_weights(log_ratios: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """How much a training sequence counts in the gradient of the game's value, as a logarithm.

        ω(x) = p_g ln(1 + p_d / p_g),   ln (ω / p_d) = ρ + ln softplus(−ρ)

    ω / p_d is the weight beside maximum likelihood's 1: it grows with ρ, from ρ e^ρ → 0 where the generator finds the
    sequence impossible (which is ignored: mode-seeking) to 1 where it finds it more than likely enough.

    Args:
        log_ratios: ρ, in nats, any size.

    Returns:
        Finite logarithms, at most 0.

    References:
        Li et al. (2019), AISTATS.

    >>> log_weights(torch.zeros(1)).exp()  # ln 2
    tensor([0.6931])
    """
    small = log_ratios.clamp(max=FLAT)
    tail = torch.where(log_ratios > FLAT, -log_ratios, torch.logaddexp(torch.zeros_like(small), -small).log())
    return log_ratios + tail


def softmax_log_ratios(log_probs: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """Log-ratios within a batch: p_g shared out over its sequences, p_d = 1/B each.

        ρ_i = ln (B p_i / Σ_j p_j)

    Args:
        log_probs: ln p_g of each sequence, or of a power of it.

    >>> softmax_log_ratios(torch.tensor([-700.0, -700.0]))
    tensor([0., 0.])
    """
    return log_probs.log_softmax(0) + torch.tensor(float(len(log_probs)), dtype=log_probs.dtype).log()


def minmax_log_ratios(log_probs: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """Log-ratios within a batch as published ports have them: p_g stretched over [0, 1], p_d = 1/B each.

        ρ_i = ln (B · max(1e−10, (p_i − min p) / (max p − min p)))

    This is no longer the Jensen–Shannon divergence: the most likely sequence counts as certain. Where all are equally
    likely, all do.

    Args:
        log_probs: ln p_g of each sequence, or of a power of it.

    >>> minmax_log_ratios(torch.tensor([0.0, -800.0]))  # ln 2, ln 2e−10
    tensor([  0.6931, -22.3327])
    """
    scaled = (log_probs - log_probs.max()).exp()
    span = 1 - scaled.min()
    stretched = (scaled - scaled.min()) / span if float(span) > 0 else torch.ones_like(scaled)
    return (len(log_probs) * stretched.clamp(min=LEAST)).log()
