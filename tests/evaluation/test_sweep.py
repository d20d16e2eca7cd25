"""Temperature sweeps: limits, monotone entropy, and curves with known areas."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqgans.errors import BadInput
from seqgans.evaluation import Evidence, measure
from seqgans.evaluation.figure import Figure
from seqgans.evaluation.sweep import (
    Curve,
    Point,
    area_between,
    language_curve,
    likelihood_curve,
    overlap_curve,
    temperature_sweep,
)
from seqgans.generators.recurrent import LSTM
from seqgans.sequences import Sequences


def network(seed: int, vocabulary: int = 6):
    return LSTM(embedding=4, hidden=6, deviation=1.0).build(vocabulary, 0, None, torch.Generator().manual_seed(seed))


def curve(*pairs: tuple[float, float]) -> Curve:
    return Curve(np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs]))


def test_colder_is_less_diverse_and_the_limit_is_argmax() -> None:
    """One-step model: exact entropy falls with α. Kills: temperature for its inverse, α not passed to the draw."""
    model = network(1)
    logits = model.logits(torch.zeros(1, 1, dtype=torch.long))[0, 0].detach()
    held_out = Sequences.of(model.sample(500, 1, random=torch.Generator().manual_seed(1)).tokens)
    points = temperature_sweep(
        model,
        likelihood_curve(model, model, held_out),
        length=1,
        count=2000,
        seed=0,
        inverse_temperatures=(0.5, 1.0, 2.0, 50.0),
    )
    entropies = [point.figures["nll_div"].value for point in points]
    assert entropies == sorted(entropies, reverse=True)
    for point, entropy in zip(points, entropies, strict=True):
        law = (logits * point.inverse_temperature).softmax(0)
        error = point.figures["nll_div"].standard_error or 0.0
        assert entropy == pytest.approx(float(-(law * law.log()).nansum()), abs=4 * error + 1e-4)
    assert points[-1].figures["nll_oracle"].value == pytest.approx(-float(logits.log_softmax(0).max()), abs=1e-2)
    generation = [point.figures["nll_gen"].value for point in points]
    assert generation[1] == min(generation)  # held-out data of the law at α = 1


def test_the_same_seed_gives_the_same_curve_and_overlap_is_measured() -> None:
    model, real = network(1, 40), network(2, 40).sample(50, 8, random=torch.Generator().manual_seed(0)).tokens.tolist()
    measure = overlap_curve(real, None, order=2, count=40)
    sweeps = [
        temperature_sweep(model, measure, length=8, count=60, seed=seed, inverse_temperatures=(0.7, 2.0), rows=25)
        for seed in (3, 3, 4)
    ]
    assert sweeps[0] == sweeps[1] != sweeps[2]
    hot, cold = sweeps[0]
    assert hot.figures["self_bleu_2"].value < cold.figures["self_bleu_2"].value
    assert hot.figures["bleu_2"].count == 40
    assert hot.to_dict()["inverse_temperature"] == 0.7


def test_language_models_see_quality_rise_and_diversity_fall() -> None:
    """Kills: the two directions swapped, samples scored by what was learnt from them, the end token scored."""
    model = network(1, 40)
    real = model.sample(400, 8, random=torch.Generator().manual_seed(0)).tokens.tolist()
    points = temperature_sweep(
        model, language_curve(real, None), length=8, count=400, seed=3, inverse_temperatures=(0.5, 1.0, 3.0)
    )
    quality, diversity = ([point.figures[name].value for point in points] for name in ("lm_kn", "reverse_lm_kn"))
    assert quality[0] > quality[1] > quality[2]
    assert diversity[2] > diversity[0] > diversity[1]  # the law of the references is at α = 1
    found = measure(Evidence(samples=real[:50], references=real[50:]), ["lm_kn", "reverse_lm_kn"]).flat()
    again = language_curve(real[50:], None)(1.0, Sequences.of(torch.tensor(real[:50])))
    assert {name: figure.value for name, figure in again.items()} == {name: found[name].value for name in again}


def swept(*pairs: tuple[float, float]) -> list[Point]:
    return [
        Point(inverse_temperature=1.0 + at, figures={"bleu": Figure(value=quality), "self": Figure(value=diversity)})
        for at, (quality, diversity) in enumerate(pairs)
    ]


def test_curve_is_sorted_and_negates_what_is_better_when_higher() -> None:
    found = Curve.of(swept((0.2, 0.1), (0.6, 0.5)), "bleu", "self", higher_is_better=True)
    assert found.quality.tolist() == [-0.6, -0.2]
    assert found.diversity_at(-0.4) == pytest.approx(0.3)
    assert Curve.of(swept((0.2, 0.5), (0.6, 0.1)), "bleu", "self").quality.tolist() == [0.2, 0.6]


def test_a_curve_that_folds_back_keeps_what_no_other_point_beats() -> None:
    """At its lowest temperature BLEU has fallen below that of temperature 1 while self-BLEU has risen to 0.95."""
    folded = swept((0.2, 0.2), (0.3, 0.4), (0.4, 0.8), (0.25, 0.95))
    found = Curve.of(folded, "bleu", "self", higher_is_better=True)
    assert found.quality.tolist() == [-0.4, -0.3, -0.2]
    assert found.diversity.tolist() == [0.8, 0.4, 0.2]
    assert found.diversity_at(-0.25) == pytest.approx(0.3)  # 0.575 and more by way of the point that folds back


def test_matched_quality_is_linear_and_never_extrapolated() -> None:
    found = curve((1, 5), (2, 3), (4, 2))
    assert found.diversity_at(1.5) == 4
    assert found.diversity_at(3.0) == 2.5
    assert found.diversity_at(4.0) == 2
    assert found.diversity_at(4.1) is None


def test_area_over_the_common_range_only() -> None:
    """Kills: the absolute area, the union of ranges, knots of only one curve."""
    flat = curve((0, 1), (4, 1))
    assert area_between(flat, curve((2, 0), (8, 0))) == pytest.approx(2)
    assert area_between(curve((2, 0), (8, 0)), flat) == pytest.approx(-2)
    tent = curve((0, 0), (2, 3), (4, 0))
    assert area_between(tent, flat) == pytest.approx(6 - 4)
    assert area_between(flat, tent) == pytest.approx(4 - 6)
    assert area_between(flat, curve((5, 0), (8, 0))) is None
    assert area_between(flat, curve()) is None


def test_temperatures_must_be_above_zero() -> None:
    with pytest.raises(BadInput, match=r"above 0, got \[1.0, 0.0\]"):
        temperature_sweep(network(1), lambda _, __: {}, length=2, count=2, seed=0, inverse_temperatures=(1.0, 0.0))
