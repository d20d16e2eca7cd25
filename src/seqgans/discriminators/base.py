"""What every discriminator can do: score sequences, hard or soft, as real or generated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seqgans.errors import BadInput
from seqgans.randomness import Stream


class Discriminator(nn.Module, ABC):
    """Tells real sequences (1) from generated ones (0).

    Scores are logits: D(Y) = sigmoid(score) is the probability that Y is real. Padding is seen as one extra
    symbol, so that partial sequences can be scored.

    Attributes:
        vocabulary_size: number of ids, the padding symbol not counted.
    """

    def __init__(self, vocabulary_size: int) -> None:
        super().__init__()
        self.vocabulary_size = vocabulary_size

    @abstractmethod
    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of each sequence being real.

        Args:
            tokens: ids (batch, time), or rows of weights over the vocabulary (batch, time, vocab); a one-hot
                row scores as its id does, to 1e-5.
            mask: True where a token is real; the rest is read as padding.
            random: where dropout comes from; None means no dropout, as when rewards are computed.
        """

    def view_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch views"]:
        """One logit for each way of looking at a sequence; a plain discriminator has one."""
        return self.scores(tokens, mask, random=random)[:, None]

    def completion_scores(
        self,
        tokens: Int[Tensor, "prefixes rollouts batch time"],
        mask: Bool[Tensor, "prefixes rollouts batch time"],
        lengths: Sequence[int],
    ) -> Float[Tensor, "prefixes rollouts batch"]:
        """Scores of roll-outs, without dropout.

        A discriminator that can use what the roll-outs share overrides this; the result must be the same.

        Args:
            tokens: completions; those of one sequence b agree on its first `lengths[p]` tokens.
            mask: True where a token is real.
            lengths: length of each prefix, ascending.
        """
        shape = tokens.shape
        flat, flat_mask = tokens.reshape(-1, shape[-1]), mask.reshape(-1, shape[-1])
        parts = [
            self.scores(part, real)
            for part, real in zip(flat.split(SCORING_ROWS), flat_mask.split(SCORING_ROWS), strict=True)
        ]
        return torch.cat(parts).reshape(shape[:-1])

    def lacking(self, what: str, instead: str) -> BadInput:
        """The error of a discriminator that cannot do what is asked of it.

        Args:
            what: what is needed.
            instead: what to choose.
        """
        return BadInput(f"{what}, got {type(self).__name__}; choose {instead}")

    def tables(self) -> list[str]:
        """Names of the parameters that hold a row for each symbol and are no layers."""
        return [name for name, _ in self.named_parameters() if name.rpartition(".")[2] == "embedding"]

    def penalty(self) -> Tensor:
        """What is added to the discriminator's loss at each update (weight decay of the paper), a scalar."""
        return next(self.parameters()).new_zeros(())


SCORING_ROWS = 1024  # sequences scored at once where no gradient is kept; a product packs its weights once a call


def embed(
    table: Float[Tensor, "symbols width"], tokens: Tensor, mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, "batch time width"]:
    """Embeddings of ids or of weights over the vocabulary; padding gets the table's last row.

    Args:
        table: one row a symbol, the padding symbol last (vocabulary_size + 1 rows).
        tokens: ids (batch, time) or weights (batch, time, vocab).
        mask: True where a token is real.
    """
    padding = table.shape[0] - 1
    if tokens.is_floating_point():
        return torch.where(mask[:, :, None], tokens @ table[:padding], table[padding])
    return nn.functional.embedding(tokens.masked_fill(~mask, padding), table)
