"""Likelihoods and divergences against sums over all sequences of a world of 3 tokens and 3 steps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from seqgans.errors import BadInput
from seqgans.evaluation.likelihood import (
    Scores,
    as_sequences,
    divergences,
    draw_sequences,
    forward_kl,
    jsd,
    nll_div,
    nll_gen,
    nll_oracle,
    reverse_kl,
    score,
)
from seqgans.generators.recurrent import LSTM
from seqgans.sequences import Sequences

COUNT = 4000


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def network():
    """An LSTM with laws far from uniform, so that temperatures matter."""
    return LSTM(embedding=4, hidden=6, deviation=1.5).build(5, 0, None, random(3))


@pytest.mark.parametrize("end", [None, 0])
def test_divergences_are_the_exact_sums(table, end: int | None) -> None:
    """Kills: a sign, the two directions swapped, a mean per token for one per sequence, padding counted, ln 2 left
    out of the mixture. Tolerance: 4 standard errors, which must themselves be small."""
    ours, theirs = table(1, end), table(2, end)
    p, q = ours.law(), theirs.law()
    assert p.exp().sum() == pytest.approx(1)
    mixture = torch.logaddexp(p, q) - math.log(2)
    exact = {
        "reverse_kl": (p.exp() * (p - q)).sum(),
        "forward_kl": (q.exp() * (q - p)).sum(),
        "jsd": (p.exp() * (p - mixture)).sum() / 2 + (q.exp() * (q - mixture)).sum() / 2,
    }
    sizes = ours.every_sequence()[1].sum(1)
    mean = {"reverse_kl": (p.exp() * sizes).sum(), "forward_kl": (q.exp() * sizes).sum()}
    mean["jsd"] = (mean["reverse_kl"] + mean["forward_kl"]) / 2
    found = divergences(ours, theirs, 3, COUNT, random(), rows=999)
    assert len(found) == 6
    for name, value in exact.items():
        for figure, expected in ((found[name], value), (found[f"{name}_per_token"], value / mean[name])):
            assert figure.standard_error is not None
            assert 0 < figure.standard_error < 0.05
            assert abs(figure.value - float(expected)) < 4 * figure.standard_error


def test_divergences_of_weighted_scores_are_exact_without_any_noise() -> None:
    """Two sequences, each drawn as often as its probability says: no tolerance is needed.

    Kills: everything named above, exactly.
    """
    p, q = np.log([0.75, 0.25]), np.log([0.25, 0.75])
    sizes, others = np.array([2.0, 2.0, 2.0, 2.0]), np.array([6.0, 6.0, 6.0, 6.0])
    drawn_p, drawn_q = [0, 0, 0, 1], [0, 1, 1, 1]
    ours = Scores(p[drawn_p], sizes), Scores(q[drawn_p], sizes)
    theirs = Scores(p[drawn_q], others), Scores(q[drawn_q], others)
    divergence = 0.5 * math.log(3)
    assert reverse_kl(*ours)["reverse_kl"].value == pytest.approx(divergence)
    assert reverse_kl(*ours)["reverse_kl_per_token"].value == pytest.approx(divergence / 2)
    assert forward_kl(*theirs)["forward_kl"].value == pytest.approx(divergence)
    exact = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert jsd(ours, theirs)["jsd"].value == pytest.approx(exact)
    assert jsd(ours, theirs)["jsd_per_token"].value == pytest.approx(exact / 4)  # of the mean size of both sides


def test_laws_that_share_nothing() -> None:
    sizes = np.ones(2)
    sure, never = Scores(np.zeros(2), sizes), Scores(np.full(2, -np.inf), sizes)
    assert jsd((sure, never), (never, sure))["jsd"].value == pytest.approx(math.log(2))
    infinite = reverse_kl(sure, never)["reverse_kl"]
    assert infinite.value == math.inf
    assert infinite.standard_error is None
    assert infinite.to_dict() == {"value": math.inf, "standard_error": None, "count": 2}


def test_nlls_are_the_exact_means_and_their_difference_is_the_reverse_kl(table) -> None:
    """Kills: NLL_gen on samples, NLL_oracle under the generator, a sum over time for a mean."""
    ours, theirs = table(1), table(2)
    p, q = ours.law(), theirs.law()
    samples, real = draw_sequences(ours, COUNT, 3, random()), draw_sequences(theirs, COUNT, 3, random(1))
    figures = nll_oracle(theirs, samples), nll_gen(ours, real), nll_div(ours, samples)
    exact = -(p.exp() * q).sum() / 3, -(q.exp() * p).sum() / 3, -(p.exp() * p).sum() / 3
    for figure, value in zip(figures, exact, strict=True):
        assert figure.standard_error is not None
        assert abs(figure.value - float(value)) < 4 * figure.standard_error
    per_token = reverse_kl(score(ours, samples), score(theirs, samples))["reverse_kl_per_token"]
    assert figures[0].value - figures[2].value == pytest.approx(per_token.value)


def test_all_three_nlls_agree_where_the_generator_is_the_oracle(table) -> None:
    law = table(5)
    samples, real = draw_sequences(law, COUNT, 3, random()), draw_sequences(law, COUNT, 3, random(1))
    figures = nll_oracle(law, samples), nll_gen(law, real), nll_div(law, samples)
    errors = [figure.standard_error or 0.0 for figure in figures]
    for one in range(3):
        for other in range(one):
            assert abs(figures[one].value - figures[other].value) <= 3 * math.hypot(errors[one], errors[other])
    assert divergences(law, law, 3, 100, random())["jsd"].value == pytest.approx(0, abs=1e-12)


def test_padding_counts_only_where_asked(table) -> None:
    """Kills: masked and unmasked swapped, a mean of means for a mean over tokens."""
    law = table(1, end=0)
    rows = Sequences.of(torch.tensor([[1, 2, 0], [0, 0, 0], [2, 0, 0]]), end=0)
    log_probs = law.log_probs(rows.tokens)
    counted, every = score(law, rows), score(law, rows, masked=False)
    assert counted.sizes.tolist() == [3, 1, 2]
    assert counted.totals[1] == pytest.approx(float(log_probs[1, 0]))
    assert every.sizes.tolist() == [3, 3, 3]
    assert nll_gen(law, rows, masked=False).value == pytest.approx(-float(log_probs.mean()))
    expected = -float((log_probs * rows.mask).sum() / 6)
    assert nll_gen(law, rows).value == pytest.approx(expected)


def test_infinite_padding_does_not_reach_the_score() -> None:
    class Law:
        def log_probs(self, tokens: torch.Tensor) -> torch.Tensor:
            return torch.where(tokens == 0, -math.inf, -1.0)

    rows = Sequences(torch.tensor([[1, 0], [1, 1]]), torch.tensor([[True, False], [True, True]]))
    assert score(Law(), rows).totals.tolist() == [-1, -2]


def test_batches_do_not_change_scores(network) -> None:
    rows = Sequences.of(torch.randint(5, (23, 4), generator=random()))
    whole, parts = score(network, rows), score(network, rows, rows=7)
    assert whole.totals == pytest.approx(parts.totals, abs=1e-5)
    assert len(parts.totals) == 23


@pytest.mark.parametrize("end", [None, 0])
def test_lists_there_and_back(table, end: int | None) -> None:
    """Kills: the end token twice, or forgotten where a list is one token short of the length."""
    rows = draw_sequences(table(3, end), 50, 3, random())
    again = as_sequences(rows.lists(end), 3, end)
    assert torch.equal(again.tokens, rows.tokens)
    assert torch.equal(again.mask, rows.mask)


def test_every_list_is_ended_where_no_length_is_given() -> None:
    assert as_sequences([[1, 2], [3]], end=0).tokens.tolist() == [[1, 2, 0], [3, 0, 0]]
    assert as_sequences([[1, 2], [3, 1]]).mask.all()


def test_lists_that_do_not_fit() -> None:
    with pytest.raises(BadInput, match="at most 2 tokens, got one of 3"):
        as_sequences([[1, 2, 3]], 2, 0)
    with pytest.raises(BadInput, match="must have 3 tokens, got one of 1"):
        as_sequences([[1, 2, 3], [1]])
