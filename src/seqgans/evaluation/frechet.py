"""Fréchet embedding distance: how far two clouds of embedded sequences are apart, both taken for Gaussians.

References: Heusel et al. (2017), arXiv:1706.08500; for text de Masson d'Autume et al. (2019), ScratchGAN,
arXiv:1905.09922, with the Universal Sentence Encoder.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from seqgans.errors import BadInput
from seqgans.evaluation.base import Evidence, Metric
from seqgans.evaluation.encoders import Cloud, clouds
from seqgans.evaluation.figure import Figure


def frechet(
    mean: Float[np.ndarray, " width"],
    covariance: Float[np.ndarray, "width width"],
    other_mean: Float[np.ndarray, " width"],
    other_covariance: Float[np.ndarray, "width width"],
) -> float:
    """Squared Fréchet (2-Wasserstein) distance of two Gaussians, at least 0.

        ‖μ − μ'‖² + Tr(Σ + Σ' − 2 (Σ Σ')^½),   Tr (Σ Σ')^½ = Σ_i √λ_i(Σ^½ Σ' Σ^½)

    Args:
        mean: μ.
        covariance: Σ.
        other_mean: μ'.
        other_covariance: Σ'.

    >>> frechet(np.zeros(1), np.eye(1), np.full(1, 3.0), 4 * np.eye(1))  # 3² + (2 − 1)²
    10.0
    """
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other_covariance @ root), 0.0)).sum()
    apart = float(np.square(mean - other_mean).sum())
    return max(0.0, float(apart + np.trace(covariance) + np.trace(other_covariance) - 2 * shared))


def fed(points: Cloud, others: Cloud, **details: int | float | str) -> Figure:
    """Fréchet distance of the Gaussians with the means and covariances of two clouds; lower is closer.

    The fewer points, the larger: compare only figures of equally many, and with that of real points against real ones.

    Args:
        points: one row a sequence, at least two.
        others: the same of the other side.
        details: what the figure is of.

    Raises:
        BadInput: a cloud has fewer than two points.
    """
    least = min(len(points), len(others))
    if least < 2:
        raise BadInput(f"a Fréchet distance needs at least two sequences of both kinds, got {least}: draw more")
    sides = [(side.mean(0), np.atleast_2d(np.cov(side, rowvar=False))) for side in (points, others)]
    return Figure(value=frechet(*sides[0], *sides[1]), count=len(points), details={**details, "width": points.shape[1]})


def of_evidence(evidence: Evidence, *names: str) -> dict[str, Figure]:
    """Samples beside references, and real sequences beside real ones, with each encoder."""
    return {
        f"{kind}fed_{name}": fed(*pair, encoder=name) for name in names for kind, pair in clouds(evidence, name).items()
    }


def metric(name: str, encoders: tuple[str, ...], about: str, costly: bool) -> Metric:
    """The distance with some encoders."""
    return Metric(
        name=name,
        description=f"Fréchet distance of embedded samples and references ({about})",
        paper="de Masson d'Autume et al.",
        year=2019,
        unit="squared distance",
        better="lower",
        needs=frozenset({"samples", "references", "vocabulary"} if costly else {"samples", "references"}),
        sizes="the first `count` samples and as many references; grows as they get fewer",
        floor=f"real_{name}, of train and references, else of two halves of these",
        compute=lambda evidence: of_evidence(evidence, *encoders),
        costly=costly,
        by_size=True,
        stands_in=True,
    )


METRICS = (
    metric("fed", ("hashed", "lstm"), "hashed n-grams; an LSTM that read the references", False),
    metric("fed_minilm", ("minilm",), "all-MiniLM-L6-v2, English text", True),
)
