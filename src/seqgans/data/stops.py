"""Stop strings: a text is over where it first spells one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Int
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

    def completes(self, tokens: Int[Tensor, "batch time"]) -> Bool[Tensor, " batch"]:
        """Whether the last token of each row completes a string."""
        return torch.tensor([self.completed(row) for row in tokens.tolist()], dtype=torch.bool, device=tokens.device)

    def last(self, ids: Sequence[int]) -> Sequence[int]:
        """The last of some ids, enough of them for any string that the very last may complete."""
        enough = 2 * max(map(len, self.strings))
        size = enough + 8  # a character is at most four tokens, and half of one spells something else
        while size < len(ids) and len(self.vocabulary.decode(ids[-size:])) < enough + 4:
            size *= 2
        return ids[-size:]

    def completed(self, ids: Sequence[int]) -> bool:
        """Whether the last of some ids completes a string."""
        ids = self.last(ids)
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
