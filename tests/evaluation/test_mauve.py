"""MAUVE against the authors' package where that is installed, and on clouds whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from seqgans.errors import BadInput
from seqgans.evaluation import Evidence, measure
from seqgans.evaluation.mauve import clusters, kl, main_directions, mauve, mauve_of_clouds
from seqgans.randomness import generator_for


def cloud(seed: int, rows: int, shift: float = 0.0, width: int = 8) -> np.ndarray:
    random = np.random.default_rng(seed)
    middles = np.random.default_rng(0).normal(size=(6, width)) * 3
    points = middles[random.integers(6, size=rows)] + random.normal(size=(rows, width))
    points[:, 0] += shift
    return points


def test_equal_clouds_and_clouds_apart() -> None:
    """Section 14: above 0.99 for equal ones, below 0.1 for disjoint ones."""
    points = cloud(1, 400)
    assert mauve_of_clouds(points, points, 0).value > 0.99
    far = mauve_of_clouds(np.abs(cloud(1, 400)), -np.abs(cloud(2, 400)), 0)
    assert far.value < 0.1
    assert far.details["clusters"] == 40
    near = [mauve_of_clouds(cloud(1, 400, shift), cloud(2, 400), 0).value for shift in (0.0, 2.0, 6.0)]
    assert near[0] > near[1] > near[2]


def test_histograms_are_compared_as_the_authors_do() -> None:
    """Kills: P and Q swapped in one of the two, the ends of the curve left out, c, the number of mixtures."""
    theirs = pytest.importorskip("mauve.compute_mauve", reason="mauve-text is not installed")
    from sklearn.metrics import auc

    random = np.random.default_rng(3)
    for size in (2, 5, 40):
        for _ in range(20):
            real, generated = random.dirichlet(np.full(size, 0.3)), random.dirichlet(np.full(size, 0.3))
            real = np.where(random.random(size) < 0.2, 0, real)
            real = real / real.sum() if real.sum() else np.full(size, 1 / size)
            weights = np.linspace(1e-6, 1 - 1e-6, 25)
            across, up = theirs.get_divergence_curve_for_multinomials(real, generated, weights, 5).T
            one, other = np.argsort(across), np.argsort(up)
            wanted = 0.5 * (auc(across[one], up[one]) + auc(up[other], across[other]))
            assert mauve(real, generated) == pytest.approx(wanted, abs=1e-9)


def test_clouds_are_compared_as_the_authors_do() -> None:
    """Within what another k-means changes."""
    theirs = pytest.importorskip("mauve", reason="mauve-text is not installed")
    for shift in (0.0, 1.5, 4.0):
        real, generated = cloud(4, 1000), cloud(5, 1000, shift)
        found = mauve_of_clouds(generated, real, 0)
        wanted = [
            theirs.compute_mauve(real, generated, seed=seed, verbose=False, num_buckets=100).mauve for seed in range(3)
        ]
        assert found.value == pytest.approx(float(np.mean(wanted)), abs=0.05)


def test_kl_by_hand() -> None:
    assert kl(np.array([0.5, 0.5]), np.array([0.25, 0.75])) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    assert kl(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(np.log(2))
    assert kl(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == np.inf


def test_clusters_are_nearly_as_tight_as_scikits() -> None:
    """Kills: centres that do not move, distances without the norm of the centre."""
    cluster = pytest.importorskip("sklearn.cluster", reason="scikit-learn is not installed")
    points = cloud(6, 600)

    def spread(named: np.ndarray) -> float:
        return sum(float(np.square(points[named == k] - points[named == k].mean(0)).sum()) for k in np.unique(named))

    ours = spread(clusters(points, 20, generator_for(0, "test")))
    theirs = cluster.KMeans(20, init="random", n_init=1, random_state=0).fit(points).inertia_
    assert ours < 1.15 * theirs
    assert len(np.unique(clusters(np.zeros((9, 2)), 3, generator_for(0, "test")))) == 1


def test_kept_directions_explain_nine_tenths() -> None:
    decomposition = pytest.importorskip("sklearn.decomposition", reason="scikit-learn is not installed")
    points = cloud(7, 300)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    found = main_directions(points)
    whole = decomposition.PCA().fit(unit)
    kept = int(np.argmax(np.cumsum(whole.explained_variance_ratio_) >= 0.9)) + 1
    assert found.shape[1] == kept
    assert np.abs(found) == pytest.approx(np.abs(whole.transform(unit)[:, :kept]), abs=1e-8)


def test_real_sequences_stand_beside_and_one_sample_is_refused() -> None:
    def walks(seed: int, rows: int, high: int = 12) -> list[list[int]]:
        random = np.random.default_rng(seed)
        return [random.integers(0, high, size).tolist() for size in random.integers(2, 9, rows)]

    evidence = Evidence(samples=walks(0, 150, 4), references=walks(1, 150), train=walks(2, 150), end=99)
    found = measure(evidence, ["mauve"]).flat()
    assert set(found) == {"mauve_lstm", "real_mauve_lstm"}
    assert found["mauve_lstm"].value < found["real_mauve_lstm"].value
    assert found["mauve_lstm"].details["encoder"] == "lstm"
    assert measure(evidence, ["mauve"]).flat() == found
    with pytest.raises(BadInput, match="MAUVE needs at least two sequences of both kinds, got 1"):
        measure(Evidence(samples=[[1, 2]], references=walks(1, 30), end=99), ["mauve"])
