"""What alarms go by where a pre-trained model learns from samples of another law than its own."""

from __future__ import annotations

import dataclasses

from torch import nn

from seqgans.algorithms.answering import likeness
from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.equipment import frozen_copy, settle
from seqgans.generators.base import Generator
from seqgans.generators.conditional import given
from seqgans.generators.entropy import entropy_and_divergence


def pretrained(players: Players) -> bool:
    """Whether the generator was loaded, and knows from where."""
    return hasattr(players.generator, "origin")


def watching_players(players: Players, reference: bool) -> dict[str, nn.Module]:
    """The generator as the game begins, where it is pre-trained and its distance from there is asked for."""
    return {"reference": frozen_copy(players.generator)} if reference and pretrained(players) else {}


def watched(players: Players, scene: Scene, play: Play) -> Play:
    """A play with the figures that the alarms of a fine-tuning hear; as it is where the generator is not pre-trained.

    `entropy` and `kl` are means over the tokens that were written, whichever law wrote them, of the entropy of the
    generator's next token and of its divergence from the reference, both in nats.

    Args:
        players: with a "reference" where the divergence is asked for; it becomes the generator in the first round.
        scene: which round it is.
        play: real and written sequences.
    """
    if play.fake is None or play.real is None or not pretrained(players):
        return play
    reference = dict(players.named_children()).get("reference")
    if reference is not None and scene.round == 1:
        settle(players, scene)
    law, mask = given(players.generator, play.fake.source), play.fake.mask
    known = given(reference, play.fake.source) if isinstance(reference, Generator) else None
    entropy, apart = entropy_and_divergence(law, known, play.fake.tokens)
    count, extras = mask.sum().clamp(min=1), play.extras
    figures = {**play.figures, **likeness(players, play.fake, play.real)}
    figures["entropy"] = (entropy.masked_fill(~mask, 0.0).sum() / count).item()
    if known is not None:
        apart = apart.masked_fill(~mask, 0.0)
        figures["kl"] = (apart.sum() / count).item()
        extras = {**extras, "kl": apart.sum(1)}
    return dataclasses.replace(play, figures=figures, extras=extras)
