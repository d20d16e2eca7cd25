"""WGAN-GP on laws of tokens: a critic with slopes near 1 reads softmax rows; sequences grow from one token to all.

Paper                       Code                                  Shape, equation
G_θ, D_φ                    players.generator, .discriminator     a recurrent net each (Press et al.)
z, noise                    generator.begin                       first state of the generator
p_t = softmax(o_t)          generator.relax(noisy=False).weights  (batch, time, vocab), read before step t + 1
x, one-hot                  play.real.tokens                      (batch, time)
L_D, L_G                    objectives.adversarial.wasserstein    mean D(x̃) − mean D(x), −mean D(x̃)
x̂ = u x + (1 − u) x̃         objectives.gradient_penalty.between   (batch, time, vocab)
λ (‖∇D(x̂)‖ − 1)²            .gradient_penalty(slopes_between(…))  Gulrajani et al., Eq. 3
CL, VL, TH                  longest, variable_length, teacher_help  curriculum of Press et al.

The critic sees laws, not draws, so nothing is sampled while it is trained and L_G has a gradient. In stage i of the
curriculum sequences have at most i tokens; with variable length each has its own number, uniform from 1 to i; with
teacher help all but the last token of each are real and the generator adds one row.

Departures: lengths grow in equal stages over all rounds, in one run with one optimiser; a sequence and the real one it
is compared with have the same length, and with teacher help the same beginning; what is cut off is padding behind the
sequence, which is how cut and ended sequences are shown to the critic; at x̂ a token on one side alone fades to 0.
Samples are draws from the last law, where the authors take its largest entry (`--temperature 0`). No dropout. Not in
the papers: maximum likelihood beforehand, one-sided penalty, noisy rows, and `cut_gradient`, the control arm.

References: Gulrajani et al. (2017), arXiv:1704.00028; Rajeswar et al. (2017), arXiv:1705.10929; Press et al. (2017),
arXiv:1706.01399, defaults from the authors' code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.likelihood import pretraining
from seqgans.algorithms.relaxed import real_and_weights
from seqgans.objectives.adversarial import wasserstein
from seqgans.objectives.gradient_penalty import gradient_penalty, slopes_between
from seqgans.randomness import Stream
from seqgans.sequences import Loss, Relaxed, Sequences


@dataclass(frozen=True, kw_only=True)
class WGAN:
    """Settings and losses of WGAN-GP; the defaults are those of the code of Press et al.

    Attributes:
        pretrain_epochs: passes of maximum likelihood before the game; none in the papers.
        pretrain_rate: learning rate of maximum likelihood.
        rounds: rounds of the game; the authors' code has 15,000 for each length.
        discriminator_steps: critic steps a round, each with fresh samples.
        generator_steps: generator steps a round; 1 in Gulrajani et al.
        batch: sequences of each kind in a step.
        generator_rate: learning rate of the generator in the game.
        discriminator_rate: learning rate of the critic.
        clip: largest gradient norm in maximum likelihood and of the generator; infinite for none.
        penalty: λ, weight of the gradient penalty.
        one_sided: only slopes above 1 cost.
        curriculum_share: share of the rounds in which sequences grow from one token to all; 0: they have all at once.
        variable_length: each sequence has its own number of tokens, uniform from 1 to the longest of the stage.
        teacher_help: all but the last token of each sequence are real.
        noisy: rows are Gumbel-softmax draws instead of laws; needed where the generator has no noise of its own and
            no teacher helps, or all its sequences were one.
        cut_gradient: the control arm: rows carry no gradient, so the generator stays where it is.
    """

    generator: ClassVar[str] = "latent"
    discriminator: ClassVar[str | None] = "gru"
    paper: ClassVar[str] = "Press, Bar, Bogin, Berant and Wolf 2017"
    sizes: ClassVar[dict[str, dict[str, Any]]] = {"generator": {"prior": "normal", "every_step": False}}

    pretrain_epochs: int = 0
    pretrain_rate: float = 0.01
    rounds: int = 465_000
    discriminator_steps: int = 10
    generator_steps: int = 50
    batch: int = 64
    generator_rate: float = 1e-4
    discriminator_rate: float = 2e-4
    clip: float = math.inf
    penalty: float = 10.0
    one_sided: bool = False
    curriculum_share: float = 1.0
    variable_length: bool = True
    teacher_help: bool = True
    noisy: bool = False
    cut_gradient: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "rounds", "penalty")
        check_counts(self, 1, "discriminator_steps", "generator_steps", "batch")
        check_rates(self, "pretrain_rate", "generator_rate", "discriminator_rate")
        if not self.clip > 0:
            raise ValueError(f"WGAN.clip must be above 0, got {self.clip}")
        if not 0 <= self.curriculum_share <= 1:
            raise ValueError(f"WGAN.curriculum_share must be from 0 to 1, got {self.curriculum_share}")

    def schedule(self) -> Schedule:
        """Maximum likelihood if asked for, then rounds of critic and generator steps."""
        betas = (0.5, 0.9)
        critic = Optimizer(name="adversarial", rate=self.discriminator_rate, betas=betas)
        generator = Optimizer(name="adversarial", rate=self.generator_rate, betas=betas, clip=self.clip)
        return Schedule(
            before=(pretraining(self.pretrain_epochs, self.pretrain_rate, self.batch, self.clip),),
            round=(
                Phase(
                    name="discriminator",
                    gather=self.real_and_relaxed,
                    updates=(Update("discriminator", self.critic_loss, critic),),
                    gathers=self.discriminator_steps,
                    holds="weights",
                ),
                Phase(
                    name="generator",
                    gather=self.real,
                    updates=(Update("generator", self.generator_loss, generator),),
                    gathers=self.generator_steps,
                ),
            ),
            rounds=self.rounds,
        )

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """No further players."""
        return {}

    def longest(self, progress: float, time: int) -> int:
        """Tokens of the longest sequence of a stage: 1 … time, each in an equal part of the curriculum."""
        if not self.curriculum_share:
            return time
        return min(time, 1 + int(time * progress / self.curriculum_share))

    def shown(self, count: int, time: int, random: Stream, progress: float) -> Bool[Tensor, "batch time"]:
        """True for the tokens of each sequence that a stage shows."""
        longest = self.longest(progress, time)
        lengths = torch.full((count,), longest)
        if self.variable_length:
            lengths = 1 + (random.uniform(count).cpu() * longest).long()
        return torch.arange(time) < lengths[:, None]

    def rows(self, players: Players, real: Sequences, random: Stream, progress: float) -> tuple[Sequences, Relaxed]:
        """Real sequences cut to the lengths of a stage, and as long ones of the generator."""
        count, time = real.tokens.shape
        shown = self.shown(count, time, random, progress).to(real.tokens.device)
        longest = self.longest(progress, time)  # not that of these rows: every process draws equally many numbers
        kept: Bool[Tensor, "batch prefix"] | None = None
        prefix: Int[Tensor, "batch prefix"] | None = None
        if self.teacher_help:
            prefix, kept = real.tokens[:, :longest], nn.functional.pad(shown, (0, 1))[:, 1 : longest + 1]
        relaxed = players.generator.relax(
            count, longest, random=random, soft_inputs=True, noisy=self.noisy, prefix=prefix, kept=kept
        )
        behind = time - longest  # padding, so that discriminators of one length can read it
        weights = nn.functional.pad(relaxed.weights, (0, 0, 0, behind))
        tokens = nn.functional.pad(relaxed.tokens, (0, behind))
        mask = nn.functional.pad(relaxed.mask, (0, behind)) & shown
        return Sequences(real.tokens, real.mask & shown), Relaxed(weights, tokens, mask)

    def real(self, players: Players, scene: Scene) -> Play:
        """Training sequences; the rows of a generator step need gradient and are made by its loss."""
        return Play(real=scene.real(self.batch))

    def real_and_relaxed(self, players: Players, scene: Scene) -> Play:
        """Training sequences of the lengths of a stage, and as many of the generator."""
        real, relaxed = self.rows(players, scene.real(self.batch), scene.random, scene.progress)
        return Play(real=real, extras={"weights": relaxed.weights, "mask": relaxed.mask})

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """L_G on fresh rows, through which its gradient flows."""
        if play.real is None or play.random is None:
            raise ValueError("a generator step needs real sequences and random numbers, got a play without one of them")
        real, relaxed = self.rows(players, play.real, play.random, play.progress)
        weights = relaxed.weights.detach() if self.cut_gradient else relaxed.weights  # (batch, time, vocab)
        scores = players.discriminator.scores(weights, relaxed.mask)
        _, value = wasserstein(torch.zeros_like(scores), scores)  # what real sequences score has no part in L_G
        if self.cut_gradient:
            value = value + 0.0 * relaxed.weights.sum()
        sharpest = weights.detach().amax(2)[relaxed.mask].mean().item()
        longest = self.longest(play.progress, real.tokens.shape[1])
        return Loss(value, {"length": float(longest), "largest_weight": sharpest})

    def critic_loss(self, players: Players, play: Play) -> Loss:
        """L_D with the gradient penalty between real and generated rows, plus the discriminator's own penalty."""
        real, weights, mask = real_and_weights(play)
        if play.random is None:
            raise ValueError("a critic step needs random numbers, got a play without them")
        critic = players.discriminator
        value, _ = wasserstein(critic.scores(real.tokens, real.mask), critic.scores(weights, mask))
        share = play.random.uniform(len(real)).to(weights.device)
        steep = slopes_between(critic.scores, (real.tokens, real.mask), (weights, mask), share)  # (batch,)
        figures = {"distance": -value.item(), "slope": steep.detach().mean().item()}
        return Loss(value + self.penalty * gradient_penalty(steep, self.one_sided) + critic.penalty(), figures)
