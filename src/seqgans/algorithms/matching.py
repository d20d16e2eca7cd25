"""What TextGAN and FM-GAN share: sequences unfolded from codes, and players moved by a distance between features.

A distance looks across the whole batch, so it is taken while gathering, and each row keeps how it is pulled by it
(`objectives.matching.pulls`), much as rewards are kept. The update then follows the pulls of its own rows, on one
process or on several, in one part or in more, with the gradient of the distance itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from jaxtyping import Bool, Float
from torch import Tensor

from seqgans.algorithms.base import Optimizer, Phase, Play, Players, Scene, Update
from seqgans.algorithms.likelihood import epoch
from seqgans.errors import BadInput
from seqgans.generators.latent import LatentGenerator
from seqgans.objectives.likelihood import negative_log_likelihood
from seqgans.objectives.matching import Distance, pulled, pulls
from seqgans.rewards.control import shuffled_over_batch
from seqgans.sequences import Loss, Relaxed, Sequences

Features = Callable[[Tensor, Bool[Tensor, "batch time"]], Float[Tensor, "batch width"]]
"""What of sequences, given as ids or weights and a mask, is matched."""

Encode = Callable[[Players, Sequences], Float[Tensor, "batch latent"]]
"""From sequences to the codes an autoencoder unfolds again."""


def unfolder(players: Players) -> LatentGenerator:
    """The generator, which must be one that unfolds codes.

    Raises:
        BadInput: it is another one.
    """
    if not isinstance(players.generator, LatentGenerator):
        found = type(players.generator).__name__
        raise BadInput(f"matching features needs the generator 'latent', got {found}; leave --generator out")
    return players.generator


def unfolded(players: Players, play: Play, sharpness: float) -> Relaxed:
    """The sequences of a play's codes by soft-argmax, with gradient where the generator has any."""
    if play.real is None or "codes" not in play.extras:
        raise ValueError("matching needs real sequences and codes, got a play without one of them")
    return unfolder(players).given(play.extras["codes"]).soft_argmax(play.real.tokens.shape[1], sharpness)


def matched(
    players: Players,
    scene: Scene,
    batch: int,
    sharpness: float,
    features: Features,
    distance: Distance,
    shuffled: bool = False,
) -> Play:
    """Training sequences and codes, and how the distance between their features pulls at each of them.

    Args:
        players: the generator unfolds the codes.
        scene: where sequences and chance come from.
        batch: sequences of each kind, on all processes together.
        sharpness: L of the soft-argmax.
        features: what is matched.
        distance: of all real from all generated features.
        shuffled: the control arm: each generated sequence gets the pull of another.
    """
    real = scene.real(batch)
    codes = unfolder(players).draw_codes(scene.share(batch), scene.random)
    fake = unfolded(players, Play(real=real, extras={"codes": codes}), sharpness)
    ours, theirs = features(real.tokens, real.mask), features(fake.weights, fake.mask)
    value, real_pull, fake_pull = pulls(distance, scene.gather(ours), scene.gather(theirs))
    if shuffled:
        fake_pull = shuffled_over_batch(fake_pull, scene.random)
    own = slice(scene.rank, None, scene.processes)
    extras = {
        "codes": codes,
        "distance": value.expand(len(codes)).clone(),
        "real_pull": real_pull[own],
        "fake_pull": fake_pull[own],
    }
    return Play(real=real, extras=extras, figures={"largest_weight": fake.weights.amax(2).mean().item()})


def generator_loss(players: Players, play: Play, *, sharpness: float, features: Features) -> Loss:
    """The distance, whose gradient reaches the generator through its sequences."""
    fake = unfolded(players, play, sharpness)
    distance = play.extras["distance"].mean()
    value = pulled(features(fake.weights, fake.mask), play.extras["fake_pull"], distance)
    return Loss(value, {"distance": distance.item()})


def features_of_both(
    players: Players, play: Play, *, sharpness: float, features: Features
) -> tuple[Float[Tensor, "batch width"], Float[Tensor, "batch width"]]:
    """Features of the real sequences of a play and of those of its codes."""
    fake = unfolded(players, play, sharpness)
    if play.real is None:
        raise ValueError("features of both kinds need real sequences, got a play without any")
    return features(play.real.tokens, play.real.mask), features(fake.weights, fake.mask)


def distance_of(play: Play, real: Float[Tensor, "batch width"], fake: Float[Tensor, "batch width"]) -> Tensor:
    """The distance, whose gradient reaches whoever made the features of both kinds."""
    value = pulled(fake, play.extras["fake_pull"], play.extras["distance"].mean())
    return pulled(real, play.extras["real_pull"], value)


def autoencoding(epochs: int, rate: float, batch: int, clip: float, *, encode: Encode, moved: Sequence[str]) -> Phase:
    """The phase in which sequences are encoded and unfolded again; generator and encoder learn by the same loss.

    Args:
        epochs: passes over the training sequences.
        rate: learning rate of Adam.
        batch: sequences of a minibatch.
        clip: largest gradient norm of each player.
        encode: from sequences to codes.
        moved: names of the players that `encode` uses; they move one after another, each by a loss taken anew.
    """
    optimizer = Optimizer(name="autoencoding", rate=rate, clip=clip)
    loss = functools.partial(reconstruction, encode=encode)
    updates = tuple(Update(player, loss, optimizer) for player in ("generator", *moved))
    return Phase(name="autoencoding", gather=epoch, updates=updates, gathers=epochs, batch=batch, holds="real")


def reconstruction(players: Players, play: Play, encode: Encode) -> Loss:
    """−log G(y | z(y)) per real token, in nats, of the sequences unfolded from their own codes."""
    real = play.real
    if real is None:
        raise ValueError("an autoencoder needs real sequences, got a play without any")
    log_probs = unfolder(players).given(encode(players, real)).log_probs(real.tokens)  # (batch, time)
    value = negative_log_likelihood(log_probs, real.mask)
    return Loss(value, {"nll_given_code": value.item()}, weight=float(real.mask.sum()))
