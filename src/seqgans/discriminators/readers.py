"""What pre-trained judges share: a reader, one number at the end of what it has read, no dropout."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from jaxtyping import Bool, Float
from torch import Tensor, nn

from seqgans.discriminators.base import Discriminator
from seqgans.generators.adapters import frozen_names
from seqgans.randomness import Stream
from seqgans.sequences import Sequences, last_of


class LanguageJudge(Discriminator):
    """s = w · h + b, h the reader's state at the last real token; D = σ(s).

    Args:
        vocabulary_size: number of ids.
        parts: the reader, by the name that its parameters have in a checkpoint.
        width: entries of its states.
    """

    def __init__(self, vocabulary_size: int, parts: dict[str, nn.Module], width: int) -> None:
        super().__init__(vocabulary_size)
        for name, part in parts.items():
            self.add_module(name, part.eval())
        self.base, self.origin = frozen_names(self), ""
        self.head = nn.Linear(width, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def train(self, mode: bool = True) -> Any:
        """Dropout stays off: equal texts score equally."""
        return super().train(False)

    def tables(self) -> list[str]:
        """Embeddings of the reader's tokens."""
        readers: list[Any] = [part for part in self.children() if hasattr(part, "get_input_embeddings")]
        tables = {id(reader.get_input_embeddings().weight) for reader in readers}
        return [name for name, part in self.named_parameters() if id(part) in tables]

    @abstractmethod
    def step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """One logit a token; entry t has seen the tokens up to t."""

    @abstractmethod
    def pair_step_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], source: Sequences, *, random: Stream | None = None
    ) -> Float[Tensor, "batch time"]:
        """One logit a token; entry t has seen the source and the response up to t."""

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of each sequence being real."""
        return last_of(self.step_scores(tokens, mask, random=random), mask)

    def pair_scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], source: Sequences, *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of each response being real, its source known."""
        return last_of(self.pair_step_scores(tokens, mask, source, random=random), mask)
