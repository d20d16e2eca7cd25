"""Likelihood metrics: NLL of one law under another, and the divergences between two laws.

With both densities computable every expectation below is a plain mean over samples, so each figure has a
standard error and no bias. NLL_oracle alone is not a divergence: a generator that always draws the
oracle's most likely sequence has the lowest possible one. NLL_oracle − NLL_div is (the reverse KL).

References: Yu et al. (2017), arXiv:1609.05473; Caccia et al. (2020), arXiv:1811.02549.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from seqgans.errors import BadInput
from seqgans.evaluation.figure import Figure
from seqgans.generators.base import Generator
from seqgans.generators.conditional import given
from seqgans.generators.decoding import PLAIN, Decoding
from seqgans.randomness import Stream, as_stream
from seqgans.sequences import Samples, Sequences, mask_until

ROWS = 1000  # sequences scored or drawn at once
Law = TypeVar("Law", bound="Scorer")


@runtime_checkable
class Scorer(Protocol):
    """Anything that gives the log-probability of each given token, in nats."""

    def log_probs(self, tokens: Tensor) -> Tensor:
        """What log p(y_t | y_<t) is for each token, (batch, time)."""
        ...


@runtime_checkable
class Sampler(Scorer, Protocol):
    """A scorer that can also draw."""

    def sample(
        self, count: int, length: int, *, random: torch.Generator | Stream, decoding: Decoding = PLAIN
    ) -> Samples:
        """Draw `count` sequences of at most `length` tokens."""
        ...


@dataclass(frozen=True)
class Scores:
    """How likely each of many sequences is.

    Attributes:
        totals: log-probability of each sequence, nats, float64.
        sizes: how many tokens of each were counted.
    """

    totals: np.ndarray
    sizes: np.ndarray

    def nll(self, **details: int | float | str) -> Figure:
        """Negative log-likelihood per token, nats."""
        return Figure.ratio(-self.totals, self.sizes, **details)


@dataclass(frozen=True)
class Drawn(Sequences):
    """Sequences, and how likely they were where they came from.

    Attributes:
        scores: under the law they were drawn from, temperature, top-k and top-p included; None where the sampler does
            not know, since it drew from one part or one code of a law that sums over them.
    """

    scores: Scores | None = None


def score(scorer: Scorer, sequences: Sequences, *, masked: bool = True, rows: int = ROWS) -> Scores:
    """Log-probability of each sequence, a few rows at a time and without gradient.

    Args:
        scorer: the law.
        sequences: what it is asked about.
        masked: False counts padding as tokens, as code without a mask does.
        rows: sequences scored at once.
    """
    totals = []
    device = device_of(scorer)
    for first in range(0, len(sequences), rows):
        part = sequences[first : first + rows].to(device)
        with torch.no_grad():
            log_probs = law_of(scorer, part.source).log_probs(part.tokens).double()  # (rows, time)
        if masked:  # not a product, which would make nan of −∞ on padding
            log_probs = log_probs.masked_fill(~part.mask, 0.0)
        totals.append(log_probs.sum(1).cpu().numpy())
    sizes = sequences.mask.sum(1) if masked else torch.full((len(sequences),), sequences.tokens.shape[1])
    return Scores(np.concatenate(totals) if totals else np.zeros(0), sizes.cpu().numpy().astype(np.float64))


def nll_oracle(oracle: Scorer, samples: Sequences, *, masked: bool = True, rows: int = ROWS) -> Figure:
    """NLL of generated sequences under the oracle per token, nats; lower, at worst by collapsing.

        NLL_oracle = −(1/T) E_{Y∼G} Σ_t log G_oracle(y_t | y_<t)

    Args:
        oracle: the law of the real data.
        samples: drawn from the generator.
        masked: False counts padding as tokens.
        rows: sequences scored at once.
    """
    return score(oracle, samples, masked=masked, rows=rows).nll()


def nll_gen(generator: Scorer, real: Sequences, *, masked: bool = True, rows: int = ROWS) -> Figure:
    """NLL of real sequences under the generator per token, nats; falls only where nothing real is left out.

        NLL_gen = −(1/T) E_{Y∼data} Σ_t log G(y_t | y_<t)

    Args:
        generator: the law that was learnt.
        real: held-out data ("test"), or the training data as some published tables have it.
        masked: False counts padding as tokens.
        rows: sequences scored at once.
    """
    return score(generator, real, masked=masked, rows=rows).nll()


def nll_div(generator: Scorer, samples: Sequences, *, masked: bool = True, rows: int = ROWS) -> Figure:
    """Entropy of the generator per token, nats, from its own samples; higher is more diverse.

        NLL_div = −(1/T) E_{Y∼G} Σ_t log G(y_t | y_<t)

    Args:
        generator: the law that was learnt.
        samples: drawn from it at temperature 1.
        masked: False counts padding as tokens.
        rows: sequences scored at once.
    """
    return score(generator, samples, masked=masked, rows=rows).nll()


def reverse_kl(under_generator: Scores, under_oracle: Scores) -> dict[str, Figure]:
    """KL(G ‖ oracle) = E_{Y∼G} [log G(Y) − log oracle(Y)], from scores of the generator's samples."""
    return _both("reverse_kl", under_generator.totals - under_oracle.totals, under_generator.sizes)


def forward_kl(under_generator: Scores, under_oracle: Scores) -> dict[str, Figure]:
    """KL(oracle ‖ G) = E_{Y∼oracle} [log oracle(Y) − log G(Y)], from scores of the oracle's samples."""
    return _both("forward_kl", under_oracle.totals - under_generator.totals, under_oracle.sizes)


def jsd(generated: tuple[Scores, Scores], real: tuple[Scores, Scores]) -> dict[str, Figure]:
    """Jensen–Shannon divergence per sequence, nats, in [0, ln 2].

        M = (G + oracle)/2,   JSD = ½ E_G [log G − log M] + ½ E_oracle [log oracle − log M]

    Args:
        generated: scores of the generator's samples under the generator and under the oracle.
        real: scores of the oracle's samples under the generator and under the oracle.
    """
    halves = [
        Figure.of(own.totals - (np.logaddexp(one.totals, other.totals) - math.log(2)))
        for own, (one, other) in ((generated[0], generated), (real[1], real))
    ]
    value = sum(half.value for half in halves) / 2
    errors = [half.standard_error for half in halves if half.standard_error is not None]
    error = math.hypot(*errors) / 2 if len(errors) == 2 else None
    size = float(np.mean(generated[0].sizes) + np.mean(real[0].sizes)) / 2
    count = sum(half.count for half in halves)
    return {
        "jsd": Figure(value=value, standard_error=error, count=count),
        "jsd_per_token": Figure(
            value=value / size, standard_error=None if error is None else error / size, count=count
        ),
    }


def divergences(
    generator: Sampler,
    oracle: Sampler,
    length: int,
    count: int,
    random: torch.Generator | Stream,
    *,
    rows: int = ROWS,
) -> dict[str, Figure]:
    """Reverse KL, forward KL and JSD, each per sequence and per token, nats, from samples of both sides.

    Args:
        generator: the law that was learnt.
        oracle: the law of the real data.
        length: tokens of the longest sequence.
        count: sequences drawn from each side.
        random: where the samples come from.
        rows: sequences drawn and scored at once.
    """
    stream = as_stream(random)
    generated, real = (draw_sequences(side, count, length, stream, rows=rows) for side in (generator, oracle))
    ours = score(generator, generated, rows=rows), score(oracle, generated, rows=rows)
    theirs = score(generator, real, rows=rows), score(oracle, real, rows=rows)
    return {**reverse_kl(*ours), **forward_kl(*theirs), **jsd(ours, theirs)}


def draw_sequences(
    sampler: Sampler,
    count: int,
    length: int,
    random: torch.Generator | Stream,
    *,
    decoding: Decoding = PLAIN,
    rows: int = ROWS,
    source: Sequences | None = None,
) -> Drawn:
    """Sequences drawn a few rows at a time, on the processor.

    Args:
        sampler: the law.
        count: how many.
        length: tokens of the longest.
        random: where the numbers come from.
        decoding: temperature, top-k and top-p.
        rows: drawn at once.
        source: what each of them answers; None for nothing.
    """
    parts, totals, known = [], [], True
    for first in range(0, count, rows):
        asked = None if source is None else source[slice(first, first + rows)].to(device_of(sampler))
        law = law_of(sampler, asked)
        drawn = law.sample(min(rows, count - first), length, random=random, decoding=decoding)
        parts.append(drawn.sequences.to("cpu"))
        totals.append(drawn.log_probs.double().sum(1).cpu())
        known = known and knows_its_odds(law)
    tokens, mask = torch.cat([part.tokens for part in parts]), torch.cat([part.mask for part in parts])
    scores = Scores(torch.cat(totals).numpy(), mask.sum(1).numpy().astype(np.float64)) if known else None
    return Drawn(tokens, mask, None, source, scores)


def knows_its_odds(law: object) -> bool:
    """Whether the log-probabilities a law draws with are those it scores with.

    Not so of a mixture, which draws from one of its parts, of a code behind a whole sequence, or where something
    else does the writing: they have a `sample` or a `log_probs` of their own.
    """
    return (
        isinstance(law, Generator)
        and type(law).log_probs is Generator.log_probs
        and type(law).sample is Generator.sample
    )


def law_of(scorer: Law, source: Sequences | None) -> Law | Generator:
    """The law of what answers a source; where there is none, the law itself."""
    return given(scorer, source) if isinstance(scorer, Generator) else scorer


def as_sequences(lists: Sequence[Sequence[int]], length: int | None = None, end: int | None = None) -> Sequences:
    """Lists of ids as padded rows: what `Sequences.lists(end)` gave, turned back.

    Args:
        lists: ids without padding and end token.
        length: columns, by default what the longest list and its end token need.
        end: id put after every list that is shorter than `length`; None where all lists are equally long.

    Raises:
        BadInput: a list is too long, or lists differ in length although nothing ends them.
    """
    longest = max(map(len, lists), default=0)
    width = (longest + (end is not None)) if length is None else length
    if longest > width:
        raise BadInput(f"sequences must have at most {width} tokens, got one of {longest}: raise the length")
    if end is None and any(len(row) != width for row in lists):
        shortest = min(map(len, lists))
        raise BadInput(
            f"without an end token every sequence must have {width} tokens, got one of {shortest}: name the end token"
        )
    tokens = torch.full((len(lists), width), 0 if end is None else end, dtype=torch.long)
    for row, ids in enumerate(lists):
        tokens[row, : len(ids)] = torch.tensor(ids, dtype=torch.long)
    return Sequences(tokens, mask_until(tokens, end))


def device_of(scorer: Scorer) -> torch.device:
    """Where a scorer wants its tokens: with its parameters, if it is a module that has any."""
    if isinstance(scorer, nn.Module):
        for parameter in scorer.parameters():
            return parameter.device
    return torch.device("cpu")


def _both(name: str, differences: np.ndarray, sizes: np.ndarray) -> dict[str, Figure]:
    """A divergence per sequence and per token."""
    return {name: Figure.of(differences), f"{name}_per_token": Figure.ratio(differences, sizes)}
