"""What texts answer, as ids: sources of a common width, each closed by the end token."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from seqgans.data.vocabulary import Vocabulary
from seqgans.sequences import Sequences

CLOSING = 0  # the end token of every vocabulary of text, whether or not the texts themselves end with it


def encode_sources(
    texts: Sequence[str], vocabulary: Vocabulary, width: int
) -> tuple[Sequences, dict[str, int | float]]:
    """Sources in rows of equal width; those that are too long keep their first tokens, or the last for a model.

    Every source ends with the end token, so that whoever reads source and response in a row sees where one ends; those
    of a pre-trained model do not, for it goes on from them; so its own keep their end, where a chat template lets the
    answer begin.

    Args:
        texts: what each text of a split answers.
        vocabulary: that of the texts.
        width: positions of a row, the end token included.

    Returns:
        The rows, and what became of them: sources cut, tokens, share of the tokens that is unknown.

    >>> rows, counts = encode_sources(["a b", "b c d"], Vocabulary.build(["a b"], "words"), width=3)
    >>> rows.tokens
    tensor([[2, 3, 0],
            [3, 1, 0]])
    >>> counts
    {'cut': 1, 'tokens': 4, 'unknown_rate': 0.25}
    """
    every = vocabulary.encode_all(texts)
    closed = int(vocabulary.kind != "model")
    rows = [row[: width - closed] if closed else row[max(0, len(row) - width) :] for row in every]
    tokens = torch.full((len(rows), width), CLOSING, dtype=torch.long)
    for place, row in enumerate(rows):
        tokens[place, : len(row)] = torch.tensor(row, dtype=torch.long)
    sizes = torch.tensor([len(row) for row in rows], dtype=torch.long)[:, None]
    read = sum(map(len, rows))
    unknown = 0 if vocabulary.unknown is None else sum(row.count(vocabulary.unknown) for row in rows)
    counts: dict[str, int | float] = {
        "cut": sum(len(row) > width - closed for row in every),
        "tokens": read,
        "unknown_rate": unknown / read if read else 0.0,
    }
    return Sequences(tokens, torch.arange(width) < sizes + closed), counts


def numbered(rows: Iterable[Hashable]) -> tuple[list[int], list[int]]:
    """A number for each row, from 0 in the order of their first appearance and equal for equal rows; where each began.

    >>> numbered("aba")
    ([0, 1, 0], [0, 1])
    """
    numbers: dict[Hashable, int] = {}
    first: list[int] = []
    which = []
    for place, row in enumerate(rows):
        number = numbers.setdefault(row, len(numbers))
        if number == len(first):
            first.append(place)
        which.append(number)
    return which, first


def alike(sources: Sequences) -> list[int]:
    """A number for each row, from 0 in the order of their first appearance: equal for rows that answer the same.

    >>> alike(Sequences.of(torch.tensor([[5, 0], [6, 0], [5, 0]]), end=0))
    [0, 1, 0]
    """
    return numbered(map(tuple, sources.lists()))[0]


def apart(sources: Sequences) -> tuple[Sequences, Int[Tensor, " batch"]]:
    """Different sources, each once, in the order of their first appearance, and which of them each row has.

    >>> once, which = apart(Sequences.of(torch.tensor([[5, 0], [6, 0], [5, 0]]), end=0))
    >>> once.tokens[:, 0].tolist(), which.tolist()
    ([5, 6], [0, 1, 0])
    """
    which, first = (torch.tensor(each, dtype=torch.long) for each in numbered(map(tuple, sources.lists())))
    device = sources.tokens.device
    return sources[first.to(device)], which.to(device)


def once_each(sources: Sequences) -> Sequences:
    """Different sources, each once, in the order of their first appearance."""
    return apart(sources)[0]


def source_texts(sources: Sequences, vocabulary: Vocabulary) -> list[str]:
    """Sources in the symbols of a vocabulary."""
    closing = None if vocabulary.kind == "model" else CLOSING  # a model's are not closed
    return [vocabulary.decode(row) for row in sources.lists(closing)]


def in_one(
    source: Sequences, tokens: Tensor, mask: Bool[Tensor, "batch time"]
) -> tuple[Tensor, Bool[Tensor, "batch both"], Int[Tensor, "batch time"]]:
    """Source and response as one sequence; the response begins where its source ends.

    Args:
        source: one row a response.
        tokens: the responses, ids (batch, time) or rows of weights over the vocabulary (batch, time, vocab).
        mask: True where a token of them is real.

    Returns:
        Tokens and mask of both together, of the kind that was given, and where each token of the response stands.

    >>> source = Sequences.of(torch.tensor([[5, 0, 9], [5, 6, 0]]), end=0)
    >>> both, real, places = in_one(source, torch.tensor([[7, 0], [8, 0]]), torch.ones(2, 2, dtype=torch.bool))
    >>> both.masked_fill(~real, -1)
    tensor([[ 5,  0,  7,  0, -1],
            [ 5,  6,  0,  8,  0]])
    """
    if len(source) != len(tokens):
        raise ValueError(f"{len(tokens)} responses need as many sources, got {len(source)}")
    time = tokens.shape[1]
    places = source.mask.sum(1, keepdim=True) + torch.arange(time, device=tokens.device)  # (batch, time)
    read = nn.functional.pad(source.tokens, (0, time))
    if tokens.is_floating_point():
        rows = nn.functional.one_hot(read, tokens.shape[2]).to(tokens.dtype)
        both = rows.scatter(1, places[:, :, None].expand_as(tokens), tokens)
    else:
        both = read.scatter(1, places, tokens)
    real = nn.functional.pad(source.mask, (0, time)).scatter(1, places, mask)
    return both, real, places
