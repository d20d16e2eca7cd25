"""Sentences of one template in two categories, for tests that need text of which everything is known."""

from __future__ import annotations

import torch

from seqgans.randomness import generator_for

WORDS = ("bad awful poor dreadful dull", "good great fine lovely superb")
REST = ("film book meal room song", "is was seems felt", "really so quite very")


def sentences(rows: int, seed: int) -> str:
    """Lines of a category, a tab and a sentence, the categories in turn.

    the THING VERB ADVERB ADJECTIVE, half of them `and` another ADJECTIVE; adjectives alone tell the categories apart.

    Args:
        rows: how many.
        seed: which.
    """
    random = generator_for(seed, "sentences")

    def pick(words: str) -> str:
        return words.split()[int(torch.randint(len(words.split()), (), generator=random))]

    lines = []
    for row in range(rows):
        said = ["the", *map(pick, REST), pick(WORDS[row % 2])]
        if torch.rand((), generator=random) < 0.5:
            said += ["and", pick(WORDS[row % 2])]
        lines.append(f"{row % 2}\t{' '.join(said)}\n")
    return "".join(lines)
