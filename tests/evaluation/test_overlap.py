"""BLEU as a metric: sample sizes, directions, the harmonic mean."""

from __future__ import annotations

import numpy as np
import pytest

from seqgans.evaluation import Evidence, measure
from seqgans.evaluation.figure import Figure
from seqgans.evaluation.overlap import backward_bleu, bleu, bleu_f1, harmonic_mean, self_bleu
from seqgans.rewards.bleu import References, self_bleus


@pytest.fixture(scope="module")
def sides() -> tuple[list[list[int]], list[list[int]]]:
    random = np.random.default_rng(0)
    return random.integers(0, 6, (40, 8)).tolist(), random.integers(0, 9, (60, 7)).tolist()


def test_bleu_is_the_mean_of_sentence_scores_with_all_references(sides) -> None:
    """Kills: references cut to the number of hypotheses, the median, n for √n in the standard error."""
    samples, references = sides
    found = bleu(samples, references, count=10)
    scores = References(references).bleu(samples[:10], 3)
    assert found["bleu_3"].value == pytest.approx(scores.mean())
    assert found["bleu_3"].standard_error == pytest.approx(scores.std(ddof=1) / 10**0.5)
    assert found["bleu_3"].count == 10
    assert found["bleu_3"].details == {"references": 60, "smoothing": "method1"}


def test_self_bleu_of_the_first_samples(sides) -> None:
    found = self_bleu(sides[0], count=12, orders=(2,))["self_bleu_2"]
    assert found.value == pytest.approx(self_bleus(sides[0][:12], (2,))[2].mean())
    assert found.details["references"] == 11


def test_collapse_has_self_bleu_one() -> None:
    rows = [[1, 2, 3, 4, 5]] * 4
    assert all(figure.value == pytest.approx(1) for figure in self_bleu(rows).values())


def test_backward_is_a_recall_on_equal_sizes(sides) -> None:
    """Kills: the two sides swapped, unequal sizes."""
    samples, references = sides
    found = backward_bleu(samples, references)["backward_bleu_2"]
    assert found.value == pytest.approx(References(samples).bleu(references[:40], 2).mean())
    assert (found.count, found.details["references"]) == (40, 40)
    other = backward_bleu(references, samples)["backward_bleu_4"]
    assert other.value == pytest.approx(References(references[:40]).bleu(samples, 4).mean())
    collapsed = [references[0]] * 40
    assert bleu(collapsed, references)["bleu_4"].value == pytest.approx(1)
    assert backward_bleu(collapsed, references)["backward_bleu_4"].value < 0.3


def test_training_sequences_stand_beside_as_if_they_had_been_generated(sides) -> None:
    """Kills: the floor of the references beside themselves, all of train or its beginning alone, or fewer of it."""
    samples, references = sides
    train = np.random.default_rng(1).integers(0, 7, (90, 8)).tolist()
    for name, function in (("bleu", bleu), ("backward_bleu", backward_bleu), ("bleu_f1", bleu_f1)):
        found = measure(Evidence(samples=samples, references=references, train=train), [name]).flat()
        spread = [train[place * 90 // 40] for place in range(40)]  # a file may be sorted
        wanted = function(spread, references)
        assert {key.removeprefix("real_") for key in found if key.startswith("real_")} == wanted.keys()
        assert all(found[f"real_{key}"].value == figure.value for key, figure in wanted.items())
        few = Evidence(samples=samples, references=references, train=train[:39])
        assert not [key for key in measure(few, [name]).flat() if "real" in key]
        assert not [
            key for key in measure(Evidence(samples=samples, references=references), [name]).flat() if "real" in key
        ]


def test_f1_is_the_harmonic_mean_of_both_directions(sides) -> None:
    """Kills: all references in one direction, all samples in the other."""
    for samples, references in (sides, sides[::-1]):
        forward = References(references[:40]).bleu(samples[:40], 4).mean()
        backward = References(samples[:40]).bleu(references[:40], 4).mean()
        assert bleu_f1(samples, references)["bleu_f1_4"].value == pytest.approx(2 / (1 / forward + 1 / backward))


def test_error_of_the_harmonic_mean_is_that_of_simulation() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(0.6, 0.01, 20000), random.normal(0.3, 0.02, 20000)
    found = harmonic_mean(Figure(value=0.6, standard_error=0.01), Figure(value=0.3, standard_error=0.02))
    assert found.standard_error == pytest.approx((2 * a * b / (a + b)).std(), rel=0.05)  # 20000 draws: 0.5 %
    assert harmonic_mean(Figure(value=0.0), Figure(value=0.0)).value == 0
