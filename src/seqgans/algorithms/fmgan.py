"""FM-GAN: a generator that unfolds a latent code and makes its features cheap to move onto real ones.

Paper                     Code                                  Shape, equation
z, G(z)                   play.extras["codes"], unfolded        (batch, latent); (batch, time, vocab), soft-argmax
F(s; φ)                   discriminator.features                (batch, width)
c = 1 − cos, T, D_FMD     feature_movers_distance               Eq. 4 to 6, by IPOT
min_G max_F D_FMD         generator_loss, extractor_loss        Eq. 7: G minimises it, F its negative
β, N_it, K                proximal_step, proximal_iterations, scalings

Departures: the second scaling of IPOT multiplies by Qᵀ, as its paper has it (the authors' code by Q, which leaves the
marginals wrong); the gradient does not flow through the plan; the extractor is also the autoencoder's encoder, so
features are as wide as codes, as in the code; learning rates stay constant (code: ·0.99 every 3,000 steps); no word is
dropped from what is read; embeddings are neither normalised nor shared; z enters every step unless the generator's
`every_step` is false, as in the recipes. A head on the features, by which no feature is moved, learns to tell real from
generated, so that sequences can be scored; the paper has none.

References: Chen, Dai, Tao, Shen, Gan, Zhang, Zhang and Carin (2018), arXiv:1809.06297.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.matching import autoencoding, distance_of, features_of_both, generator_loss, matched, unfolder
from seqgans.discriminators.strided import StridedCNN
from seqgans.errors import BadInput
from seqgans.objectives.adversarial import accuracy, discriminator_loss
from seqgans.objectives.matching import Distance
from seqgans.objectives.transport import debiased_distance, feature_movers_distance
from seqgans.sequences import Loss, Sequences


@dataclass(frozen=True, kw_only=True)
class FMGAN:
    """Settings and losses of FM-GAN; the defaults are those of the authors' code on news where it says them.

    Attributes:
        pretrain_epochs: passes in which generator and extractor learn as an autoencoder (ours).
        pretrain_rate: learning rate of both.
        pretrain_batch: sequences of a minibatch of the autoencoder.
        rounds: rounds of the game (ours).
        generator_steps: generator steps a round.
        extractor_steps: extractor steps a round; 0 leaves it as the autoencoder has it.
        batch: sequences of each kind in a step; the larger, the better the distance is estimated.
        generator_rate: learning rate of the generator in the game.
        extractor_rate: learning rate of the extractor in the game.
        clip: largest gradient norm of each player.
        sharpness: L of the soft-argmax; gradients vanish as it grows.
        proximal_step: β of the plan; the smaller, the nearer the optimum after as many iterations.
        proximal_iterations: how often the plan is renewed.
        scalings: K, how often an iteration scales rows and columns.
        shuffled: the control arm: each generated sequence is pulled where another should go.
    """

    generator: ClassVar[str] = "latent"
    discriminator: ClassVar[str | None] = "strided"
    paper: ClassVar[str] = "Chen et al. 2018"
    sizes: ClassVar[dict[str, dict[str, Any]]] = {"generator": {"every_step": False}}

    pretrain_epochs: int = 20
    pretrain_rate: float = 1e-4
    pretrain_batch: int = 64
    rounds: int = 2_000
    generator_steps: int = 5
    extractor_steps: int = 1
    batch: int = 300
    generator_rate: float = 1e-5
    extractor_rate: float = 1e-5
    clip: float = 5.0
    sharpness: float = 100.0
    proximal_step: float = 1.0
    proximal_iterations: int = 50
    scalings: int = 1
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "rounds", "extractor_steps")
        check_counts(self, 1, "pretrain_batch", "generator_steps", "proximal_iterations", "scalings")
        check_counts(self, 2, "batch")
        check_rates(self, "pretrain_rate", "generator_rate", "extractor_rate", "clip", "sharpness", "proximal_step")

    def schedule(self) -> Schedule:
        """Autoencoder, then rounds of generator and extractor steps."""
        autoencoder = autoencoding(
            self.pretrain_epochs,
            self.pretrain_rate,
            self.pretrain_batch,
            self.clip,
            encode=encode,
            moved=("discriminator",),
        )
        generator = Optimizer(name="game", rate=self.generator_rate, clip=self.clip)
        extractor = Optimizer(name="game", rate=self.extractor_rate, clip=self.clip)
        return Schedule(
            before=(autoencoder,),
            round=(
                Phase(
                    name="generator",
                    gather=functools.partial(self.matched, shuffled=self.shuffled),
                    updates=(Update("generator", self.generator_loss, generator),),
                    gathers=self.generator_steps,
                ),
                Phase(
                    name="discriminator",
                    gather=self.matched,
                    updates=(Update("discriminator", self.extractor_loss, extractor),),
                    gathers=self.extractor_steps,
                    holds="own",
                ),
            ),
            rounds=self.rounds,
        )

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """No further players; here it shows whether features are as wide as codes."""
        latent, width = unfolder(players).settings.latent, extractor(players).width
        if latent != width:
            raise BadInput(f"FM-GAN needs discriminator.features equal to generator.latent, got {width} and {latent}")
        return {}

    def distance(self) -> Distance:
        """D_FMD, what the generator makes small and the extractor large."""
        return functools.partial(
            feature_movers_distance,
            step=self.proximal_step,
            iterations=self.proximal_iterations,
            scalings=self.scalings,
        )

    def matched(self, players: Players, scene: Scene, shuffled: bool = False) -> Play:
        """Training sequences, codes, and how the distance of their features pulls at each."""
        features, distance = extractor(players).features, self.distance()
        return matched(players, scene, self.batch, self.sharpness, features, distance, shuffled)

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """D_FMD, through the generated sequences."""
        return generator_loss(players, play, sharpness=self.sharpness, features=extractor(players).features)

    def extractor_loss(self, players: Players, play: Play) -> Loss:
        """−D_FMD, through the features of both kinds; beside it the head learns from features that it cannot move."""
        network = extractor(players)
        real, fake = features_of_both(players, play, sharpness=self.sharpness, features=network.features)
        real_scores, fake_scores = (network.judged(part.detach(), random=play.random) for part in (real, fake))
        distance = distance_of(play, real, fake)
        with torch.no_grad():
            excess = debiased_distance(real, fake, step=self.proximal_step) if len(real) > 1 else distance
        figures = {
            "distance": distance.item(),
            "debiased": excess.item(),
            "accuracy": accuracy(real_scores, fake_scores),
        }
        return Loss(discriminator_loss(real_scores, fake_scores) - distance, figures)


def extractor(players: Players) -> StridedCNN:
    """The discriminator, which must be one whose features can be moved.

    Raises:
        BadInput: it is another one.
    """
    if not isinstance(players.discriminator, StridedCNN):
        raise players.discriminator.lacking("FM-GAN needs the discriminator 'strided'", "it")
    return players.discriminator


def encode(players: Players, sequences: Sequences) -> Tensor:
    """The features of each sequence, taken as its code."""
    return extractor(players).features(sequences.tokens, sequences.mask)
