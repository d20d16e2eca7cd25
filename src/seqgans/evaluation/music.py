"""Mean squared error between generated and real tunes: three readings of Table 4 of the SeqGAN paper.

The paper says "the mean squared error is used" and neither how tunes are paired nor in which unit, so none
of these claims to be it. Pitches are numbers of semitones; only tunes of equal length are compared.

References: Yu et al. (2017), arXiv:1609.05473, Table 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from seqgans.errors import BadInput
from seqgans.evaluation.base import Evidence, Lists, Metric, beside_real
from seqgans.evaluation.figure import Figure

PAIRS_AT_ONCE = 1 << 22

Pitches = Sequence[Sequence[float]] | Sequence[Sequence[int]]


def mse_nearest(samples: Pitches, references: Pitches) -> Figure:
    """min_x (1/T) Σ_t (y_t − x_t)² over real tunes x, averaged over generated tunes y; semitones², lower is closer.

    Args:
        samples: pitches of generated tunes.
        references: pitches of held-out tunes.

    >>> mse_nearest([[60, 62]], [[60, 64], [60, 63]]).value
    0.5
    """
    return _paired(samples, references, lambda squares: squares.min(1))


def mse_mean(samples: Pitches, references: Pitches) -> Figure:
    """(1/T) Σ_t (y_t − x_t)² averaged over all pairs of a generated and a real tune; semitones².

    For two laws it is the sum of their variances and of the squared difference of their means, each per position,
    so it does not fall below twice the variance of real tunes unless the generated ones are too much alike.

    Args:
        samples: pitches of generated tunes.
        references: pitches of held-out tunes.

    >>> mse_mean([[60, 62]], [[60, 64], [60, 63]]).value
    1.25
    """
    return _paired(samples, references, lambda squares: squares.mean(1))


def mse_interval(samples: Pitches, references: Pitches) -> Figure:
    """`mse_nearest` of the steps y_{t+1} − y_t, so that a transposed copy is at distance 0; semitones².

    Args:
        samples: pitches of generated tunes, at least two notes each.
        references: pitches of held-out tunes.

    >>> mse_interval([[60, 62, 60]], [[67, 69, 67], [60, 60, 60]]).value
    0.0
    """
    return mse_nearest([np.diff(row).tolist() for row in samples], [np.diff(row).tolist() for row in references])


def _paired(samples: Pitches, references: Pitches, summary: Callable[[np.ndarray], np.ndarray]) -> Figure:
    """Mean over samples of a summary of their mean squared errors to all references of equal length."""
    values = np.empty(len(samples))
    for length in sorted({len(row) for row in samples}):
        rows = [place for place, row in enumerate(samples) if len(row) == length]
        theirs = np.array([row for row in references if len(row) == length], np.float64)
        if not length or not len(theirs):
            raise BadInput(
                f"music error needs a reference as long as each sample, found none of {length} steps: cut both alike"
            )
        ours = np.array([samples[place] for place in rows], np.float64)
        step = max(1, PAIRS_AT_ONCE // len(theirs))
        for first in range(0, len(rows), step):
            part = ours[first : first + step]
            squares = (part**2).sum(1)[:, None] + (theirs**2).sum(1) - 2 * part @ theirs.T  # exact for whole pitches
            values[rows[first : first + step]] = summary(np.maximum(squares, 0.0) / length)
    return Figure.of(values, references=len(references))


def music_mse(evidence: Evidence) -> dict[str, Figure]:
    """The three readings of the music error, on pitches; of training tunes as well."""

    def heard(rows: Lists) -> list[list[int]]:
        return [[(evidence.notes or ())[note] for note in row] for row in rows]

    references = heard(evidence.part("references"))

    def errors(rows: Lists) -> dict[str, Figure]:
        samples = heard(rows[: evidence.overlap_count])
        return {
            "mse_nearest": mse_nearest(samples, references),
            "mse_mean": mse_mean(samples, references),
            "mse_interval": mse_interval(samples, references),
        }

    return beside_real(evidence, errors, "train")


METRICS = (
    Metric(
        name="music_mse",
        description="mean squared error of pitches to real tunes, in three readings",
        paper="Yu et al.",
        year=2017,
        unit="semitones²",
        better="closer to real",
        needs=frozenset({"samples", "references", "notes"}),
        sizes="the first `overlap_count` samples, all references",
        floor="real_mse_…, of equally many training tunes, not 0",
        compute=music_mse,
    ),
)
