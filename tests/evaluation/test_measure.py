"""Computing metrics by name: what is needed, what is skipped and why, what is recorded."""

from __future__ import annotations

import json
import math

import pytest
import torch

from seqgans.errors import BadInput
from seqgans.evaluation import METRICS, Evidence, answers, measure
from seqgans.evaluation.likelihood import divergences, draw_sequences
from seqgans.randomness import generator_for

NAMES = {
    *("nll_oracle", "nll_gen", "nll_div", "reverse_kl", "forward_kl", "jsd", "bleu", "self_bleu", "backward_bleu"),
    *("bleu_f1", "distinct", "unique_gram", "duplicates", "copies", "music_mse", "length"),
    *("lm_kn", "reverse_lm_kn", "lm_lstm", "reverse_lm_lstm", "c2st", "category_accuracy"),
}


@pytest.fixture
def complete(table) -> Evidence:
    """Everything there is, on a world of 3 tokens and 3 steps."""
    real = draw_sequences(table(2), 120, 3, generator_for(0, "real")).lists()
    return Evidence(
        references=real[:60],
        train=real[60:],
        generator=table(1),
        oracle=table(2),
        notes=(50, 60, 70),
        length=3,
        count=300,
        overlap_count=50,
    )


def test_table_is_keyed_by_name_and_complete() -> None:
    assert set(METRICS) >= NAMES
    for name, metric in METRICS.items():
        assert name == metric.name
        assert metric.description
        assert not metric.description.endswith(".")
        assert bool(metric.paper) == bool(metric.year)
        assert metric.needs
        assert metric.sizes
        assert metric.floor


def test_everything_is_measured_where_everything_is_there(complete: Evidence) -> None:
    found = measure(complete)
    silent = {metric.name for metric in answers.METRICS} | {
        "category_accuracy",
        "embsim",
    }  # no sources or categories, three words
    assert found.skipped.keys() == silent | {name for name, metric in METRICS.items() if metric.costly}
    assert set(found.figures) | found.skipped.keys() == set(METRICS)
    for name, figure in found.flat().items():
        assert math.isfinite(figure.value), name
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["figures"]["nll_oracle"]["count"] == 300
    assert plain["figures"]["nll_gen_train"]["count"] == 60
    details = {name: plain["figures"]["bleu_2"][name] for name in ("count", "references", "smoothing")}
    assert details == {"count": 50, "references": 60, "smoothing": "method1"}
    assert plain["settings"]["seed"] == 0


def test_one_draw_serves_all_likelihoods(complete: Evidence) -> None:
    """Kills: fresh samples for each metric, generator and oracle swapped in a divergence."""
    found = measure(complete).flat()
    gap = found["nll_oracle"].value - found["nll_div"].value
    assert gap == pytest.approx(found["reverse_kl_per_token"].value)
    assert gap == pytest.approx(found["reverse_kl"].value / 3)
    assert found["jsd"].value <= math.log(2)
    assert complete.generator is not None
    assert complete.oracle is not None
    exact = divergences(complete.generator, complete.oracle, 3, 4000, generator_for(9, "exact"))  # pyright: ignore[reportArgumentType] - the oracle samples too
    for name in ("reverse_kl", "forward_kl", "jsd"):
        error = found[name].standard_error or 0.0
        assert abs(found[name].value - exact[name].value) < 5 * error


def test_test_and_training_part_are_scored_apart(complete: Evidence) -> None:
    """Kills: the training part under the name of the test part, more than `count` scored."""
    from dataclasses import replace

    one = replace(complete, references=[[0, 1, 2]] * 9, train=[[2, 2, 2]] * 9, count=5)
    found = measure(one, ["nll_gen"]).flat()
    assert one.generator is not None
    for name, row in (("nll_gen_test", [0, 1, 2]), ("nll_gen_train", [2, 2, 2])):
        assert found[name].value == pytest.approx(-float(one.generator.log_probs(torch.tensor([row])).mean()))
        assert found[name].count == 5


def test_seeds_repeat_and_differ(complete: Evidence) -> None:
    from dataclasses import replace

    values = [measure(replace(complete, seed=seed), ["nll_oracle"]).flat()["nll_oracle"].value for seed in (1, 1, 2)]
    assert values[0] == values[1] != values[2]


def test_given_samples_are_used_instead_of_drawn_ones(complete: Evidence) -> None:
    from dataclasses import replace

    given = replace(complete, samples=[[0, 1, 2]] * 5)
    found = measure(given, ["duplicates", "nll_oracle", "copies"]).flat()
    assert found["duplicates"].value == pytest.approx(0.8)
    assert found["nll_oracle"].count == 5
    assert found["nll_oracle"].standard_error == pytest.approx(0, abs=1e-12)


def test_what_cannot_be_measured_is_left_out_with_a_reason() -> None:
    found = measure(Evidence(samples=[[1, 2, 3], [2, 3, 4]]))
    assert set(found.figures) == {
        name for name, metric in METRICS.items() if metric.needs == {"samples"} and not metric.costly
    }
    assert found.skipped["nll_gen"] == "needs references (held-out real sequences) and a trained generator"
    assert found.skipped["copies"] == "needs the training sequences"
    assert set(found.skipped) | set(found.figures) == set(METRICS)


def test_a_metric_that_finds_too_little_is_left_out_too() -> None:
    found = measure(Evidence(samples=[[1, 2]]))
    assert found.skipped["self_bleu"] == "self-BLEU needs at least two sequences, got 1: draw more samples"
    assert "duplicates" in found.figures


@pytest.mark.parametrize(
    ("evidence", "name", "message"),
    [
        (Evidence(samples=[[1]]), "bleu", "metric 'bleu': needs references"),
        (Evidence(references=[[1]]), "length", "metric 'length': needs samples, or a generator to draw them from"),
        (Evidence(samples=[]), "length", "metric 'length': needs samples"),
        (Evidence(samples=[[1], [2]]), "blue", "no metric is called 'blue'; choose one of: .*backward_bleu, bleu,"),
    ],
)
def test_what_is_asked_for_by_name_must_be_possible(evidence: Evidence, name: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        measure(evidence, [name])


def test_an_oracle_that_only_scores_has_a_reverse_kl_but_no_forward_kl(complete: Evidence) -> None:
    from dataclasses import replace

    class Only:
        def __init__(self, law) -> None:
            self.log_probs = law.log_probs

    found = measure(replace(complete, oracle=Only(complete.oracle)))
    assert "reverse_kl" in found.figures
    assert found.skipped["forward_kl"] == "this needs an oracle that can be sampled from, got one that only scores"


def test_end_tokens_are_scored_but_not_counted_as_words(table) -> None:
    """Kills: the end token in BLEU or length, or missing from the likelihood."""
    law = table(1, end=0)
    evidence = Evidence(generator=law, oracle=law, length=3, end=0, count=200)
    found = measure(evidence, ["length", "nll_div", "nll_oracle"]).flat()
    tokens = evidence.generated
    assert found["length"].value == pytest.approx(float((tokens.mask & (tokens.tokens != 0)).sum(1).float().mean()))
    mean = -float((law.log_probs(tokens.tokens) * tokens.mask).sum() / tokens.mask.sum())
    assert found["nll_div"].value == pytest.approx(mean)


def test_real_sequences_stand_beside_generated_ones(complete: Evidence) -> None:
    found = measure(complete, ["self_bleu", "distinct"]).flat()
    assert found["real_self_bleu_2"].count == found["self_bleu_2"].count == 50
    assert found["real_distinct_1"].count == 50
