"""CatGAN: relaxed samples compared within their category, and generators that are bred: loss and temperature evolve.

Paper                     Code                                  Shape, equation
G_θ(· | c)                within(players.generator, c)          relational memory that is told c
D_φ(X)                    discriminator.view_scores(…)          (batch, views), no category input
L_D, L_G^ra               relativistic_average, by_category     within each category, summed over them
L_G^rs                    relativistic                          pairs of one category
β, temperature            players.temperature                   a buffer that goes with the survivor
mutations M × {β, β ± Δ}  Phase.variants                        each moves a copy of the generator
F = λ_q F_q + λ_d F_d     fitness                               largest survives: of each loss the best temperature,
n_p                       parents, players.population           then the best n_p children; the fittest plays

Departures: F is made of means, not sums, so that λ_d is on the scale of λ_q; a population begins with one parent (equal
ones have equal children); all candidates take one temperature schedule; a d-step draws fresh samples of one survivor,
not those it was judged on; RaGAN's averages run over the rows computed at once. `cut_gradient` is the control arm.

References: Liu, Wang and Liang (2020), arXiv:1911.06641.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, Variant, check_rates
from seqgans.algorithms.base import check_counts as least
from seqgans.algorithms.categories import each_category, real_of, real_of_each
from seqgans.algorithms.likelihood import pretraining
from seqgans.algorithms.population import facing_any, further_parents
from seqgans.algorithms.relaxed import Temperature, compared_discriminator_loss, compared_generator_loss, temperature_of
from seqgans.algorithms.relgan import ANNEALINGS
from seqgans.choices import choice
from seqgans.generators.categories import categories_of, within
from seqgans.objectives.adversarial import ADVERSARIAL, Losses, by_category
from seqgans.randomness import Stream
from seqgans.rewards.fitness import quality_and_diversity
from seqgans.sequences import Loss, Relaxed


@dataclass(frozen=True, kw_only=True)
class CatGAN:
    """Settings and losses of CatGAN; the defaults are those of the authors' scripts for text.

    Attributes:
        pretrain_epochs: passes of maximum likelihood before the game, all categories together.
        pretrain_rate: learning rate of maximum likelihood.
        pretrain_patience: stop pre-training after this many epochs without a better validation NLL; 0 never stops.
        pretrain_best: start the game from the epoch with the best validation NLL instead of the last.
        rounds: rounds of the game, each one generation.
        discriminator_steps: discriminator steps a round.
        batch: sequences of each kind and category in a step.
        generator_rate: learning rate of the generator in the game.
        discriminator_rate: learning rate of the discriminator.
        clip: largest gradient norm of either player.
        mutations: losses that generators are tried with; names as in RelGAN's `objective`.
        discriminator_objective: what the discriminator minimises, by the same names.
        inverse_temperature_limit: β in the last round; 1 in the paper's synthetic experiment, 100 on text.
        annealing: how β goes from 1 to its limit, as in RelGAN.
        parents: n_p, generators that survive a generation, to be tried in the next; several need several losses.
        temperature_step: Δ, by which share of the way candidates look ahead and back; 0 for none.
        mean_views: compare the mean score of a sequence instead of each view's, in relativistic_average.
        fitness_examples: samples of each category on which a candidate is judged.
        quality_weight: λ_q, of how real the discriminator finds samples.
        diversity_weight: λ_d, of the entropy of samples, nats per token; 0.001 of sums in the authors' scripts.
        cut_gradient: the control arm: the relaxed samples carry no gradient, so the generator stays where it is.
    """

    generator: ClassVar[str] = "category_memory"
    discriminator: ClassVar[str | None] = "multi_view"
    paper: ClassVar[str] = "Liu, Wang and Liang 2020"

    pretrain_epochs: int = 150
    pretrain_rate: float = 0.01
    pretrain_patience: int = 0
    pretrain_best: bool = False
    rounds: int = 2_000
    discriminator_steps: int = 3
    batch: int = 64
    generator_rate: float = 1e-4
    discriminator_rate: float = 1e-4
    clip: float = 5.0
    mutations: tuple[str, ...] = ("relativistic_average", "relativistic")
    discriminator_objective: str = "relativistic_average"
    inverse_temperature_limit: float = 100.0
    annealing: str = "exponential"
    parents: int = 1
    temperature_step: float = 0.01
    mean_views: bool = False
    fitness_examples: int = 512
    quality_weight: float = 1.0
    diversity_weight: float = 0.1
    cut_gradient: bool = False

    def __post_init__(self) -> None:
        least(self, 0, "pretrain_epochs", "pretrain_patience", "rounds", "discriminator_steps")
        least(self, 0, "temperature_step", "quality_weight", "diversity_weight")
        least(self, 1, "batch", "fitness_examples", "parents")
        check_rates(self, "pretrain_rate", "generator_rate", "discriminator_rate", "clip", "inverse_temperature_limit")
        if len(set(self.mutations)) < min(self.parents, 2):
            raise ValueError(f"CatGAN.mutations must name a loss, two for several parents, got {self.mutations}")
        for name in (*self.mutations, self.discriminator_objective):
            choice(ADVERSARIAL, name, "objective")
        choice(ANNEALINGS, self.annealing, "annealing")

    def schedule(self) -> Schedule:
        """Maximum likelihood, then rounds of one generation and d-steps."""
        generator = Optimizer(name="adversarial", rate=self.generator_rate, clip=self.clip)
        discriminator = Optimizer(name="adversarial", rate=self.discriminator_rate, clip=self.clip)
        steps = {"": 0.0}
        if self.temperature_step and self.inverse_temperature_limit != 1:
            steps |= {"+": self.temperature_step, "-": -self.temperature_step}
        variants = tuple(
            Variant(
                f"{objective}{sign}",
                Update("generator", functools.partial(self.generator_loss, objective=objective), generator),
                functools.partial(self.set_temperature, step=step),
                family=objective,
            )
            for objective in self.mutations
            for sign, step in steps.items()
        )
        patience, best = self.pretrain_patience, self.pretrain_best
        learnt = pretraining(self.pretrain_epochs, self.pretrain_rate, self.batch, self.clip, patience, best)
        bred = Phase(name="generator", gather=self.real, variants=variants, fitness=self.fitness, parents=self.parents)
        judging = Phase(
            name="discriminator",
            gather=functools.partial(facing_any, gather=self.real_and_relaxed),
            updates=(Update("discriminator", self.discriminator_loss, discriminator),),
            gathers=self.discriminator_steps,
            holds="weights",
        )
        return Schedule(before=(learnt,), round=(bred, judging), rounds=self.rounds)

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """The survivor's β, and further survivors with theirs, are players: they outlive a checkpoint."""
        bred = {"generator": players.generator, "temperature": Temperature()}
        return {"temperature": bred["temperature"], **further_parents(bred, self.parents)}

    def set_temperature(self, players: Players, progress: float, step: float = 0.0) -> None:
        """β of this round, or of so much further along the way."""
        share = min(1.0, max(0.0, progress + step))
        temperature_of(players).fill_(ANNEALINGS[self.annealing](self.inverse_temperature_limit, share))

    def relaxed(self, players: Players, categories: Tensor, length: int, random: Stream) -> Relaxed:
        """A sample of each of these categories, at the temperature that was set."""
        law, beta = within(players.generator, categories), temperature_of(players).item()
        return law.relax(len(categories), length, random=random, inverse_temperature=beta)

    def losses(self, players: Players, play: Play, objective: str) -> Callable[[Tensor, Tensor], Losses]:
        """An objective within each category, of scores of every view, or of their mean where that is asked for."""
        _, categories = real_of(play)
        count, compare = categories_of(players.generator), ADVERSARIAL[objective]

        def within_each(real: Tensor, fake: Tensor) -> Losses:
            averaged = self.mean_views and objective == "relativistic_average"
            shown = (real.mean(1), fake.mean(1)) if averaged else (real, fake)
            return by_category(compare, *shown, categories, count)

        return within_each

    def real(self, players: Players, scene: Scene) -> Play:
        """As many sequences of every category; samples need gradient and are drawn by the candidates' losses."""
        return real_of_each(players, scene, self.batch)

    def real_and_relaxed(self, players: Players, scene: Scene) -> Play:
        """The same, and a relaxed sample of the same category beside each."""
        categories = each_category(players, scene, self.batch)
        relaxed = self.relaxed(players, categories, scene.corpus.length, scene.random)
        return replace(self.real(players, scene), extras={"weights": relaxed.weights, "mask": relaxed.mask})

    def generator_loss(self, players: Players, play: Play, objective: str) -> Loss:
        """What a candidate minimises."""
        _, categories = real_of(play)

        def relax(players: Players, count: int, length: int, random: Stream, progress: float) -> Relaxed:
            return self.relaxed(players, categories, length, random)

        losses = self.losses(players, play, objective)
        loss = compared_generator_loss(players, play, relax, losses, self.cut_gradient)
        return Loss(loss.value, {"inverse_temperature": temperature_of(players).item(), **loss.figures})

    def fitness(self, players: Players, play: Play, scene: Scene) -> float:
        """F: quality and diversity, each a mean over categories."""
        real, categories = real_of(play)
        total, count, beta = 0.0, categories_of(players.generator), temperature_of(players).item()
        for category in range(count):
            law, rows = within(players.generator, category), real[categories == category]
            examples = scene.share(self.fitness_examples)
            found = quality_and_diversity(law, players.discriminator, rows, examples, beta, scene.random, scene.gather)
            total += (self.quality_weight * found[0] + self.diversity_weight * found[1]) / count
        return total

    def discriminator_loss(self, players: Players, play: Play) -> Loss:
        """L_D within each category, plus the discriminator's own penalty."""
        return compared_discriminator_loss(players, play, self.losses(players, play, self.discriminator_objective))
