"""MAUVE: the area under the trade-off between what samples add to real text and what they leave out.

References: Pillutla et al. (2021), arXiv:2102.01454. Their features are the last states of GPT-2 large; ours are those
of the encoder that the figure names.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.integrate import trapezoid

from seqgans.errors import BadInput
from seqgans.evaluation.base import Evidence, Metric
from seqgans.evaluation.encoders import Cloud, clouds
from seqgans.evaluation.figure import Figure
from seqgans.randomness import generator_for

SCALE = 5.0  # c
MIXTURES = 25  # points of the curve
SEEDS = 5  # k-means that are averaged over
PASSES = 30  # of k-means at most
SHARE = 10  # points of a side for each cluster
EXPLAINED = 0.9  # of the variance, by the directions that are kept


def mauve(real: Float[np.ndarray, " bins"], generated: Float[np.ndarray, " bins"]) -> float:
    """Area under the divergence curve of two histograms, in (0, 1]; 1 where they are equal.

        curve ( e^(−c KL(Q ‖ R_λ)), e^(−c KL(P ‖ R_λ)) ),   R_λ = λ P + (1 − λ) Q,   c = 5

    The curve ends at (0, 1) and (1, 0); the area is the mean of those under it as seen from both axes.

    Args:
        real: P, adds up to 1.
        generated: Q, adds up to 1.

    >>> round(mauve(np.array([0.5, 0.5]), np.array([0.5, 0.5])), 6)
    1.0
    """
    curve = [(1.0, 0.0)]
    for weight in np.linspace(1e-6, 1 - 1e-6, MIXTURES):
        mixture = weight * real + (1 - weight) * generated
        curve.append((np.exp(-SCALE * kl(generated, mixture)), np.exp(-SCALE * kl(real, mixture))))
    across, up = np.array([*curve, (0.0, 1.0)])[::-1].T
    one, other = np.lexsort((-up, across)), np.lexsort((-across, up))  # equal ones by the larger other: from outside
    areas = trapezoid(up[one], across[one]), trapezoid(across[other], up[other])
    return float(sum(areas) / 2)


def kl(law: np.ndarray, other: np.ndarray) -> float:
    """KL(law ‖ other) in nats; infinite where the other rules something out."""
    there = law > 0
    if (other[there] == 0).any():
        return float("inf")
    return float((law[there] * np.log(law[there] / other[there])).sum())


def main_directions(points: Cloud) -> Cloud:
    """Points of length 1, turned onto the fewest directions that explain 90 % of their variance."""
    points = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)
    points = points - points.mean(0)
    values, vectors = np.linalg.eigh(points.T @ points)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    explained = np.cumsum(values) / max(values.sum(), 1e-300)
    return points @ vectors[:, : int(np.argmax(explained >= EXPLAINED)) + 1]


def clusters(points: Cloud, count: int, random: torch.Generator) -> Int[np.ndarray, " rows"]:
    """The cluster of each point after at most 30 passes of k-means (Lloyd), begun at points drawn at random.

    A cluster that lost all its points begins anew at one that is drawn.

    Args:
        points: one a row.
        count: clusters, no more than there are points.
        random: where they begin.
    """
    cloud = torch.from_numpy(points).float()
    centres = cloud[torch.randperm(len(cloud), generator=random)[:count]]
    named = torch.full((len(cloud),), -1)
    for _ in range(PASSES):
        half = 0.5 * centres.square().sum(1)
        now = torch.cat([(half - part @ centres.t()).argmin(1) for part in cloud.split(4096)])
        if torch.equal(now, named):
            break
        named = now
        sizes = torch.bincount(named, minlength=count)
        sums = torch.zeros_like(centres).index_add_(0, named, cloud)
        drawn = cloud[torch.randint(len(cloud), (count,), generator=random)]
        centres = torch.where(sizes[:, None] > 0, sums / sizes.clamp(min=1)[:, None], drawn)
    return named.numpy()


def mauve_of_clouds(generated: Cloud, real: Cloud, seed: int, **details: int | float | str) -> Figure:
    """Mean MAUVE of two clouds over five k-means, n/10 clusters each.

    How far the five are apart says nothing of other samples, so it is a detail (`clustering`) and no standard error.

    Args:
        generated: one row a sequence, at least two.
        real: the same of the other side.
        seed: of k-means.
        details: what the figure is of.

    Raises:
        BadInput: a cloud has fewer than two points.
    """
    least = min(len(generated), len(real))
    if least < 2:
        raise BadInput(f"MAUVE needs at least two sequences of both kinds, got {least}: draw more")
    count = max(2, round(least / SHARE))
    points = main_directions(np.concatenate([real, generated]))
    found = []
    for number in range(SEEDS):
        named = clusters(points, count, generator_for(seed, "evaluation", "mauve", str(number)))
        sides = named[: len(real)], named[len(real) :]
        found.append(mauve(*(np.bincount(side, minlength=count) / len(side) for side in sides)))
    spread = float(np.std(found, ddof=1))
    told = {**details, "clusters": count, "seeds": SEEDS, "clustering": spread}
    return Figure(value=float(np.mean(found)), count=least, details=told)


def of_evidence(evidence: Evidence, name: str) -> dict[str, Figure]:
    """Samples beside references, and real sequences beside real ones."""
    figures = {}
    for kind, pair in clouds(evidence, name).items():
        measured = partial(mauve_of_clouds, *pair, evidence.seed, encoder=name)
        remembered = f"{kind}mauve_{name} of {len(pair[0])}"
        figures[f"{kind}mauve_{name}"] = evidence.once_for_all(remembered, measured) if kind else measured()
    return figures


def metric(name: str, encoder: str, about: str, costly: bool) -> Metric:
    """MAUVE with one encoder."""
    return Metric(
        name=name,
        description=f"area under the trade-off between adding and leaving out ({about})",
        paper="Pillutla et al.",
        year=2021,
        unit="0 to 1",
        better="higher",
        needs=frozenset({"samples", "references", "vocabulary"} if costly else {"samples", "references"}),
        sizes="the first `count` samples and as many references, a cluster for every ten",
        floor=f"real_mauve_{encoder}, of train and references, else of two halves of these; 1 at most",
        compute=lambda evidence: of_evidence(evidence, encoder),
        costly=costly,
        by_size=True,
        stands_in=True,
    )


METRICS = (
    metric("mauve", "lstm", "an LSTM that read the references", False),
    metric("mauve_minilm", "minilm", "all-MiniLM-L6-v2, English text", True),
)
