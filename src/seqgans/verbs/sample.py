"""Sample: sequences of a trained generator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from seqgans.choices import choice
from seqgans.errors import BadInput
from seqgans.generators.base import Generator
from seqgans.generators.categories import within
from seqgans.generators.decoding import Decoding
from seqgans.randomness import Stream, generator_for
from seqgans.verbs.loading import LoadedRun, load_run

ROWS = 128  # drawn at once, always all of them: the first of many samples are those of a smaller count


@dataclass(frozen=True)
class Sample:
    """One generated sequence.

    Attributes:
        ids: without padding and end token.
        text: the same in the symbols of the run's vocabulary.
    """

    ids: list[int]
    text: str


def sample(
    path: Path | str,
    count: int,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
    checkpoint: str = "latest",
    unknown: bool = False,
    category: str | None = None,
) -> list[Sample]:
    """Draw sequences from a run's generator.

    Args:
        path: the run's folder.
        count: how many, at least 1.
        temperature: logits are divided by it; 0 takes the most likely token every time.
        top_k: draw among so many most likely tokens, 0 for all.
        top_p: draw among the fewest tokens whose probabilities reach this, 1 for all.
        seed: equal seeds give equal samples, and the first n of more are those of n.
        checkpoint: "latest", "best" or "pretrained".
        unknown: also draw the symbol of what the vocabulary lacks, with the probability the generator gives it.
        category: draw sequences of this one only, where the generator knows categories.

    Raises:
        BadInput: a number is not allowed, or there is no such run or checkpoint.
    """
    decoding = checked(count, temperature, top_k, top_p, seed)
    return list(draw(load_run(path, checkpoint), count, decoding, seed, unknown, category))


def checked(count: int, temperature: float, top_k: int, top_p: float, seed: int) -> Decoding:
    """How to draw, once it is sure that one can.

    Raises:
        BadInput: a number is not allowed.
    """
    if count < 1:
        raise BadInput(f"the number of samples must be at least 1, got {count}")
    if seed < 0:
        raise BadInput(f"seed must be at least 0, got {seed}")
    try:
        return Decoding(temperature=temperature, top_k=top_k, top_p=top_p)
    except ValueError as error:
        raise BadInput(str(error)) from error


def draw(
    run: LoadedRun, count: int, decoding: Decoding, seed: int, unknown: bool = False, category: str | None = None
) -> Iterator[Sample]:
    """Samples one after another, made a few at a time, so that the first is there soon.

    Args:
        run: whose generator.
        count: how many.
        decoding: temperature, top-k, top-p.
        seed: where the random numbers start.
        unknown: also draw the symbol of what the vocabulary lacks; otherwise its probability goes to the others.
        category: of all of them; None draws one for each.
    """
    generator, vocabulary = law_of(run, category), run.corpus.vocabulary
    if vocabulary.unknown is not None and not unknown:
        decoding = replace(decoding, excluded=(*decoding.excluded, vocabulary.unknown))
    stream = Stream(generator_for(seed, "sample"))
    for first in range(0, count, ROWS):
        rows = generator.sample(ROWS, run.corpus.length, random=stream, decoding=decoding).sequences
        for ids in rows[slice(0, count - first)].lists(vocabulary.end):
            yield Sample(ids, vocabulary.decode(ids))


def law_of(run: LoadedRun, category: str | None) -> Generator:
    """A run's generator, or what it does within one category.

    Raises:
        BadInput: there is no such category, or the generator knows none.
    """
    generator, names = run.players.generator, run.corpus.categories
    if category is None:
        return generator
    if not names or within(generator, 0) is generator:
        raise BadInput(
            f"--category needs a generator of several categories, but {run.folder.path} was trained without them; "
            "train one with --corpus.label and an algorithm such as sentigan"
        )
    return within(generator, choice({name: number for number, name in enumerate(names)}, category, "category"))
