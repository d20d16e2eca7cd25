"""Settings of all options, in one frozen dataclass; every default leaves a game as it is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seqgans.algorithms.base import check_counts, check_rates


@dataclass(frozen=True, kw_only=True)
class Options:
    """What can be added to any game; by default nothing is.

    Attributes:
        interleave: minibatches of maximum likelihood at the end of each round.
        replay: share of a discriminator's negatives that come from a memory of earlier ones.
        replay_size: how many negatives the memory holds, the newest ones.
        gradient_penalty: weight of the gradient penalty of the discriminator between real and generated rows.
        smoothing: by how much the target of real sequences stays below 1, for one that learns by
            cross-entropy.
        spectral_norm: largest singular value of each layer of the discriminator; 0 for no bound.
        discriminators: how many judge, each learning by its own loss; samples are rewarded by their mean score.
        shared: several discriminators have one table of symbols.
        critic: what a generator that learns by policy gradient compares its rewards with, besides the algorithm's own
            baseline: what a network expects before each token; or the differences of what it expects, in place of all
            rewards but the last of each sequence.
        critic_rate: learning rate of that network.
        patience: end the game after this many rounds without a lower validation figure, and keep the generator of the
            lowest; 0 plays all rounds and keeps the last.
        validation: the figure: the Jensen-Shannon divergence between bigrams of samples and of validation sequences, or
            the negative log-likelihood of validation sequences.
        validation_samples: samples drawn for it after each round.
    """

    interleave: int = 0
    replay: float = 0.0
    replay_size: int = 10_000
    gradient_penalty: float = 0.0
    smoothing: float = 0.0
    spectral_norm: float = 0.0
    discriminators: int = 1
    shared: bool = False
    critic: Literal["none", "baseline", "differences"] = "none"
    critic_rate: float = 0.01
    patience: int = 0
    validation: Literal["bigrams", "nll"] = "bigrams"
    validation_samples: int = 1000

    def __post_init__(self) -> None:
        check_counts(self, 0, "interleave", "gradient_penalty", "spectral_norm", "patience")
        check_counts(self, 1, "replay_size", "discriminators", "validation_samples")
        check_rates(self, "critic_rate")
        if not 0 <= self.replay < 1:
            raise ValueError(f"Options.replay must be at least 0 and below 1, got {self.replay}")
        if self.shared and self.discriminators == 1:
            raise ValueError("Options.shared must be false for one discriminator, got true")
        if not 0 <= self.smoothing < 0.5:
            raise ValueError(f"Options.smoothing must be at least 0 and below 0.5, got {self.smoothing}")
