"""A corpus drawn from a known law: an oracle or a world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from seqgans.data.assembly import facts_of
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.vocabulary import Vocabulary
from seqgans.data.worlds import World
from seqgans.errors import BadInput
from seqgans.randomness import generator_for
from seqgans.sequences import Sequences

LEAST_HELD_OUT = 1000  # sequences, enough for a figure per token to within a hundredth of a nat
MEANINGFUL = ("sequences", "length", "valid", "test")


def drawn_corpus(
    name: str,
    sample: Callable[[int, torch.Generator], Tensor],
    vocabulary_size: int,
    settings: CorpusSettings,
    seed: int,
    facts: Mapping[str, Any],
) -> Corpus:
    """Independent draws for each split: `sequences` to train on, and the shares of that number beside them.

    Validation and test sequences are at least 1,000 each, unless their share is 0.

    Args:
        name: the spec, for messages and facts.
        sample: draws so many sequences of one length, as ids (count, length).
        vocabulary_size: number of ids.
        settings: `sequences`, `valid` and `test`; nothing else that only files have may be set.
        seed: what is drawn.
        facts: what is known about the law.

    Raises:
        BadInput: a setting is given that only corpora read from files have.
    """
    settings.check_meaning(name, MEANINGFUL)
    vocabulary = Vocabulary.of_ids(vocabulary_size)
    numbers = {"train": settings.sequences}
    for split, share in (("valid", settings.valid), ("test", settings.test)):
        numbers[split] = max(LEAST_HELD_OUT, round(share * settings.sequences)) if share else 0
    drawn = {
        split: Sequences.of(sample(number, generator_for(seed, "corpus", split))) for split, number in numbers.items()
    }
    length = drawn["train"].tokens.shape[1]
    counted = {split: {"kept": number, "tokens": number * length} for split, number in numbers.items()}
    return Corpus(
        name=name,
        train=drawn["train"],
        valid=drawn["valid"],
        test=drawn["test"],
        vocabulary=vocabulary,
        length=length,
        facts={**facts, **facts_of(name, settings, seed, vocabulary, length), **counted},
    )


def world_corpus(world: World, settings: CorpusSettings, seed: int) -> Corpus:
    """Sequences drawn from a world; its entropy in nats per token is among the facts.

    Raises:
        BadInput: a length is set that is not the world's.
    """
    name = f"world:{world.name}"
    if settings.length not in (None, world.length):
        raise BadInput(f"{name} has {world.length} tokens, got --corpus.length {settings.length}; leave it out")
    facts = {"kind": "world", "entropy": world.entropy()}
    return drawn_corpus(name, world.sample, world.vocabulary_size, settings, seed, facts)
