"""EmbSim: the formula by loops, embeddings that know their neighbours, and a score that sees shuffled words."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqgans.errors import BadInput
from seqgans.evaluation import Evidence, measure
from seqgans.evaluation.embedding_similarity import embsim, skip_gram
from seqgans.randomness import generator_for


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / math.sqrt(one @ one) / math.sqrt(other @ other))


def test_the_formula_by_loops() -> None:
    """Kills: cosines of words for those of rows, the natural logarithm, the logarithm inside the mean."""
    random = np.random.default_rng(0)
    one, other = random.normal(size=(6, 4)) + 1, random.normal(size=(6, 4)) + 1
    tables = [[[cosine(a, b) for b in side] for a in side] for side in (one, other)]
    mean = np.mean([cosine(np.array(tables[0][i]), np.array(tables[1][i])) for i in range(6)])
    assert embsim(one, other) == pytest.approx(math.log10(mean))
    assert embsim(one, other, math.e) == pytest.approx(math.log(mean))
    assert embsim(one, one) == pytest.approx(0, abs=1e-12)
    turn, _ = np.linalg.qr(random.normal(size=(4, 4)))
    assert embsim(one, one @ turn) == pytest.approx(0, abs=1e-12)  # angles alone count
    assert embsim(np.array([[1.0], [1.0]]), np.array([[1.0], [-1.0]])) == -math.inf


def text(seed: int, rows: int, mixed: bool = False) -> list[list[int]]:
    """Subjects 0 to 19, verbs 20 to 39 and objects 40 to 59 of two worlds: even words go with even ones."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(rows):
        world = int(random.integers(2))
        row = [20 * kind + 2 * int(min(random.zipf(1.6), 10) - 1) + world for kind in range(3)]
        found.append(random.permutation(row + row).tolist() if mixed else row)
    return found


@pytest.mark.parametrize("rows", [[[3], [5], [7], [3]], [[3, 3, 3]]])
def test_without_neighbours_or_others_beside_them_nothing_is_learnt(rows: list[list[int]]) -> None:
    """Words of different sequences are no neighbours, and no word is its own negative."""
    words = np.unique(np.concatenate(rows))
    found, again = (skip_gram(part, words, generator_for(1)) for part in (rows, []))
    assert (found == again).all()


def test_words_with_the_same_neighbours_are_near_each_other() -> None:
    """Kills: neighbours across sequences, one direction only, a centre that is not moved."""
    words = np.arange(60)
    found = skip_gram(text(0, 4000), words, generator_for(0, "test"))
    same = [cosine(found[20], found[22]), cosine(found[21], found[23])]
    apart = [cosine(found[20], found[21]), cosine(found[22], found[23])]
    assert min(same) > max(apart) + 0.3
    again = skip_gram(text(0, 4000), words, generator_for(0, "test"))
    assert again.tolist() == found.tolist()


def test_shuffled_words_are_further_from_real_text_than_real_text_is() -> None:
    evidence = Evidence(samples=text(1, 2000, mixed=True), references=text(2, 2000), train=text(3, 2000))
    found = measure(evidence, ["embsim"]).flat()
    assert found["embsim"].value < found["real_embsim"].value <= 0
    assert found["embsim"].details == {"words": 6, "references": 2000}
    assert found["embsim"].count == 2000
    assert "real_embsim" in measure(Evidence(samples=text(1, 99), references=text(2, 99)), ["embsim"]).flat()


def test_one_sample_is_measured_and_too_few_words_are_refused() -> None:
    found = measure(Evidence(samples=[[0]], references=text(2, 300), train=text(3, 300)), ["embsim"]).flat()
    assert found["embsim"].count == found["real_embsim"].count == 1  # a floor of as many
    with pytest.raises(BadInput, match="EmbSim needs references with at least 20 different tokens, got 2"):
        measure(Evidence(samples=[[0, 1]], references=[[0, 1]] * 9), ["embsim"])
