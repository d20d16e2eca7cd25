"""RLGAF: a language model fine-tuned by a discriminator that learns beside it, from good examples alone.

Paper                        Code                                        Shape, equation
x, y                         real.source, fake                           (batch, time)
D_φ(x, y) = σ(s_φ)           beside(players.discriminator, source)       (batch,)
J(θ), REINFORCE              reinforce_loss(…, against_the_others)       Eq. 1 and 2
r − β log(π/π_SFT)           at_the_end(…) − leash · divergence          Eq. 3, per token
π_SFT                        players.reference                           frozen
γ E log π(x)                 likelihood_weight · negative_log_likelihood Eq. 3
A_t, V_t                     generalised_advantages, players.value       (batch, time)
L_clip                       clipped_surrogate                           PPO, Eq. 7
Gumbel-softmax               law.relax(…).weights                        (batch, time, vocab)

Answers are scored before the discriminator learns from them; it never learns in an evaluation, and no gradient of its
loss reaches the generator, nor any gradient of the generator's loss the discriminator.

Departures, each with its switch: Bradley-Terry on pairs of the same prompt instead of cross-entropy
(`discriminator_loss: standard` is the paper's), groups of answers to a prompt as each other's baseline, logits as
rewards (`reward: probability` is the paper's, in [−½, ½]; `scaled` has them over a running deviation), each token paid
for what it did to the score (`credit: end` is the paper's), a discriminator that learns in every step (the paper: every
5 to 10; `gate` lets it wait), old answers among the negatives. γ's stream is the training set, GAE's λ is `decay`, and
V reads the policy's states without moving them. The reference may follow (TR-DPO, arXiv:2404.09656), answers that were
cut may lose. `shuffled` is the control arm.

References: Zhang, Lau, Wong and Zhang (2023), arXiv:2305.06176; GAD: arXiv:2511.10643 (2025).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch

from seqgans.algorithms.answering import answer_play, answered, chosen
from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Schedule, Update
from seqgans.algorithms.equipment import follow, settle, tuning_players
from seqgans.algorithms.judging import judge_loss, to_tell_apart
from seqgans.algorithms.likelihood import pretraining
from seqgans.algorithms.tuning import expectation_loss, tuning_loss
from seqgans.algorithms.tuning_settings import check_tuning


@dataclass(frozen=True, kw_only=True)
class RLGAF:
    """Settings and losses of RLGAF; the defaults are those that do not collapse, not the paper's.

    Attributes:
        variant: how the generator learns: reinforce (one step a batch), ppo (several clipped steps a batch), or gumbel
            (gradient through relaxed answers).
        pretrain_epochs: passes of maximum likelihood over the examples first (SFT); the reference is what comes of it.
        pretrain_rate: learning rate there.
        discriminator_pretrain_steps: steps of the discriminator before the game, each on fresh answers.
        rounds: rounds of the game: a batch of answers, a step of each player.
        batch: answers of a round.
        group: answers to the same prompt, each other's baseline; divides the batch.
        generator_rate: learning rate of the generator in the game.
        discriminator_rate: learning rate of the discriminator.
        clip: largest gradient norm of either.
        credit: which tokens are paid: token (each by how much it raised the score of what stands so far; the
            discriminator learns to tell apart after every token, and gumbel asks it there) or end (the last one, by
            the score of the whole, as in the paper).
        reward: what a score s is worth: logit (s), probability (σ(s) − ½), raw_probability (σ(s)), log_probability
            (log σ(s)) or imitation (−log(1 − σ(s))).
        scaled: divide rewards by their usual deviation, a running one.
        baseline: what returns are compared with: group (the other answers to the prompt), moving_average, value (a
            head on the generator's states, with generalised advantages), or none; auto: value for ppo, else group.
        kl: β, what a nat away from the reference costs, in rewards; 0 for no reference. None given: 0.02, gumbel 0.
        kl_target: nats per token that an adaptive β steers to; none: β is fixed.
        kl_estimator: k1 (each token's log-ratio, taken from its reward, as in the paper), or k2 or k3, estimates that
            are never negative and a term of the loss; gumbel has no rewards and pays k1 as k2.
        reference_every: rounds between two moves of the reference towards the generator as it then stands; 0 for none.
        reference_mixup: α, share of the generator in the reference that has moved; 1 is the generator itself.
        missing_eos_penalty: what an answer loses, in rewards, that was cut before it ended.
        ppo_epochs: clipped steps on each batch.
        clip_ratio: ε of the clipped ratio.
        discount: γ of the advantages.
        decay: λ, how far a token answers for what comes after it: of advantages with values, and of `credit: token`.
        value_rate: learning rate of the values.
        likelihood_weight: γ, weight of maximum likelihood on real answers in the generator's loss (pre-training mix).
        inverse_temperature: β of the Gumbel-softmax.
        straight_through: show the discriminator one-hot answers with the gradient of soft ones.
        discriminator_loss: relativistic (Bradley-Terry on pairs of a prompt), standard (the paper's), hinge,
            wasserstein, or another of RelGAN's objectives.
        smoothing: share of wrong labels that the discriminator is told of, for relativistic and standard.
        score_penalty: weight of the mean square of its scores in its loss.
        gate: accuracy on fresh answers above which the discriminator waits; 1 never waits.
        gate_rounds: it waits for at most so many rounds in a row.
        replay: share of old answers among its negatives.
        memory: how many answers are remembered.
        shuffled: the control arm: rewards are handed to other answers of the batch; gumbel has its gradient cut.
    """

    generator: ClassVar[str] = "pretrained"
    discriminator: ClassVar[str | None] = "pretrained"
    paper: ClassVar[str] = "Zhang, Lau, Wong and Zhang 2023"
    reads_sources: ClassVar[bool] = True

    variant: Literal["reinforce", "ppo", "gumbel"] = "reinforce"
    pretrain_epochs: int = 1
    pretrain_rate: float = 5e-5
    discriminator_pretrain_steps: int = 10
    rounds: int = 300
    batch: int = 32
    group: int = 8
    generator_rate: float = 1e-5
    discriminator_rate: float = 1e-5
    clip: float = 1.0
    credit: Literal["token", "end"] = "token"
    reward: str = "logit"
    scaled: bool = False
    baseline: Literal["auto", "group", "moving_average", "value", "none"] = "auto"
    kl: float | None = None
    kl_target: float | None = None
    kl_estimator: Literal["k1", "k2", "k3"] = "k1"
    reference_every: int = 0
    reference_mixup: float = 0.6
    missing_eos_penalty: float = 0.0
    ppo_epochs: int = 4
    clip_ratio: float = 0.2
    discount: float = 1.0
    decay: float = 0.5
    value_rate: float = 1e-3
    likelihood_weight: float = 0.1
    inverse_temperature: float = 1.0
    straight_through: bool = True
    discriminator_loss: str = "relativistic"
    smoothing: float = 0.1
    score_penalty: float = 0.001
    gate: float = 1.0
    gate_rounds: int = 10
    replay: float = 0.25
    memory: int = 4096
    shuffled: bool = False

    def __post_init__(self) -> None:
        check_tuning(self)

    @property
    def compared_with(self) -> str:
        """The baseline that is used."""
        return ("value" if self.variant == "ppo" else "group") if self.baseline == "auto" else self.baseline

    @property
    def leash(self) -> float:
        """β that is used."""
        return (0.0 if self.variant == "gumbel" else 0.02) if self.kl is None else self.kl

    def schedule(self) -> Schedule:
        """SFT, a reference, a first look for the discriminator; then rounds of answers, a step of each player."""
        rate, clip = self.discriminator_rate, self.clip
        told = functools.partial(
            judge_loss,
            objective=self.discriminator_loss,
            smoothing=self.smoothing,
            score_penalty=self.score_penalty,
            each_token=self.credit == "token",
        )
        judge = Update("discriminator", told, Optimizer(name="discriminator", rate=rate, clip=clip))
        policy = Optimizer(name="game", rate=self.generator_rate, clip=clip)
        moved = [Update("generator", functools.partial(tuning_loss, self), policy)]
        if self.compared_with == "value":
            moved.append(Update("value", expectation_loss, Optimizer(name="value", rate=self.value_rate)))
        passes = self.ppo_epochs if self.variant == "ppo" else 1
        play = Phase(name="generator", gather=functools.partial(answer_play, self), updates=tuple(moved), passes=passes)
        first, steps = functools.partial(self.pairs, fresh=True), self.discriminator_pretrain_steps
        before = [pretraining(self.pretrain_epochs, self.pretrain_rate, self.batch, clip)]
        if self.leash:
            before.append(Phase(name="reference", gather=settle))
        before.append(Phase(name="discriminator pre-training", gather=first, updates=(judge,), gathers=steps))
        rounds = [play, Phase(name="discriminator", gather=self.pairs, updates=(judge,))]
        if self.reference_every:
            moves = functools.partial(follow, every=self.reference_every, mixup=self.reference_mixup)
            rounds.append(Phase(name="reference", gather=moves))
        return Schedule(before=tuple(before), round=tuple(rounds), rounds=self.rounds)

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """What outlives a checkpoint: past answers, the reference and its cost, the scale of rewards, values."""
        return tuning_players(self, players)

    def pairs(self, players: Players, scene: Scene, fresh: bool = False) -> Play:
        """What the discriminator is to tell apart; before the game, answers of their own."""
        told = functools.partial(to_tell_apart, players, scene, batch=self.batch, objective=self.discriminator_loss)
        if fresh:
            answered(players, scene, chosen(scene, self.batch, self.group))
            return told(replay=0.0)
        return told(replay=self.replay, gate=self.gate, gate_rounds=self.gate_rounds)
