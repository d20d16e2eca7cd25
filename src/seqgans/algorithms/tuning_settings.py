"""What the settings of a fine-tuning must hold, each by itself and beside the others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from seqgans.algorithms.base import check_counts, check_rates
from seqgans.algorithms.judging import SMOOTHED
from seqgans.choices import choice
from seqgans.objectives.adversarial import ADVERSARIAL
from seqgans.rewards.answers import REWARDS

if TYPE_CHECKING:
    from seqgans.algorithms.rlgaf import RLGAF


def check_tuning(settings: RLGAF) -> None:
    """Refuse settings that cannot be, or that contradict each other.

    Raises:
        ValueError: one of them is such.
    """
    check_counts(settings, 0, "pretrain_epochs", "discriminator_pretrain_steps", "rounds", "reference_every")
    check_counts(settings, 1, "batch", "group", "ppo_epochs", "gate_rounds")
    check_rates(settings, "pretrain_rate", "generator_rate", "discriminator_rate", "clip", "clip_ratio", "value_rate")
    check_rates(settings, "inverse_temperature")
    choice(REWARDS, settings.reward, "reward")
    choice(ADVERSARIAL, settings.discriminator_loss, "discriminator_loss")
    for name in ("kl", "likelihood_weight", "score_penalty", "missing_eos_penalty"):
        if not 0 <= (getattr(settings, name) or 0) < math.inf:
            raise ValueError(f"RLGAF.{name} must be at least 0, got {getattr(settings, name)}")
    for name in ("discount", "decay", "gate", "replay"):
        if not 0 <= getattr(settings, name) <= 1:
            raise ValueError(f"RLGAF.{name} must be from 0 to 1, got {getattr(settings, name)}")
    if not 0 <= settings.smoothing < 0.5:
        raise ValueError(f"RLGAF.smoothing must be at least 0 and below 0.5, got {settings.smoothing}")
    if settings.smoothing and settings.discriminator_loss not in SMOOTHED:
        raise ValueError(f"RLGAF.smoothing goes with {' and '.join(SMOOTHED)} alone; set it to 0")
    if settings.batch % settings.group or (settings.compared_with == "group" and settings.group < 2):
        raise ValueError(
            f"RLGAF.group must be at least 2 and divide the batch of {settings.batch}, got {settings.group}"
        )
    if settings.memory < settings.batch:
        raise ValueError(f"RLGAF.memory must hold at least a batch of {settings.batch}, got {settings.memory}")
    if settings.kl_target is not None and not settings.kl_target > 0:
        raise ValueError(f"RLGAF.kl_target must be above 0, got {settings.kl_target}")
    if not 0 < settings.reference_mixup <= 1:
        raise ValueError(f"RLGAF.reference_mixup must be above 0 and at most 1, got {settings.reference_mixup}")
    if settings.reference_every and not settings.leash:
        raise ValueError(
            f"RLGAF.reference_every moves a reference, which there is only with kl above 0, got {settings.leash}; "
            "set kl, or reference_every to 0"
        )
    if settings.missing_eos_penalty and settings.variant == "gumbel":
        raise ValueError("RLGAF.missing_eos_penalty is taken from rewards, and gumbel has none; set it to 0")
