"""MaskGAN: a generator that fills in blanks, rewarded token by token by a discriminator that sees the blanks.

Paper                     Code                                  Shape, equation
x, m                      play.real, play.extras["kept"]        (batch, time), m = 1 where a token is kept
m(x)                      play.source                           x with blanks
x̃                         play.fake                             x with its blanks filled in
G(x̂_t | x̂_<t, m(x))       generator.given(play.source)          a law as any other
D(x̃_t | x̃, m(x))          discriminator.step_scores             (batch, time), logits
r_t = log D               fill_rewards                          at blanks only
R_t = Σ_s≥t γ^(s−t) r_s   fill_returns                          (batch, time)
b_t = V(x̃_<t)             critic                                a head on the discriminator's states
(R_t − b_t) ∇log G        generator_loss on play.rewards        advantages within ±5

Pre-training is that of the paper: a language model, whose weights encoder and discriminator take over, then maximum
likelihood of the blanks ("MaskMLE").

Departures: dropout where likelihoods are learnt and in the discriminator only, since the policy gradient needs the law
that was sampled from, and on embeddings and last states only; the critic starts at 0 and moves in d-steps too, so that
it keeps up. An end token is kept, and a fill that ends early ends the sequence. Numbers of epochs and rounds are ours,
the rest is the code's for PTB. `shuffled` is the control arm; `whole` and `present_last` are not in the paper.

References: Fedus, Goodfellow and Dai (2018), arXiv:1801.07736.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.infilling import blank_reader, chosen, filled_in, filling, judging, values_before, writing
from seqgans.data.blanks import Missing, kept_tokens
from seqgans.generators.conditional import conditional
from seqgans.objectives.infilling import value_loss
from seqgans.objectives.policy_gradient import reinforce_loss
from seqgans.rewards.control import shuffled_over_blanks
from seqgans.rewards.infilling import Critic, advantages, context_reader, fill_returns, fill_rewards
from seqgans.sequences import Loss, Sequences


@dataclass(frozen=True, kw_only=True)
class MaskGAN:
    """Settings and losses of MaskGAN; the defaults are those of the published code for PTB.

    Attributes:
        pretrain_epochs: passes of the language model whose weights are taken over; 0 leaves both out.
        mask_epochs: passes of maximum likelihood of the blanks, each with fresh blanks.
        pretrain_rate: learning rate of both.
        pretrain_patience: stop filling in by likelihood after this many epochs without a better validation NLL of
            blanks; 0 never stops.
        pretrain_best: start the game from the epoch with the best validation NLL of blanks instead of the last.
        discriminator_pretrain_steps: d-steps before the game.
        rounds: rounds of the game.
        discriminator_steps: d-steps a round, each with a batch of fresh blanks and fills.
        discriminator_epochs: times each of them is gone through.
        generator_steps: actor-critic steps a round.
        present: share of the tokens that is kept at first, in [0, 1]; 0 blanks everything, the length too.
        present_last: the same in the last round, on the way there it changes evenly.
        missing: whether blanks are one block, or scattered.
        whole: share of the sequences that are blanked altogether, so that the generator also learns to write without
            a source, which is what `sample` does.
        discount: γ, in [0, 1].
        advantage_limit: largest R − b that counts, nats.
        batch: sequences of any minibatch.
        generator_rate: learning rate of the policy gradient.
        discriminator_rate: learning rate of the discriminator.
        critic_rate: learning rate of the critic.
        clip: largest gradient norm of each.
        shuffled: the control arm: advantages are handed to the blanks of other sequences.
    """

    generator: ClassVar[str] = "seq2seq"
    discriminator: ClassVar[str | None] = "seq2seq"
    paper: ClassVar[str] = "Fedus, Goodfellow and Dai 2018"

    pretrain_epochs: int = 20
    mask_epochs: int = 20
    pretrain_rate: float = 7.4876e-4
    pretrain_patience: int = 0
    pretrain_best: bool = False
    discriminator_pretrain_steps: int = 0
    rounds: int = 2000
    discriminator_steps: int = 2
    discriminator_epochs: int = 1
    generator_steps: int = 1
    present: float = 0.5
    present_last: float = 0.5
    missing: Missing = "block"
    whole: float = 0.0
    discount: float = 0.89072
    advantage_limit: float = 5.0
    batch: int = 128
    generator_rate: float = 3.8877e-5
    discriminator_rate: float = 5e-4
    critic_rate: float = 5.1761e-7
    clip: float = 10.0
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "mask_epochs", "pretrain_patience", "discriminator_pretrain_steps")
        check_counts(self, 0, "rounds", "discriminator_steps")
        check_counts(self, 1, "discriminator_epochs", "generator_steps", "batch")
        check_rates(self, "pretrain_rate", "generator_rate", "discriminator_rate", "critic_rate", "clip")
        check_rates(self, "advantage_limit")
        for name in ("present", "present_last", "whole", "discount"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"MaskGAN.{name} must be at least 0 and at most 1, got {getattr(self, name)}")

    def schedule(self) -> Schedule:
        """Language model, likelihood of blanks, then d-steps and actor-critic steps in turn."""
        likelihood = Optimizer(name="likelihood", rate=self.pretrain_rate, clip=self.clip)
        language = dataclasses.replace(likelihood, name="language model")  # which does not move the encoder
        policy = Optimizer(name="policy gradient", rate=self.generator_rate, clip=self.clip)
        critic = Update("critic", self.critic_loss, Optimizer(name="critic", rate=self.critic_rate, clip=self.clip))
        moves = Update("generator", self.generator_loss, policy), critic
        fill = filling(self.kept, self.mask_epochs, self.batch, likelihood, self.pretrain_patience, self.pretrain_best)
        return Schedule(
            before=(
                *(writing(self.pretrain_epochs, self.batch, language) if self.pretrain_epochs else ()),
                fill,
                self.judging("discriminator pre-training", self.discriminator_pretrain_steps, critic),
            ),
            round=(
                self.judging("discriminator", self.discriminator_steps, critic),
                Phase(name="generator", gather=self.play, updates=moves, gathers=self.generator_steps),
            ),
            rounds=self.rounds,
        )

    def judging(self, name: str, steps: int, critic: Update) -> Phase:
        """d-steps with this algorithm's settings; the critic keeps up with the discriminator."""
        optimizer = Optimizer(name="discriminator", rate=self.discriminator_rate, clip=self.clip)
        return judging(name, steps, self.kept, self.discriminator_epochs, self.batch, optimizer, critic)

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """The critic; here it shows whether generator and discriminator can read a source with blanks."""
        blank_reader(players.generator)
        return {"critic": Critic(context_reader(players.discriminator).width)}

    def kept(self, real: Sequences, scene: Scene) -> Tensor:
        """m: what is kept of each sequence; the share moves with the rounds."""
        present = self.present + (self.present_last - self.present) * scene.progress
        end = scene.corpus.vocabulary.end
        return kept_tokens(real, end, scene.random, present=present, missing=self.missing, whole=self.whole)

    def play(self, players: Players, scene: Scene) -> Play:
        """Fill in, and ask the discriminator and the critic about each token that was filled in."""
        play = filled_in(players, scene, self.kept, self.batch)
        missing, _, _ = chosen(play)
        rewards, returns = self.earned(players, play)
        surplus = advantages(returns, values_before(players, play), missing, self.advantage_limit)
        blanks = max(1, int(missing.sum()))
        figures = {
            **play.figures,
            "reward": rewards.sum().item() / blanks,
            "advantage": surplus.abs().sum().item() / blanks,
        }
        if self.shuffled:
            everywhere = scene.gather(missing)
            surplus = scene.over_batch(lambda whole: shuffled_over_blanks(whole, everywhere, scene.random), surplus)
        return dataclasses.replace(play, rewards=surplus, figures=figures)

    def earned(self, players: Players, play: Play) -> tuple[Tensor, Tensor]:
        """r_t and R_t: what the discriminator says now of each token that was filled in."""
        missing, fake, source = chosen(play)
        rewards = fill_rewards(players.discriminator, fake, source, missing)
        return rewards, fill_returns(rewards, missing, self.discount)

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """Policy gradient on the tokens that were filled in."""
        missing, fake, source = chosen(play)
        if play.rewards is None:
            raise ValueError("the policy gradient needs rewards, got a play without any")
        log_probs = conditional(players.generator).given(source).log_probs(fake.tokens)  # (batch, time)
        return Loss(reinforce_loss(log_probs, play.rewards, missing))

    def critic_loss(self, players: Players, play: Play) -> Loss:
        """Squared error of what was expected before each token that was filled in."""
        missing, _, _ = chosen(play)
        loss = value_loss(values_before(players, play), self.earned(players, play)[1], missing)
        return Loss(loss, {"critic_error": loss.item()})
