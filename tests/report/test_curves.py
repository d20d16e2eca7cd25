"""Curves and axes: means over seeds, what is cut off, round ticks.

Mutants killed: means over different evaluations; a mean where a seed is missing; pre-training that flattens the game; a
plane without its reversed axis; ticks outside the axis.
"""

from __future__ import annotations

import json
import re
import statistics
from html import unescape
from typing import Any

import pytest

from seqgans.evaluation.regions import half_width
from seqgans.report.charts import Axis, Dot, Line, axis, chart
from seqgans.report.curves import plane
from seqgans.report.learning import curved, learning, learning_curves, thinned, training_curves
from seqgans.report.page import comparison_page
from seqgans.report.planes import regions_in_words


def system(*tracks: list[tuple[str, int, float]]) -> dict[str, Any]:
    runs = [
        {
            "seed": seed,
            "events": [
                {"kind": "evaluation", "stage": stage, "round": step, "step": step, "figures": {"jsd": {"mean": value}}}
                for stage, step, value in track
            ],
        }
        for seed, track in enumerate(tracks)
    ]
    return {"name": "one", "runs": runs}


def dots_of(drawing: str) -> list[list[Any]]:
    return json.loads(unescape(re.findall(r'data-dots="([^"]*)"', drawing)[0]))


def test_the_mean_is_over_the_same_evaluation_of_all_seeds() -> None:
    lines = learning(
        system(
            [("pretrained", 10, 1.0), ("game", 20, 2.0), ("game", 30, 9.0), ("final", 40, 3.0)],
            [("pretrained", 30, 3.0), ("game", 20, 4.0), ("final", 60, 5.0)],
        ),
        "jsd",
        2,
    )
    assert [line.thin for line in lines] == [True, True, False]
    assert [(dot.x, dot.y, dot.ring) for dot in lines[-1].dots] == [(20, 2, True), (20, 3, False), (50, 4, False)]
    assert {line.hue for line in lines} == {2}


def test_one_seed_is_drawn_thick() -> None:
    assert [line.thin for line in learning(system([("game", 1, 1.0), ("game", 2, 1.0)]), "jsd", 0)] == [False]


def test_pre_training_far_above_is_cut_off() -> None:
    one = system([("pretraining", 1, 90.0), ("pretrained", 10, 1.0), ("game", 20, 0.9), ("final", 40, 0.8)])
    (drawing,) = learning_curves([one])
    assert len(dots_of(drawing)) == 3
    last, first = (next(dot for dot in dots_of(drawing) if f"update {step})" in dot[4]) for step in (40, 10))
    assert last[1] - first[1] > 100  # the game fills the height
    (whole,) = learning_curves([system([("pretraining", 1, 90.0), ("pretraining", 10, 1.0)])])
    assert len(dots_of(whole)) == 2


def test_figures_that_are_there_once_make_no_curve() -> None:
    assert learning_curves([system([("final", 1, 1.0)])]) == []


def test_what_was_measured_once_is_no_curve_beside_others() -> None:
    """Seeds of likelihood that were measured at their end alone are dots beside each other, and named instead.

    Mutants killed: the dots, or their mean; their key in the legend; a system without runs among those that are named.
    """
    game = {**system([("game", 1, 1.0), ("final", 2, 1.0)]), "name": "game"}
    once = {**system([("final", 5, 1.0)], [("final", 9, 2.0)]), "name": "likelihood"}
    assert learning(once, "jsd", 1) == []
    assert curved([game, once, {"name": "file"}]) == ({0: "game"}, ["likelihood"])
    page = comparison_page({"systems": [game, once]})
    section = page.partition('<section id="learning">')[2].partition("</section>")[0]
    assert "Measured once, at its end, so without a curve: likelihood." in section
    assert "likelihood" not in section.partition("</p>")[2]


def test_order_of_the_curves() -> None:
    one = system([("game", 1, 1.0), ("game", 2, 1.0)])
    for line in one["runs"][0]["events"]:
        line["figures"] = {"b": 1.0, "a": 2.0, "c": 3.0}
    captions = [re.findall("<figcaption[^>]*>([^<]*)", drawing)[0] for drawing in learning_curves([one], ["c", "x"])]
    assert captions == ["c", "b", "a"]


SWEEP = [{"temperature": t, "bleu_5": 0.5 / t, "self_bleu_5": 0.6 / t} for t in (1.0, 2.0, 0.5)]


def test_a_plane_of_bleu_runs_backwards_so_that_lower_left_is_better() -> None:
    drawing = plane([{"name": "one", "sweep": SWEEP}])
    at = {dot[4].split(":")[0]: dot[:2] for dot in dots_of(drawing)}
    assert at["temperature 0.5"][0] < at["temperature 1"][0] < at["temperature 2"][0]
    assert "← better" in drawing
    likelihood = plane(
        [{"name": "one", "sweep": [{"temperature": t, "nll_oracle": t, "nll_gen": 1 / t} for t in (1, 2)]}]
    )
    at = {dot[4].split(":")[0]: dot[:2] for dot in dots_of(likelihood)}
    assert at["temperature 1"][0] < at["temperature 2"][0]
    assert at["temperature 1"][1] < at["temperature 2"][1]  # from above
    assert "lower left is better" in likelihood


def test_a_plane_without_sweeps_is_empty() -> None:
    assert plane([{"name": "one"}]) == ""
    assert plane([{"name": "one", "sweep": SWEEP}], {"x": "nll_oracle", "y": "nll_gen"}) == ""


def test_a_line_joins_its_points_in_the_order_of_temperature_and_rings_the_first() -> None:
    drawing = plane([{"name": "one", "sweep": SWEEP}])
    assert [dot[4].split(":")[0] for dot in dots_of(drawing)] == ["temperature 0.5", "temperature 1", "temperature 2"]
    assert drawing.count("mark ring") == 1


def test_points_outside_a_plane_are_counted_and_named() -> None:
    rows = [{"temperature": t, "nll_oracle": 5.0 + t, "nll_gen": 5.0 - t} for t in (0.5, 1.0, 1.5, 2.0)]
    assert "outside" not in plane([{"name": "one", "sweep": rows}])
    rows.append({"temperature": 3.0, "nll_oracle": 90.0, "nll_gen": 4.0})
    drawing = plane([{"name": "one", "sweep": rows}])
    assert len(dots_of(drawing)) == 4
    assert "1 point lies outside: one, temperature 3: NLL oracle 90.00, NLL gen 4.000</small>" in drawing
    rows += [{"temperature": 10.0 + t, "nll_oracle": 90.0, "nll_gen": 99.0} for t in range(9)]
    rows += [{"temperature": 0.1 + t / 50, "nll_oracle": 5.5, "nll_gen": 4.5} for t in range(9)]
    drawing = plane([{"name": "one", "sweep": rows}])
    caption, folded = drawing.partition("</figcaption>")[::2]
    assert caption.endswith("<small>10 points lie outside</small>")  # their list would stand above the drawing
    assert "<summary>10 points lie outside: which</summary><ul><li>one, temperature" in folded
    assert "<li>and 2 more</li></ul>" in folded


def test_every_system_stands_in_the_plane_where_it_is() -> None:
    """Files of samples are one point each: the best one, a collapsed one and a far one are drawn, curves are cut.

    Mutants killed: people cut off for having more BLEU than any model, or for being alone; a collapse cut off; the
    far end of a curve that flattens the rest; a system that is absurd (90 nats) drawn all the same, or in the legend.
    """
    model = {"name": "model", "sweep": [{"temperature": t, "bleu_5": 0.2 + t / 99, "self_bleu_5": 0.3} for t in (1, 2)]}

    def file(name: str, **figures: float) -> dict[str, Any]:
        return {"name": name, "sweep": [{"temperature": 1.0, **figures}]}

    people, collapsed = file("people", bleu_5=0.53, self_bleu_5=0.44), file("same", bleu_5=0.9, self_bleu_5=1.0)
    drawing = plane([model, people, collapsed])
    assert {dot[3] for dot in dots_of(drawing)} == {"model", "people", "same"}
    assert "outside" not in drawing
    rows = [{"temperature": t, "lm_kn": 3.0 + t / 10, "reverse_lm_kn": 4.0 + t / 50} for t in (0.5, 0.8, 1.0, 1.2)]
    swept = {"name": "model", "sweep": [*rows, {"temperature": 9.0, "lm_kn": 5.5, "reverse_lm_kn": 4.0}]}
    noise, absurd = file("noise", lm_kn=6.0, reverse_lm_kn=4.2), file("absurd", lm_kn=90.0, reverse_lm_kn=4.2)
    assert {dot[3] for dot in dots_of(plane([swept, noise, absurd]))} == {"model", "noise"}
    assert "1 point lies outside: model, temperature 9" in plane([swept])
    page = comparison_page({"systems": [swept, noise, absurd, {"name": "none", "sweep": [{"temperature": 1.0}]}]})
    legend = page.partition('class="legend"')[2].partition("</div>")[0]
    assert re.findall(r"</svg>([^<]*)", legend) == ["model", "noise"]


def test_three_points_are_all_there_and_nothing_is_written_over_them() -> None:
    """As of `--at 0.7,1,1.4`. Kills: the ring cut off since its neighbours are near; words within the drawing."""
    rows = [
        {"temperature": t, "bleu_5": quality, "self_bleu_5": diversity}
        for t, quality, diversity in ((0.7, 0.50, 0.300), (1.0, 0.49, 0.900), (1.4, 0.48, 0.299))
    ]
    drawing = plane([{"name": "one", "sweep": rows}])
    assert len(dots_of(drawing)) == 3
    caption, inside = drawing.split("</figcaption>")
    assert "lower left is better" in caption
    assert "lower left is better" not in inside


def test_training_curves_have_a_line_a_phase() -> None:
    lines = [
        {"kind": "gathering", "phase": phase, "step": step, "figures": {"generator.loss": float(step)}}
        for step in range(4)
        for phase in ("likelihood", "generator")
    ]
    (drawing,) = training_curves([*lines, {"kind": "end", "step": 9}])
    assert {dot[3] for dot in dots_of(drawing)} == {"likelihood", "generator"}
    assert {dot[2] for dot in dots_of(drawing)} == {0, 1}


@pytest.mark.parametrize("count", [1, 200, 201, 1999])
def test_thinning_keeps_the_mean_of_equal_groups(count: int) -> None:
    dots = thinned([Dot(x=float(place), y=2.0 * place, read="") for place in range(count)])
    assert len(dots) <= 200
    assert all(dot.y == pytest.approx(2 * dot.x) for dot in dots)
    assert dots[0].x == pytest.approx((-(-count // 200) - 1) / 2)


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (-3.0, 4.0), (9.001, 9.002), (0.0, 123456.0), (-1e-5, 1e-5), (4.59, 5.21), (0.2, 0.3)]
)
def test_ticks_are_round_few_and_inside(low: float, high: float) -> None:
    scale = Axis(name="", low=low, high=high)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 6
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks)
    assert len({scale.written(tick) for tick in ticks}) == len(ticks)
    assert all(float(scale.written(tick).replace("−", "-").replace("k", "e3")) == pytest.approx(tick) for tick in ticks)


def test_an_axis_of_one_value_has_width() -> None:
    for value in (0.0, 5.0, -2.0):
        scale = axis("", [value])
        assert scale.low < value < scale.high


def test_rounding_errors_are_no_range() -> None:
    scale = axis("", [1.0, 1.0 - 2e-16])
    assert scale.high - scale.low > 0.01
    assert len({scale.written(tick) for tick in scale.ticks()}) == len(scale.ticks())


def test_the_ninth_line_is_dashed() -> None:
    line = Line(name="ninth", hue=8, dots=[Dot(x=0.0, y=0.0, read="a"), Dot(x=1.0, y=1.0, read="b")])
    drawing = chart("", axis("x", [0.0, 1.0]), axis("y", [0.0, 1.0]), [line])
    assert 'class="hue hue-0 system-8 dashed"' in drawing


def test_regions_stand_around_the_mean_of_the_seeds(comparison: dict[str, Any]) -> None:
    """Ellipses where there are seeds; none for one. Mutant killed: rows of another temperature."""
    one = comparison["systems"][1]
    drawing = plane([one], comparison["planes"][0])
    assert drawing.count('class="area"') == len(one["sweep"])
    read = next(dot[4] for dot in dots_of(drawing) if dot[4].startswith("temperature 1:"))
    values = [row["nll_gen"] for run in one["runs"] for row in run["sweep"] if row["temperature"] == 1.0]
    assert f"± {half_width(statistics.stdev(values), 3):.3f} (95%, 3 seeds)" in read
    one["runs"] = one["runs"][:1]
    assert 'class="area"' not in plane([one], comparison["planes"][0])
    assert "seeds" not in plane([one], comparison["planes"][0])


def test_what_a_seed_does_to_all_systems_is_taken_off(comparison: dict[str, Any]) -> None:
    """Paired with the baseline: its own ring has no width, and another's is that of the differences.

    Mutants killed: the seeds' spread left in; differences to the same temperature; an ellipse off its point.
    """
    first, second = comparison["systems"][:2]
    for one in (first, second):
        for run in one["runs"]:
            run["sweep"] = [{**row, "nll_gen": row["nll_gen"] + 5.0 * run["seed"]} for row in run["sweep"]]
    second["runs"][0]["sweep"] = [{**row, "nll_gen": row["nll_gen"] + 0.3} for row in second["runs"][0]["sweep"]]
    drawing = plane([first, second], comparison["planes"][0], "likelihood")
    reads = {dot[3]: dot[4] for dot in dots_of(drawing) if dot[4].startswith("temperature 1:")}
    assert reads["likelihood"].endswith("NLL oracle 4.900 ± 0, NLL gen 4.302 ± 0 (95%, 3 seeds)")
    width = half_width(statistics.stdev([0.3, 0.0, 0.0]), 3)
    assert f"± {width:.2f} (95%, 3 seeds)" in reads["seqgan"]
    assert "difference to likelihood at temperature 1, seed by seed" in regions_in_words([first, second], "likelihood")
    first["runs"] = first["runs"][:1]
    assert "the mean over seeds" in regions_in_words([first, second], "likelihood")
    apart = {dot[3]: dot[4] for dot in dots_of(plane([first, second], comparison["planes"][0], "likelihood"))}
    assert "seeds)" not in apart["likelihood"]


def test_words_on_regions(comparison: dict[str, Any]) -> None:
    systems = comparison["systems"]
    assert regions_in_words(systems).endswith("of two seeds it is a line.")
    systems[2]["runs"] = systems[2]["runs"][:1]
    assert regions_in_words(systems).endswith("None for seqgan-shuffled, with one seed.")
    assert regions_in_words([{"name": "a"}, {"name": "b", "runs": [{"sweep": [{}]}]}]).startswith(
        "One seed says nothing"
    )
