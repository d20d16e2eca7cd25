"""Language-model scores: what they find in real, in collapsed and in worn-out text, and what stands beside them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from seqgans.evaluation import Evidence, lstm_language, measure
from seqgans.evaluation.closed import encoded
from seqgans.evaluation.kneser_ney import KneserNey
from seqgans.evaluation.lstm_language import LstmLanguage

NAMES = ["lm_kn", "reverse_lm_kn", "lm_lstm", "reverse_lm_lstm"]


def text(seed: int, rows: int, words: int = 20) -> list[list[int]]:
    """Walks on one law of transitions, from 3 to 8 tokens long; ids are 10, 20, 30, …."""
    law = np.random.default_rng(0).dirichlet(np.full(words, 0.2), words)
    random = np.random.default_rng(seed)
    found = []
    for size in random.integers(3, 9, rows):
        row = [int(random.integers(words))]
        while len(row) < size:
            row.append(int(random.choice(words, p=law[row[-1]])))
        found.append([10 * (word + 1) for word in row])
    return found


REFERENCES, TRAIN, REAL = text(1, 300), text(2, 300), text(3, 300)
NOISE = np.random.default_rng(4).integers(1, 21, (300, 6)) * 10


def values(samples: list[list[int]], names: list[str] = NAMES, train: list[list[int]] | None = TRAIN):
    found = measure(Evidence(samples=samples, references=REFERENCES, train=train, end=0), names).flat()
    return {name: figure.value for name, figure in found.items()}


def test_reverse_scores_see_collapse_and_forward_scores_do_not() -> None:
    """Section 14. Kills: forward and reverse swapped, the model of one side scoring its own text."""
    real, noise = values(REAL), values(NOISE.tolist())
    likeliest = min(
        REAL, key=lambda row: -KneserNey.learn(REFERENCES, np.arange(300)).score([row]).totals[0] / len(row)
    )
    collapsed = values([likeliest] * 300)
    for name in ("lm_kn", "lm_lstm"):
        assert collapsed[name] < real[name] - 0.3
        assert noise[name] > real[name] + 0.3
    for name in ("reverse_lm_kn", "reverse_lm_lstm"):
        assert collapsed[name] > real[name] + 1
        assert noise[name] > real[name] + 0.3


def test_real_text_scores_as_its_floor_says() -> None:
    """Kills: a floor on the text that was learnt from, halves that overlap."""
    for train in (TRAIN, None):
        found = values(REAL, train=train)
        assert found["lm_kn"] == pytest.approx(found["real_lm_kn"], abs=0.15)
        assert found["lm_lstm"] == pytest.approx(found["real_lm_lstm"], abs=0.15)
        assert found["reverse_lm_lstm"] == pytest.approx(found["real_lm_lstm"], abs=0.15)
        assert ("real_reverse_lm_kn" in found) is (train is not None)
        if train is not None:
            assert found["reverse_lm_kn"] == pytest.approx(found["real_reverse_lm_kn"], abs=0.15)


def test_figures_say_what_they_are_of() -> None:
    """Kills: more samples learnt from than there are training sequences, e^−NLL, sizes of another split."""
    found = measure(Evidence(samples=REAL, references=REFERENCES[:50], train=TRAIN[:40], end=0, count=45), NAMES).flat()
    assert found["lm_kn"].count == found["lm_lstm"].count == 45
    assert found["lm_kn"].details["references"] == 50
    assert found["lm_lstm"].details["references"] == 45
    assert found["real_lm_kn"].count == 40
    assert found["reverse_lm_kn"].details["learnt_from"] == found["real_reverse_lm_kn"].details["learnt_from"] == 40
    assert found["reverse_lm_kn"].count == 45
    for name in NAMES:
        assert found[f"{name}_perplexity"].value == pytest.approx(math.exp(found[name].value))


def test_unknown_words_cost_the_same_in_both_directions_and_never_everything() -> None:
    strange = [[999, 999, 999]] * 30
    found = values(strange)
    assert all(math.isfinite(value) for value in found.values())
    assert found["lm_kn"] > found["real_lm_kn"] + 1
    assert found["lm_lstm"] > found["real_lm_lstm"] + 1


def test_a_model_is_a_law_and_is_learnt_again_from_its_seed() -> None:
    """Kills: padding scored, the tenth that stops learnt from, the global generator, the uniform share left out."""
    words = np.arange(10, 210, 10)
    model = LstmLanguage.learn(REFERENCES[:200], words, rare=3, seed=5)
    rows = [[10, 20], [30], [999], [10, 20, 30, 40]]
    found = model.score(rows)
    assert found.sizes.tolist() == [2, 1, 1, 4]
    for row, total in zip(rows, found.totals, strict=True):
        codes = torch.tensor([[row_id // 10 + 1 if row_id < 999 else 1 for row_id in row]])
        chances = 0.99 * model.network.log_probs(codes).double().exp() + 0.01 / 22
        wanted = float(chances.log().sum()) - (math.log(4) if 999 in row else 0)
        assert total == pytest.approx(wanted, abs=1e-5)
    again = LstmLanguage.learn(REFERENCES[:200], words, rare=3, seed=5)
    assert again.score(rows).totals.tolist() == found.totals.tolist()
    assert (
        LstmLanguage.learn(REFERENCES[:200], words, rare=3, seed=6).score(rows).totals.tolist() != found.totals.tolist()
    )


def test_training_stops_where_held_out_text_gets_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    """On noise a second pass gains nothing; the parameters are those of the best pass."""
    seen = []
    nll = lstm_language.valid_nll

    def listening(network, rows):
        seen.append(nll(network, rows))
        return seen[-1]

    monkeypatch.setattr(lstm_language, "valid_nll", listening)
    rows = NOISE[:100].tolist()
    model = LstmLanguage.learn(rows, np.arange(10, 210, 10))
    assert model.epochs == 1 + int(np.argmin(seen))
    assert nll(model.network, encoded(rows[9::10], model.vocabulary, 99)) == pytest.approx(min(seen))


@pytest.mark.parametrize("name", NAMES)
def test_too_little_is_one_clear_line(name: str) -> None:
    from seqgans.errors import BadInput

    for samples in ([[]], [[], []]):
        with pytest.raises(BadInput, match=f"metric '{name}': ") as error:
            measure(Evidence(samples=samples, references=REFERENCES[:20], end=0), [name])
        assert "\n" not in str(error.value)
