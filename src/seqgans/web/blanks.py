"""A line with blanks, as the play view fills it in: by both sides, where the generator reads both."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from jaxtyping import Bool, Int
from torch import Tensor

from seqgans.errors import BadInput
from seqgans.generators.base import Generator
from seqgans.generators.categories import CategoryGenerator
from seqgans.generators.conditional import around
from seqgans.generators.decoding import Decoding
from seqgans.randomness import Stream
from seqgans.verbs.fill import BLANK, given_of, read_templates
from seqgans.verbs.loading import LoadedRun


@dataclass(frozen=True)
class Begun:
    """What is there before anything is drawn.

    Attributes:
        law: who draws the rest.
        tokens: what is given, one row a sequence; None for nothing.
        kept: True where a token is given; None keeps all of them.
        decoding: how the rest is drawn.
    """

    law: Generator
    tokens: Int[Tensor, "batch given"] | None
    kept: Bool[Tensor, "batch given"] | None
    decoding: Decoding

    def given(self, length: int) -> list[bool]:
        """Whether the token at each place was given."""
        if self.tokens is None:
            return [False] * length
        there = [True] * self.tokens.shape[1] if self.kept is None else self.kept[0].tolist()
        return [*there, *[False] * (length - len(there))]


def begun(run: LoadedRun, law: Generator, line: str, count: int, decoding: Decoding, stream: Stream) -> Begun:
    """A line whose blanks are to be filled in, as many times as asked; how long it is, is given.

    Args:
        run: whose generator.
        law: that generator, or one category of it.
        line: tokens, with `_` for each that is missing.
        count: sequences.
        decoding: how tokens are drawn.
        stream: where a category comes from, if none is named.

    Raises:
        BadInput: the line has no blank, does not fit the run, or the run answers sources.
    """
    vocabulary = run.corpus.vocabulary
    [template] = read_templates(run, [" ".join(line.split("\n")).strip()])
    if template.note:
        raise BadInput(f"a line to fill in must hold {BLANK} for each missing token; select words and blank them")
    given, kept = given_of(run, [template.ids] * count)
    if vocabulary.end is not None:
        decoding = dataclasses.replace(decoding, excluded=(*decoding.excluded, vocabulary.end))
    reader = law.freely(count, stream) if isinstance(law, CategoryGenerator) else around(law, given, kept)
    return Begun(reader, given.tokens, kept, decoding)
