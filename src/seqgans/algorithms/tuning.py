"""The generator's side of a fine-tuning: three ways to learn from a discriminator, with real answers beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torch import Tensor

from seqgans.algorithms.base import Play, Players
from seqgans.algorithms.reference import cost_of
from seqgans.algorithms.relaxed_answers import relaxed_loss
from seqgans.generators.conditional import given
from seqgans.objectives.policy_gradient import reinforce_loss
from seqgans.objectives.proximal import clipped_share, clipped_surrogate, value_loss
from seqgans.rewards.answers import Value, distinct
from seqgans.sequences import Loss, Sequences

if TYPE_CHECKING:
    from seqgans.algorithms.rlgaf import RLGAF


def tuning_loss(settings: RLGAF, players: Players, play: Play) -> Loss:
    """The variant's loss, and γ times the negative log-likelihood of real answers: the mean of their means."""
    loss = relaxed(settings, players, play) if settings.variant == "gumbel" else policy_loss(settings, players, play)
    if not settings.likelihood_weight or play.real is None:
        return loss
    real, which = distinct(play.real)  # one for all answers to a prompt
    log_probs = given(players.generator, real.source).log_probs(real.tokens).masked_fill(~real.mask, 0.0)
    nll = -(log_probs.sum(1) / real.mask.sum(1).clamp(min=1))[which].mean()
    return Loss(loss.value + settings.likelihood_weight * nll, {**loss.figures, "nll": nll.item()})


def policy_loss(settings: RLGAF, players: Players, play: Play) -> Loss:
    """REINFORCE (Eq. 2), or the clipped surrogate of PPO; and β KL(π ‖ π_ref) of the answers where the loss pays it."""
    if play.fake is None or play.rewards is None:
        raise ValueError("the policy gradient needs answers and rewards, got a play without one of them")
    mask, drawn = play.fake.mask, play.extras["drawn"]
    log_probs = given(players.generator, play.fake.source).log_probs(play.fake.tokens)
    if settings.variant == "reinforce":
        loss = Loss(reinforce_loss(log_probs, play.rewards, mask))
    else:
        value = clipped_surrogate(log_probs, drawn, play.rewards, mask, settings.clip_ratio)
        loss = Loss(value, {"clipped": clipped_share(log_probs, drawn, mask, settings.clip_ratio)})
    return leashed(settings, players, play, loss, log_probs) if "reference" in play.extras else loss


def leashed(settings: RLGAF, players: Players, play: Play, loss: Loss, log_probs: Tensor) -> Loss:
    """A loss and β KL(π ‖ π_ref) of the answers; k1, which is no loss, gives way to k2, right token by token."""
    estimator = "k2" if settings.kl_estimator == "k1" else settings.kl_estimator
    mask = written(play).mask
    return replace(loss, value=loss.value + cost_of(players, estimator, log_probs, play.extras["reference"], mask))


def written(play: Play) -> Sequences:
    """The answers of a play."""
    if play.fake is None:
        raise ValueError("fine-tuning needs written answers, got a play without any")
    return play.fake


def relaxed(settings: RLGAF, players: Players, play: Play) -> Loss:
    """The relaxed variant's loss, its leash on the sampled answers."""
    loss = relaxed_loss(settings, players, play)
    if "reference" not in play.extras:
        return loss
    fake = written(play)
    return leashed(settings, players, play, loss, given(players.generator, fake.source).log_probs(fake.tokens))


def expectation_loss(players: Players, play: Play) -> Loss:
    """Values towards the returns."""
    fake = written(play)
    values = Value.among(players).of(given(players.generator, fake.source), fake.tokens)
    return Loss(value_loss(values, play.extras["returns"], fake.mask), weight=float(fake.mask.sum()))
