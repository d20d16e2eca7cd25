"""The answers of a fine-tuning, and what each of their tokens is worth to the discriminator of the round."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.equipment import scale_of
from seqgans.algorithms.reference import charged
from seqgans.discriminators.pairs import beside
from seqgans.generators.conditional import given
from seqgans.rewards.advantages import at_the_end, compared, generalised_advantages
from seqgans.rewards.answers import PastAnswers, Value, distinct, earned, repeated_share
from seqgans.rewards.prefixes import step_scorer
from seqgans.sequences import Samples, Sequences, last_of

if TYPE_CHECKING:
    from seqgans.algorithms.rlgaf import RLGAF

LOOKED_AT = 8  # different real answers of a batch whose likelihood is watched


def chosen(scene: Scene, batch: int, group: int) -> Int[Tensor, " batch"]:
    """Training sequences of a whole batch, each `group` times in a row; the same on every process.

    Raises:
        BadInput: the batch is not made of whole shares of the processes.
    """
    scene.share(batch)
    count, there = batch // group, len(scene.corpus.train)
    orders = [scene.random.permutation(there) for _ in range(-(-count // there))]
    return torch.cat(orders)[:count].repeat_interleave(group)


def asked(scene: Scene, rows: Int[Tensor, " batch"]) -> Sequences:
    """This process's part of some training sequences."""
    train = scene.corpus.train
    return train[rows[scene.rank :: scene.processes].to(train.tokens.device)]


def remember(players: Players, scene: Scene, fake: Samples, rows: Int[Tensor, " batch"]) -> None:
    """Keep this process's answers, and those of the others, each beside the training sequence it stands for."""
    PastAnswers.among(players).remember(scene.whole(fake.sequences), rows, scene.round)


def answered(players: Players, scene: Scene, rows: Int[Tensor, " batch"]) -> tuple[Samples, Sequences]:
    """This process's part of answers to what each of the rows answers, all of them remembered; and the real ones."""
    real = asked(scene, rows)
    fake = given(players.generator, real.source).sample(len(real), scene.corpus.length, random=scene.random)
    remember(players, scene, fake, rows)
    return fake, real


@torch.no_grad()
def answer_play(settings: RLGAF, players: Players, scene: Scene) -> Play:
    """Answers, what the discriminator of this round thinks of them, and what each token is worth."""
    fake, real = answered(players, scene, chosen(scene, settings.batch, settings.group))
    written = Sequences(fake.tokens, fake.mask, source=real.source)
    figures = {"entropy": -(fake.log_probs.sum() / fake.mask.sum().clamp(min=1)).item()}
    figures |= likeness(players, written, real)
    judge = beside(players.discriminator, real.source)
    if settings.variant == "gumbel":
        extras = {"score": judge.scores(fake.tokens, fake.mask)}  # for those who read along; the loss has its own
        figures |= spread_of(extras["score"])
        if settings.leash:
            unpaid = torch.zeros_like(fake.log_probs)
            _, extras["reference"], extras["kl"], costs = charged(players, scene, unpaid, fake, real.source)
            figures |= costs
        return Play(real=real, fake=written, extras=extras, figures=figures)
    if settings.credit == "token":
        steps = step_scorer(judge).step_scores(fake.tokens, fake.mask)
        scores = last_of(steps, fake.mask)
    else:
        steps = scores = judge.scores(fake.tokens, fake.mask)
    figures |= spread_of(scores)
    mask, scale = scene.gather(fake.mask), scale_of(players)

    control = scene.random if settings.shuffled else None

    def paid(every: Tensor) -> Tensor:
        return earned(every, mask, settings.reward, settings.credit, scale, control)

    tokens = scene.over_batch(paid, steps).masked_fill(~fake.mask, 0.0)
    if settings.missing_eos_penalty:
        missing = unended(players, written).to(tokens.dtype)
        tokens = tokens - at_the_end(settings.missing_eos_penalty * missing, fake.mask)
        figures["unended"] = missing.mean().item()
    extras = {"drawn": fake.log_probs, "score": scores, "reward": tokens.sum(1)}
    if settings.leash:
        paid_for, known, extras["kl"], costs = charged(players, scene, tokens, fake, real.source)
        figures |= costs
        if settings.kl_estimator == "k1":
            tokens = paid_for
        else:  # the loss pays
            extras["reference"] = known
    if settings.compared_with == "value":
        values = Value.among(players).of(given(players.generator, real.source), fake.tokens)
        advantages, extras["returns"] = generalised_advantages(
            tokens, values, fake.mask, settings.discount, settings.decay
        )
    else:
        advantages = scene.over_batch(lambda every: against(settings, players, every, mask), tokens)
    return Play(real=real, fake=written, rewards=advantages, extras=extras, figures=figures)


def likeness(players: Players, fake: Sequences, real: Sequences) -> dict[str, float]:
    """Lengths and repetitions of written answers beside those of real ones, and how likely some of these are."""
    return {
        "length": fake.mask.sum(1).float().mean().item(),
        "real_length": real.mask.sum(1).float().mean().item(),
        "repeated": repeated_share(fake),
        "real_repeated": repeated_share(real),
        "real_nll": likelihood_of(players, distinct(real)[0][slice(0, LOOKED_AT)]),
    }


def unended(players: Players, answers: Sequences) -> Bool[Tensor, " batch"]:
    """True for answers that were cut before their end token; what stands behind an answer is padding, and no end."""
    return ~((answers.tokens == players.generator.end) & answers.mask).any(1)


def spread_of(scores: Tensor) -> dict[str, float]:
    """Mean and deviation of the scores that are numbers, and the share of those that are none, where there are such."""
    known = scores[scores.isfinite()]
    spread = known.std().item() if len(known) > 1 else 0.0
    figures = {"reward": known.mean().item(), "reward_spread": spread} if len(known) else {}
    return figures if len(known) == len(scores) else {**figures, "unscored": 1 - len(known) / len(scores)}


def likelihood_of(players: Players, real: Sequences) -> float:
    """Negative log-likelihood of real answers, nats a token."""
    log_probs = given(players.generator, real.source).log_probs(real.tokens).masked_fill(~real.mask, 0.0)
    return -(log_probs.sum() / real.mask.sum().clamp(min=1)).item()


def against(settings: RLGAF, players: Players, rewards: Tensor, mask: Bool[Tensor, "batch time"]) -> Tensor:
    """Returns of the whole batch, less the baseline."""
    ahead = settings.discount * (settings.decay if settings.credit == "token" else 1.0)
    group = settings.group if settings.compared_with == "group" else None
    returns = compared(rewards, mask, group, ahead, placed=settings.credit == "token")
    moving = settings.compared_with == "moving_average"
    return players.get_submodule("baseline")(returns, mask) if moving else returns
