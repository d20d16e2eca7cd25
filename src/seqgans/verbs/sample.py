"""Sample: sequences of a trained generator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path

import torch

from seqgans.choices import choice
from seqgans.data.sources import once_each, source_texts
from seqgans.data.tables import sources_of
from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput
from seqgans.generators.base import Generator
from seqgans.generators.categories import within
from seqgans.generators.conditional import given, reads_around
from seqgans.generators.decoding import Decoding
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences
from seqgans.verbs.asking import encoded_questions
from seqgans.verbs.loading import LoadedRun, load_run

ROWS = 128  # drawn at once, always all of them: the first of many samples are those of a smaller count


@dataclass(frozen=True)
class Sample:
    """One generated sequence.

    Attributes:
        ids: without padding and end token.
        text: the same in the symbols of the run's vocabulary.
        source: what it answers; None where it answers nothing.
    """

    ids: list[int]
    text: str
    source: str | None = None


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
    sources: Sequence[str] | None = None,
    stop: Sequence[str] = (),
    prefix: str = "",
) -> list[Sample]:
    """Draw sequences from a run's generator.

    One that answers is given each of the sources in turn or, without any, those of its test split.

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
        sources: what is to be answered, where the generator answers; begun anew where there are fewer than `count`.
        stop: a text ends where it first spells one of these, which is left out.
        prefix: what every text begins with.

    Raises:
        BadInput: a number or a prefix is not allowed, or there is no such run or checkpoint.
    """
    decoding = checked(count, temperature, top_k, top_p, seed)
    return list(draw(load_run(path, checkpoint), count, decoding, seed, unknown, category, sources, stop, prefix))


def checked(count: int, temperature: float, top_k: int, top_p: float, seed: int) -> Decoding:
    """How to draw, once it is sure that one can.

    Raises:
        BadInput: a number is not allowed.
    """
    for name, value in (("the number of samples", count), ("seed", seed), ("top_k", top_k)):
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise BadInput(f"{name} must be a whole number, got {value!r}")
    for name, value in (("temperature", temperature), ("top_p", top_p)):
        if isinstance(value, bool) or not isinstance(value, Real):
            raise BadInput(f"{name} must be a number, got {value!r}")
    if count < 1:
        raise BadInput(f"the number of samples must be at least 1, got {count}")
    if seed < 0:
        raise BadInput(f"seed must be at least 0, got {seed}")
    try:
        return Decoding(temperature=temperature, top_k=top_k, top_p=top_p)
    except ValueError as error:
        raise BadInput(str(error)) from error


def draw(
    run: LoadedRun,
    count: int,
    decoding: Decoding,
    seed: int,
    unknown: bool = False,
    category: str | None = None,
    sources: Sequence[str] | None = None,
    stop: Sequence[str] = (),
    prefix: str = "",
) -> Iterator[Sample]:
    """Samples one after another, made a few at a time, so that the first is there soon.

    Args:
        run: whose generator.
        count: how many.
        decoding: temperature, top-k, top-p.
        seed: where the random numbers start.
        unknown: also draw the symbol of what the vocabulary lacks; otherwise its probability goes to the others.
        category: of all of them; None draws one for each.
        sources: what is answered, in turn; None for those of the test split, where there are sources.
        stop: a text ends where it first spells one of these.
        prefix: what every text begins with.
    """
    begun = beginning(run, prefix)
    generator, vocabulary = law_of(run, category), run.corpus.vocabulary
    texts, asked = to_answer(run, sources)
    never = [number for number in vocabulary.unwritten if not (unknown and number == vocabulary.unknown)]
    decoding = replace(decoding, excluded=(*decoding.excluded, *never))
    stream = Stream(generator_for(seed, "sample"))
    for first in range(0, count, ROWS):
        size = min(ROWS, count - first)
        places = [place % max(1, len(texts)) for place in range(first, first + size)]
        law = generator if asked is None else given(generator, asked[torch.tensor(places)])
        kept = None if begun is None else torch.tensor([begun] * size)
        with stream.share(0, size, ROWS):  # the same samples, however many are asked for
            rows = law.sample(size, run.corpus.length, random=stream, decoding=decoding, prefix=kept).sequences
        for place, ids in zip(places, rows.lists(vocabulary.end), strict=True):
            yield Sample(*stopped(ids, vocabulary, stop), texts[place] if texts else None)


def beginning(run: LoadedRun, prefix: str) -> list[int] | None:
    """What all samples begin with, as ids; None where it is blank.

    Raises:
        BadInput: it is too long, has a token that the run does not know, or the generator has to know what follows.
    """
    if not isinstance(prefix, str):
        raise BadInput(f"a prefix must be text, got {prefix!r}")
    vocabulary = run.corpus.vocabulary
    ids = vocabulary.encode(prefix) if prefix.strip() else []
    room = run.corpus.length - (vocabulary.end is not None)
    if len(ids) > room:
        raise BadInput(f"a prefix must have at most {room} tokens, got {len(ids)}; shorten it")
    if vocabulary.unknown is not None and vocabulary.unknown in ids:
        read = vocabulary.decode(ids)
        raise BadInput(f"a prefix must have tokens that {run.folder.path} learnt, {prefix!r} is read as {read!r}")
    if ids and not run.corpus.source_width and reads_around(run.players.generator):
        raise BadInput(f"{run.folder.path} learnt to fill in blanks by both sides; use fill, with a line of blanks")
    return ids or None


def stopped(ids: list[int], vocabulary: Vocabulary, stop: Sequence[str]) -> tuple[list[int], str]:
    """Ids and their text up to where it first spells one of some strings.

    The ids are the fewest whose text begins with what is left, so that a token half of which is cut stays.

    >>> stopped([2, 3, 4], Vocabulary(("a", "b", "c", "d", "e"), "characters", None), ["d"])
    ([2], 'c')
    """
    text = vocabulary.decode(ids)
    places = [text.find(one) for one in stop if one and one in text]
    if not places:
        return ids, text
    text = text[: min(places)]
    enough = next(size for size in range(len(ids) + 1) if vocabulary.decode(ids[:size]).startswith(text))
    return ids[:enough], text


def to_answer(run: LoadedRun, sources: Sequence[str] | None) -> tuple[list[str], Sequences | None]:
    """What a run's generator is given, as text and as ids: some lines or the test split; nothing if it answers nothing.

    Raises:
        BadInput: there are lines, but none to be answered or nobody who answers; or one is blank or too long.
    """
    corpus = run.corpus
    if not corpus.source_width:
        if sources is not None:
            raise BadInput(
                f"--source needs a generator that answers, but {run.folder.path} was trained without sources; "
                "train one with --corpus.source"
            )
        return [], None
    if sources is None:
        held_out = corpus.test if len(corpus.test) else corpus.train
        if held_out.source is None:
            raise ValueError("Corpus.test must have sources, as train has")
        found = once_each(held_out.source)
        return source_texts(found, corpus.vocabulary), found
    texts = sources_of("the file of sources", sources)
    return texts, encoded_questions(run, texts)


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
