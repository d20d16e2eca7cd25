"""A language model as a judge: the ids that were sampled, no padding, the same for hard and soft answers."""

from __future__ import annotations

import torch

from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.pairs import beside
from seqgans.discriminators.pretrained import Judge
from seqgans.objectives.adversarial import discriminator_loss
from seqgans.sequences import Sequences, mask_until
from tests.generators.models import VOCABULARY, causal_model

SOURCE = Sequences.of(torch.tensor([[5, 6, 7], [8, 0, 9]]), end=0)
TOKENS = torch.tensor([[3, 4, 0, 9], [11, 12, 13, 14]])
MASK = mask_until(TOKENS, 0)


def judge(drawn: bool = True) -> Discriminator:
    found = Judge(causal_model("gpt2").base_model, VOCABULARY)
    if drawn:
        torch.nn.init.normal_(found.head.weight, generator=torch.Generator().manual_seed(0))
    return found


def test_untrained_it_says_nothing() -> None:
    scores = beside(judge(drawn=False), SOURCE).scores(TOKENS, MASK)
    assert scores.tolist() == [0.0, 0.0]
    assert torch.allclose(discriminator_loss(scores, scores), torch.tensor(2.0).log())


def test_padding_is_never_looked_at() -> None:
    plain = beside(judge(), SOURCE).scores(TOKENS, MASK)
    other = TOKENS.masked_fill(~MASK, 17)
    wide = torch.nn.functional.pad(TOKENS, (0, 3), value=2), torch.nn.functional.pad(MASK, (0, 3))
    assert beside(judge(), SOURCE).scores(other, MASK).equal(plain)
    assert torch.allclose(beside(judge(), SOURCE).scores(*wide), plain, atol=1e-5)
    padded = Sequences(torch.nn.functional.pad(SOURCE.tokens, (0, 2)), torch.nn.functional.pad(SOURCE.mask, (0, 2)))
    assert torch.allclose(beside(judge(), padded).scores(TOKENS, MASK), plain, atol=1e-5)


def test_prompt_and_answer_are_read_in_a_row() -> None:
    row = torch.cat([SOURCE.tokens[0], TOKENS[0, :3]])[None]
    alone = judge().scores(row, torch.ones_like(row, dtype=torch.bool))
    assert torch.allclose(beside(judge(), SOURCE).scores(TOKENS, MASK)[:1], alone, atol=1e-5)
    steps = beside(judge(), SOURCE).step_scores(TOKENS, MASK)
    assert torch.allclose(steps[0, 2], alone[0], atol=1e-5)


def test_one_hot_rows_score_as_their_ids_and_carry_gradient() -> None:
    weights = torch.nn.functional.one_hot(TOKENS, VOCABULARY).float().requires_grad_()
    soft = beside(judge(), SOURCE).scores(weights, MASK)
    assert torch.allclose(soft, beside(judge(), SOURCE).scores(TOKENS, MASK), atol=1e-5)
    (gradient,) = torch.autograd.grad(soft.sum(), weights)
    assert bool((gradient[MASK] != 0).any(-1).all())


def test_equal_texts_score_equally() -> None:
    both = Sequences(TOKENS[[0, 0]], MASK[[0, 0]])
    scores = beside(judge(), SOURCE[torch.tensor([0, 0])]).scores(both.tokens, both.mask)
    assert torch.allclose(scores[0], scores[1], rtol=0, atol=1e-6)
