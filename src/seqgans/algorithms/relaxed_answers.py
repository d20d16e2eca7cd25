"""The generator's loss where a gradient flows through the discriminator into its answers (Gumbel-softmax)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from seqgans.algorithms.base import Play, Players
from seqgans.algorithms.judging import after_each_token, kept_on
from seqgans.discriminators.pairs import beside
from seqgans.generators.conditional import given
from seqgans.objectives.adversarial import ADVERSARIAL
from seqgans.rewards.prefixes import step_scorer
from seqgans.sequences import Loss

if TYPE_CHECKING:
    from seqgans.algorithms.rlgaf import RLGAF


def relaxed_loss(settings: RLGAF, players: Players, play: Play) -> Loss:
    """Gradient through the discriminator into relaxed answers, real ones beside them.

    With `credit: token` the discriminator is asked after every token, as it learns, and behind an end its score stays.
    Asked once, behind the last token, it has no say on an end in the place of another token, and answers lose theirs.
    """
    real = play.real
    if real is None or play.random is None:
        raise ValueError("relaxed answers need real ones and randomness, got a play without one of them")
    relaxed = given(players.generator, real.source).relax(
        len(real),
        real.tokens.shape[1],
        random=play.random,
        inverse_temperature=settings.inverse_temperature,
        straight_through=settings.straight_through,
    )
    judge, shown = beside(players.discriminator, real.source), relaxed.weights
    if settings.shuffled:  # the control: the discriminator's gradient does not arrive
        shown = shown.detach() + 0.0 * shown
    versus = ADVERSARIAL[settings.discriminator_loss]
    if settings.credit == "token":  # as the discriminator itself learns; the mean of the answers' means
        ours = kept_on(step_scorer(judge).step_scores(shown, relaxed.mask), relaxed.mask)
        with torch.no_grad():
            theirs = after_each_token(players.discriminator, real)
        rows = zip(theirs, ours, relaxed.mask | real.mask, strict=True)
        return Loss(torch.stack([versus(r[here], f[here])[1] for r, f, here in rows]).mean())
    ours, theirs = judge.scores(shown, relaxed.mask), judge.scores(real.tokens, real.mask)
    return Loss(versus(theirs, ours)[1])
