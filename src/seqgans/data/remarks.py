"""What became of a corpus on its way: sequences left out, prompts cut, tokens unknown; one line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seqgans.data.corpus import Corpus

SPLITS = ("train", "valid", "test")
STRANGE = 0.5  # share of unknown tokens from which on a held-out split is said to be unlike the training split


def remarks(corpus: Corpus) -> list[str]:
    """Lines that whoever learns from a corpus should read; none where everything was taken as it stands.

    Args:
        corpus: with the counts of `encode_texts` and `encode_sources` among its facts; others have nothing to say.
    """
    counts = {split: corpus.facts[split] for split in SPLITS if "longer" in corpus.facts.get(split, {})}
    return [*left_out(corpus, counts), *shortened(corpus), *unlike(corpus, counts)] if counts else []


def left_out(corpus: Corpus, counts: Mapping[str, Any]) -> Iterator[str]:
    """Sequences that are too long, and answers that are blank; blank lines of a text are no sequences."""
    read, longer, blank = (sum(count[name] for count in counts.values()) for name in ("read", "longer", "blank"))
    if longer:
        room = corpus.length - (corpus.vocabulary.end is not None)
        yield (
            f"{longer} of {read} sequences are longer than {room} tokens and were left out; "
            "--corpus.longer cut or a larger --corpus.length keeps them"
        )
    if blank and corpus.source_width:
        yield f"{blank} of {read} answers are blank and were left out with their prompts; fill them in to keep them"


def shortened(corpus: Corpus) -> Iterator[str]:
    """Prompts of which a part is not read."""
    counts = corpus.facts.get("sources", {})
    cut = sum(count["cut"] for count in counts.values())
    if cut:
        every = sum(len(getattr(corpus, split)) for split in counts)
        of_model = corpus.vocabulary.kind == "model"
        width, part = (corpus.source_width, "last") if of_model else (corpus.source_width - 1, "first")
        yield (
            f"{cut} of {every} prompts are longer than {width} tokens, of which only the {part} {width} are read; "
            "raise --corpus.source-length"
        )


def unlike(corpus: Corpus, counts: Mapping[str, Any]) -> Iterator[str]:
    """Held-out splits most of whose tokens the training split never showed."""
    for split, count in counts.items():
        if split != "train" and count["unknown_rate"] > STRANGE:
            yield (
                f"{count['unknown_rate']:.0%} of the tokens of the {split} split are unknown, so it measures little; "
                "check that it is of the training split's kind, or set --corpus.tokens characters or bytepair"
            )
