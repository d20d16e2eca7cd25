"""Computing metrics by name: what is needed, what is skipped and why, what is recorded."""

from __future__ import annotations

import dataclasses
import json
import math
import re

import numpy as np
import pytest
import torch

from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput
from seqgans.evaluation import METRICS, Evidence, Figure, answers, measure
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
        "category_share",
    }  # no sources, no categories
    assert found.skipped.keys() == silent | {name for name, metric in METRICS.items() if metric.stands_in}
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
        (
            Evidence(samples=[[1], [2]]),
            "blue",
            "no metric is called 'blue'; did you mean bleu\\? choose one of: .*backward_bleu, bleu,",
        ),
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


def test_what_depends_on_how_many_there_are_is_compared_with_as_many_or_not_at_all() -> None:
    """Kills: few real sequences beside many samples, which look collapsed; lengths of the first few real ones."""
    random = np.random.default_rng(0)
    samples, train, references = (random.integers(0, 9, (count, 5)).tolist() for count in (100, 150, 20))
    references[5:] = [row[:2] for row in references[5:]]
    names = ["distinct", "duplicates", "self_bleu", "length"]
    few = measure(Evidence(samples=samples, references=references), names).flat()
    assert {name for name in few if name.startswith("real_")} == {"real_length"}
    assert few["real_length"].value == pytest.approx((5 * 5 + 15 * 2) / 20)
    found = measure(Evidence(samples=samples, references=references, train=train), names).flat()
    assert found["real_distinct_2"].count == found["distinct_2"].count == 100
    assert found["real_duplicates"].count == found["real_self_bleu_2"].count == 100
    one = measure(Evidence(samples=samples[:1], references=references), ["length"]).flat()
    assert one["real_length"].count == 20


def test_figures_of_real_sequences_are_measured_once() -> None:
    random = np.random.default_rng(0)
    samples, references = random.integers(0, 9, (2, 50, 5)).tolist()
    beside: dict[tuple[str | int, ...], dict[str, Figure]] = {}
    first = measure(Evidence(samples=samples, references=references, beside=beside), ["distinct"]).flat()
    known = {key: dict(figures) for key, figures in beside.items()}
    again = measure(Evidence(samples=samples[::-1], references=references, beside=beside), ["distinct"]).flat()
    assert again["real_distinct_1"] is first["real_distinct_1"]
    assert beside == known
    fewer = measure(Evidence(samples=samples[:30], references=references, beside=beside), ["distinct"]).flat()
    assert fewer["real_distinct_1"].count == 30


def test_samples_cut_into_other_tokens_are_warned_of() -> None:
    """Kills: a warning for real text, for rare words, or none where half of the tokens are strange."""
    random = np.random.default_rng(0)
    real = [random.zipf(1.5, 12).clip(max=500).tolist() for _ in range(400)]
    names = ["length"]
    assert measure(Evidence(samples=real[:100], references=real[100:]), names).warnings == ()
    strange = [[token + 1000 if place % 3 else token for place, token in enumerate(row)] for row in real[:100]]
    (warning,) = measure(Evidence(samples=strange, references=real[100:]), names).warnings
    assert re.match(r"3\d% of the tokens of samples occur in the references, where real ones share 9\d%: ", warning)
    assert measure(Evidence(samples=strange, references=real[100:]), names).to_dict()["warnings"] == [warning]
    for samples, references in ((strange, None), ([[]], real), (strange, [[1]])):
        assert measure(Evidence(samples=samples, references=references), names).warnings == ()


def test_scores_that_are_no_numbers_are_one_clear_line() -> None:
    class Broken:
        def log_probs(self, tokens: torch.Tensor) -> torch.Tensor:
            return torch.full(tokens.shape, math.nan)

    evidence = Evidence(samples=[[1, 2], [2, 1]], oracle=Broken())
    message = r"metric 'nll_oracle': nll_oracle came out as nan: there is no token to score, or a score is nan itself"
    with pytest.raises(BadInput, match=message):
        measure(evidence, ["nll_oracle"])
    assert "came out as nan" in measure(evidence).skipped["nll_oracle"]


def test_one_sample_is_measured_as_far_as_it_goes() -> None:
    real = [[number % 7, number % 5, number % 3] for number in range(60)]
    found = measure(Evidence(samples=[[1, 2, 0]], references=real, train=real[:30]))
    assert {"bleu", "lm_kn", "length", "novelty"} <= set(found.figures)
    for name in ("self_bleu", "fed", "mauve", "c2st", "jaccard_diversity", "reverse_lm_lstm"):
        assert "got 1" in found.skipped[name]
        assert "\n" not in found.skipped[name]


def test_where_the_law_is_known_what_only_stands_in_for_it_is_asked_for(complete: Evidence) -> None:
    found = measure(complete)
    reason = "the law of the real data is known and says more; measured where it is asked for by name"
    assert {name for name, why in found.skipped.items() if why == reason} == {
        name for name, metric in METRICS.items() if metric.stands_in and not metric.costly
    }
    assert set(measure(complete, ["lm_kn", "c2st"]).figures) == {"lm_kn", "c2st"}


def test_each_metric_is_announced() -> None:
    seen = []
    measure(Evidence(samples=[[1], [2]]), ["length", "distinct"], watch=lambda name, count: seen.append((name, count)))
    assert seen == [("length", 2), ("distinct", 2)]


def test_references_unlike_what_a_run_learnt_from_are_warned_of(complete: Evidence) -> None:
    """A generator draws the samples, so what it learnt from stands for them; unknown tokens are no common ones."""
    assert measure(complete, ["length"]).warnings == ()
    other = dataclasses.replace(complete, references=[[7, 8], [9, 7], [8, 9]])
    (warning,) = measure(other, ["length"]).warnings
    assert warning.startswith(
        "0% of the tokens of the references occur in the training sequences, where real ones share"
    )
    vocabulary = dataclasses.replace(Vocabulary.of_ids(3), unknown=2)
    learnt = [[0, 1], [1, 0, 2]] * 20
    unread = dataclasses.replace(complete, vocabulary=vocabulary, train=learnt, references=[[2, 2], [2, 0]])
    (warning,) = measure(unread, ["length"]).warnings
    assert warning.startswith("25% of the tokens of the references")
    assert measure(dataclasses.replace(unread, references=learnt), ["length"]).warnings == ()


def test_floors_of_halves_are_said_to_be() -> None:
    """Half as many are another scale. Mutants killed: said of metrics without such a floor, or beside train."""
    rows = [[number % 7, number % 5, number % 3] for number in range(120)]
    names = ["length", "lm_kn", "fed"]
    (said,) = measure(Evidence(samples=rows[:40], references=rows[40:]), names).warnings
    assert said.startswith("lm_kn, fed: the real rows are of one half of the references beside the other")
    assert measure(Evidence(samples=rows[:40], references=rows[40:80], train=rows[80:]), names).warnings == ()
    assert measure(Evidence(samples=rows[:40], references=rows[40:]), ["length"]).warnings == ()
