"""JSDGAN: the best discriminator in closed form, so the generator descends the Jensen–Shannon divergence itself.

Paper                          Code                            Shape, equation
p_g(x) = Π_t G_θ(x_t ∣ x_<t)   exp of log_probs(…) below       (batch,), of real sequences
p_d(x) = #x / m                frequencies                     (batch,), duplicates counted
D*(x) = p_d / (p_d + p_g)      σ(−ρ), ρ = log_ratios           (batch,)
V(G, D*)                       objectives.jensen_shannon       −ln 4 + 2 JSD
p_g ln(1 + p_d / p_g) / p_d    play.extras["weights"]          (batch,), no gradient

    ∇V = −E_{x∼p_d} [(ω(x) / p_d(x)) ∇ ln p_g(x)],   ω = p_g ln(1 + p_d / p_g)

Sequences outside of the training set add nothing, so nothing is sampled and no gradient is estimated from rewards. The
weights ignore what the generator finds impossible: it seeks modes, the opposite of maximum likelihood.

Departures: no code of the authors is known, so defaults are those of a published port, except `law`. p_g of a long
sequence is far below p_d and the exact weights vanish (e⁻⁶⁰); `softmax` shares p_g out over the batch (and may flatten
it by a power), `minmax` is the port's. Minibatches are drawn afresh, not dealt out in epochs. Not in the paper:
`shuffled`, the control arm: the same weights on other training sequences, so maximum likelihood as noisy as this.

References: Li, Xia, Lou, Xu, Wang and Xiao (2019), AISTATS, PMLR 89.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update, check_counts, check_rates
from seqgans.algorithms.likelihood import pretraining
from seqgans.objectives.jensen_shannon import game_value, log_weights, minmax_log_ratios, softmax_log_ratios
from seqgans.objectives.likelihood import negative_log_likelihood
from seqgans.objectives.policy_gradient import reinforce_loss
from seqgans.rewards.control import shuffled_over_batch
from seqgans.rewards.returns import spread
from seqgans.sequences import Loss, Sequences


@dataclass(frozen=True, kw_only=True)
class JSDGAN:
    """Settings and losses of JSDGAN.

    Attributes:
        pretrain_epochs: passes of maximum likelihood before the game; the paper has none.
        pretrain_rate: learning rate of maximum likelihood.
        pretrain_patience: stop pre-training after this many epochs without a better validation NLL; 0 never stops.
        pretrain_best: start the game from the epoch with the best validation NLL instead of the last.
        rounds: rounds of the game.
        generator_steps: steps a round; 157 of 64 sequences are an epoch of 10,000.
        law: what takes the place of p_g: the exact probability, for sequences so short that it does not vanish;
            softmax, shared out over the batch; minmax, stretched over [0, 1] within the batch.
        power: p_g to this power is what is shared out or stretched, above 0; below 1 weights differ less, towards
            maximum likelihood.
        per_token: divide log-probabilities by the number of tokens first, so that short sequences do not count more.
        batch: sequences of a step.
        generator_rate: learning rate.
        clip: largest gradient norm.
        shuffled: the control arm: hand each sequence's weight to another sequence.
    """

    generator: ClassVar[str] = "lstm"
    discriminator: ClassVar[str | None] = None
    paper: ClassVar[str] = "Li et al. 2019"

    pretrain_epochs: int = 0
    pretrain_rate: float = 0.01
    pretrain_patience: int = 0
    pretrain_best: bool = False
    rounds: int = 500
    generator_steps: int = 157
    law: Literal["exact", "softmax", "minmax"] = "softmax"
    power: float = 1.0
    per_token: bool = False
    batch: int = 64
    generator_rate: float = 0.01
    clip: float = 5.0
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_counts(self, 0, "pretrain_epochs", "pretrain_patience", "rounds")
        check_counts(self, 1, "generator_steps", "batch")
        check_rates(self, "pretrain_rate", "power", "generator_rate", "clip")
        if self.law == "exact" and (self.power != 1.0 or self.per_token):
            raise ValueError(
                f"JSDGAN.power must be 1 and per_token false where law is exact, got {self.power} and {self.per_token}"
            )

    def schedule(self) -> Schedule:
        """Rounds of steps, each on a fresh batch weighed by the generator as it stands."""
        pretrain = pretraining(
            self.pretrain_epochs,
            self.pretrain_rate,
            self.batch,
            self.clip,
            patience=self.pretrain_patience,
            keep_best=self.pretrain_best,
        )
        optimizer = Optimizer(name="jensen-shannon", rate=self.generator_rate, clip=self.clip)
        phase = Phase(
            name="generator",
            gather=self.weighed,
            updates=(Update("generator", self.generator_loss, optimizer),),
            gathers=self.generator_steps,
        )
        return Schedule(before=(pretrain,), round=(phase,), rounds=self.rounds)

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """No further players."""
        return {}

    def weighed(self, players: Players, scene: Scene) -> Play:
        """Training sequences and how much each counts, beside 1 for maximum likelihood."""
        real = scene.real(self.batch)
        log_probs = players.generator.log_probs(real.tokens).masked_fill(~real.mask, 0.0).double().sum(1)
        figures: dict[str, float] = {}
        if self.law == "exact":
            ratios = scene.gather(log_probs - frequencies(real, scene.corpus.train).log())
            weights = log_weights(ratios).exp()
            figures |= {"game_value": game_value(ratios).item(), "weight": weights.mean().item()}
        else:
            powered = scene.gather(self.power * (log_probs / real.mask.sum(1) if self.per_token else log_probs))
            ratios = softmax_log_ratios(powered) if self.law == "softmax" else minmax_log_ratios(powered)
            weights = self.batch * log_weights(ratios).softmax(0)  # only their proportions mean something
        shares = log_weights(ratios).softmax(0)
        figures |= {
            "effective_samples": 1 / shares.square().sum().item(),
            "largest_share": shares.max().item(),
        }
        if self.shuffled:
            weights = shuffled_over_batch(weights[:, None], scene.random)[:, 0]
        own = weights[scene.rank :: scene.processes]
        return Play(real=real, extras={"weights": own}, figures=figures)

    def generator_loss(self, players: Players, play: Play) -> Loss:
        """−(1/B) Σ_i (ω_i / p_d,i) ln p_g(x_i), whose gradient is that of V."""
        real = play.real
        if real is None or "weights" not in play.extras:
            raise ValueError("JSDGAN needs real sequences and their weights, got a play without one of them")
        log_probs = players.generator.log_probs(real.tokens)  # (batch, time)
        loss = reinforce_loss(log_probs, spread(play.extras["weights"], real.mask), real.mask)
        return Loss(loss, {"nll": negative_log_likelihood(log_probs.detach(), real.mask).item()})


def frequencies(rows: Sequences, every: Sequences) -> Float[Tensor, " batch"]:
    """p_d(x) = #x / m: the share of `every` that equals each of the rows, float64; all rows occur in it."""
    all_tokens, tokens = (part.tokens.masked_fill(~part.mask, -1) for part in (every, rows))
    weights = torch.full_like(tokens[0], 1_000_003).cumprod(0)  # equal rows have equal sums; others hardly ever
    row, other = ((tokens * weights).sum(1)[:, None] == (all_tokens * weights).sum(1)).nonzero().t()
    equal = (tokens[row] == all_tokens[other]).all(1)
    return row[equal].bincount(minlength=len(tokens)).double() / len(every)
