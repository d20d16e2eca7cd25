"""TextGAN: a generator that unfolds a latent code and matches the features of a discriminator by their kernel means.

Paper                     Code                                  Shape, equation
z ~ p_z, G(z)             play.extras["codes"], unfolded        (batch, latent); (batch, time, vocab), soft-argmax Eq. 8
f, f̃                      discriminator.features                (batch, width), of real and generated sequences
L_GAN                     discriminator_loss, first term        Eq. 3, negated: it is minimised
L_recon = ‖ẑ − z‖²        reader, reader_loss                   Eq. 4; ẑ is read from f̃
L_MMD²                    kernel_discrepancy                    Eq. 5; `matching` names it, CM and MM
λ_r, λ_m                  reconstruction_weight, matching_weight   Eq. 3: D minimises −L_GAN + λ_r L_recon − λ_m L_MMD²
L_G = L_MMD²              generator_loss                        Eq. 2

Departures: the autoencoder's code is what the reader reads from the CNN, so codes need not be as wide as features;
L_recon is the squared error of the text, not the code's cross-entropy; MMD² is not put under a root; only targets of
real sequences are smoothed; each player has an embedding of its own; MMD² and its pulls are taken once for the whole
batch while gathering.

References: Zhang, Gan, Fan, Chen, Henao, Shen and Carin (2017), arXiv:1706.03850.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from seqgans.algorithms.adversaries import real_and_swapped, telling_apart
from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.matching import autoencoding, distance_of, features_of_both, generator_loss, matched, unfolder
from seqgans.choices import choice
from seqgans.discriminators.matching import CodeReader, MatchingCNN
from seqgans.objectives.adversarial import accuracy, discriminator_loss
from seqgans.objectives.matching import Distance, covariance_matching, kernel_discrepancy, mean_matching
from seqgans.sequences import Loss, Sequences

MATCHINGS: dict[str, Callable[..., Tensor]] = {
    "kernel": kernel_discrepancy,
    "covariance": covariance_matching,
    "mean": mean_matching,
}
"""textGAN-MMD, -CM and -MM; MMD-L is "kernel" with a discriminator that compresses its features."""


@dataclass(frozen=True, kw_only=True)
class TextGAN:
    """Settings and losses of TextGAN; the defaults are those of the authors' first code where it says them.

    Attributes:
        swap_epochs: passes in which the discriminator first tells sequences from copies with two words swapped (ours).
        pretrain_epochs: passes in which generator, discriminator and reader learn as an autoencoder (ours).
        pretrain_rate: learning rate of both (ours).
        rounds: rounds of the game (ours).
        generator_steps: generator steps a round.
        discriminator_steps: discriminator steps a round.
        batch: sequences of each kind in a step, and of a minibatch before the game.
        generator_rate: learning rate of the generator in the game.
        discriminator_rate: learning rate of discriminator and reader in the game.
        clip: largest gradient norm of each player.
        matching: what is matched: kernel (MMD²), covariance (both moments of a Gaussian) or mean.
        kernel_sizes: σ of each kernel exp(−‖x − y‖²/2σ), summed; squared units of a feature.
        relative_sizes: take the sizes as multiples of the median squared distance of the batch's features.
        matching_weight: λ_m; above 0 the discriminator learns features that differ.
        reconstruction_weight: λ_r, the weight of reading the code back.
        reader: units of the reader's hidden layer.
        sharpness: L of the soft-argmax; gradients vanish as it grows, 10 to 100 learn faster.
        smoothing: by how much the target of real sequences stays below 1.
        shuffled: the control arm: each generated sequence is pulled where another should go.
    """

    generator: ClassVar[str] = "latent"
    discriminator: ClassVar[str | None] = "matching"
    paper: ClassVar[str] = "Zhang et al. 2017"
    sizes: ClassVar[dict[str, dict[str, Any]]] = {"generator": {"hidden": 500, "latent": 900}}

    swap_epochs: int = 5
    pretrain_epochs: int = 20
    pretrain_rate: float = 1e-3
    rounds: int = 2_000
    generator_steps: int = 5
    discriminator_steps: int = 1
    batch: int = 256
    generator_rate: float = 5e-5
    discriminator_rate: float = 1e-4
    clip: float = 5.0
    matching: str = "kernel"
    kernel_sizes: tuple[float, ...] = (20.0,)
    relative_sizes: bool = False
    matching_weight: float = 1e-3
    reconstruction_weight: float = 1e-3
    reader: int = 900
    sharpness: float = 1_000.0
    smoothing: float = 0.01
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "swap_epochs", "pretrain_epochs", "rounds", "discriminator_steps")
        check_counts(self, 0, "matching_weight", "reconstruction_weight")
        check_counts(self, 1, "generator_steps", "reader")
        check_counts(self, 2, "batch")
        check_rates(self, "pretrain_rate", "generator_rate", "discriminator_rate", "clip", "sharpness")
        choice(MATCHINGS, self.matching, "matching")
        if not self.kernel_sizes or not all(size > 0 for size in self.kernel_sizes):
            raise ValueError(f"TextGAN.kernel_sizes must be numbers above 0, at least one, got {self.kernel_sizes}")
        if not 0 <= self.smoothing < 1:
            raise ValueError(f"TextGAN.smoothing must be at least 0 and below 1, got {self.smoothing}")

    def schedule(self) -> Schedule:
        """Swapped words, autoencoder, then rounds of generator and discriminator steps."""
        first = Optimizer(name="swapped words", rate=self.pretrain_rate, clip=self.clip)
        moved = Optimizer(name="game", rate=self.generator_rate, clip=self.clip)
        judging = Optimizer(name="game", rate=self.discriminator_rate, clip=self.clip)
        swapping = Phase(
            name="swapped words",
            gather=real_and_swapped,
            updates=(Update("discriminator", telling_apart, first),),
            gathers=self.swap_epochs,
            batch=self.batch,
        )
        encoder = ("discriminator", "reader")
        autoencoder = autoencoding(
            self.pretrain_epochs, self.pretrain_rate, self.batch, self.clip, encode=encode, moved=encoder
        )
        game = Phase(
            name="generator",
            gather=functools.partial(self.matched, shuffled=self.shuffled),
            updates=(Update("generator", self.generator_loss, moved),),
            gathers=self.generator_steps,
        )
        discriminator = Phase(
            name="discriminator",
            gather=self.matched,
            updates=(
                Update("discriminator", self.discriminator_loss, judging),
                Update("reader", self.reader_loss, judging),
            ),
            gathers=self.discriminator_steps,
            holds="own",
        )
        return Schedule(before=(swapping, autoencoder), round=(game, discriminator), rounds=self.rounds)

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """The reader, from features to codes."""
        settings = unfolder(players).settings
        bounded = settings.prior == "uniform"
        return {"reader": CodeReader(cnn(players).width, self.reader, settings.latent, bounded, random)}

    def distance(self) -> Distance:
        """What the generator makes small."""
        if self.matching != "kernel":
            return MATCHINGS[self.matching]
        return functools.partial(kernel_discrepancy, sizes=self.kernel_sizes, relative=self.relative_sizes)

    def matched(self, players: Players, scene: Scene, shuffled: bool = False) -> Play:
        """Training sequences, codes, and how the distance of their features pulls at each."""
        features, distance = cnn(players).features, self.distance()
        return matched(players, scene, self.batch, self.sharpness, features, distance, shuffled)

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """L_G: the distance of the features."""
        return generator_loss(players, play, sharpness=self.sharpness, features=cnn(players).features)

    def discriminator_loss(self, players: Players, play: Play) -> Loss:
        """−L_GAN + λ_r L_recon − λ_m L_MMD²: tell apart, keep the code readable, push features apart."""
        real, fake = features_of_both(players, play, sharpness=self.sharpness, features=cnn(players).features)
        real_scores, fake_scores = (cnn(players).judged(part, random=play.random) for part in (real, fake))
        telling = 2 * discriminator_loss(real_scores, fake_scores, self.smoothing)  # both expectations in full
        read = code_error(players, fake, play)
        distance = distance_of(play, real, fake)
        figures = {"accuracy": accuracy(real_scores, fake_scores), "distance": distance.item(), "unread": read.item()}
        value = telling + self.reconstruction_weight * read - self.matching_weight * distance
        return Loss(value + players.discriminator.penalty(), figures)

    def reader_loss(self, players: Players, play: Play) -> Loss:
        """L_recon, by which the reader itself learns."""
        _, fake = features_of_both(players, play, sharpness=self.sharpness, features=cnn(players).features)
        return Loss(code_error(players, fake, play))


def cnn(players: Players) -> MatchingCNN:
    """The discriminator, which must be one whose features can be matched."""
    if not isinstance(players.discriminator, MatchingCNN):
        raise players.discriminator.lacking("TextGAN needs the discriminator 'matching'", "it")
    return players.discriminator


def encode(players: Players, sequences: Sequences) -> Tensor:
    """The code read from each sequence."""
    return players.get_submodule("reader")(cnn(players).features(sequences.tokens, sequences.mask))


def code_error(players: Players, features: Tensor, play: Play) -> Tensor:
    """‖ẑ − z‖², a sum over the code, a mean over sequences."""
    return (players.get_submodule("reader")(features) - play.extras["codes"]).square().sum(1).mean()
