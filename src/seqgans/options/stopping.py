"""When to stop: after each round a figure on validation sequences; the generator of the best one is kept.

The figure sees quality and coverage alike: the divergence between what samples and validation sequences are made of.
The start of the game counts as round 0, so a game that only harms leaves its generator as it was. Once the patience is
used up the schedule is over, which the referee remembers.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from seqgans.algorithms.base import Phase, Play, Players, Scene, Schedule
from seqgans.algorithms.likelihood import validation_nll
from seqgans.errors import BadInput
from seqgans.generators.conditional import given
from seqgans.rewards.ngrams import Flat, ngrams
from seqgans.sequences import Sequences

REFEREE = "referee"  # name of the player that remembers


class Referee(nn.Module):
    """The best figure so far, the generator it belongs to, and whether the game is over; all in buffers.

    Args:
        generator: whose parameters and buffers are kept.
    """

    best: Tensor
    since: Tensor
    over: Tensor

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.register_buffer("best", torch.tensor(math.inf, dtype=torch.float64))
        self.register_buffer("since", torch.zeros((), dtype=torch.long))  # rounds without a better one
        self.register_buffer("over", torch.zeros((), dtype=torch.bool))
        self.kept = nn.Module()
        for name, tensor in generator.state_dict().items():
            self.kept.register_buffer(name.replace(".", "/"), tensor.detach().clone())

    @torch.no_grad()
    def take(self, value: float, generator: nn.Module) -> None:
        """Note the figure of a round, and keep the generator where it is the best so far."""
        if value < float(self.best):
            self.best.fill_(value)
            self.since.zero_()
            for name, tensor in generator.state_dict().items():
                self.kept.get_buffer(name.replace(".", "/")).copy_(tensor)
        else:
            self.since += 1

    def end(self, generator: nn.Module) -> None:
        """The game is over: the best generator takes the place of the last."""
        generator.load_state_dict({name.replace("/", "."): tensor for name, tensor in self.kept.state_dict().items()})
        self.over.fill_(True)


def stopping(schedule: Schedule, patience: int, figure: str, samples: int) -> Schedule:
    """The same game, ended when `patience` rounds in a row were no better than the best, which is what remains."""
    gather = functools.partial(validated, patience=patience, figure=figure, samples=samples, rounds=schedule.rounds)
    check = Phase(name="validation", gather=gather)
    played = (*schedule.round, check)
    return dataclasses.replace(schedule, before=(*schedule.before, check), round=played, over=is_over)


def is_over(players: Players) -> bool:
    """Whether the game has ended, by patience or in its last round."""
    return bool(referee(players).over)


def validated(players: Players, scene: Scene, patience: int, figure: str, samples: int, rounds: int) -> Play:
    """Take the figure, and end the game in its last round or where the patience is used up."""
    judge = referee(players)
    value = validation_nll(players, scene) if figure == "nll" else bigram_divergence(players, scene, samples)
    judge.take(value, players.generator)
    if scene.round >= rounds or int(judge.since) >= patience:
        judge.end(players.generator)
    figures = {figure: value, "best": float(judge.best), "rounds_since": float(judge.since)}
    return Play(real=scene.corpus.train[:0], figures=figures)  # no rows: moves nobody


def bigram_divergence(players: Players, scene: Scene, samples: int) -> float:
    """The divergence between bigrams of fresh samples and of the validation sequences, nats.

    Where sequences answer something, samples answer the sources of the first validation sequences (from the beginning
    again where there are too few), and the figure is the mean of two divergences between the two sets of pairs: that of
    bigrams, and that of which tokens stand in the answers to each token of a source.

    Raises:
        BadInput: the corpus has no validation sequences.
    """
    valid = scene.corpus.valid
    if not len(valid):
        raise BadInput("options.patience needs validation sequences, the corpus has none; set --corpus.valid above 0")
    count = max(scene.processes, samples - samples % scene.processes)
    if valid.source is not None:
        valid = valid[torch.arange(count, device=valid.tokens.device) % len(valid)]
    source = None if valid.source is None else valid.source[scene.rank :: scene.processes]
    law = given(players.generator, source)
    part = law.sample(scene.share(count), scene.corpus.length, random=scene.random).sequences
    fake = scene.whole(dataclasses.replace(part, source=source))
    within = ngram_divergence(valid.lists(), fake.lists(), 2)
    return within if source is None else (within + divergence(beside_sources(valid), beside_sources(fake))) / 2


def ngram_divergence(real: Sequence[Sequence[int]], fake: Sequence[Sequence[int]], order: int) -> float:
    """Jensen-Shannon divergence between the n-grams of two sets of sequences.

        JSD(p, q) = ½ Σ_g p_g ln (p_g / m_g) + ½ Σ_g q_g ln (q_g / m_g),   m = (p + q) / 2

    p_g is the share of n-gram g among all n-grams of the real sequences, q_g the same of the generated ones. Small sets
    differ by chance alone, so only figures of sets of one size can be compared.

    Args:
        real: ids of each sequence, the end token included.
        fake: the same.
        order: n.

    Returns:
        Nats, from 0 to ln 2; ln 2 where one side has no n-grams.

    References:
        Lin (1991), "Divergence measures based on the Shannon entropy".

    >>> round(ngram_divergence([[1, 2]], [[1, 2], [1, 3]], 2), 4)  # p = (1, 0), q = (1/2, 1/2)
    0.2158
    """
    *_, grams = ngrams(Flat.of([*real, *fake]), order)
    ours = grams.owners < len(real)
    return divergence(grams.ids[ours], grams.ids[~ours])


def divergence(real: np.ndarray, fake: np.ndarray) -> float:
    """Jensen-Shannon divergence between how often each number occurs in one array and in another, nats.

    ln 2 where one of them is empty.

    >>> divergence(np.array([3, 3]), np.array([3, 5])) == ngram_divergence([[1, 2]], [[1, 2], [1, 3]], 2)
    True
    """
    keys, ids = np.unique(np.concatenate([real, fake]), return_inverse=True)
    shares = [np.bincount(side, minlength=len(keys)).astype(float) for side in (ids[: len(real)], ids[len(real) :])]
    if not all(side.sum() for side in shares):
        return math.log(2)
    p, q = (side / side.sum() for side in shares)
    middle = (p + q) / 2
    return float(sum(0.5 * (side[side > 0] * np.log(side[side > 0] / middle[side > 0])).sum() for side in (p, q)))


def beside_sources(pairs: Sequences) -> np.ndarray:
    """A number for each token of a source together with each token of its answer.

    >>> source = Sequences.of(torch.tensor([[4, 0]]), end=0)
    >>> beside_sources(Sequences(torch.tensor([[7, 9]]), torch.tensor([[True, False]]), source=source)) >> 32
    array([4, 0])
    """
    if pairs.source is None:
        raise ValueError("tokens stand beside those of a source, got sequences without sources")
    source, mask = pairs.source.tokens[:, :, None], pairs.source.mask[:, :, None] & pairs.mask[:, None]
    return ((source << 32) + pairs.tokens[:, None])[mask].cpu().numpy()


def referee(players: Players) -> Referee:
    """The player that remembers."""
    found = players.get_submodule(REFEREE)
    if not isinstance(found, Referee):
        raise TypeError(f"the figures of rounds must be held by a Referee, got {type(found).__name__}")
    return found
