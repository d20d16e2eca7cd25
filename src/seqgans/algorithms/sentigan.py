"""SentiGAN: one generator a category, all against one discriminator of k + 1 classes, each moved by a penalty.

Paper                     Code                                  Shape, equation
G_1 … G_k                 players.generator.parts               a mixture, nothing shared
D_1 … D_k, D_k+1          discriminator.class_scores            (batch, k + 1); here "generated" is class 0
V(S_t−1, X_t)             play.rewards                          (batch, time), the mean of 1 − D_i over completions
L = G(X_t | S_t−1) · V    objectives.classes.penalty_loss       Eq. 2 and 3
J_D                       objectives.classes.class_loss         Eq. 5
N                         rollouts                              completions of each prefix
g-steps, d-steps          generator_steps, discriminator_steps  Algorithm 1

Departures: a generator starts from a state of 0, not from noise z (sampling is all the chance there is); all parts are
moved by one update, so that the gradient is clipped over all of them together; RMSProp is Adam with decays 0 and 0.9,
which differs by its start; the authors' code also applies the penalty to real sentences, which is left out. From that
code, not in the paper: `likelihood_epochs`. In neither: `estimator` log, `baseline`, `reward` prefix, and `shuffled`,
the control arm.

References: Wang and Wan (2018), IJCAI, doi 10.24963/ijcai.2018/618.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.likelihood import pretraining
from seqgans.algorithms.policy import centred
from seqgans.discriminators.classes import discriminator_of_classes
from seqgans.generators.categories import categories_of, within
from seqgans.objectives.classes import class_accuracy, class_loss, penalty_loss
from seqgans.objectives.policy_gradient import reinforce_loss
from seqgans.rewards.steps import reward_figures, token_values
from seqgans.sequences import Loss, Sequences


@dataclass(frozen=True, kw_only=True)
class SentiGAN:
    """Settings and losses of SentiGAN; the defaults are the paper's, where it gives none those of the authors' code.

    Attributes:
        pretrain_epochs: passes of maximum likelihood before the game, every part on the sequences of its category.
        pretrain_rate: learning rate of maximum likelihood.
        pretrain_patience: stop pre-training after this many epochs without a better validation NLL; 0 never stops.
        pretrain_best: start the game from the epoch with the best validation NLL instead of the last.
        discriminator_pretrain_steps: d-steps before the game.
        rounds: rounds of the game.
        generator_steps: steps of all parts a round (g).
        discriminator_steps: d-steps a round, each with fresh negatives (d).
        discriminator_epochs: passes over the examples of a d-step.
        discriminator_examples: negatives, and real sequences, of a d-step; none: as many as training sequences.
        likelihood_epochs: passes of maximum likelihood in each round; the authors' code takes 10 on text.
        rollouts: completions of each prefix (N).
        reward: penalties of roll-outs, or of the padded prefix itself.
        estimator: what is minimised: the probability of a token times its penalty (the paper), or its log-probability
            times its penalty, which is REINFORCE.
        baseline: what is subtracted from the penalties.
        batch: sequences of each category in a generator step.
        discriminator_batch: sequences of a discriminator minibatch, half of them real.
        generator_rate: learning rate of the generators in the game.
        discriminator_rate: learning rate of the discriminator.
        clip: largest gradient norm of all generators together.
        shuffled: the control arm: penalties are handed to other sequences of the same category.
    """

    generator: ClassVar[str] = "mixture"
    discriminator: ClassVar[str | None] = "classes"
    paper: ClassVar[str] = "Wang and Wan 2018"

    pretrain_epochs: int = 120
    pretrain_rate: float = 0.01
    pretrain_patience: int = 0
    pretrain_best: bool = False
    discriminator_pretrain_steps: int = 50
    rounds: int = 350
    generator_steps: int = 5
    discriminator_steps: int = 1
    discriminator_epochs: int = 3
    discriminator_examples: int | None = None
    likelihood_epochs: int = 0
    rollouts: int = 15
    reward: Literal["rollouts", "prefix"] = "rollouts"
    estimator: Literal["probability", "log"] = "probability"
    baseline: Literal["none", "batch_mean", "leave_one_out"] = "none"
    batch: int = 64
    discriminator_batch: int = 64
    generator_rate: float = 0.01
    discriminator_rate: float = 1e-4
    clip: float = 5.0
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "pretrain_patience", "discriminator_pretrain_steps", "rounds")
        check_counts(self, 0, "discriminator_steps", "likelihood_epochs")
        check_counts(self, 1, "generator_steps", "discriminator_epochs", "rollouts", "batch", "discriminator_batch")
        check_rates(self, "pretrain_rate", "generator_rate", "discriminator_rate", "clip")

    def schedule(self) -> Schedule:
        """Algorithm 1: pre-train all, then alternate g-steps and d-steps."""
        likelihood = pretraining(
            self.pretrain_epochs, self.pretrain_rate, 64, 5.0, self.pretrain_patience, self.pretrain_best
        )
        again = pretraining(self.likelihood_epochs, self.pretrain_rate, 64, 5.0)
        moved = Optimizer(name="penalty", rate=self.generator_rate, betas=(0.0, 0.9), clip=self.clip)
        judging = Optimizer(name="discriminator", rate=self.discriminator_rate)
        generator = Phase(
            name="generator",
            gather=self.play,
            updates=(Update("generator", self.generator_loss, moved),),
            gathers=self.generator_steps,
        )
        discriminator = Phase(
            name="discriminator",
            gather=self.real_and_fake,
            updates=(Update("discriminator", self.discriminator_loss, judging),),
            gathers=self.discriminator_steps,
            passes=self.discriminator_epochs,
            batch=max(1, self.discriminator_batch // 2),
        )
        before = replace(discriminator, name="discriminator pre-training", gathers=self.discriminator_pretrain_steps)
        return Schedule(
            before=(likelihood, before),
            round=(generator, replace(again, name="likelihood again"), discriminator),
            rounds=self.rounds,
        )

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """No further players; here it shows whether the discriminator knows classes."""
        discriminator_of_classes(players.discriminator)
        return {}

    def play(self, players: Players, scene: Scene) -> Play:
        """Sample from every part and ask its class of the discriminator what each token cost."""
        plays = [self.play_of(players, scene, category) for category in range(categories_of(players.generator))]
        tensors = {name: torch.cat([play.tensors()[name] for play in plays]) for name in plays[0].tensors()}
        figures = {name: sum(play.figures[name] for play in plays) / len(plays) for name in plays[0].figures}
        return Play(figures=figures).holding(tensors)

    def play_of(self, players: Players, scene: Scene, category: int) -> Play:
        """Samples of one part, and the penalty of each token: V = 1 − D_i, a mean over completions."""
        law = within(players.generator, category)
        judge = discriminator_of_classes(players.discriminator).of(category)
        fake = law.sample(scene.share(self.batch), scene.corpus.length, random=scene.random)
        penalties = token_values(
            self.reward, law, judge, fake, self.rollouts, scene.random, worth=lambda score: (-score).sigmoid()
        )
        figures = reward_figures(penalties, fake)
        figures["reward"] = 1 - figures["reward"]  # shown as the probability of the right class
        penalties = centred(players, scene, penalties, fake.mask, self.baseline, self.shuffled)
        categories = torch.full((len(fake),), category, device=fake.tokens.device)
        return Play(fake=Sequences(fake.tokens, fake.mask, categories), rewards=penalties, figures=figures)

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """The penalty of each part on its own samples, summed over parts."""
        fake = play.fake
        if fake is None or play.rewards is None:
            raise ValueError("a penalty needs samples and what they cost, got a play without one of them")
        log_probs = within(players.generator, fake.categories).log_probs(fake.tokens)  # (batch, time)
        if self.estimator == "log":
            mean = reinforce_loss(log_probs, -play.rewards, fake.mask)
        else:
            mean = penalty_loss(log_probs, play.rewards, fake.mask)
        return Loss(categories_of(players.generator) * mean)

    def real_and_fake(self, players: Players, scene: Scene) -> Play:
        """As many sequences of every category as fresh samples of every part."""
        count = categories_of(players.generator)
        each = (self.discriminator_examples or len(scene.corpus.train)) // count
        each = max(scene.processes, each - each % scene.processes)
        real = [scene.real(each, category) for category in range(count)]
        laws = [within(players.generator, category) for category in range(count)]
        fake = [law.sample(scene.share(each), scene.corpus.length, random=scene.random) for law in laws]
        numbers = torch.arange(count, device=real[0].tokens.device).repeat_interleave(len(real[0]))
        real_tokens, real_mask, fake_tokens, fake_mask = (
            torch.cat([getattr(one, part) for one in ones]) for ones in (real, fake) for part in ("tokens", "mask")
        )
        return Play(real=Sequences(real_tokens, real_mask, numbers), fake=Sequences(fake_tokens, fake_mask))

    def discriminator_loss(self, players: Players, play: Play, smoothing: float = 0.0) -> Loss:
        """J_D, divided by the number of classes, plus the discriminator's own penalty."""
        real, fake = play.real, play.fake
        if real is None or fake is None or real.categories is None:
            raise ValueError("a discriminator of classes needs real sequences with categories and generated ones")
        judge = discriminator_of_classes(players.discriminator)
        tokens, mask = torch.cat([real.tokens, fake.tokens]), torch.cat([real.mask, fake.mask])
        real_scores, fake_scores = judge.class_scores(tokens, mask, random=play.random).chunk(2)  # equally many
        value = class_loss(real_scores, real.categories, fake_scores, smoothing)
        figures = {
            "loss": value.item(),
            "accuracy": class_accuracy(real_scores, real.categories, fake_scores),
            "real_score": 1 - real_scores.detach().softmax(1)[:, 0].mean().item(),  # of whatever category
            "fake_score": 1 - fake_scores.detach().softmax(1)[:, 0].mean().item(),
        }
        return Loss(value + judge.penalty(), figures)
