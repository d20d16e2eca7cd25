"""Stop strings: a text is over where it first spells one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from seqgans.data.vocabulary import Vocabulary


@dataclass(frozen=True)
class Stops:
    """Strings that end a text, for those who know ids alone.

    Attributes:
        vocabulary: what ids spell.
        strings: any of which ends a text; none is empty.
    """

    vocabulary: Vocabulary
    strings: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.strings or not all(self.strings):
            raise ValueError(f"Stops.strings must be texts of at least one character, got {list(self.strings)}")

    def __deepcopy__(self, memo: dict[int, Any]) -> Stops:
        return self  # nothing of it ever changes, and a tokenizer is large

    def completed(self, ids: Sequence[int]) -> bool:
        """Whether the last of some ids completes a string."""
        text = self.vocabulary.decode(ids)
        if not any(one in text for one in self.strings):
            return False
        before = self.vocabulary.decode(ids[:-1])  # a character of several tokens is another one until it is whole
        same = (one == other for one, other in zip(text, before, strict=False))
        known = next((place for place, alike in enumerate(same) if not alike), min(len(text), len(before)))
        return any(one in text[max(0, known - len(one) + 1) :] for one in self.strings)

    def places(self, tokens: Int[Tensor, "batch time"], minimum: int = 0) -> Int[Tensor, " batch"]:
        """How many tokens stand before and within the first string of each row; one more than there are for none.

        Args:
            tokens: ids.
            minimum: a string that is completed by fewer tokens ends nothing.

        >>> stops = Stops(Vocabulary(("a", "b", "c", "."), "characters", None), ("b.",))
        >>> stops.places(torch.tensor([[0, 1, 3, 0], [1, 0, 3, 0], [0, 0, 1, 3]]))
        tensor([3, 5, 4])
        """
        return torch.tensor([self.place(row, minimum) for row in tokens.tolist()], device=tokens.device)

    def place(self, ids: Sequence[int], minimum: int = 0) -> int:
        """As `places`, of one row."""
        none = len(ids) + 1
        text = self.vocabulary.decode(ids)
        if not any(one in text for one in self.strings):
            return none
        sizes = range(max(1, minimum), none)
        return next((size for size in sizes if self.completed(ids[:size])), none)


def cut_behind(text: str, strings: Sequence[str]) -> str:
    r"""A text up to the end of the first string that it spells.

    >>> cut_behind("yes.\nBut", ("\n", "."))
    'yes.'
    """
    ends = [text.find(one) + len(one) for one in strings if one in text]
    return text[: min(ends)] if ends else text
