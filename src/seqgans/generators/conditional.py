"""Generators that read a source before they write: a sentence with blanks, a question, a text to be rewritten.

`given(source)` is a generator on the whole contract of `Generator`: it samples, keeps tokens, scores, relaxes and is
rolled out as any other. So whatever works on generators works on conditional ones:

    law = players.generator.given(source)
    law.sample(len(source), length, random=…);  law.log_probs(tokens);  complete(law, tokens, …)

A source is `Sequences` of any width with one row for each sequence that is written, or a single row for all of them.
Its ids are those of the vocabulary and one more, `blank`, for what is not known. A source of no tokens at all (width 0)
leaves what was written so far as the only thing to go by: a language model.

Without a source such a generator is given blanks alone, as many as it writes tokens, and so is an ordinary generator;
pre-trained models, which know no blank, are given nothing.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, NoReturn

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seqgans.data.blanks import blanked
from seqgans.errors import BadInput
from seqgans.generators.base import Generator, State
from seqgans.generators.decoding import PLAIN, Decoding
from seqgans.randomness import Stream
from seqgans.sequences import Relaxed, Samples, Sequences


class Conditional(Generator):
    """A law over token sequences for each source."""

    reads_blanks: ClassVar[bool] = True
    """Whether `blank` may stand in a source; False where there is no vector for it, as in pre-trained models."""

    @property
    def blank(self) -> int:
        """The id of what is not known; it is read and never written."""
        return self.vocabulary_size

    @abstractmethod
    def given(self, source: Sequences, random: Stream | None = None) -> Generator:
        """The law given a source: an ordinary generator that shares all parameters.

        Args:
            source: ids up to `blank`; one row a sequence, or one row for all.
            random: where dropout comes from when likelihoods are learnt; None for none, and samples are drawn without.
        """

    @abstractmethod
    def read_as_written(self) -> None:
        """Let reading begin where writing stands, after pre-training as a language model: copy what both share."""

    def blanks(self, count: int, length: int) -> Sequences:
        """A source that says nothing: blanks, or no tokens where these cannot be read."""
        shape = (count, length if self.reads_blanks else 0)
        tokens = torch.full(shape, self.blank, dtype=torch.long, device=self.output.weight.device)
        return Sequences(tokens, torch.ones_like(tokens, dtype=torch.bool))

    def nothing(self, count: int) -> Sequences:
        """A source of no tokens."""
        return self.blanks(count, 0)

    def sample(
        self,
        count: int,
        length: int,
        *,
        random: torch.Generator | Stream,
        prefix: Int[Tensor, "batch prefix"] | None = None,
        kept: Bool[Tensor, "batch prefix"] | None = None,
        decoding: Decoding = PLAIN,
    ) -> Samples:
        """Draw sequences, given blanks alone."""
        law = self.given(self.blanks(1, length))
        return law.sample(count, length, random=random, prefix=prefix, kept=kept, decoding=decoding)

    def relax(
        self,
        count: int,
        length: int,
        *,
        random: torch.Generator | Stream,
        inverse_temperature: float = 1.0,
        straight_through: bool = False,
        soft_inputs: bool = False,
        noisy: bool = True,
        prefix: Int[Tensor, "batch prefix"] | None = None,
        kept: Bool[Tensor, "batch prefix"] | None = None,
    ) -> Relaxed:
        """Draw sequences that a gradient can flow through, given blanks alone."""
        return self.given(self.blanks(1, length)).relax(
            count,
            length,
            random=random,
            inverse_temperature=inverse_temperature,
            straight_through=straight_through,
            soft_inputs=soft_inputs,
            noisy=noisy,
            prefix=prefix,
            kept=kept,
        )

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """The hidden states given blanks alone; likelihoods follow from them."""
        return self.given(self.blanks(1, tokens.shape[1])).hidden(tokens)

    def start_state(self, count: int) -> NoReturn:
        """There is none before a source is given."""
        raise BadInput(
            "a conditional generator has states only once its source is given, so an algorithm that gives none can "
            "neither roll it out nor step it; choose another generator"
        )

    def advance(self, tokens: Tensor, state: State) -> NoReturn:
        """There is no state before a source is given."""
        self.start_state(tokens.shape[0])


def around(generator: Generator, real: Sequences, kept: Bool[Tensor, "batch time"]) -> Generator:
    """The law of what is missing: given the rest, where the generator reads sources with blanks.

    Any other generator knows of a blank what stands before it, and nothing of what follows.

    Args:
        generator: who fills in.
        real: sequences.
        kept: True where a token is given.
    """
    if not isinstance(generator, Conditional):
        return generator
    read = blanked(real, kept, generator.blank) if generator.reads_blanks else generator.nothing(1)
    return generator.given(read)


def reads_around(generator: object) -> bool:
    """Whether what follows a blank counts."""
    return isinstance(generator, Conditional) and generator.reads_blanks


def given(generator: Generator, source: Sequences | None, random: Stream | None = None) -> Generator:
    """The law of what answers a source; where there is none to answer, the generator itself.

    Args:
        generator: who answers.
        source: one row a sequence, or one row for all.
        random: where dropout comes from when likelihoods are learnt; None for none.

    Raises:
        BadInput: there is a source, and the generator reads none.
    """
    return generator if source is None else conditional(generator).given(source, random)


def conditional(generator: Generator) -> Conditional:
    """The same generator, known to read a source.

    Raises:
        BadInput: it reads none.
    """
    if not isinstance(generator, Conditional):
        raise BadInput(
            f"this needs a generator that reads a source, got {type(generator).__name__}; "
            "choose --generator.name seq2seq"
        )
    return generator
