"""What a comparative discriminator learns: which of two sequences is the real one, if that is a question at all."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from seqgans.discriminators.comparing import BETTER, TIE, WORSE
from seqgans.randomness import Stream
from seqgans.sequences import Sequences

KINDS = ((True, False), (False, True), (True, True), (True, False), (False, True), (False, False))
"""What a pair is made of (is the first real, is the second), in turn: a third better, a third worse, a third ties."""


def pair_labels(
    first_real: Bool[Tensor, " pairs"], second_real: Bool[Tensor, " pairs"], same: Bool[Tensor, " pairs"]
) -> Int[Tensor, " pairs"]:
    """What the first of each pair is, compared with the second.

        (real, generated) → better,   (generated, real) → worse,   two of a kind, or twice the same → tie

    Args:
        first_real: whether the first is real.
        second_real: whether the second is.
        same: whether both are the same sequence, which nobody can tell apart wherever it came from.

    >>> yes, no = torch.tensor([True, False, True, True]), torch.tensor([False, True, True, False])
    >>> pair_labels(yes, no, torch.tensor([False, False, False, True]))
    tensor([0, 1, 2, 2])
    """
    decided = torch.where(first_real, BETTER, WORSE)
    return torch.where((first_real == second_real) | same, TIE, decided)


def balanced_pairs(real: Sequences, fake: Sequences, random: Stream) -> dict[str, Tensor]:
    """As many pairs as there are sequences of a kind, a third of each label, both orders, nobody beside itself.

    Args:
        real: n real sequences, at least two for ties of different ones.
        fake: n generated ones.
        random: which sequences meet.

    Returns:
        tokens and mask (pairs, 2, time), and label (pairs,), with one row a pair.
    """
    count, device = len(real), real.tokens.device
    kinds = torch.tensor(KINDS, device=device)[torch.arange(count, device=device) % len(KINDS)]  # (pairs, 2)
    order = random.permutation(count).to(device)
    places = torch.stack([order, order.roll(1)], 1)
    tokens = torch.where(kinds[:, :, None], real.tokens[places], fake.tokens[places])
    mask = torch.where(kinds[:, :, None], real.mask[places], fake.mask[places])
    alike = (tokens[:, 0] == tokens[:, 1]) | ~mask[:, 0]
    same = ((mask[:, 0] == mask[:, 1]) & alike).all(1)
    return {"tokens": tokens, "mask": mask, "label": pair_labels(kinds[:, 0], kinds[:, 1], same)}


def comparison_loss(logits: Float[Tensor, "pairs 3"], labels: Int[Tensor, " pairs"]) -> Float[Tensor, ""]:
    """Cross-entropy of the three verdicts.

        L(φ) = −mean log D^label(x₁, x₂)

    With as many pairs of each label, and real and generated of one law, its least value is that of always saying one
    third each.

    Args:
        logits: of better, worse, tie.
        labels: from `pair_labels`.

    Returns:
        The loss in nats: ln 3 where all logits are equal.

    References:
        Zhou, Ge, Xu, Wei and Zhou (2020), arXiv:2001.11691.

    >>> comparison_loss(torch.zeros(2, 3), torch.tensor([0, 2]))  # ln 3
    tensor(1.0986)
    """
    return cross_entropy(logits, labels)


@torch.no_grad()
def decided_accuracy(logits: Float[Tensor, "pairs 3"], labels: Int[Tensor, " pairs"]) -> float:
    """Share of the decided pairs whose real sequence is put first; a draw counts half, and no pair at all one half.

    >>> decided_accuracy(torch.tensor([[2.0, 1.0, 9.0], [2.0, 1.0, 0.0], [0.0, 5.0, 0.0]]), torch.tensor([0, 1, 2]))
    0.5
    """
    signs = (logits[:, BETTER] - logits[:, WORSE]).sign()
    right = torch.where(labels == BETTER, signs, -signs)[labels != TIE]
    return 0.5 * (right.sum() / max(1, len(right)) + 1).item()
