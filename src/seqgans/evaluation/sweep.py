"""Quality against diversity as the temperature moves: the whole curve of a generator instead of one point.

Any generator can be made better and less diverse by sampling at a lower temperature, so single points of two
systems prove nothing. One system dominates only if its whole curve does.

Figures on both axes are "lower is better", so the better curve lies below and to the left.

References: Caccia et al. (2020), "Language GANs Falling Short", arXiv:1811.02549.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from seqgans.errors import BadInput
from seqgans.evaluation.figure import Figure
from seqgans.evaluation.kneser_ney import KneserNey
from seqgans.evaluation.likelihood import ROWS, Drawn, Sampler, Scorer, draw_sequences, nll_oracle
from seqgans.evaluation.overlap import COUNT, bleu, self_bleu
from seqgans.evaluation.tempered import scores_at
from seqgans.generators.base import Generator
from seqgans.generators.decoding import Decoding
from seqgans.randomness import generator_for
from seqgans.rewards.ngrams import Flat
from seqgans.sequences import Sequences

INVERSE_TEMPERATURES = (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0)

Measure = Callable[[float, Sequences], dict[str, Figure]]
"""From a temperature and what was drawn at it to figures."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """Figures at one temperature.

    Attributes:
        inverse_temperature: α, what the logits are multiplied by.
        figures: by name.
    """

    inverse_temperature: float
    figures: dict[str, Figure]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "inverse_temperature": self.inverse_temperature,
            "figures": {name: figure.to_dict() for name, figure in self.figures.items()},
        }


@dataclass(frozen=True)
class Curve:
    """Diversity as a function of quality, linear between points; both lower is better.

    Attributes:
        quality: increasing.
        diversity: at each quality.
    """

    quality: np.ndarray
    diversity: np.ndarray

    @classmethod
    def of(cls, points: Sequence[Point], quality: str, diversity: str, higher_is_better: bool = False) -> Curve:
        """The curve of two figures of a sweep, without points that another beats in quality and in diversity.

        Very low temperatures can fold a curve back (a few sequences over and over, none of them among the references),
        and diversity would no longer be a function of quality.

        Args:
            points: a sweep.
            quality: name of the figure that says how good samples are.
            diversity: name of the figure that falls as samples become more diverse.
            higher_is_better: `quality` rises with quality (BLEU) and is to be negated.
        """
        sign = -1.0 if higher_is_better else 1.0
        pairs = sorted((sign * point.figures[quality].value, point.figures[diversity].value) for point in points)
        best = np.minimum.accumulate([np.inf, *(pair[1] for pair in pairs)])  # of all points at least as good
        kept = [pair for pair, before in zip(pairs, best[:-1], strict=True) if pair[1] < before]
        return cls(np.array([pair[0] for pair in kept]), np.array([pair[1] for pair in kept]))

    def diversity_at(self, quality: float) -> float | None:
        """Diversity at a quality, None outside the curve: what is compared at matched quality."""
        if not (len(self.quality) and self.quality[0] <= quality <= self.quality[-1]):
            return None
        return float(np.interp(quality, self.quality, self.diversity))


def temperature_sweep(
    generator: Sampler,
    measure: Measure,
    *,
    length: int,
    count: int,
    seed: int,
    inverse_temperatures: Sequence[float] = INVERSE_TEMPERATURES,
    rows: int = ROWS,
) -> list[Point]:
    """Fresh samples at every temperature, from the same random numbers, and their figures.

    Args:
        generator: what is drawn from.
        measure: from temperature and samples to figures; `likelihood_curve`, `overlap_curve` and
            `language_curve` make some.
        length: tokens of the longest sequence.
        count: samples at each temperature.
        seed: the same numbers for every temperature and every generator.
        inverse_temperatures: α, each above 0.
        rows: sequences drawn at once.
    """
    if not inverse_temperatures or min(inverse_temperatures) <= 0:
        raise BadInput(f"inverse temperatures must be above 0, got {list(inverse_temperatures)}")
    points = []
    for inverse in inverse_temperatures:
        decoding = Decoding(temperature=1.0 / inverse)
        random = generator_for(seed, "temperature sweep")
        samples = draw_sequences(generator, count, length, random, decoding=decoding, rows=rows)
        points.append(Point(inverse_temperature=inverse, figures=measure(1.0 / inverse, samples)))
    return points


def likelihood_curve(
    generator: Generator,
    oracle: Scorer,
    held_out: Sequences,
    rows: int = ROWS,
    inverse_temperatures: Sequence[float] = INVERSE_TEMPERATURES,
) -> Measure:
    """Quality NLL_oracle of the samples, diversity NLL_gen of held-out data, at each temperature; and NLL_div.

    Held-out data is scored at all temperatures in one go, samples by what they were drawn with.

    Args:
        generator: what the samples come from.
        oracle: the law of the real data.
        held_out: drawn from the oracle, not trained on.
        rows: sequences scored at once.
        inverse_temperatures: those that are scored together; another is scored when it is asked for.
    """
    temperatures = [1.0 / inverse for inverse in inverse_temperatures]
    known: dict[float, Figure] = {}

    def of_held_out(temperature: float) -> Figure:
        if temperature not in known:
            asked = temperatures if temperature in temperatures else [temperature]
            found = scores_at(generator, held_out, asked, rows=rows)
            known.update((one, scores.nll()) for one, scores in zip(asked, found, strict=True))
        return known[temperature]

    def measure(temperature: float, samples: Sequences) -> dict[str, Figure]:
        own = samples.scores if isinstance(samples, Drawn) else None
        if own is None:
            own = scores_at(generator, samples, [temperature], rows=rows)[0]
        return {
            "nll_oracle": nll_oracle(oracle, samples, rows=rows),
            "nll_gen": of_held_out(temperature),
            "nll_div": own.nll(),
        }

    return measure


def overlap_curve(references: Sequence[Sequence[int]], end: int | None, order: int = 5, count: int = COUNT) -> Measure:
    """Quality BLEU against references (higher is better), diversity self-BLEU, at each temperature.

    Args:
        references: held-out lists of ids.
        end: id of the end token, which is not counted, or None.
        order: the n of BLEU-n.
        count: samples scored.
    """

    def measure(temperature: float, samples: Sequences) -> dict[str, Figure]:
        lists = samples.lists(end)
        return {
            **bleu(lists, references, orders=(order,), count=count),
            **self_bleu(lists, orders=(order,), count=count),
        }

    return measure


def language_curve(references: Sequence[Sequence[int]], end: int | None) -> Measure:
    """Quality `lm_kn`, diversity `reverse_lm_kn`, at each temperature: the global curve of Caccia et al.

    Both are NLLs per token of Kneser-Ney models over the ids of the references: samples under that of the references,
    which is learnt once, and references under that of the samples.

    Args:
        references: held-out lists of ids.
        end: id of the end token, which is not scored, or None.
    """
    words = np.unique(Flat.of(references).tokens)
    real = KneserNey.learn(references, words)

    def measure(temperature: float, samples: Sequences) -> dict[str, Figure]:
        lists = samples.lists(end)
        return {
            "lm_kn": real.score(lists).nll(),
            "reverse_lm_kn": KneserNey.learn(lists, words).score(references).nll(),
        }

    return measure


def area_between(one: Curve, other: Curve) -> float | None:
    """∫ (diversity of `one` − diversity of `other`) over the qualities both reach; None if there are none.

    Negative where `one` lies below, which is better. Its unit is that of quality times that of diversity.

    Args:
        one: a curve.
        other: another on the same two figures.
    """
    if not len(one.quality) or not len(other.quality):
        return None
    low = max(one.quality[0], other.quality[0])
    high = min(one.quality[-1], other.quality[-1])
    if low >= high:
        return None
    knots = np.unique(np.concatenate([one.quality, other.quality, [low, high]]))
    knots = knots[(knots >= low) & (knots <= high)]
    gaps = np.interp(knots, one.quality, one.diversity) - np.interp(knots, other.quality, other.diversity)
    return float(((gaps[1:] + gaps[:-1]) / 2 * np.diff(knots)).sum())  # exact: both are linear between knots
