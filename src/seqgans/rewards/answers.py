"""What a fine-tuning remembers of answers, what the discriminator's word on them is worth, and what was expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, softplus

from seqgans.data.sources import numbered
from seqgans.randomness import Stream
from seqgans.rewards.advantages import at_the_end, gained
from seqgans.rewards.control import shuffled_over_batch
from seqgans.rewards.scale import RunningScale
from seqgans.rewards.self_play import PastSamples
from seqgans.sequences import Sequences

if TYPE_CHECKING:
    from seqgans.generators.base import Generator

REWARDS: dict[str, Callable[[Tensor], Tensor]] = {
    "logit": lambda scores: scores,
    "probability": lambda scores: scores.sigmoid() - 0.5,
    "raw_probability": torch.sigmoid,
    "log_probability": logsigmoid,
    "imitation": softplus,
}
"""From a score to a reward: s; the paper's σ(s) − ½ and its raw σ(s); log σ(s); −log(1 − σ(s)), as in GAIL."""


def earned(
    scores: Tensor,
    mask: Bool[Tensor, "batch time"],
    reward: str,
    credit: Literal["token", "end"],
    scale: RunningScale | None = None,
    control: Stream | None = None,
) -> Float[Tensor, "batch time"]:
    """What each token of a whole batch earned.

    Args:
        scores: one a token (batch, time) where each is paid, one an answer (batch,) where the last one is; a score that
            is no number counts as the mean of the others.
        mask: True where a token is real.
        reward: what a score is worth, by its name in `REWARDS`.
        credit: token, by how much each raised that worth; end, all of it to the last.
        scale: the usual size of what is paid, which takes this batch in; None pays as it is.
        control: hands rewards to other answers of the batch; None leaves them where they belong.
    """
    known = scores.isfinite()
    others = scores[known & mask if credit == "token" else known]  # padding has scores, too, of nothing
    worth = REWARDS[reward](torch.where(known, scores, others.mean() if len(others) else 0.0))
    tokens = gained(worth, mask) if credit == "token" else at_the_end(worth, mask)
    if scale is not None:
        paid = mask if credit == "token" else at_the_end(torch.ones_like(worth), mask) > 0
        tokens = tokens.masked_scatter(paid, scale(tokens[paid]))
    return tokens if control is None else shuffled_over_batch(tokens, control)


def distinct(answers: Sequences) -> tuple[Sequences, Int[Tensor, " batch"]]:
    """The different rows, each once and in the order of their first appearance, and which of them each row is.

    >>> distinct(Sequences.of(torch.tensor([[5, 0], [6, 0], [5, 0]]), end=0))[1]
    tensor([0, 1, 0])
    """
    parts = [part.view(len(answers), -1).long() for part in answers.tensors().values()]
    which, first = (torch.tensor(each, dtype=torch.long) for each in numbered(map(tuple, torch.cat(parts, 1).tolist())))
    device = answers.tokens.device
    return answers[first.to(device)], which.to(device)


def repeated_share(answers: Sequences) -> float:
    """Share of the real tokens that stand in the same answer before, the mean over answers; 0 where all differ.

    >>> repeated_share(Sequences.of(torch.tensor([[5, 5, 5, 5], [1, 2, 1, 0]]), end=0))
    0.5
    """
    same = answers.tokens[:, :, None] == answers.tokens[:, None, :]  # (batch, time, time)
    before = same.tril(-1) & answers.mask[:, None, :]
    again = before.any(2) & answers.mask
    return (again.sum(1) / answers.mask.sum(1).clamp(min=1)).mean().item()


class PastAnswers(nn.Module):
    """Earlier answers, and which training sequence each was written beside. A player, so that it outlives a checkpoint.

    Args:
        size: answers it has room for.
        length: positions of each.
    """

    rows: Tensor

    def __init__(self, size: int, length: int) -> None:
        super().__init__()
        self.samples = PastSamples(size, length)
        self.register_buffer("rows", torch.zeros(size, dtype=torch.long))

    @classmethod
    def among(cls, players: nn.Module) -> PastAnswers:
        """The player called "memory"."""
        found = players.get_submodule("memory")
        if not isinstance(found, cls):
            raise TypeError(f"answers must be held by PastAnswers, got {type(found).__name__}")
        return found

    @torch.no_grad()
    def remember(self, answers: Sequences, rows: Int[Tensor, " batch"], round: int) -> None:
        """Take the answers of all processes in; where they are narrower, padding follows."""
        wider = (0, self.samples.tokens.shape[1] - answers.tokens.shape[1])
        whole = Sequences(nn.functional.pad(answers.tokens, wider), nn.functional.pad(answers.mask, wider))
        places = self.samples.remember(whole, round)
        self.rows[places] = rows[len(rows) - len(places) :].to(self.rows.device)


class Value(nn.Module):
    """V(x, y_<t) = w · sg[h_t] + b: what the generator's state promises, learnt without moving the generator.

    Args:
        width: of a hidden state.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.head = nn.Linear(width, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    @classmethod
    def among(cls, players: nn.Module) -> Value:
        """The player called "value"."""
        found = players.get_submodule("value")
        if not isinstance(found, cls):
            raise TypeError(f"values must come from a Value, got {type(found).__name__}")
        return found

    def of(self, law: Generator, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
        """A value before each token; gradient reaches the head alone."""
        with torch.no_grad():
            hidden = law.hidden(tokens)
        return self.head(hidden)[:, :, 0]
