"""How blanks are learnt: what is gathered, what a generator and a discriminator of blanks minimise.

Every play holds real sequences, what is kept of them ("kept"), the same with blanks (`source`) and, once it has been
filled in, `fake`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Update
from seqgans.algorithms.likelihood import VALIDATION_ROWS, epoch
from seqgans.data.blanks import blanked
from seqgans.errors import BadInput
from seqgans.generators.base import Generator
from seqgans.generators.conditional import Conditional, conditional, reads_around
from seqgans.objectives.infilling import fill_accuracy, fill_loss
from seqgans.objectives.likelihood import negative_log_likelihood
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.infilling import context_reader
from seqgans.sequences import Loss, Sequences

Choice = Callable[[Sequences, Scene], Bool[Tensor, "batch time"]]
"""What is kept of real sequences."""


def writing(epochs: int, batch: int, optimizer: Optimizer) -> tuple[Phase, Phase]:
    """The phase that trains the generator as a language model, and the one that hands on what it has learnt."""
    update = Update("generator", language_loss, optimizer)
    return (
        Phase(name="language model", gather=epoch, updates=(update,), gathers=epochs, batch=batch),
        Phase(name="taking over", gather=taken_over, updates=()),
    )


def filling(
    kept: Choice, epochs: int, batch: int, optimizer: Optimizer, patience: int = 0, keep_best: bool = False
) -> Phase:
    """The phase that maximises the likelihood of missing tokens, each epoch with fresh blanks ("MaskMLE")."""
    return Phase(
        name="likelihood",
        gather=functools.partial(with_blanks, kept=kept),
        updates=(Update("generator", blanks_loss, optimizer),),
        gathers=epochs,
        batch=batch,
        validate=functools.partial(blanks_nll, kept=kept) if patience or keep_best else None,
        patience=patience,
        keep_best=keep_best,
    )


def judging(
    name: str, steps: int, kept: Choice, epochs: int, batch: int, optimizer: Optimizer, *others: Update
) -> Phase:
    """d-steps, each with a batch of fresh blanks and fills, on which others (a critic) may move too."""
    return Phase(
        name=name,
        gather=functools.partial(filled_in, kept=kept, count=batch),
        updates=(Update("discriminator", telling_fills_apart, optimizer), *others),
        gathers=steps,
        passes=epochs,
        holds="own",
    )


def with_blanks(players: Players, scene: Scene, kept: Choice, count: int | None = None) -> Play:
    """Training sequences with blanks.

    Args:
        players: whose generator knows the blank.
        scene: where the sequences come from.
        kept: chooses the blanks.
        count: how many, those of all processes; None for as many as there are.
    """
    real = scene.real(count or len(scene.corpus.train) // scene.processes * scene.processes)
    return blanked_play(players, scene, kept, real)


def blank_reader(generator: Generator) -> Conditional:
    """The same generator, known to read sources with blanks.

    Raises:
        BadInput: it reads none.
    """
    if not reads_around(generator):
        raise BadInput(
            f"this needs a generator that reads sequences with blanks, got {type(generator).__name__}; "
            "choose --generator.name seq2seq"
        )
    return conditional(generator)


def blanked_play(players: Players, scene: Scene, kept: Choice, real: Sequences) -> Play:
    """Given sequences with blanks."""
    chosen = kept(real, scene)
    source = blanked(real, chosen, blank_reader(players.generator).blank)
    return Play(real=real, source=source, extras={"kept": chosen})


def filled_in(players: Players, scene: Scene, kept: Choice, count: int) -> Play:
    """Training sequences with blanks, and the same filled in by the generator."""
    play = with_blanks(players, scene, kept, count)
    real, source = parts(play)
    law = conditional(players.generator).given(source)
    fake = law.sample(*real.tokens.shape, random=scene.random, prefix=real.tokens, kept=play.extras["kept"])
    blanks = fake.mask & ~play.extras["kept"]
    entropy = -fake.log_probs[blanks].sum().item() / max(1, int(blanks.sum()))
    return dataclasses.replace(play, fake=fake.sequences, figures={"entropy": entropy})


def blanks_loss(players: Players, play: Play) -> Loss:
    """Mean negative log-likelihood of the missing tokens, in nats a blank ("MaskMLE")."""
    real, source = parts(play)
    log_probs = conditional(players.generator).given(source, play.random).log_probs(real.tokens)  # (batch, time)
    missing = real.mask & ~play.extras["kept"]
    loss = negative_log_likelihood(log_probs, missing)
    return Loss(loss, {"nll": loss.item()}, weight=float(missing.sum()))


@torch.no_grad()
def blanks_nll(players: Players, scene: Scene, kept: Choice) -> float:
    """Mean negative log-likelihood of missing tokens of the validation sequences, the same ones every time, in nats.

    Raises:
        BadInput: the corpus has no validation sequences.
    """
    valid = scene.corpus.valid
    if not len(valid):
        raise BadInput("early stopping needs validation sequences, the corpus has none; set --corpus.valid above 0")
    fixed = dataclasses.replace(scene, random=Stream(generator_for(0, "blanks", "validation")))
    total = count = 0.0
    for first in range(0, len(valid), VALIDATION_ROWS):
        loss = blanks_loss(players, blanked_play(players, fixed, kept, valid[first : first + VALIDATION_ROWS]))
        total, count = total + loss.value.item() * (loss.weight or 0.0), count + (loss.weight or 0.0)
    return total / max(1.0, count)


def language_loss(players: Players, play: Play) -> Loss:
    """Mean negative log-likelihood per real token of sequences that are written without any source, in nats."""
    if play.real is None:
        raise ValueError("a language model needs real sequences, got a play without any")
    generator = conditional(players.generator)
    law = generator.given(generator.blanks(1, 0), play.random)
    loss = negative_log_likelihood(law.log_probs(play.real.tokens), play.real.mask)
    return Loss(loss, {"nll": loss.item()}, weight=float(play.real.mask.sum()))


def taken_over(players: Players, scene: Scene) -> Play:
    """Encoder and discriminator take over what the language model has learnt; nothing is left to be done."""
    conditional(players.generator).read_as_written()
    context_reader(players.discriminator).start_from(players.generator)
    return Play(real=scene.corpus.train[:0])


def telling_fills_apart(players: Players, play: Play, smoothing: float = 0.0) -> Loss:
    """Cross-entropy of real against filled-in tokens, each judged beside the blanks, and the judge's own penalty."""
    real, source = parts(play)
    if play.fake is None:
        raise ValueError("a discriminator needs sequences that were filled in, got a play without any")
    judge, kept = context_reader(players.discriminator), play.extras["kept"]
    scores, fake_scores = (
        judge.step_scores(part.tokens, part.mask, context=source, random=play.random) for part in (real, play.fake)
    )
    value = fill_loss(scores, fake_scores, real.mask, play.fake.mask, kept, smoothing)
    accuracy = fill_accuracy(scores, fake_scores, real.mask & ~kept, play.fake.mask & ~kept)
    return Loss(value + players.discriminator.penalty(), {"loss": value.item(), "accuracy": accuracy})


def parts(play: Play) -> tuple[Sequences, Sequences]:
    """Real sequences, and the same with blanks."""
    if play.real is None or play.source is None:
        raise ValueError("filling in needs real sequences and their blanks, got a play without one of them")
    return play.real, play.source


def chosen(play: Play) -> tuple[Bool[Tensor, "batch time"], Sequences, Sequences]:
    """Where tokens were filled in, the filled-in sequences, and the same with blanks."""
    if play.fake is None or play.source is None:
        raise ValueError("this needs sequences that were filled in, got a play without any")
    return play.fake.mask & ~play.extras["kept"], play.fake, play.source


def values_before(players: Players, play: Play) -> Float[Tensor, "batch time"]:
    """b_t: what the critic expects before each token; its gradient reaches the critic alone."""
    _, fake, source = chosen(play)
    states = context_reader(players.discriminator).states_before(fake.tokens, fake.mask, context=source)
    return players.get_submodule("critic")(states.detach())
