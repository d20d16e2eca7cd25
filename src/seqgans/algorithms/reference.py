"""The reference of a fine-tuning: what it costs to leave it."""

from __future__ import annotations

from torch import Tensor

from seqgans.algorithms.base import Players, Scene
from seqgans.generators.base import Generator
from seqgans.generators.conditional import given
from seqgans.objectives.divergence import DIVERGENCES, k1
from seqgans.rewards.scale import Leash
from seqgans.sequences import Samples, Sequences


def charged(
    players: Players, scene: Scene, earned: Tensor, fake: Samples, source: Sequences | None
) -> tuple[Tensor, Tensor, Tensor, dict[str, float]]:
    """What tokens earned less what they cost: r_t − β (log π(y_t) − log π_ref(y_t)), RLGAF's Eq. 3.

    Args:
        players: with a "reference" and a "leash", which takes the divergence in.
        scene: joins the processes.
        earned: r, one a token.
        fake: the answers, with the log-probabilities they were drawn with.
        source: what they answer.

    Returns:
        Rewards, 0 where the mask is False; log π_ref of each token; the divergence of each answer, nats; `kl`, nats per
        token, and `kl_cost`, β.
    """
    reference, leash = players.get_submodule("reference"), leash_of(players)
    if not isinstance(reference, Generator):
        raise TypeError(f"a divergence needs a generator as reference, got {type(reference).__name__}")
    known = given(reference, source).log_probs(fake.tokens)
    apart = k1(fake.log_probs, known).masked_fill(~fake.mask, 0.0)
    figures = {"kl": (apart.sum() / fake.mask.sum().clamp(min=1)).item(), "kl_cost": float(leash.coefficient)}
    rewards = earned - leash.coefficient * apart
    leash.steer((scene.gather(apart).sum() / scene.gather(fake.mask).sum().clamp(min=1)).item())
    return rewards, known, apart.sum(1), figures


def cost_of(players: Players, estimator: str, log_probs: Tensor, known: Tensor, mask: Tensor) -> Tensor:
    """β KL(π ‖ π_ref) as a term of a loss: a sum over the tokens of an answer, a mean over answers.

    Args:
        players: with a "leash".
        estimator: which estimate of a token's divergence, by its name.
        log_probs: log π of each token, with gradient (batch, time).
        known: log π_ref of each (batch, time).
        mask: True where a token is real.
    """
    apart = DIVERGENCES[estimator](log_probs, known).masked_fill(~mask, 0.0)
    return leash_of(players).coefficient * apart.sum(1).mean()


def leash_of(players: Players) -> Leash:
    """β, where there is a reference."""
    leash = players.get_submodule("leash")
    if not isinstance(leash, Leash):
        raise TypeError(f"the cost of a divergence must be a Leash, got {type(leash).__name__}")
    return leash
