"""How a discriminator that is a language model learns the corpus before it learns to tell apart."""

from __future__ import annotations

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Update
from seqgans.algorithms.likelihood import epoch
from seqgans.data.sources import in_one
from seqgans.discriminators.language import LanguageScorer
from seqgans.errors import BadInput
from seqgans.objectives.likelihood import negative_log_likelihood
from seqgans.sequences import Loss


def language_phases(passes: int, rate: float, batch: int) -> tuple[Phase, ...]:
    """A discriminator that is a language model learns the corpus by maximum likelihood, then counts from there.

    Args:
        passes: passes over the training sequences; 0 for no such phase.
        rate: learning rate of Adam.
        batch: sequences of a minibatch.
    """
    if not passes:
        return ()
    optimizer = Optimizer(name="likelihood", rate=rate, clip=5.0)
    learn = Phase(
        name="discriminator likelihood",
        gather=epoch,
        updates=(Update("discriminator", language_loss, optimizer),),
        gathers=passes,
        batch=batch,
    )
    return learn, Phase(name="discriminator settles", gather=settled, updates=())


def language_model(players: Players) -> LanguageScorer:
    """The discriminator, known to be a language model.

    Raises:
        BadInput: it is none.
    """
    found = players.discriminator
    if not isinstance(found, LanguageScorer):
        raise BadInput(
            f"maximum likelihood of a discriminator needs one that is a language model, got {type(found).__name__}; "
            "set --discriminator.name language"
        )
    return found


def language_loss(players: Players, play: Play) -> Loss:
    """Mean negative log-likelihood per real token under the discriminator, in nats."""
    if play.real is None:
        raise ValueError("maximum likelihood needs real sequences, got a play without any")
    tokens, mask, source = play.real.tokens, play.real.mask, play.real.source
    if source is not None:  # what it judges is the pair
        tokens, mask, _ = in_one(source, tokens, mask)
    loss = negative_log_likelihood(language_model(players).log_probs(tokens, mask), mask)
    return Loss(loss, {"nll": loss.item()}, weight=float(mask.sum()))


def settled(players: Players, scene: Scene) -> Play:
    """Count scores from where the discriminator stands; no rows to learn from."""
    language_model(players).settle()
    return Play(real=scene.corpus.train[:0])
