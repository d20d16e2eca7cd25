"""How near completions, or prefixes themselves, come to reference sentences: what RankGAN's rewards are made of."""

from __future__ import annotations

import functools

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seqgans.discriminators.base import SCORING_ROWS
from seqgans.discriminators.ranking import Ranking
from seqgans.generators.base import Generator
from seqgans.randomness import Stream
from seqgans.rewards.prefixes import of_prefixes
from seqgans.rewards.rollouts import complete
from seqgans.rewards.steps import OfWhole, check_of_whole
from seqgans.sequences import Samples, mask_until


@torch.no_grad()
def relevance(
    ranker: Ranking,
    tokens: Int[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    references: Float[Tensor, "references width"],
) -> Float[Tensor, "batch references"]:
    """α(s | u) = cos(y_s, y_u), without dropout, a few rows at a time."""
    parts = zip(tokens.split(SCORING_ROWS), mask.split(SCORING_ROWS), strict=True)
    return torch.cat([ranker.features(part, real) @ references.t() for part, real in parts])


@torch.no_grad()
def completion_relevance(
    generator: Generator,
    ranker: Ranking,
    tokens: Int[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    references: Float[Tensor, "references width"],
    rollouts: int,
    random: Stream,
) -> Float[Tensor, "batch time rollouts references"]:
    """α of N completions of each prefix; of the whole sequence at its last token and after it.

    Args:
        generator: the roll-out policy.
        ranker: used without dropout.
        tokens: sequences drawn from the generator.
        mask: True where a token is real.
        references: y_u, of unit length.
        rollouts: N, at least 1.
        random: where the numbers come from.
    """
    time = tokens.shape[1]
    found = relevance(ranker, tokens, mask, references)[:, None, None].repeat(1, time, rollouts, 1)
    if time > 1:
        completed = complete(generator, tokens, rollouts, random).permute(
            2, 0, 1, 3
        )  # (batch, prefixes, rollouts, time)
        open_ended = mask[:, :-1] & mask[:, 1:]  # the sequence goes on after the prefix
        flat = completed[open_ended].flatten(0, 1)
        near = relevance(ranker, flat, mask_until(flat, generator.end), references)
        found[:, :-1][open_ended] = near.unflatten(0, (-1, rollouts))
    return found


@torch.no_grad()
def token_relevance(
    way: OfWhole,
    generator: Generator,
    ranker: Ranking,
    samples: Samples,
    references: Float[Tensor, "references width"],
    rollouts: int,
    random: Stream,
) -> Float[Tensor, "batch time completions references"]:
    """α of what stands for each prefix: its roll-outs, or the prefix itself, padded, as its only completion.

    Args:
        way: which; the others of `rewards.steps` need a score per step, which ranks do not give.
        generator: who drew the samples, and completes their prefixes where roll-outs are asked for.
        ranker: used without dropout.
        samples: what the generator drew.
        references: y_u, of unit length.
        rollouts: N, completions of each prefix; of no account without roll-outs.
        random: where the completions come from.

    Raises:
        BadInput: there is no such way here.
    """
    check_of_whole(way)
    tokens, mask = samples.tokens, samples.mask
    if way == "prefix":
        return of_prefixes(functools.partial(relevance, ranker, references=references), tokens, mask)[:, :, None]
    return completion_relevance(generator, ranker, tokens, mask, references, rollouts, random)
