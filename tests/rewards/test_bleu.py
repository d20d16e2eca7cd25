"""BLEU against NLTK, and what must hold of it. Mutants killed are named in each test."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from seqgans.errors import BadInput
from seqgans.rewards.bleu import References, self_bleus, sentence_bleu_rewards
from seqgans.rewards.ngrams import Flat, ngrams
from seqgans.sequences import Sequences

ORDERS = (2, 3, 4, 5)


def nltk_bleu(references: list[list[int]], hypothesis: list[int], order: int) -> float:
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    weights = (1 / order,) * order
    return float(sentence_bleu(references, hypothesis, weights, smoothing_function=SmoothingFunction().method1))


def sequences(chance: random.Random, vocabulary: int, count: int, longest: int = 12) -> list[list[int]]:
    return [[chance.randrange(vocabulary) for _ in range(chance.randrange(longest))] for _ in range(count)]


def test_equals_nltk_on_random_cases() -> None:
    """Kills: ties of lengths towards the longer, smoothing of all orders, no floor of 1 under a precision,
    counts not clipped, counts summed instead of maximised over references."""
    chance = random.Random(1)
    cases = empty = unknown = short = 0
    for _ in range(350):
        vocabulary = chance.choice([2, 4, 9])
        references = sequences(chance, vocabulary, chance.randrange(1, 7))
        hypotheses = [*sequences(chance, vocabulary + 2, 2), [], [99, 98, 97], [chance.randrange(vocabulary)] * 2]
        found = References(references).bleus(hypotheses, ORDERS)
        for order in ORDERS:
            for row, hypothesis in enumerate(hypotheses):
                cases += 1
                empty += not hypothesis
                unknown += min(hypothesis, default=0) > 90
                short += 0 < len(hypothesis) < order
                expected = nltk_bleu(references, hypothesis, order)
                assert found[order][row] == pytest.approx(expected, abs=1e-9), (references, hypothesis, order)
    assert cases >= 1000
    assert min(empty, unknown, short) >= 100


def sentences(chance: random.Random, count: int, order: int) -> list[list[int]]:
    """Long enough for every order, of few words, so that long n-grams meet."""
    return [[chance.randrange(4) for _ in range(chance.randrange(order, 12))] for _ in range(count)]


def test_equals_sacrebleu_where_it_smooths_as_nltk_does() -> None:
    """Its "floor" of 0.1 is NLTK's method 1. Kills what the comparison with NLTK kills, in another's reading."""
    from sacrebleu.metrics.bleu import BLEU

    chance = random.Random(3)
    for order in ORDERS:
        theirs = BLEU(max_ngram_order=order, smooth_method="floor", smooth_value=0.1, tokenize="none", force=True)
        for _ in range(40):
            references, hypotheses = sentences(chance, 5, order), sentences(chance, 3, order)
            texts = [" ".join(map(str, row)) for row in references]
            for row, value in zip(hypotheses, References(references).bleus(hypotheses, (order,))[order], strict=True):
                expected = theirs.sentence_score(" ".join(map(str, row)), texts).score / 100
                assert value == pytest.approx(expected, abs=1e-9)


def test_equals_torchmetrics_where_every_order_meets() -> None:
    from torchmetrics.functional.text import bleu_score

    chance, compared = random.Random(4), 0
    for order in (2, 3, 4):
        for _ in range(40):
            references, (hypothesis,) = sentences(chance, 5, order), sentences(chance, 1, order)
            references.sort(key=len)  # of two equally near lengths it takes the first, where others take the shorter
            texts = [" ".join(map(str, row)) for row in references]
            expected = bleu_score([" ".join(map(str, hypothesis))], [texts], n_gram=order).item()
            if expected:  # it does not smooth
                compared += 1
                value = References(references).bleus([hypothesis], (order,))[order][0]
                assert value == pytest.approx(expected, abs=1e-5)
    assert compared > 60


def test_leave_one_out_is_brute_force() -> None:
    """Kills: the second largest count where two share the largest, lengths not taken out, a sentence as its own
    reference."""
    chance = random.Random(2)
    for _ in range(60):
        rows = sequences(chance, chance.choice([2, 5]), chance.randrange(2, 8), longest=9)
        rows.append(list(rows[0]))  # a duplicate: two owners of every count
        found = self_bleus(rows, ORDERS)
        for order in ORDERS:
            for row, hypothesis in enumerate(rows):
                expected = nltk_bleu(rows[:row] + rows[row + 1 :], hypothesis, order)
                assert found[order][row] == pytest.approx(expected, abs=1e-9)


def test_self_bleu_needs_company() -> None:
    with pytest.raises(BadInput, match="at least two sequences, got 1"):
        self_bleus([[1, 2, 3]])


def test_references_against_themselves_score_one() -> None:
    rows = [[1, 2, 3, 4, 5], [6, 7, 8, 9, 1, 2], [3, 3, 3, 3, 3, 3]]
    for scores in References(rows).bleus(rows, ORDERS, smoothing="none").values():
        assert scores == pytest.approx(np.ones(3), abs=1e-12)


def test_clipped_precisions_never_fall_with_more_references() -> None:
    """Kills: references averaged."""
    chance = random.Random(3)
    hypotheses, references = sequences(chance, 4, 20), sequences(chance, 4, 30)
    before = np.zeros((5, 20))
    for count in range(1, 31):
        now = References(references[:count]).matches(hypotheses)
        assert (now >= before).all()
        before = now
    assert before.max() > 1


def test_unsmoothed_is_zero_where_an_order_has_no_match() -> None:
    references = References([[1, 2, 3, 4]])
    smoothed, plain = (references.bleu([[1, 3, 2, 4]], 2, name)[0] for name in ("method1", "none"))
    assert plain == 0
    assert smoothed == pytest.approx((1 * 0.1 / 3) ** 0.5)


def test_brevity_uses_the_closest_length_and_the_shorter_of_two() -> None:
    words = [1] * 10
    assert References([words[:8], words[:4]]).bleu([words[:6]], 1)[0] == 1.0  # closest is 4, not 8
    assert References([words[:8]]).bleu([words[:6]], 1)[0] == pytest.approx(np.exp(1 - 8 / 6))


def test_rewards_of_a_batch_leave_out_padding_and_end() -> None:
    """Kills: the mask ignored, the end token counted, rows swapped."""
    references = References([[5, 6, 7, 8], [5, 5, 6]])
    batch = Sequences.of(torch.tensor([[5, 6, 7, 8], [5, 6, 0, 7], [0, 5, 6, 7], [9, 9, 6, 0]]), end=0)
    rewards = sentence_bleu_rewards(references, batch.tokens, batch.mask, 0, 3)
    expected = references.bleu([[5, 6, 7, 8], [5, 6], [], [9, 9, 6]], 3)
    torch.testing.assert_close(rewards, torch.tensor(expected, dtype=torch.float32))
    assert rewards[0] == 1
    assert rewards[2] == 0


def test_rewards_without_end_token_count_every_id() -> None:
    references = References([[0, 1, 0, 2]])
    tokens = torch.tensor([[0, 1, 0, 2], [0, 1, 2, 2]])
    rewards = sentence_bleu_rewards(references, tokens, torch.ones_like(tokens, dtype=torch.bool), None, 2)
    expected = references.bleu(tokens.tolist(), 2)
    assert rewards.tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    assert rewards[0] == 1


def test_ngrams_are_those_of_slices() -> None:
    """Kills: n-grams across the border of two sequences."""
    chance = random.Random(4)
    rows = sequences(chance, 3, 40)
    for grams in ngrams(Flat.of(rows), 4):
        order = grams.order
        slices = [tuple(row[at : at + order]) for row in rows for at in range(len(row) - order + 1)]
        assert len(grams.keys) == len(set(slices))
        assert len({(one, int(other)) for one, other in zip(slices, grams.ids, strict=True)}) == len(set(slices))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: References([]), "at least one reference, got none"),
        (lambda: References([[1]], orders=3).bleus([[1]], (2, 4)), r"at most 3, the largest remembered, got \[2, 4\]"),
        (lambda: References([[1]]).bleu([[1]], 1, smoothing="method7"), "no smoothing is called 'method7'"),
    ],
)
def test_bad_input_is_named(call, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        call()
