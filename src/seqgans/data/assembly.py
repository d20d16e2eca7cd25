"""The road from texts to a corpus: divide, measure, count, encode, and refuse what nothing can be learnt from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch

from seqgans.data.corpus import Corpus, CorpusSettings, encode_texts
from seqgans.data.sources import encode_sources
from seqgans.data.splits import divide, repeats
from seqgans.data.stops import cut_behind
from seqgans.data.tokenizer import vocabulary_of_model
from seqgans.data.vocabulary import Vocabulary, pieces_of
from seqgans.errors import BadInput
from seqgans.sequences import Sequences

LONGEST = 64  # tokens of a line where no length is set
FEWEST = 3  # usable sequences: one for each split
UNSPACED = ((0x3040, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))  # kana and Han characters


def corpus_of_texts(
    name: str,
    given: Mapping[str, Sequence[str]],
    settings: CorpusSettings,
    seed: int,
    facts: Mapping[str, Any],
    labels: Mapping[str, Sequence[str]] | None = None,
    sources: Mapping[str, Sequence[str]] | None = None,
    specials: bool = False,
) -> Corpus:
    """Texts into a corpus.

    The vocabulary is that of the training texts alone, as they are after cutting or dropping. Lines are divided
    before they are measured, so that another length keeps every line in its split.

    Args:
        name: the spec, for messages and facts.
        given: texts of "train" and perhaps of "valid" and "test".
        settings: all choices.
        seed: how lines are divided.
        facts: what is already known about the source.
        labels: the category of each text, where there are categories.
        sources: what each text answers, where texts answer something; the vocabulary is that of both.
        specials: texts may spell special tokens of the model that reads them.

    Raises:
        BadInput: too little is left to learn from.
    """
    given = {split: [cut_behind(text, settings.stop) for text in texts] for split, texts in given.items()}
    splits = divide(given, settings, seed)
    spaces = settings.spaces == "keep" or (settings.spaces == "auto" and not _unspaced(splits["train"]))
    answered = None if sources is None else divide(sources, settings, seed)  # as many as texts, so divided alike
    read = [] if answered is None else answered["train"]
    learnt = None
    if settings.tokenizer is not None:
        learnt = vocabulary_of_model(settings.tokenizer, settings.lowercase, specials)
    elif settings.tokens == "bytepair":
        learnt = _build([*splits["train"], *read], settings, spaces)
    sizes = {split: _sizes(texts, settings, spaces, learnt) for split, texts in splits.items()}
    room = _room(name, [size for counts in sizes.values() for size in counts], settings)
    most = math.inf if settings.longer == "cut" else room
    used = {split: [size for size in counts if 0 < size <= most] for split, counts in sizes.items()}
    _check_counts(name, used, splits, room)

    def kept(split: str, beside: Sequence[str]) -> list[str]:
        """What stands beside the usable lines."""
        return [one for one, size in zip(beside, sizes[split], strict=True) if 0 < size <= most]

    train = _clipped(kept("train", splits["train"]), settings, spaces, room)
    width = 0 if answered is None else source_room(kept("train", answered["train"]), settings, spaces, learnt)
    train += _clipped(kept("train", read), settings, spaces, width) if read else []
    vocabulary = learnt or _build(train, settings, spaces)
    widths = {min(size, room) for counts in used.values() for size in counts}
    ends = _ends(name, widths, settings)
    vocabulary = replace(vocabulary, end=vocabulary.end if ends else None)
    length = max(widths) + ends
    encoded = {split: encode_texts(texts, vocabulary, length, settings.longer) for split, texts in splits.items()}
    sequences = {split: rows for split, (rows, _) in encoded.items()}
    check_symbols(name, sequences["train"], vocabulary)
    categories: tuple[str, ...] = ()
    if labels is not None:  # as many as texts, so divided alike
        named = {split: kept(split, part) for split, part in divide(labels, settings, seed).items()}
        categories = _categories(name, named)
        sequences = {split: _numbered(rows, named[split], categories) for split, rows in sequences.items()}
        facts = {**facts, "categories": {split: dict(sorted(Counter(part).items())) for split, part in named.items()}}
    if answered is not None:
        closed = int(vocabulary.kind != "model")
        found = {
            split: encode_sources(kept(split, part), vocabulary, width + closed) for split, part in answered.items()
        }
        sequences = {split: replace(rows, source=found[split][0]) for split, rows in sequences.items()}
        facts = {**facts, "sources": {split: counts for split, (_, counts) in found.items()}}
    counted = {split: {**asdict(count), "unknown_rate": count.unknown_rate} for split, (_, count) in encoded.items()}
    return Corpus(
        name=name,
        **sequences,
        vocabulary=vocabulary,
        length=length,
        facts={**facts, **facts_of(name, settings, seed, vocabulary, length), **counted, "repeats": repeats(splits)},
        categories=categories,
    )


def source_room(
    sources: Sequence[str], settings: CorpusSettings, spaces: bool, learnt: Vocabulary | None = None
) -> int:
    """The most tokens that are read of a source.

    Args:
        sources: those of the training split.
        settings: what was asked for, and what a token is.
        spaces: whether spaces are tokens, for characters.
        learnt: the byte pairs, where tokens are those.
    """
    return settings.source_length or min(LONGEST, max(_sizes(sources, settings, spaces, learnt)))


def facts_of(name: str, settings: CorpusSettings, seed: int, vocabulary: Vocabulary, length: int) -> dict[str, Any]:
    """The facts that every corpus records."""
    return {
        "spec": name,
        "seed": seed,
        "settings": {**asdict(settings), "stop": list(settings.stop)},
        "vocabulary_size": vocabulary.size,
        "length": length,
        "end": vocabulary.end,
    }


def check_symbols(name: str, train: Sequences, vocabulary: Vocabulary) -> None:
    """Refuse training sequences that are all made of one symbol.

    Raises:
        BadInput: there is nothing to choose between.
    """
    distinct = [token for token in train.tokens[train.mask].unique().tolist() if token != vocabulary.end]
    if len(distinct) < 2:
        raise BadInput(
            f"{name} must have at least 2 distinct symbols, but its training sequences have only "
            f"{', '.join(repr(vocabulary.symbols[token]) for token in distinct)}; give richer data, or set "
            "--corpus.tokens characters or a lower --corpus.minimum_count"
        )


def _categories(name: str, labels: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The names of the categories, in dictionary order: those of the training split."""
    categories = tuple(sorted(set(labels["train"])))
    for split, part in labels.items():
        for label in part:
            if label not in categories:
                raise BadInput(
                    f"the {split} split of {name} has the category {label!r}, which its training split has not "
                    f"({', '.join(categories)}); mend the labels or change the shares of the splits"
                )
    return categories


def _numbered(rows: Sequences, labels: Sequence[str], categories: Sequence[str]) -> Sequences:
    """Sequences with the number of each one's category."""
    numbers = {category: number for number, category in enumerate(categories)}
    return replace(rows, categories=torch.tensor([numbers[label] for label in labels], dtype=torch.long))


def _unspaced(texts: Sequence[str]) -> bool:
    """Whether most characters of the first texts belong to scripts written without spaces."""
    sample = [ord(character) for text in texts[:1000] for character in text if not character.isspace()]
    return 2 * sum(any(low <= code <= high for low, high in UNSPACED) for code in sample) > len(sample)


def _build(texts: Sequence[str], settings: CorpusSettings, spaces: bool) -> Vocabulary:
    return Vocabulary.build(
        texts,
        settings.tokens,
        settings.minimum_count,
        settings.vocabulary_size,
        lowercase=settings.lowercase,
        spaces=spaces,
    )


def _sizes(texts: Sequence[str], settings: CorpusSettings, spaces: bool, learnt: Vocabulary | None) -> list[int]:
    """The number of tokens of each text."""
    if learnt is not None:
        return [len(row) for row in learnt.encode_all(texts)]
    rows = pieces_of(texts, settings.tokens, lowercase=settings.lowercase, spaces=spaces)
    return [len(row) for row in rows]


def _clipped(texts: Sequence[str], settings: CorpusSettings, spaces: bool, room: int) -> list[str]:
    """The part of each text whose words or characters are counted."""
    rows = pieces_of(texts, settings.tokens, lowercase=settings.lowercase, spaces=spaces)
    joint = "" if settings.tokens == "characters" else " "
    return [joint.join(row[:room]) for row in rows]


def _room(name: str, sizes: Sequence[int], settings: CorpusSettings) -> int:
    """The most tokens a line may have."""
    filled = [size for size in sizes if size]
    if not filled:
        raise BadInput(f"{name} must hold at least one line of text, but all are blank; give a file with text")
    room = min(max(filled), settings.length or LONGEST)
    if settings.longer == "drop" and min(filled) > room:
        raise BadInput(
            f"{name} must have lines of at most {room} tokens, but the shortest has {min(filled)}; "
            "raise --corpus.length or set --corpus.longer cut"
        )
    return room


def _check_counts(name: str, used: Mapping[str, Sequence[int]], splits: Mapping[str, Sequence[str]], room: int) -> None:
    """Refuse a corpus with too few usable lines, or with none in a split that was asked for."""
    usable = sum(map(len, used.values()))
    if usable < FEWEST:
        raise BadInput(
            f"{name} must have at least {FEWEST} usable lines, got {usable} (not blank, at most {room} tokens); "
            "give more text or raise --corpus.length"
        )
    for split, lines in splits.items():
        if not used[split] and (lines or split == "train"):
            raise BadInput(
                f"the {split} split of {name} must have a usable line, but all {len(lines)} are blank or longer than "
                f"{room} tokens; raise --corpus.length or change the shares of the splits"
            )


def _ends(name: str, widths: set[int], settings: CorpusSettings) -> bool:
    """Whether sequences end with an end token."""
    if settings.end == "no" and len(widths) > 1:
        raise BadInput(
            f"{name} must have lines of one length when --corpus.end is no, but they have {min(widths)} to "
            f"{max(widths)} tokens; set --corpus.end yes"
        )
    by_itself = len(widths) > 1 or bool(settings.stop) or settings.tokenizer is not None
    return settings.end == "yes" or (settings.end == "auto" and by_itself)
