"""What an algorithm says to the training loop: who plays, what is gathered, which loss moves whom.

A `Schedule` is data. Each `Phase` first *gathers* without gradient (samples, rewards: a `Play`), then *updates*
players on minibatches of it. The loop in `training/loop.py` runs any; an algorithm holds no network, device or file.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seqgans.data.corpus import Corpus
from seqgans.discriminators.base import Discriminator
from seqgans.errors import BadInput
from seqgans.generators.base import Generator
from seqgans.randomness import Stream
from seqgans.sequences import Loss, Sequences


class Players(nn.Module):
    """The networks of a game, by name. Whatever must survive a checkpoint is a parameter or buffer in here.

    Args:
        players: at least a "generator"; mostly a "discriminator"; anything else (a critic, a frozen reference).
        length: positions of the sequences they deal with, for those that remember some.
    """

    generator: Generator
    discriminator: Discriminator

    def __init__(self, players: Mapping[str, nn.Module], length: int = 0) -> None:
        super().__init__()
        self.length = length
        for name, player in players.items():
            self.add_module(name, player)


@dataclass(frozen=True)
class Play:
    """What one gathering found; every tensor has one row a sequence, and no gradient.

    Attributes:
        real: sequences of the corpus.
        fake: sequences of the generator.
        source: what a conditional generator read before it wrote.
        rewards: what each token of `fake` earned.
        extras: further tensors by name, one row a sequence.
        figures: named numbers worth showing (mean reward, spread).
        random: where a loss takes its randomness from (dropout, Gumbel noise); set by the loop.
        progress: share of the rounds done, from 0 in the first round to 1 in the last; set by the loop.
        among: the minibatch that this is a part of, for means over what its rows have unlike many; set by the loop.
    """

    real: Sequences | None = None
    fake: Sequences | None = None
    source: Sequences | None = None
    rewards: Float[Tensor, "batch time"] | None = None
    extras: dict[str, Tensor] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    random: Stream | None = None
    progress: float = 0.0
    among: Play | None = None

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, as a checkpoint or another process sees them."""
        found = dict(self.extras)
        for name, part in (("real", self.real), ("fake", self.fake), ("source", self.source)):
            if part is not None:
                found |= {f"{name}.{key}": tensor for key, tensor in part.tensors().items()}
        if self.rewards is not None:
            found["rewards"] = self.rewards
        return found

    def holding(self, tensors: Mapping[str, Tensor]) -> Play:
        """The same play with other tensors (what `tensors` gave, moved, joined or cut by rows)."""
        rest = dict(tensors)

        def sequences(name: str) -> Sequences | None:
            own = {key.partition(".")[2]: rest.pop(key) for key in list(rest) if key.startswith(f"{name}.")}
            return Sequences.holding(own) if own else None

        parts = {name: sequences(name) for name in ("real", "fake", "source")}
        return dataclasses.replace(self, **parts, rewards=rest.pop("rewards", None), extras=rest)

    def rows(self, which: Tensor) -> Play:
        """The chosen rows of every tensor."""
        return self.holding({name: tensor[which] for name, tensor in self.tensors().items()})

    def __len__(self) -> int:
        counts = {tensor.shape[0] for tensor in self.tensors().values()}
        if len(counts) != 1:
            raise ValueError(f"all tensors of a play must have the same number of rows, got {sorted(counts)}")
        return counts.pop()


@dataclass(frozen=True)
class Scene:
    """What a gathering may look at, besides the players.

    Attributes:
        corpus: the data, on the device of the players.
        random: where it takes its randomness from.
        rank: which process this is.
        processes: how many share the work.
        progress: share of the rounds done, 0 to 1.
        round: number of the round, from 1; 0 before the first.
        gather: joins the rows of all processes in their order (rows are dealt out like cards).
    """

    corpus: Corpus
    random: Stream
    rank: int = 0
    processes: int = 1
    progress: float = 0.0
    round: int = 0
    gather: Callable[[Tensor], Tensor] = lambda tensor: tensor

    def share(self, count: int) -> int:
        """How many of `count` rows this process makes; all processes make equally many."""
        if count % self.processes:
            raise BadInput(f"a batch of {count} must be a multiple of the {self.processes} processes; choose another")
        return count // self.processes

    def real(self, count: int, category: int | None = None) -> Sequences:
        """This process's part of `count` training sequences (of a category), no repeats as far as there are enough."""
        train = self.corpus.train
        if category is not None and train.categories is not None:
            train = train[train.categories == category]
        orders = [self.random.permutation(len(train)) for _ in range(-(-count // len(train)))]
        self.share(count)
        return train[torch.cat(orders)[:count][self.rank :: self.processes].to(train.tokens.device)]

    def source(self, count: int) -> Sequences | None:
        """This process's part of what `count` training sequences answer; None, and nothing drawn, if nothing."""
        return None if self.corpus.train.source is None else self.real(count).source

    def whole(self, part: Sequences) -> Sequences:
        """The rows of all processes, of which this one made `part`."""
        return Sequences.holding({name: self.gather(tensor) for name, tensor in part.tensors().items()})

    def over_batch(self, function: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
        """Apply `function` to the rows of all processes and keep this process's part of the result.

        What looks across the batch (a batch mean, a rank) goes through here: several processes give what one would.
        """
        return function(self.gather(rows))[self.rank :: self.processes]


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """How a player is moved.

    Attributes:
        name: updates of one player that name the same optimiser share its moments.
        rate: learning rate of Adam.
        betas: decay of Adam's two moments.
        clip: largest gradient norm, over all parameters of the player; infinite for none.
    """

    name: str
    rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    clip: float = math.inf


LossFunction = Callable[[Players, Play], Loss]
Gathering = Callable[[Players, Scene], Play]


@dataclass(frozen=True)
class Update:
    """One player moved by one loss.

    Attributes:
        player: name of the player, or of a part of it ("generator.manager").
        loss: what it minimises, given a minibatch.
        optimizer: how it is moved.
    """

    player: str
    loss: LossFunction
    optimizer: Optimizer


@dataclass(frozen=True)
class Variant:
    """An update that is tried; of those of a phase the fittest stays.

    Attributes:
        name: what figures call it.
        update: who is moved by what.
        prepare: sets buffers of players first, given the progress; they go with the update, or are put back.
        family: of one family only the fittest child of each parent may go on.
    """

    name: str
    update: Update
    prepare: Callable[[Players, float], None] = lambda players, progress: None
    family: str = ""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Gather, then update, some number of times.

    Attributes:
        name: what the events call it.
        gather: makes a play, without gradient.
        updates: who is moved by what on each minibatch, one after another.
        gathers: how many times, each with a fresh play.
        passes: how often each play is gone through.
        batch: rows of a minibatch; None takes the whole play at once.
        validate: a figure to make small, taken after each gathering; None for none.
        patience: stop the phase after this many gatherings without a better figure; 0 never stops.
        keep_best: leave the phase with the parameters of the best figure instead of the last.
        lowerings: so often a phase out of patience goes on from its best with a tenth of the rate and new moments.
        variants: updates tried on each minibatch, after `updates`, of which the fittest stays.
        fitness: how good the players are after one, on random numbers that all share; the play is the minibatch.
        parents: how many of those tried stay as parents (`algorithms.population`); the fittest plays.
        holds: what is in its plays: real and generated sequences, real ones alone, with rows of weights, or else.
    """

    name: str
    gather: Gathering
    updates: tuple[Update, ...] = ()
    gathers: int = 1
    passes: int = 1
    batch: int | None = None
    validate: Callable[[Players, Scene], float] | None = None
    patience: int = 0
    keep_best: bool = False
    lowerings: int = 0
    variants: tuple[Variant, ...] = ()
    fitness: Callable[[Players, Play, Scene], float] | None = None
    parents: int = 1
    holds: Literal["sequences", "real", "weights", "own"] = "sequences"


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What happens once, and what happens in each round.

    Attributes:
        before: phases run once, in order (pre-training).
        round: phases of each round, in order.
        rounds: how many rounds, at most.
        over: whether the game has ended; asked after each round, of players alone since they outlive a checkpoint.
    """

    before: tuple[Phase, ...] = ()
    round: tuple[Phase, ...] = ()
    rounds: int = 0
    over: Callable[[Players], bool] = lambda players: False


@runtime_checkable
class Algorithm(Protocol):
    """One paper: frozen settings, losses, and a schedule made of them.

    Attributes:
        generator: settings of its usual generator, from the table GENERATORS.
        discriminator: settings of its usual discriminator, or None when it has none.
        paper: authors and year, for listings. Optional: `sizes`, defaults by part; `reads_sources`, True where it does.
    """

    generator: ClassVar[str]
    discriminator: ClassVar[str | None]
    paper: ClassVar[str]

    def schedule(self) -> Schedule:
        """The phases, built from the settings."""
        ...

    def extras(self, players: Players, random: torch.Generator) -> dict[str, Any]:
        """Further players (a critic, a moving baseline), built once the first two exist."""
        ...


def check_counts(settings: Any, least: int, *names: str) -> None:
    """Raise a ValueError unless each named setting is at least `least`."""
    for name in names:
        value = getattr(settings, name)
        if not value >= least:
            raise ValueError(f"{type(settings).__name__}.{name} must be at least {least}, got {value}")


def check_rates(settings: Any, *names: str) -> None:
    """Raise a ValueError unless each named setting is a finite number above 0."""
    for name in names:
        value = getattr(settings, name)
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{type(settings).__name__}.{name} must be a finite number above 0, got {value}")
