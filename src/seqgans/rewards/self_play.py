"""A generator's earlier samples, and what a sequence is worth when it is compared with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seqgans.discriminators.base import SCORING_ROWS, Discriminator
from seqgans.discriminators.comparing import Comparing
from seqgans.randomness import Stream
from seqgans.sequences import Sequences

LEAST = -10.0  # logarithms of smaller probabilities count as this, nats


class PastSamples(nn.Module):
    """The last samples of a generator; a new one takes the place of the oldest.

    A player, so that it outlives a checkpoint. Every process holds all of it.

    Args:
        size: sequences it has room for.
        length: positions of each.
        source_width: positions of what each answers; 0 where they answer nothing.
    """

    tokens: Tensor
    mask: Tensor
    rounds: Tensor
    seen: Tensor

    def __init__(self, size: int, length: int, source_width: int = 0) -> None:
        super().__init__()
        self.size = size
        if source_width:
            self.register_buffer("source_tokens", torch.zeros(size, source_width, dtype=torch.long))
            self.register_buffer("source_mask", torch.zeros(size, source_width, dtype=torch.bool))
        self.register_buffer("tokens", torch.zeros(size, length, dtype=torch.long))
        self.register_buffer("mask", torch.zeros(size, length, dtype=torch.bool))
        self.register_buffer("rounds", torch.zeros(size, dtype=torch.long))  # in which each was drawn
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))  # how many there have been

    def __len__(self) -> int:
        return min(int(self.seen), self.size)

    @torch.no_grad()
    def remember(self, samples: Sequences, round: int) -> Int[Tensor, " kept"]:
        """Take samples in, one after another.

        Args:
            samples: those of all processes.
            round: when they were drawn.

        Returns:
            The places of the last of them, as many as there is room for.
        """
        kept = samples[-self.size :]
        first = int(self.seen) + len(samples) - len(kept)
        places = (first + torch.arange(len(kept), device=self.tokens.device)) % self.size
        self.tokens[places], self.mask[places], self.rounds[places] = kept.tokens, kept.mask, round
        if kept.source is not None:
            self.get_buffer("source_tokens")[places] = kept.source.tokens
            self.get_buffer("source_mask")[places] = kept.source.mask
        self.seen += len(samples)
        return places

    def drawn(self, count: int, random: Stream) -> Int[Tensor, " count"]:
        """Places of `count` samples, any of them, with repeats."""
        return random.integers(len(self), (count,)).to(self.tokens.device)

    def latest(self, count: int) -> Int[Tensor, " count"]:
        """Places of the newest samples, again and again where there are fewer than `count`."""
        back = torch.arange(count, device=self.tokens.device) % len(self)
        return (int(self.seen) - 1 - back) % self.size

    def at(self, places: Int[Tensor, " count"]) -> Sequences:
        """The samples at some places, beside what they answer."""
        source = None
        if hasattr(self, "source_tokens"):
            source = Sequences(self.get_buffer("source_tokens")[places], self.get_buffer("source_mask")[places])
        return Sequences(self.tokens[places], self.mask[places], source=source)


def as_past_samples(player: nn.Module) -> PastSamples:
    """The same player, known to hold earlier samples."""
    if not isinstance(player, PastSamples):
        raise TypeError(f"earlier samples must be held by PastSamples, got {type(player).__name__}")
    return player


def comparative_reward(
    logits: Float[Tensor, "*axes 3"], weights: tuple[float, float, float], worth: Literal["prob", "log"] = "prob"
) -> Float[Tensor, "*axes"]:
    """What it is worth to be better than, worse than or like the reference.

        R = Σ_q w_q D^q   ("prob"),   Σ_q w_q max(log D^q, −10)   ("log"),   q ∈ {better, worse, tie}

    Args:
        logits: of better, worse, tie.
        weights: w_q in that order; (1, −1, 0) as a rule.
        worth: with probabilities R stays between the smallest and the largest weight; with logarithms, nats.

    References:
        Zhou, Ge, Xu, Wei and Zhou (2020), arXiv:2001.11691.

    >>> comparative_reward(torch.tensor([[0.5, 0.25, 0.25]]).log(), (1.0, -1.0, 0.5))
    tensor([0.3750])
    """
    terms = logits.softmax(-1) if worth == "prob" else logits.log_softmax(-1).clamp(min=LEAST)
    better, worse, tie = terms.unbind(-1)
    return weights[0] * better + weights[1] * worse + weights[2] * tie  # equal chances cancel exactly


class Against(Discriminator):
    """A comparer whose references are known: the score of a sequence is its reward, a mean over them.

        s(x) = (1/R) Σ_r R(x, x_r)

    Args:
        comparer: shares all its parameters.
        references: encodings of x_r.
        weights: of better, worse, tie.
        worth: see `comparative_reward`.
    """

    def __init__(
        self,
        comparer: Comparing,
        references: Float[Tensor, "references encoding"],
        weights: tuple[float, float, float] = (1.0, -1.0, 0.0),
        worth: Literal["prob", "log"] = "prob",
    ) -> None:
        super().__init__(comparer.vocabulary_size)
        self.comparer = comparer
        self.references = references
        self.weights = weights
        self.worth: Literal["prob", "log"] = worth

    def logits(self, encoded: Float[Tensor, "batch encoding"]) -> Float[Tensor, "batch references 3"]:
        """The comparison of each with every reference."""
        return self.comparer.compare(*torch.broadcast_tensors(encoded[:, None], self.references))

    def verdicts(self, encoded: Float[Tensor, "batch encoding"]) -> list[float]:
        """Mean probabilities of being better, worse and not to be told apart."""
        return self.logits(encoded).softmax(-1).mean((0, 1)).tolist()

    def rewards(self, encoded: Float[Tensor, "batch encoding"]) -> Float[Tensor, " batch"]:
        """The reward of each encoded sequence, a few at a time."""
        parts = encoded.split(SCORING_ROWS)
        return torch.cat([comparative_reward(self.logits(part), self.weights, self.worth).mean(1) for part in parts])

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """The reward of each sequence."""
        return self.rewards(self.comparer.encode(tokens, mask, random=random))

    def completion_scores(
        self,
        tokens: Int[Tensor, "prefixes rollouts batch time"],
        mask: Bool[Tensor, "prefixes rollouts batch time"],
        lengths: Sequence[int],
    ) -> Float[Tensor, "prefixes rollouts batch"]:
        """The reward of each roll-out."""
        encoded = self.comparer.encode_completions(tokens, mask, lengths)
        return self.rewards(encoded.flatten(0, 2)).view(encoded.shape[:3])
