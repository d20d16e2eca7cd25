"""EmbSim: do words stand as near to each other in generated text as in real text?

References: Zhu et al. (2018), Texygen, arXiv:1802.01886. Departures: the words that are compared are the most frequent
ones (the release passes its list through a set without order); negatives are drawn by frequency, not by rank.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from seqgans.errors import BadInput
from seqgans.evaluation.base import Evidence, Metric, from_all_over
from seqgans.evaluation.figure import Figure
from seqgans.randomness import generator_for
from seqgans.rewards.ngrams import Flat, find

WIDTH = 32
NEGATIVES, BATCH = 64, 256  # words drawn beside the right ones; pairs of an update, which share them
RATE, PASSES = 1.0, 2
SHARE, LEAST = 10, 2  # one word of ten is compared, at least two
LOG_BASE = 10.0


def skip_gram(
    rows: Sequence[Sequence[int]], words: np.ndarray, random: torch.Generator, *, passes: int = PASSES
) -> Float[np.ndarray, "words width"]:
    """Embeddings v from which the word on either side is predicted, by sampled softmax and Adagrad.

        −log( e^{u_o·v_c} / (e^{u_o·v_c} + Σ_k e^{u_k·v_c} / (64 p_k)) ),   64 words k drawn with p_k = their share

    Args:
        rows: lists of ids.
        words: the ids that get an embedding, sorted.
        random: where the beginning, the order of pairs and the negatives come from.
        passes: over all pairs of neighbours, each both ways.

    Returns:
        One row a word; one that has no neighbour stays where it began.
    """
    flat = Flat.of(rows)
    places = torch.from_numpy(find(words, flat.tokens))
    beside = torch.from_numpy(flat.left[:-1] > 1) & (places[:-1] >= 0) & (places[1:] >= 0)
    left, right = places[:-1][beside], places[1:][beside]
    pairs = torch.stack([torch.cat([left, right]), torch.cat([right, left])], 1)
    inner = nn.Parameter(torch.rand(len(words), WIDTH, generator=random) * 2 - 1)
    if not len(pairs):
        return inner.detach().double().numpy()
    outer = nn.Parameter(torch.randn(len(words), WIDTH, generator=random) / math.sqrt(WIDTH))
    shares = torch.bincount(pairs[:, 1], minlength=len(words)).float() / len(pairs)
    expected = (NEGATIVES * shares).log()
    optimizer = torch.optim.Adagrad([inner, outer], lr=RATE, initial_accumulator_value=0.1)
    for _ in range(passes):
        for part in pairs[torch.randperm(len(pairs), generator=random)].split(BATCH):
            centres, contexts = part.t()
            others = torch.multinomial(shares, NEGATIVES, replacement=True, generator=random)
            hidden = inner[centres]  # (pairs, width)
            drawn = hidden @ outer[others].t() - expected[others]
            drawn = drawn.masked_fill(contexts[:, None] == others, -math.inf)  # no word is its own negative
            right = (hidden * outer[contexts]).sum(1, keepdim=True)
            optimizer.zero_grad(set_to_none=True)
            (torch.cat([right, drawn], 1).logsumexp(1) - right[:, 0]).mean().backward()
            optimizer.step()
    return inner.detach().double().numpy()


def embsim(
    one: Float[np.ndarray, "words width"], other: Float[np.ndarray, "words _"], log_base: float = LOG_BASE
) -> float:
    """Likeness of two embeddings of the same words, at most 0; 0 where all angles between words are equal.

        log( (1/K) Σ_i cos(W_i, W'_i) ),   W_ij = cos(e_i, e_j);   −∞ where the mean is not above 0

    Args:
        one: e, one row a word.
        other: e', the same words in the same order.
        log_base: of the logarithm; the release has 10, the paper e.

    >>> embsim(np.eye(3), 2 * np.eye(3))
    0.0
    """
    angles = [unit(side) @ unit(side).T for side in (one, other)]
    mean = float((unit(angles[0]) * unit(angles[1])).sum(1).mean())
    return min(0.0, math.log(mean, log_base)) if mean > 0 else -math.inf


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def compared(
    rows: Sequence[Sequence[int]],
    real: Sequence[Sequence[int]],
    seed: int,
    learnt: Callable[[Callable[[], np.ndarray]], np.ndarray] = lambda make: make(),
) -> Figure:
    """EmbSim of some rows and real ones, on the tenth of the real words that is most frequent.

    Args:
        rows: lists of ids.
        real: those that say which words are compared.
        seed: of both embeddings.
        learnt: takes what makes the embedding of the real rows; returns that, or one that was made before.

    Raises:
        BadInput: the real rows have fewer than 20 different words.
    """
    words, counts = np.unique(Flat.of(real).tokens, return_counts=True)
    count = len(words) // SHARE
    if count < LEAST:
        raise BadInput(f"EmbSim needs references with at least {LEAST * SHARE} different tokens, got {len(words)}")
    chosen = np.argsort(-counts, kind="stable")[:count]
    ours = skip_gram(rows, words, generator_for(seed, "evaluation", "skip-gram", "samples"))
    theirs = learnt(lambda: skip_gram(real, words, generator_for(seed, "evaluation", "skip-gram", "real")))
    return Figure(
        value=embsim(ours[chosen], theirs[chosen]), count=len(rows), details={"words": count, "references": len(real)}
    )


def of_evidence(evidence: Evidence) -> dict[str, Figure]:
    """Samples beside references; as many of train beside references, or one half of these beside the other."""
    samples, real = evidence.drawn[: evidence.count], evidence.part("references")[: evidence.count]
    once = partial(evidence.once_for_all, "embedding of references")
    figures = {"embsim": compared(samples, real, evidence.seed, once)}

    def floor() -> Figure:
        if evidence.has("train"):
            return compared(from_all_over(evidence.part("train"), len(samples)), real, evidence.seed, once)
        return compared(real[::2], real[1::2], evidence.seed)

    if not evidence.has("train") and len(real) < 2:
        return figures
    return {**figures, "real_embsim": evidence.once_for_all(f"real_embsim of {len(samples)}", floor)}


METRIC = Metric(
    name="embsim",
    description="log₁₀ of how alike the angles between frequent words are in samples and references",
    paper="Zhu et al.",
    year=2018,
    unit="log₁₀ of a cosine",
    better="higher",
    needs=frozenset({"samples", "references"}),
    sizes="the first `count` samples and references",
    by_size=True,
    floor="real_embsim, of train and references, else of two halves of these; 0 at most",
    compute=of_evidence,
    stands_in=True,
)
