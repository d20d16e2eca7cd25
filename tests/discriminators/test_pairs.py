"""Judging pairs: one view on every discriminator, equal to reading each source and response by hand.

Mutants killed: sources of other rows, of other roll-outs or of other prefixes; a response that begins a place too early
or late; a source whose padding is read; a score of the source's last token; a context that is not handed on;
windows that are sought where nothing is left to be read.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from seqgans.data.sources import in_one
from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.convolutional import CNN
from seqgans.discriminators.pairs import beside
from seqgans.discriminators.recurrent import LSTMScorer
from seqgans.discriminators.seq2seq import Seq2SeqScorer
from seqgans.errors import BadInput
from seqgans.randomness import generator_for
from seqgans.rewards.prefixes import prefix_rewards
from seqgans.sequences import Sequences, mask_until

JUDGES: dict[str, Any] = {
    "cnn": CNN(embedding=3, widths=(1, 2, 4), maps=(3, 3, 3)),
    "lstm": LSTMScorer(embedding=3, hidden=4),
    "seq2seq": Seq2SeqScorer(hidden=4, layers=2),
}
RANDOM = generator_for(0, "pairs")
SOURCE = Sequences.of(torch.tensor([[3, 4, 0, 2], [2, 0, 2, 2], [4, 4, 4, 0], [3, 2, 0, 0]]), end=0)
TOKENS = torch.tensor([[1, 2, 0], [2, 2, 4], [3, 0, 0], [4, 1, 0]])
MASK = mask_until(TOKENS, 0)


@pytest.fixture(params=JUDGES)
def judge(request: pytest.FixtureRequest) -> Discriminator:
    return JUDGES[request.param].build(5, 7, generator_for(0, request.param))


def by_hand(judge: Discriminator, source: Sequences, row: list[int]) -> float:
    """The score of one response, its end found by counting."""
    tokens = torch.tensor([row])
    if hasattr(judge, "pair_scores"):
        context = Sequences(source.tokens[:, : int(source.mask.sum())], source.mask[:, : int(source.mask.sum())])
        return judge.step_scores(tokens, torch.ones_like(tokens, dtype=torch.bool), context=context)[0, -1].item()  # pyright: ignore
    asked = source.lists()[0]
    padded = torch.tensor([asked + row + [0] * (7 - len(asked) - len(row))])
    known = torch.arange(7)[None] < len(asked) + len(row)
    return judge.scores(padded, known).item()


def test_scores_are_those_of_each_pair(judge: Discriminator) -> None:
    expected = [
        by_hand(judge, SOURCE[slice(row, row + 1)], TOKENS[row, MASK[row]].tolist()) for row in range(len(TOKENS))
    ]
    torch.testing.assert_close(beside(judge, SOURCE).scores(TOKENS, MASK), torch.tensor(expected), rtol=0, atol=1e-5)


def test_another_source_is_another_score(judge: Discriminator) -> None:
    shuffled = SOURCE[torch.tensor([1, 2, 3, 0])]
    scores, others = (beside(judge, source).scores(TOKENS, MASK) for source in (SOURCE, shuffled))
    assert bool(((scores - others).abs() > 1e-4).all())
    assert beside(judge, None) is judge


def test_prefixes_and_roll_outs_keep_their_sources(judge: Discriminator) -> None:
    view = beside(judge, SOURCE)
    values = prefix_rewards(view, TOKENS, MASK, lambda scores: scores)
    for row in range(len(TOKENS)):
        for size in range(1, int(MASK[row].sum()) + 1):
            one = by_hand(judge, SOURCE[slice(row, row + 1)], TOKENS[row, :size].tolist())
            assert values[row, size - 1].item() == pytest.approx(one, abs=1e-5)
    assert bool((values[~MASK] == 0).all())
    completed = TOKENS[None, None].repeat(2, 3, 1, 1)  # (prefixes, rollouts, batch, time)
    completed[0, :, :, 1:] = torch.randint(0, 5, (3, 4, 2), generator=RANDOM)
    completed[1, :, :, 2:] = torch.randint(0, 5, (3, 4, 1), generator=RANDOM)
    ended = mask_until(completed.flatten(0, 2), 0).view(completed.shape)
    found = view.completion_scores(completed, ended, [1, 2])
    for place, rollout in ((0, 0), (0, 2), (1, 1)):
        expected = view.scores(completed[place, rollout], ended[place, rollout])
        torch.testing.assert_close(found[place, rollout], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["lstm", "seq2seq"])
def test_a_score_per_step_is_that_of_the_prefix(name: str) -> None:
    judge = JUDGES[name].build(5, 7, generator_for(0, name))
    steps: Tensor = beside(judge, SOURCE).step_scores(TOKENS, MASK)  # pyright: ignore
    whole = beside(judge, SOURCE).scores(TOKENS, MASK)
    torch.testing.assert_close(steps.gather(1, MASK.sum(1, keepdim=True) - 1)[:, 0], whole, rtol=0, atol=1e-5)
    assert steps[1, 0].item() == pytest.approx(by_hand(judge, SOURCE[slice(1, 2)], [2]), abs=1e-5)


def test_what_does_not_fit() -> None:
    judge = JUDGES["cnn"].build(5, 7, generator_for(0, "cnn"))
    with pytest.raises(ValueError, match="3 responses need as many sources, got 4"):
        in_one(SOURCE, TOKENS[:3], MASK[:3])
    with pytest.raises(BadInput, match="with a score per step, got Convolutional"):
        beside(judge, SOURCE).step_scores(TOKENS, MASK)  # pyright: ignore
    assert torch.equal(beside(judge, SOURCE).penalty(), judge.penalty())


def test_sources_of_one_length_leave_nothing_beyond_the_last_prefix(judge: Discriminator) -> None:
    """All of them as long as they can be: the last prefix is all there is."""
    long = Sequences.of(torch.tensor([[3, 4, 1, 2], [2, 1, 2, 2]]), end=0)
    found = prefix_rewards(beside(judge, long), TOKENS[:2], MASK[:2])
    for row in range(2):
        for size in range(1, int(MASK[row].sum()) + 1):
            score = by_hand(judge, long[row : row + 1], TOKENS[row, :size].tolist())
            assert found[row, size - 1].item() == pytest.approx(torch.tensor(score).sigmoid().item(), abs=1e-5)
