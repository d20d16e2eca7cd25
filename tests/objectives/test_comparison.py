"""Pairs and their labels. Mutants killed: a label that does not turn with its pair, ties left out, pairs of one order
only, a sequence beside itself, a mask that is not compared.
"""

from __future__ import annotations

from collections import Counter

import torch

from seqgans.discriminators.comparing import BETTER, TIE, WORSE
from seqgans.objectives.comparison import KINDS, balanced_pairs, comparison_loss, decided_accuracy, pair_labels
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences


def numbered(count: int, first: int) -> Sequences:
    """Sequences that all differ."""
    tokens = (first + torch.arange(count))[:, None].repeat(1, 2)
    return Sequences(tokens, torch.ones_like(tokens, dtype=torch.bool))


def test_all_pairs_of_n_and_n() -> None:
    """n² are decided and n (n − 1) are ties; a swapped pair has the other label."""
    real = torch.arange(10) < 5
    first, second = torch.combinations(torch.arange(10)).unbind(1)
    different = torch.zeros(len(first), dtype=torch.bool)
    labels = pair_labels(real[first], real[second], different)
    back = pair_labels(real[second], real[first], different)
    assert len(labels) == 45
    assert int((labels != TIE).sum()) == 25
    assert int((labels == TIE).sum()) == 20
    turned = {BETTER: WORSE, WORSE: BETTER, TIE: TIE}
    assert back.tolist() == [turned[label] for label in labels.tolist()]


def test_a_third_of_the_pairs_has_each_label() -> None:
    pairs = balanced_pairs(numbered(600, 0), numbered(600, 1000), Stream(generator_for(0)))
    tokens, labels = pairs["tokens"], pairs["label"]
    assert Counter(labels.tolist()) == {BETTER: 200, WORSE: 200, TIE: 200}
    real = tokens[:, :, 0] < 1000
    assert torch.equal(labels, pair_labels(real[:, 0], real[:, 1], torch.zeros(600, dtype=torch.bool)))
    assert Counter(map(tuple, real.tolist())) == {kind: 100 * KINDS.count(kind) for kind in KINDS}
    assert bool((tokens[:, 0] != tokens[:, 1]).any(1).all())  # nobody beside itself
    assert len(tokens[:, 0].unique(dim=0)) == 600  # and everybody once


def test_two_equal_sequences_tie() -> None:
    """Wherever they came from; what stands in padding does not matter, and where they end does."""
    mask = torch.tensor([[True, True, False]]).repeat(6, 1)
    real = Sequences(torch.tensor([[1, 2, 0]]).repeat(6, 1), mask)
    same = Sequences(torch.tensor([[1, 2, 9]]).repeat(6, 1), mask)
    other = Sequences(torch.tensor([[1, 2, 9]]).repeat(6, 1), torch.ones_like(mask))
    assert balanced_pairs(real, same, Stream(generator_for(0)))["label"].tolist() == [TIE] * 6
    assert balanced_pairs(real, other, Stream(generator_for(0)))["label"].tolist() == [0, 1, 2, 0, 1, 2]


def test_the_loss_is_that_of_three_verdicts() -> None:
    logits = torch.randn(4, 3, generator=generator_for(1))
    labels = torch.tensor([BETTER, TIE, WORSE, TIE])
    expected = -torch.stack([logits.softmax(1)[row, label] for row, label in enumerate(labels)]).log().mean()
    torch.testing.assert_close(comparison_loss(logits, labels), expected)


def test_accuracy_without_a_decided_pair_is_a_guess() -> None:
    logits = torch.tensor([[1.0, 0.0, 0.0]])
    assert decided_accuracy(logits, torch.tensor([TIE])) == 0.5
    assert decided_accuracy(logits, torch.tensor([BETTER])) == 1.0
    assert decided_accuracy(logits, torch.tensor([WORSE])) == 0.0
    assert decided_accuracy(torch.zeros(2, 3), torch.tensor([BETTER, WORSE])) == 0.5
