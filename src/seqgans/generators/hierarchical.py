"""LeakGAN's generator: a manager that reads the discriminator's features and a worker that writes the words.

The logits O_t · w_t, with O_t linear in the worker's state h_t, are bilinear: they are one linear layer applied
to all products of an entry of [h_t, 1] with an entry of w_t. Those products are this generator's hidden state,
so likelihood, sampling and roll-outs are those of every other generator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.errors import BadInput
from seqgans.generators.base import Generator, State
from seqgans.generators.manager_worker import Manager, Worker, products
from seqgans.sequences import mask_until

READING_ROWS = 256  # sequences read at once where no gradient is kept: a feature for each of their prefixes


@dataclass(frozen=True, kw_only=True)
class Hierarchical:
    """Settings of the hierarchical generator; the defaults are those of LeakGAN at length 20.

    Attributes:
        embedding: width of a token's embedding.
        worker: units of the worker's LSTM.
        manager: units of the manager's LSTM.
        goal: width k of the goal embedding.
        horizon: tokens c a goal is set for, and how many goals the worker sees.
        goal_window: which goals the worker sees: the last c (sliding), those of the last finished block of c tokens
            (block), or always the same goal whatever the features are (constant, an ablation).
        normalise: scale the goal embedding to length 1.
        deviation: every parameter starts from N(0, deviation²).
    """

    paper: ClassVar[str] = "Guo, Lu, Cai, Zhang, Yu and Wang 2018"

    embedding: int = 32
    worker: int = 32
    manager: int = 32
    goal: int = 16
    horizon: int = 4
    goal_window: Literal["sliding", "block", "constant"] = "sliding"
    normalise: bool = False
    deviation: float = 0.1

    def __post_init__(self) -> None:
        for name in ("embedding", "worker", "manager", "goal", "horizon"):
            if getattr(self, name) < 1:
                raise ValueError(f"Hierarchical.{name} must be at least 1, got {getattr(self, name)}")
        if self.goal_window not in ("sliding", "block", "constant"):
            raise ValueError(f"Hierarchical.goal_window must be sliding, block or constant, got {self.goal_window!r}")
        if not self.deviation > 0:
            raise ValueError(f"Hierarchical.deviation must be above 0, got {self.deviation}")

    def build(self, vocabulary_size: int, start: int, end: int | None, random: torch.Generator) -> Generator:
        """A generator with freshly drawn parameters; it writes once it has met a discriminator (`attach`)."""
        return Planner(vocabulary_size, start, end, self, random)


@runtime_checkable
class Leaks(Protocol):
    """A discriminator whose features of prefixes can be seen: see `discriminators.leaking`."""

    length: int

    @property
    def feature_count(self) -> int:
        """How many features it leaks."""
        ...

    def start_state(self, count: int) -> State:
        """What it remembers of `count` empty prefixes."""
        ...

    def empty_features(self, count: int) -> Float[Tensor, "batch width"]:
        """f_0, in `count` equal rows."""
        ...

    def advance(self, tokens: Tensor, state: State, read: int) -> tuple[Float[Tensor, "batch width"], State]:
        """Features of the prefix that `tokens` completes after `read` others, and the new state."""
        ...

    def prefix_features(self, tokens: Tensor, mask: Tensor | None = None) -> Float[Tensor, "batch prefixes width"]:
        """f_t of every prefix, the empty one and the whole sequence included."""
        ...

    def parameters(self) -> Iterator[nn.Parameter]:
        """What its features depend on."""
        ...


class Planner(Generator):
    """G(y_t | y_<t) = softmax(O_t · w_t), O_t = O([h_t, 1]) ∈ ℝ^(V×k), w_t from goals set by the manager.

        f_t = F(y_1 … y_t, padding),   g_t = manager(f_0 … f_t),   w_t = W_ψ Σ_{i=1…c} g_{t−i}

    Here t counts the tokens read, so the word drawn after t tokens aims at goals set after at most t − 1.
    No gradient reaches the discriminator, which is no part of this module: it is known, not owned.

    Args:
        vocabulary_size: number of ids.
        start: id of the start token.
        end: id of the end token, or None.
        settings: sizes, horizon, which goals the worker sees.
        random: where the parameters come from.
    """

    manager: Manager

    def __init__(
        self, vocabulary_size: int, start: int, end: int | None, settings: Hierarchical, random: torch.Generator
    ) -> None:
        super().__init__(vocabulary_size, start, end)
        self.settings = settings
        self.worker = Worker(
            vocabulary_size,
            settings.embedding,
            settings.worker,
            aim=settings.goal,
            horizon=settings.horizon,
            block=settings.goal_window == "block",
            normalise=settings.normalise,
        )
        object.__setattr__(self, "output", self.worker.output)  # a second name; registered once, with the worker
        self._seed = int(torch.randint(1 << 62, (), generator=random, device=random.device))
        self._known: tuple[Leaks, ...] = ()
        self._seen: tuple[Tensor, tuple[int, ...], Tensor] | None = None
        for name, parameter in self.named_parameters():
            self._draw(name, parameter, random)

    def attach(self, discriminator: nn.Module) -> None:
        """Meet the discriminator whose features are leaked; the parts that depend on their number are made here.

        Raises:
            BadInput: the discriminator leaks nothing, or another number of features than the first one did.
        """
        if not isinstance(discriminator, Leaks):
            raise BadInput(
                "the hierarchical generator reads features of its discriminator, "
                f"{type(discriminator).__name__} leaks none; choose the discriminator 'leaking', one alone"
            )
        width = discriminator.feature_count
        if not self._known:
            random = torch.Generator().manual_seed(self._seed)
            self.manager = Manager(width, self.settings.manager, self.settings.goal_window == "constant")
            self.worker.meet(width)
            for name, parameter in self.named_parameters():
                if name.startswith(("manager.", "worker.goals.", "worker.first_goal")):
                    self._draw(name, parameter, random)
            self.to(self.output.weight.device)
        elif width != self.manager.goal.out_features:
            raise BadInput(
                f"the generator was made for {self.manager.goal.out_features} leaked features, "
                f"this discriminator has {width}; build a generator for it"
            )
        self._known, self._seen = (discriminator,), None

    @property
    def discriminator(self) -> Leaks:
        """The discriminator it has met."""
        if not self._known:
            raise BadInput("the hierarchical generator has met no discriminator; call attach(discriminator) first")
        return self._known[0]

    def leaked(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch prefixes width"]:
        """f_t of every prefix of each sequence, no gradient.

        Those of the last minibatch are kept, for manager and worker learn from the same one in turn.
        """
        versions = tuple(part for source in self.discriminator.parameters() for part in _version(source))
        if self._seen is None or self._seen[1] != versions or not torch.equal(self._seen[0], tokens):
            features = self.discriminator.prefix_features(tokens, mask_until(tokens, self.end))
            self._seen = (tokens.clone(), versions, features)
        return self._seen[2]

    def plan(
        self, tokens: Int[Tensor, "batch time"]
    ) -> tuple[Float[Tensor, "batch prefixes width"], Float[Tensor, "batch time width"]]:
        """What the manager sees and wants: f_0 … f_T without gradient, and the goals g_0 … g_{T−1}."""
        features = self.leaked(tokens)
        return features, self.manager(features[:, :-1])

    def start_state(self, count: int) -> State:
        """States of both LSTMs, embedded goals so far (whose number tells how much was read), leaked sums."""
        reading = self.discriminator.start_state(count)
        zeros = [
            self.output.weight.new_zeros(count, size)
            for size in (self.settings.worker, self.settings.worker, self.settings.manager, self.settings.manager)
        ]
        return (*zeros, self.worker.embedded_first_goals(count), *reading)

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """All products of [h_t, 1] with w_t."""
        if not torch.is_grad_enabled() and len(tokens) > READING_ROWS:
            return torch.cat([self.hidden(part) for part in tokens.split(READING_ROWS)])
        _, goals = self.plan(tokens)
        aims = self.worker.aims(self.worker.embedded_goals(goals), range(tokens.shape[1]))
        return products(self.worker.cell(self.worker.embedding(self.inputs(tokens)))[0], aims)

    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """One step of discriminator, manager and worker; the first token read is the start, no part of a prefix."""
        worker, memory, manager, plans, embedded_goals, *reading = state
        time = embedded_goals.shape[1] - self.settings.horizon  # tokens of the prefix, the one read now included
        aims = self.worker.aims(embedded_goals, range(time, time + 1))[:, 0]
        if time:
            features, reading = self.discriminator.advance(tokens, tuple(reading), time - 1)
        else:
            features = self.discriminator.empty_features(len(worker))
        goals, manager, plans = self.manager.advance(features, manager, plans)
        worker, memory = self.worker.advance(tokens, worker, memory)
        embedded_goals = torch.cat([embedded_goals, self.worker.goals(goals)[:, None]], 1)
        return products(worker, aims), (worker, memory, manager, plans, embedded_goals, *reading)

    def _draw(self, name: str, parameter: nn.Parameter, random: torch.Generator) -> None:
        """Draw a parameter; of the two biases an LSTM adds in every gate one speaks for both."""
        with torch.no_grad():
            parameter.normal_(0.0, 0.0 if "bias_hh" in name else self.settings.deviation, generator=random)


def _version(tensor: Tensor) -> tuple[int, int]:
    """Changes whenever the tensor is written to."""
    return tensor.data_ptr(), tensor._version
